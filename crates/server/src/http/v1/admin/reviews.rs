//! The review queue.

use axum::Json;
use axum::extract::State;
use crosstalk_core::admin::ReviewState;
use crosstalk_core::im::admin::{Decision, Reviewed};
use crosstalk_gateway::{content_of, content_of_body};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{Body, Params, Segments};
use super::super::openapi::{Conflict, Denials, Missing, Oversize};
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::super::view::ChannelName;
use super::audit::{AuditNote, Noted};
use super::{actor, note, number, page_of, stretch};
use crate::http::state::ApiState;

/// An entry of the queue.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Review, example = json!({
    "id": "3",
    "state": "pending",
    "held": true,
    "message": null,
    "from": "alice",
    "to": {"kind": "group", "id": "team"},
    "content": {"type": "text", "text": "an odd word"},
    "created_at": 1_715_000_001_234_i64,
    "settled_by": null,
    "note": null,
    "settled_at": null,
}))]
pub(super) struct ReviewView {
    /// Its number.
    id: String,
    /// `pending`, `approved` or `rejected`.
    state: &'static str,
    /// It was not delivered and is sent once it is approved.
    held: bool,
    /// The id of the message that was delivered, or that was sent for it.
    message: Option<String>,
    /// Who said it.
    from: String,
    /// Where.
    to: ChannelName,
    /// What, as it was said when it came into the queue; null if nothing was kept of it.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// When, ms since 1970.
    created_at: i64,
    /// Who has decided.
    settled_by: Option<String>,
    /// The moderator's words.
    note: Option<String>,
    /// When, ms since 1970.
    settled_at: Option<i64>,
}

impl ReviewView {
    fn of(reviewed: Reviewed) -> Self {
        let review = reviewed.review;
        let held = review.held;
        let content = match (&review.message, &reviewed.message) {
            (None, _) => Some(content_of_body(&held.body)),
            // What it said then; what it says now can be harmless, or nothing.
            (Some(_), _) if !held.body.payload.is_empty() => Some(content_of_body(&held.body)),
            (Some(_), Some(message)) if message.revoked.is_none() => Some(content_of(message)),
            (Some(_), _) => None,
        };
        let id = review.message.or(review.sent.map(|sent| sent.id));
        Self {
            id: review.num.to_string(),
            state: review.state.name(),
            held: review.message.is_none(),
            message: id.map(|id| id.to_string()),
            from: held.sender.uid.as_str().to_owned(),
            to: ChannelName::seen_by(held.sender.uid.as_str(), &held.key),
            content,
            created_at: held.at_ms,
            settled_by: review.settled_by,
            note: review.note,
            settled_at: review.settled_at_ms,
        }
    }
}

/// Which entries are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct WantedState {
    state: Option<String>,
}

/// A decision.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Decision, example = json!({"note": "harmless"}))]
pub(super) struct NewDecision {
    /// The moderator's words.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Messages that wait for a moderator
///
/// Those with a word of the list `review`. As `moderation.review_mode` says, they were
/// delivered (`after`) or are held (`before`).
#[utoipa::path(
    get, path = "/v1/moderation/reviews", tag = "moderation",
    params(
        Paging,
        ("state" = Option<String>, Query,
         description = "`pending` (also if absent), `approved` or `rejected`"),
    ),
    responses((status = 200, description = "The oldest first", body = Page<ReviewView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_reviews(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
    Params(wanted): Params<WantedState>,
) -> Result<Json<Page<ReviewView>>, Problem> {
    let realm = &caller.app()?.realm;
    let state = wanted.state.as_deref().unwrap_or("pending");
    let state = ReviewState::parse(state)
        .ok_or_else(|| Problem::field("state", "is pending, approved or rejected"))?;
    let (after, limit) = stretch(&paging, "v")?;
    let found = api.im.reviews(realm, state, after, limit).await?;
    Ok(Json(page_of(
        found,
        limit,
        "v",
        |it| it.review.num,
        ReviewView::of,
    )))
}

/// One entry of the queue
#[utoipa::path(
    get, path = "/v1/moderation/reviews/{id}", tag = "moderation",
    params(("id" = String, Path, description = "The entry's number")),
    responses((status = 200, description = "The entry", body = ReviewView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_review(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<ReviewView>, Problem> {
    let realm = &caller.app()?.realm;
    let found = api.im.review(realm, number("id", &id)?).await?;
    Ok(Json(ReviewView::of(found)))
}

/// Let a message pass
///
/// One that is held is sent now, in its author's name, if its author may send it now: who was
/// removed, muted, blocked or banned meanwhile may not. Then it waits on, and can be rejected.
#[utoipa::path(
    post, path = "/v1/moderation/reviews/{id}/approve", tag = "moderation",
    request_body = NewDecision,
    params(("id" = String, Path, description = "The entry's number")),
    responses(
        (status = 200, description = "The entry", body = ReviewView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn approve_review(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(new): Body<NewDecision>,
) -> Result<Noted<Json<ReviewView>>, Problem> {
    decide(&api, &caller, &id, &new, Decision::Approve).await
}

/// Do not let a message pass
///
/// One that was delivered is deleted for everybody. The author of one that was held is not told;
/// a retry under its number is refused as `sensitive_word`.
#[utoipa::path(
    post, path = "/v1/moderation/reviews/{id}/reject", tag = "moderation",
    request_body = NewDecision,
    params(("id" = String, Path, description = "The entry's number")),
    responses(
        (status = 200, description = "The entry", body = ReviewView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn reject_review(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(new): Body<NewDecision>,
) -> Result<Noted<Json<ReviewView>>, Problem> {
    decide(&api, &caller, &id, &new, Decision::Reject).await
}

async fn decide(
    api: &ApiState,
    caller: &Caller,
    id: &str,
    new: &NewDecision,
    decision: Decision,
) -> Result<Noted<Json<ReviewView>>, Problem> {
    let realm = &caller.app()?.realm;
    let num = number("id", id)?;
    let note = note("note", new.note.as_deref())?;
    let by = actor(caller);
    let entry = api.im.decide(realm, num, decision, &by, &note).await?;
    Ok(AuditNote::on(note, Json(ReviewView::of(entry))))
}
