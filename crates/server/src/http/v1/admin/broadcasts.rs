//! Messages to many.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::admin::{Chore, ChoreKind};
use crosstalk_core::id::Uid;
use crosstalk_core::im::admin::{Audience, Broadcast, MAX_NAMED};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::content;
use super::super::input::{self, Body, Params, Segments};
use super::super::openapi::{Conflict, Denials, Missing, Oversize};
use super::super::page::{self, Page, Paging};
use super::super::problem::Problem;
use super::{WorkView, about, actor, number};
use crate::http::state::ApiState;

/// The longest tag, characters.
const TAG_CHARS: usize = 64;

/// To whom.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(super) enum To {
    /// `"all"`: everybody in the realm.
    All(String),
    /// Some: one of the two.
    Some {
        /// Everybody with this tag.
        #[serde(skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
        /// These users, at most 10,000.
        #[serde(skip_serializing_if = "Option::is_none")]
        uids: Option<Vec<String>>,
    },
}

impl To {
    fn some(tag: Option<String>, uids: Option<Vec<String>>) -> Self {
        Self::Some { tag, uids }
    }
}

/// A message to many.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "to": {"tag": "vip"}, "content": {"type": "text", "text": "Sale!"},
}))]
pub(super) struct NewBroadcast {
    /// `"all"`, `{"tag": …}` or `{"uids": […]}`.
    to: To,
    /// What, as in `POST /v1/messages`.
    #[schema(value_type = Object)]
    content: Value,
    /// Who says it; absent: the application itself, as `____system`.
    from: Option<String>,
}

/// A message to many, and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Broadcast)]
pub(super) struct BroadcastView {
    #[serde(flatten)]
    work: WorkView,
    /// Who says it.
    from: String,
    /// To whom.
    to: To,
    /// What.
    #[schema(value_type = Object)]
    content: Value,
}

impl BroadcastView {
    fn of(chore: Chore) -> Self {
        let said: Option<Broadcast> = serde_json::from_str(&chore.chore.spec).ok();
        let to = match said.as_ref().map(|said| &said.to) {
            Some(Audience::Tag(tag)) => To::some(Some(tag.clone()), None),
            Some(Audience::Uids(uids)) => To::some(None, Some(uids.clone())),
            Some(Audience::All) | None => To::All("all".to_owned()),
        };
        let content = said
            .as_ref()
            .and_then(|said| serde_json::from_str(&said.payload).ok());
        Self {
            work: chore.into(),
            from: said.map_or_else(String::new, |said| said.from),
            to,
            content: content.unwrap_or_default(),
        }
    }
}

/// Say something to many
///
/// In the background, as direct messages from one sender, at the pace that
/// `limits.broadcast_rate` says. It goes on after a restart, and everybody gets it once. It is
/// the application that says it, also in a user's name: neither word lists nor the hook that is
/// asked before a message are.
#[utoipa::path(
    post, path = "/v1/broadcasts", tag = "administration", request_body = NewBroadcast,
    responses(
        (status = 202, description = "It goes on", body = BroadcastView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn start_broadcast(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewBroadcast>,
) -> Result<(StatusCode, Json<BroadcastView>), Problem> {
    let realm = &caller.app()?.realm;
    let payload = content::payload(&new.content)?;
    let payload = String::from_utf8(payload.to_vec()).map_err(|_| Refusal::Internal)?;
    let to = match new.to {
        To::All(all) if all == "all" => Audience::All,
        To::Some {
            tag: Some(tag),
            uids: None,
        } => {
            input::check_name("to.tag", &tag, TAG_CHARS)?;
            Audience::Tag(tag)
        }
        To::Some {
            tag: None,
            uids: Some(uids),
        } => {
            if uids.is_empty() || uids.len() > MAX_NAMED {
                let wrong = format_args!("has 1 to {MAX_NAMED} of them");
                return Err(Problem::field("to.uids", wrong));
            }
            let uids = input::uids("to.uids", &uids)?;
            Audience::Uids(uids.iter().map(|uid| uid.as_str().to_owned()).collect())
        }
        To::All(_) | To::Some { .. } => {
            return Err(Problem::field("to", "is \"all\", a tag, or uids"));
        }
    };
    let from = match new.from.as_deref() {
        None | Some(Uid::SYSTEM) => Uid::system(),
        Some(from) => input::uid("from", from)?,
    };
    let broadcast = Broadcast {
        to,
        from: from.as_str().to_owned(),
        payload,
    };
    let chore = match api.im.broadcast(realm, &broadcast, &actor(&caller)).await {
        Err(Refusal::NoSuchUser) => return Err(about("from", Refusal::NoSuchUser)),
        chore => chore?,
    };
    Ok((StatusCode::ACCEPTED, Json(BroadcastView::of(chore))))
}

/// Messages to many, and how far they are
#[utoipa::path(
    get, path = "/v1/broadcasts", tag = "administration", params(Paging),
    responses(
        (status = 200, description = "The newest first", body = Page<BroadcastView>),
        Denials
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_broadcasts(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BroadcastView>>, Problem> {
    let realm = &caller.app()?.realm;
    let before = paging.after::<1>("c")?.map(|[before]| before);
    let limit = paging.limit()?;
    let kind = ChoreKind::Broadcast;
    let mut found = api.im.chores(realm, kind, before, limit + 1).await?;
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let last = found.last().filter(|_| more);
    let next_cursor = last.map(|last| page::encode("c", [last.num]));
    Ok(Json(Page {
        items: found.into_iter().map(BroadcastView::of).collect(),
        next_cursor,
    }))
}

/// How far a message to many is
#[utoipa::path(
    get, path = "/v1/broadcasts/{id}", tag = "administration",
    params(("id" = String, Path, description = "Its number")),
    responses((status = 200, description = "How far it is", body = BroadcastView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_broadcast(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<BroadcastView>, Problem> {
    let realm = &caller.app()?.realm;
    let num = number("id", &id)?;
    let found = api.im.chore(realm, ChoreKind::Broadcast, num).await?;
    Ok(Json(BroadcastView::of(found)))
}

/// Call a message to many off
///
/// Whoever has it keeps it.
#[utoipa::path(
    delete, path = "/v1/broadcasts/{id}", tag = "administration",
    params(("id" = String, Path, description = "Its number")),
    responses(
        (status = 200, description = "How far it came", body = BroadcastView),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn cancel_broadcast(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<BroadcastView>, Problem> {
    let realm = &caller.app()?.realm;
    let num = number("id", &id)?;
    let found = api.im.cancel_chore(realm, ChoreKind::Broadcast, num);
    Ok(Json(BroadcastView::of(found.await?)))
}
