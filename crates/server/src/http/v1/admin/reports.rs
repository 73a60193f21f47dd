//! What users report.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::admin::{Report, Resolution};
use crosstalk_core::im::admin::ReportAbout;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::content_of_body;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{self, Body, Params, Segments};
use super::super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::super::view::ChannelName;
use super::audit::{AuditNote, Noted};
use super::{actor, note, number, page_of, stretch};
use crate::http::state::ApiState;

/// The longest reason, characters, and the longest text.
const REASON_CHARS: usize = 64;
const TEXT_CHARS: usize = 1000;

/// A report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report, example = json!({
    "id": "1", "state": "open", "reporter": "alice", "kind": "message",
    "target": "741200000000000001", "reason": "abuse", "text": "…",
    "content": {"type": "text", "text": "an odd word"},
    "created_at": 1_715_000_001_234_i64,
    "action": null, "note": null, "resolved_by": null, "resolved_at": null,
}))]
pub(super) struct ReportView {
    /// Its number.
    id: String,
    /// `open` or `resolved`.
    state: &'static str,
    /// Who reports.
    reporter: String,
    /// `message`, `user` or `channel`.
    kind: &'static str,
    /// The message's id, the user's id, or `kind:id` of the channel.
    target: String,
    /// Why.
    reason: String,
    /// What else they say.
    text: String,
    /// What the message said when it was reported; for moderators only.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// When, ms since 1970.
    created_at: i64,
    /// What was done: `none`, `delete_message`, `ban_user` or `warn`.
    action: Option<&'static str>,
    /// The moderator's words.
    note: Option<String>,
    /// Who has resolved it.
    resolved_by: Option<String>,
    /// When, ms since 1970.
    resolved_at: Option<i64>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let filed = report.report;
        Self {
            id: report.num.to_string(),
            state: if report.action.is_some() {
                "resolved"
            } else {
                "open"
            },
            reporter: filed.reporter.uid.as_str().to_owned(),
            kind: filed.kind.name(),
            target: filed.target,
            reason: filed.reason,
            text: filed.text,
            content: filed.said.as_ref().map(content_of_body),
            created_at: report.at_ms,
            action: report.action.map(Resolution::name),
            note: report.note,
            resolved_by: report.resolved_by,
            resolved_at: report.resolved_at_ms,
        }
    }
}

/// What is reported: one of `message`, `user` and `channel`.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"message": "741200000000000001", "reason": "abuse"}))]
pub(super) struct NewReport {
    /// The id of a message that the caller can see.
    message: Option<String>,
    /// A user.
    user: Option<String>,
    /// A channel that the caller belongs to.
    channel: Option<ChannelName>,
    /// Why, in a word.
    #[schema(min_length = 1, max_length = 64)]
    reason: String,
    /// What else there is to say.
    #[schema(max_length = 1000)]
    text: Option<String>,
}

/// What is done about a report.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"action": "warn", "note": "Please stay friendly."}))]
pub(super) struct NewResolution {
    /// `none`, `delete_message`, `ban_user` (its author, or the user reported) or `warn` (the
    /// system writes them the note).
    action: String,
    /// The moderator's words.
    #[schema(max_length = 500)]
    note: Option<String>,
}

/// Which reports are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct WantedState {
    state: Option<String>,
}

/// Report something
///
/// At most 20 in 24 hours.
#[utoipa::path(
    post, path = "/v1/reports", tag = "moderation", request_body = NewReport,
    responses(
        (status = 201, description = "The report", body = ReportView),
        Denials, Missing, Oversize, Throttled
    ),
    security(("user_token" = []))
)]
pub(super) async fn file_report(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewReport>,
) -> Result<(StatusCode, Json<ReportView>), Problem> {
    let Caller::User(identity) = &caller else {
        let why = "this needs a user token";
        return Err(Problem::new(Refusal::Forbidden, why));
    };
    input::check_name("reason", &new.reason, REASON_CHARS)?;
    if new.reason.trim().is_empty() {
        return Err(Problem::field("reason", "is empty"));
    }
    let text = new.text.as_deref().unwrap_or_default();
    if text.chars().count() > TEXT_CHARS {
        let wrong = format_args!("has at most {TEXT_CHARS} characters");
        return Err(Problem::field("text", wrong));
    }
    if text.contains('\0') {
        return Err(Problem::field("text", "has a control character"));
    }
    let realm = &identity.realm;
    let about = match (&new.message, &new.user, &new.channel) {
        (Some(id), None, None) => ReportAbout::Message(input::message_id(id)?),
        (None, Some(uid), None) => ReportAbout::User(input::uid("user", uid)?),
        (None, None, Some(channel)) => {
            let id = &channel.id;
            let address =
                crosstalk_core::channel::Address::parse(channel.kind, id).map_err(|why| {
                    Problem::new(why, input::no_channel_of("channel.id", channel.kind, id))
                })?;
            ReportAbout::Channel(address.key(realm, &identity.user.uid)?)
        }
        _ => {
            let why = "give a message, a user or a channel, and one of them";
            return Err(Problem::field("message", why));
        }
    };
    let reason = new.reason.trim();
    let filed = api
        .im
        .file_report(realm, &identity.user, about, reason, text);
    let mut filed = filed.await?;
    filed.report.said = None;
    Ok((StatusCode::CREATED, Json(filed.into())))
}

/// What was reported
#[utoipa::path(
    get, path = "/v1/reports", tag = "moderation",
    params(
        Paging,
        ("state" = Option<String>, Query, description = "`open` (also if absent) or `resolved`"),
    ),
    responses((status = 200, description = "The oldest first", body = Page<ReportView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_reports(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
    Params(wanted): Params<WantedState>,
) -> Result<Json<Page<ReportView>>, Problem> {
    let realm = &caller.app()?.realm;
    let is_open = match wanted.state.as_deref() {
        None | Some("open") => true,
        Some("resolved") => false,
        Some(_) => return Err(Problem::field("state", "is open or resolved")),
    };
    let (after, limit) = stretch(&paging, "r")?;
    let found = api.im.user_reports(realm, is_open, after, limit).await?;
    Ok(Json(page_of(
        found,
        limit,
        "r",
        |report| report.num,
        ReportView::from,
    )))
}

/// One report
#[utoipa::path(
    get, path = "/v1/reports/{id}", tag = "moderation",
    params(("id" = String, Path, description = "The report's number")),
    responses((status = 200, description = "The report", body = ReportView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_report(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<ReportView>, Problem> {
    let realm = &caller.app()?.realm;
    let found = api.im.user_report(realm, number("id", &id)?).await?;
    Ok(Json(found.into()))
}

/// Resolve a report
#[utoipa::path(
    post, path = "/v1/reports/{id}/resolve", tag = "moderation", request_body = NewResolution,
    params(("id" = String, Path, description = "The report's number")),
    responses(
        (status = 200, description = "The report", body = ReportView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn resolve_report(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(new): Body<NewResolution>,
) -> Result<Noted<Json<ReportView>>, Problem> {
    let realm = &caller.app()?.realm;
    let num = number("id", &id)?;
    let action = Resolution::parse(&new.action)
        .ok_or_else(|| Problem::field("action", "is none, delete_message, ban_user or warn"))?;
    let note = note("note", new.note.as_deref())?;
    let by = actor(&caller);
    let resolved = match api.im.resolve_report(realm, num, action, &by, &note).await {
        Err(Refusal::InvalidArgument) => {
            let why = "cannot be done about this report, or needs a note";
            return Err(Problem::field("action", why));
        }
        resolved => resolved?,
    };
    let note = format!("{}: {note}", action.name());
    Ok(AuditNote::on(note, Json(resolved.into())))
}
