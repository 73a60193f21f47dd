//! Who has mentioned a user, and what of it they have done with.

use axum::Json;
use axum::extract::State;
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::im::{Reminder, ReminderQuery, Viewer};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::channels::seen_by;
use super::input::{self, Body, Params, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize};
use super::page::{self, Page};
use super::problem::Problem;
use super::view::{ChannelName, MessageView};
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "rm";
/// Reminders that one request ends.
const MAX_DONE: usize = 1000;

/// Which reminders are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ReminderState {
    /// Those that are neither read nor done with.
    #[default]
    Open,
    /// All.
    All,
}

/// Which reminders are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only of a channel of this kind, with `id`.
    kind: Option<String>,
    /// Only of this channel; of a direct one the peer's uid.
    id: Option<String>,
    /// Which.
    #[param(inline)]
    #[serde(default)]
    state: ReminderState,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// That a message mentions the user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reminder)]
pub(super) struct ReminderView {
    /// The channel, as the user names it.
    channel: ChannelName,
    /// Everybody is mentioned, and not the user by name.
    all: bool,
    /// It is read, or the user is done with it.
    done: bool,
    /// The message.
    message: MessageView,
}

/// A user's reminders
///
/// Messages that mention the user, newest first. A page may hold fewer items than there is
/// room for, and still have a next one.
#[utoipa::path(
    get, path = "/v1/users/{uid}/reminders", tag = "conversations",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token"), Wanted),
    responses(
        (status = 200, description = "Reminders", body = Page<ReminderView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_reminders(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<ReminderView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let limit = page::limit(wanted.limit)?;
    let before = match &wanted.cursor {
        None => None,
        Some(cursor) => {
            let place = page::decode(LIST, cursor).map(|[id]: [i64; 1]| MessageId(id));
            let wrong = || Problem::field("cursor", "is not one that this list gave");
            Some(place.ok_or_else(wrong)?)
        }
    };
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let of = match (&wanted.kind, &wanted.id) {
        (Some(kind), Some(id)) => Some(seen_by(realm, Some(&uid), kind, id)?),
        (None, None) => None,
        _ => return Err(Problem::field("kind", "goes with id")),
    };
    let query = ReminderQuery {
        of,
        open_only: wanted.state == ReminderState::Open,
        before,
        after_version: None,
        limit,
    };
    let found = api.im.reminders(&user, &query).await?;
    let next_cursor = found.next.map(|(id, _)| page::encode(LIST, [id.0]));
    let messages: Vec<_> = found
        .items
        .iter()
        .map(|item| item.message.clone())
        .collect();
    let views = MessageView::all(&api, &Viewer::User(user), &messages).await?;
    let items = found.items.iter().zip(views);
    let items = items
        .map(|(item, message)| view(&uid, item, message))
        .collect();
    Ok(Json(Page { items, next_cursor }))
}

fn view(uid: &Uid, item: &Reminder, message: MessageView) -> ReminderView {
    ReminderView {
        channel: ChannelName::seen_by(uid.as_str(), &item.message.channel.key),
        all: item.is_all,
        done: item.is_done,
        message,
    }
}

/// What a user has done with.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"ids": ["741200000000000001"]}))]
pub(super) struct DoneWith {
    /// These messages; at most 1,000.
    #[serde(default)]
    #[schema(max_items = 1000)]
    ids: Vec<String>,
    /// Everything in this channel, instead.
    #[serde(default)]
    channel: Option<ChannelName>,
}

/// How many are newly done.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"done": 1}))]
pub(super) struct DoneCount {
    done: u64,
}

/// End reminders
///
/// The messages stay as they are. What does not mention the user is passed over, and saying it
/// again changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{uid}/reminders/done", tag = "conversations", request_body = DoneWith,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "How many", body = DoneCount),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn end_reminders(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(with): Body<DoneWith>,
) -> Result<Json<DoneCount>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if with.ids.is_empty() == with.channel.is_none() {
        return Err(Problem::field("ids", "or channel says what is done with"));
    }
    if with.ids.len() > MAX_DONE {
        return Err(Problem::field(
            "ids",
            format_args!("has at most {MAX_DONE} messages"),
        ));
    }
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let done = match with.channel {
        Some(channel) => {
            let kind = channel.kind.name();
            let key = seen_by(realm, Some(&uid), kind, &channel.id)?;
            api.im.channel_reminders_done(&user, &key).await?
        }
        None => {
            let ids = with.ids.iter().map(|id| input::message_id(id));
            let ids = ids.collect::<Result<Vec<_>, _>>()?;
            api.im.reminders_done(&user, &ids).await?
        }
    };
    Ok(Json(DoneCount { done }))
}
