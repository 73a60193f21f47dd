//! A user's view of their channels: what is unread, and the newest message.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::id::UserRef;
use crosstalk_core::im::Viewer;
use crosstalk_core::mention::MentionCount;
use crosstalk_core::message::{Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::sign_all;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

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
    "mentions": 0,
    "first_mention_seq": null,
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
    "pinned_at": null,
    "muted": false,
    "muted_until_at": null,
    "marked": false,
    "draft": "",
    "draft_at": null,
    "hidden": false,
    "begins_after_seq": 0,
    "updated_at": 1_715_000_001_234_i64,
}))]
pub(super) struct ConversationView {
    /// The channel, as this user names it: a direct one by the peer.
    channel: ChannelName,
    /// How many messages the user has not seen.
    unread: u64,
    /// How many of those mention the user, and the user is not done with.
    mentions: u64,
    /// The place of the first of these; null if there is none.
    first_mention_seq: Option<u64>,
    /// The newest message that the user may see; null if there is none.
    last_message: Option<MessageView>,
    /// The channel's newest seq; 0 = nothing was said.
    last_seq: u64,
    /// Read up to this seq.
    read_seq: u64,
    /// Kept on top of the list.
    pinned: bool,
    /// Since when; null: not pinned.
    pinned_at: Option<i64>,
    /// No notifications.
    muted: bool,
    /// Until when; null: not muted, or for good.
    muted_until_at: Option<i64>,
    /// Marked by the user, for example as unread.
    marked: bool,
    /// What was begun to be written there.
    draft: String,
    /// When that was last changed; null: never.
    draft_at: Option<i64>,
    /// Left out of the list until a newer message comes.
    hidden: bool,
    /// The history begins after this seq.
    begins_after_seq: u64,
    /// When anything of it last changed.
    updated_at: i64,
}

/// How far a user has read.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"seq": 42}))]
pub(super) struct ReadUpTo {
    /// The last seq that was read; absent: the newest.
    pub(super) seq: Option<u64>,
}

impl ConversationView {
    fn at(
        now_ms: i64,
        user: &UserRef,
        row: &ConversationRow,
        newest: Option<&Message>,
        mentions: MentionCount,
    ) -> Self {
        let kept = &row.kept;
        let muted = kept.is_muted(now_ms);
        Self {
            channel: ChannelName::seen_by(user.uid.as_str(), &row.channel.key),
            unread: row.unread(),
            mentions: mentions.count,
            first_mention_seq: Some(mentions.first_seq).filter(|seq| *seq > 0),
            last_message: newest.map(|message| MessageView::at(now_ms, message)),
            last_seq: row.head_seq,
            read_seq: row.read_seq,
            pinned: row.pinned_at_ms > 0,
            pinned_at: Some(row.pinned_at_ms).filter(|at| *at > 0),
            muted,
            muted_until_at: Some(kept.muted_until_ms).filter(|at| muted && *at != i64::MAX),
            marked: kept.marked,
            draft: kept.draft.to_string(),
            draft_at: Some(kept.draft_at_ms).filter(|at| *at > 0),
            hidden: row.is_hidden(),
            begins_after_seq: row.begins_after,
            updated_at: row.updated_at_ms(),
        }
    }
}

/// Conversations with their newest messages, which are read at once.
pub(super) async fn views(
    api: &ApiState,
    user: &UserRef,
    rows: &[ConversationRow],
) -> Result<Vec<ConversationView>, Problem> {
    let from = |row: &ConversationRow| (Arc::clone(&row.channel), row.begins_after + 1);
    let logs: Vec<_> = rows.iter().map(from).collect();
    let viewer = Viewer::User(user.clone());
    let mut newest = api.im.newest(&viewer, &logs, 1).await?;
    for newest in &mut newest {
        sign_all(&api.im, Origin::REST, newest);
    }
    let now_ms = api.im.clock().now_ms();
    let mentions = api.im.mention_counts(user, rows).await?;
    let all = rows.iter().zip(&newest).zip(mentions);
    let view = |((row, newest), mentions): ((_, &Vec<_>), _)| {
        ConversationView::at(now_ms, user, row, newest.last(), mentions)
    };
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

/// Which conversations are wanted.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those with unread messages, or with a mark (`true`), or without (`false`).
    unread: Option<bool>,
    /// Only those that are pinned, or are not.
    pinned: Option<bool>,
    /// Only those that are muted, or are not.
    muted: Option<bool>,
    /// Only those of which anything has changed after this time, ms since 1970.
    updated_after: Option<i64>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

impl Which {
    fn fits(&self, now_ms: i64, row: &ConversationRow) -> bool {
        let is = |wanted: Option<bool>, fact: bool| wanted.is_none_or(|wanted| wanted == fact);
        is(self.unread, row.unread() > 0 || row.kept.marked)
            && is(self.pinned, row.pinned_at_ms > 0)
            && is(self.muted, row.kept.is_muted(now_ms))
            && self.updated_after.is_none_or(|at| row.updated_at_ms() > at)
    }
}

/// A user's conversations
///
/// Pinned ones first, then by the newest message. Hidden ones are left out.
#[utoipa::path(
    get, path = "/v1/users/{uid}/conversations", tag = "conversations",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token"), Which),
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
    Params(which): Params<Which>,
) -> Result<Json<Page<ConversationView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let paging = Paging {
        limit: which.limit,
        cursor: which.cursor.clone(),
    };
    let limit = paging.limit()? as usize;
    let after = paging.after::<3>(LIST)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let mut rows = api.im.conversations(&user).await?;
    let now_ms = api.im.clock().now_ms();
    rows.retain(|row| which.fits(now_ms, row));
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
