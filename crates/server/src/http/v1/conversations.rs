//! A user's view of their channels: what is unread, and the newest message.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::id::UserRef;
use crosstalk_core::im::Viewer;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::channels::seen_by;
use super::input::{Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::{ChannelName, KindName, MessageView};
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "c";

/// A user's view of one channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Conversation, example = json!({
    "channel": {"kind": "direct", "id": "alice"},
    "unread": 1,
    "last_message": {
        "id": "741200000000000001",
        "to": {"kind": "direct", "id": "bob"},
        "seq": 7,
        "from": "alice",
        "sent_at": 1_715_000_001_234_i64,
        "content": {"type": "text", "text": "你好"},
        "state": "sent",
        "client_no": "m-7",
    },
    "last_seq": 7,
    "read_seq": 6,
    "pinned": false,
    "muted": false,
}))]
pub(super) struct ConversationView {
    /// The channel, as this user names it: a direct one by the peer.
    channel: ChannelName,
    /// How many messages the user has not seen.
    unread: u64,
    /// The newest message that the user may see; null if there is none.
    last_message: Option<MessageView>,
    /// The channel's newest seq; 0 = nothing was said.
    last_seq: u64,
    /// Read up to this seq.
    read_seq: u64,
    /// Kept on top of the list.
    pinned: bool,
    /// No notifications.
    muted: bool,
}

/// How far a user has read.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"seq": 42}))]
pub(super) struct ReadUpTo {
    /// The last seq that was read; absent: the newest.
    seq: Option<u64>,
}

impl ConversationView {
    fn at(now_ms: i64, user: &UserRef, row: &ConversationRow, newest: Option<&Message>) -> Self {
        Self {
            channel: ChannelName::seen_by(user.uid.as_str(), &row.channel.key),
            unread: row.unread(),
            last_message: newest.map(|message| MessageView::at(now_ms, message)),
            last_seq: row.head_seq,
            read_seq: row.read_seq,
            pinned: row.pinned_at_ms > 0,
            muted: row.kept.is_muted(now_ms),
        }
    }
}

/// Conversations with their newest messages, which are read at once.
async fn views(
    api: &ApiState,
    user: &UserRef,
    rows: &[ConversationRow],
) -> Result<Vec<ConversationView>, Problem> {
    let from = |row: &ConversationRow| (Arc::clone(&row.channel), row.begins_after + 1);
    let logs: Vec<_> = rows.iter().map(from).collect();
    let viewer = Viewer::User(user.clone());
    let newest = api.im.newest(&viewer, &logs, 1).await?;
    let now_ms = api.im.clock().now_ms();
    let all = rows.iter().zip(&newest);
    let view = |(row, newest): (_, &Vec<_>)| ConversationView::at(now_ms, user, row, newest.last());
    Ok(all.map(view).collect())
}

/// Where a row stands in the list: pinned ones first, then by the newest message.
fn place(row: &ConversationRow) -> [i64; 3] {
    [
        row.pinned_at_ms,
        row.head.map_or(0, |(id, _)| id.0),
        row.channel.num.0,
    ]
}

/// A user's conversations
///
/// Pinned ones first, then by the newest message. Hidden ones are left out.
#[utoipa::path(
    get, path = "/v1/users/{uid}/conversations", tag = "conversations",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token"), Paging),
    responses(
        (status = 200, description = "Conversations", body = Page<ConversationView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_conversations(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<ConversationView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let limit = paging.limit()? as usize;
    let after = paging.after::<3>(LIST)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let mut rows = api.im.conversations(&user).await?;
    rows.sort_by_key(|row| Reverse(place(row)));
    let begin = after.map_or(0, |after| rows.partition_point(|row| place(row) >= after));
    let rest = &rows[begin..];
    let shown = &rest[..limit.min(rest.len())];
    let items = views(&api, &user, shown).await?;
    let last = shown.last().filter(|_| rest.len() > limit);
    let next_cursor = last.map(|row| page::encode(LIST, place(row)));
    Ok(Json(Page { items, next_cursor }))
}

/// Mark a conversation as read
///
/// The position only moves forward.
#[utoipa::path(
    post, path = "/v1/users/{uid}/conversations/{kind}/{id}/read", tag = "conversations",
    request_body = ReadUpTo,
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("kind" = KindName, Path, description = "The kind of channel, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
    ),
    responses(
        (status = 200, description = "The conversation", body = ConversationView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn read_conversation(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, kind, id)): Segments<(String, String, String)>,
    Body(read): Body<ReadUpTo>,
) -> Result<Json<ConversationView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let key = seen_by(realm, Some(&uid), &kind, &id)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let row = api.im.read(&user, &key, read.seq).await?;
    let mut view = views(&api, &user, &[row]).await?;
    Ok(Json(view.pop().ok_or(Refusal::Internal)?))
}
