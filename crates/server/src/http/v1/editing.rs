//! Saying something else, and deleting what was said.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::MessageId;
use crosstalk_core::im::Viewer;
use crosstalk_core::mark::MAX_BATCH;
use crosstalk_core::message::Origin;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{NewBody, content_of_body};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::acting;
use super::auth::Caller;
use super::content;
use super::input::{self, Body, Params, Segments};
use super::looking::{self, Whose};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::outcome::OutcomeError;
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::MessageView;
use crate::http::state::ApiState;

/// What cursors of versions begin with.
const VERSIONS: &str = "ve";

/// What is wrong with an edit that makes something else of a message.
const OTHER_KIND: &str = "must stay what it was, with all that belongs to it";

/// What a message is to say.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"content": {"type": "text", "text": "你好!"}}))]
pub(super) struct Edit {
    /// What it is to say, as with sending.
    #[schema(value_type = Object)]
    content: Value,
    /// The user in whose name it is done, who must be its author. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
}

/// Edit a message
///
/// What it said before stays as a version of it. Everybody is told in their dialect's way. Its
/// author may, for as long as the setting `im.edit_window_secs` says and as long as they may
/// send there. It stays of its type; what it replies to stays, and whom it mentions unless the
/// new content says so. The same content again is a success that changes nothing.
#[utoipa::path(
    patch, path = "/v1/messages/{id}", tag = "messages", request_body = Edit,
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 200, description = "The message as it is now", body = MessageView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn edit_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(edit): Body<Edit>,
) -> Result<Json<MessageView>, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let by = acting::operator(&api, &caller, edit.operator.as_deref()).await?;
    let mut said = edit.content;
    // Users reply to what they have replied to.
    if let (Some(_), Some(members)) = (by.user(), said.as_object_mut()) {
        members.remove("reply");
    }
    let payload = content::payload(&said)?;
    let viewer = view_of(&by);
    let before = api.im.sight(realm, id, &viewer).await?;
    let body = NewBody {
        origin: Origin::REST,
        tag: "".into(),
        payload,
    };
    let edited = crosstalk_gateway::edit_message(&api.im, realm, by, &before, body).await;
    let edited = edited.map_err(|why| match why {
        Refusal::InvalidArgument => Problem::field("content.type", OTHER_KIND),
        why => why.into(),
    })?;
    let views = MessageView::all(&api, &viewer, std::slice::from_ref(&edited.message)).await?;
    Ok(Json(views.into_iter().next().ok_or(Refusal::Internal)?))
}

fn view_of(by: &Operator) -> Viewer {
    match by {
        Operator::Application => Viewer::Application,
        Operator::User(user) => Viewer::User(user.clone()),
    }
}

/// What a message has said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageVersion)]
pub(super) struct VersionView {
    /// Which edit it was; 0 = as it was sent.
    n: u32,
    /// When, ms since 1970.
    at: i64,
    /// By whom; null = the application.
    by: Option<String>,
    /// What it said.
    #[schema(value_type = Object)]
    content: Value,
}

/// What a message has said
///
/// From what was sent to what it says now. Nothing once its content is gone.
#[utoipa::path(
    get, path = "/v1/messages/{id}/versions", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Whose, Paging),
    responses((status = 200, description = "Versions", body = Page<VersionView>), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_versions(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(whose): Params<Whose>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<VersionView>>, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let viewer = looking::viewer(&api, &caller, whose.user.as_deref()).await?;
    let limit = paging.limit()?;
    let from = match paging.after::<1>(VERSIONS)? {
        None => 0,
        Some([after]) => u32::try_from(after).unwrap_or(u32::MAX).saturating_add(1),
    };
    let message = api.im.sight(realm, id, &viewer).await?;
    let mut versions = api.im.versions(realm, id, &viewer, from, limit + 1).await?;
    let more = versions.len() > limit as usize;
    versions.truncate(limit as usize);
    let last = versions.last().map(|last| i64::from(last.n));
    let items = versions.into_iter().map(|version| {
        let edit = version.edit;
        let body = message.body.edited(edit.origin, edit.tag, edit.payload);
        VersionView {
            n: version.n,
            at: version.at_ms,
            by: edit.by.map(|user| user.uid.as_str().to_owned()),
            content: content_of_body(&body),
        }
    });
    Ok(Json(Page {
        items: items.collect(),
        next_cursor: last
            .filter(|_| more)
            .map(|last| page::encode(VERSIONS, [last])),
    }))
}

/// For whom messages are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Scope {
    /// For the user alone: the others see what they saw.
    #[default]
    Me,
    /// For everybody.
    All,
}

/// For whom a message is deleted, and by whom.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Deletion {
    /// `me` (the default) or `all`.
    #[param(inline)]
    #[serde(default)]
    scope: Scope,
    /// With an app secret or the admin key: for whom (`me`, needed then), or in whose name
    /// (`all`; absent: the application itself).
    operator: Option<String>,
}

/// Delete a message
///
/// For the user alone it leaves their history, their unread count and their search. For
/// everybody its content is gone for good and lists do not show it any more: authors may do
/// that for as long as they may revoke, and who moderates the channel at any time.
#[utoipa::path(
    delete, path = "/v1/messages/{id}", tag = "messages",
    params(("id" = String, Path, description = "The message's id"), Deletion),
    responses((status = 204, description = "It is deleted"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(deletion): Params<Deletion>,
) -> Result<StatusCode, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let by = acting::operator(&api, &caller, deletion.operator.as_deref()).await?;
    match deletion.scope {
        Scope::All => {
            api.im.delete(realm, id, by).await?;
        }
        Scope::Me => {
            let user = by
                .user()
                .ok_or_else(|| Problem::field("operator", "is missing"))?;
            if api.im.hide(realm, user, &[id]).await?.is_empty() {
                return Err(Refusal::NoSuchMessage.into());
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Several messages.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"ids": ["741200000000000001"], "scope": "all"}))]
pub(super) struct Several {
    /// Their ids, 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// For whom they are deleted: `me` (the default) or `all`.
    #[serde(default)]
    scope: Scope,
    /// As with a single message.
    operator: Option<String>,
}

/// Several messages to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"ids": ["741200000000000001"]}))]
pub(super) struct SeveralToRevoke {
    /// Their ids, 1 to 100.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<String>,
    /// As with a single message.
    operator: Option<String>,
}

/// What became of one of several messages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageOutcome)]
pub(super) struct OutcomeView {
    /// Its id.
    id: String,
    /// Why it was refused; null if it was not.
    error: Option<OutcomeError>,
}

/// What became of several messages, in the order given.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageOutcomes)]
pub(super) struct Outcomes {
    items: Vec<OutcomeView>,
}

fn ids(texts: &[String]) -> Result<Vec<MessageId>, Problem> {
    if texts.is_empty() || texts.len() > MAX_BATCH {
        return Err(Problem::field(
            "ids",
            format_args!("has 1 to {MAX_BATCH} ids"),
        ));
    }
    texts
        .iter()
        .map(|text| {
            input::message_id(text)
                .map_err(|_| Problem::field("ids", "a message id is a decimal number"))
        })
        .collect()
}

fn outcome(id: MessageId, done: Result<(), Refusal>) -> OutcomeView {
    OutcomeView {
        id: id.to_string(),
        error: done.err().map(OutcomeError::from),
    }
}

/// Revoke several messages
///
/// Each by itself: one that cannot be revoked does not keep the others from it.
#[utoipa::path(
    post, path = "/v1/messages/revoke", tag = "messages", request_body = SeveralToRevoke,
    responses(
        (status = 200, description = "What became of each", body = Outcomes),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn revoke_messages(
    State(api): State<ApiState>,
    caller: Caller,
    Body(several): Body<SeveralToRevoke>,
) -> Result<Json<Outcomes>, Problem> {
    let realm = caller.realm()?;
    let ids = ids(&several.ids)?;
    let by = acting::operator(&api, &caller, several.operator.as_deref()).await?;
    let mut items = Vec::with_capacity(ids.len());
    for id in ids {
        let done = api.im.revoke(realm, id, by.clone()).await;
        items.push(outcome(id, done.map(|_| ())));
    }
    Ok(Json(Outcomes { items }))
}

/// Delete several messages
///
/// Each by itself, for the user or for everybody.
#[utoipa::path(
    post, path = "/v1/messages/delete", tag = "messages", request_body = Several,
    responses(
        (status = 200, description = "What became of each", body = Outcomes),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_messages(
    State(api): State<ApiState>,
    caller: Caller,
    Body(several): Body<Several>,
) -> Result<Json<Outcomes>, Problem> {
    let realm = caller.realm()?;
    let ids = ids(&several.ids)?;
    let by = acting::operator(&api, &caller, several.operator.as_deref()).await?;
    let mut items = Vec::with_capacity(ids.len());
    match several.scope {
        Scope::All => {
            for id in ids {
                let done = api.im.delete(realm, id, by.clone()).await;
                items.push(outcome(id, done.map(|_| ())));
            }
        }
        Scope::Me => {
            let user = by
                .user()
                .ok_or_else(|| Problem::field("operator", "is missing"))?;
            let hidden = api.im.hide(realm, user, &ids).await?;
            items.extend(ids.into_iter().map(|id| {
                let is_done = hidden.contains(&id);
                outcome(id, is_done.then_some(()).ok_or(Refusal::NoSuchMessage))
            }));
        }
    }
    Ok(Json(Outcomes { items }))
}
