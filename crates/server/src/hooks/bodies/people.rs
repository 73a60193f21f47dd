//! Of users: their conversations, friends, block lists, profiles and sessions.

use crosstalk_core::change::{ConversationView, FriendRequestView};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Channel, muting};

/// A conversation that its user has read, or set to unread.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookConversationRead)]
pub(in crate::hooks) struct ConversationReadData {
    /// Whose.
    pub(in crate::hooks) user: String,
    /// Which.
    pub(in crate::hooks) channel: Channel,
    /// Read up to this seq.
    pub(in crate::hooks) read_seq: u64,
    /// How many messages are unread now.
    pub(in crate::hooks) unread: u64,
}

/// A conversation that its user keeps otherwise now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookConversationChanged)]
pub(in crate::hooks) struct ConversationData {
    /// Whose.
    pub(in crate::hooks) user: String,
    /// Which.
    pub(in crate::hooks) channel: Channel,
    /// How it is now.
    pub(in crate::hooks) conversation: KeptBody,
}

/// How a user keeps a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookConversation)]
pub(in crate::hooks) struct KeptBody {
    /// Kept on top of the list.
    pinned: bool,
    /// Since when, ms since 1970; null = not pinned.
    pinned_at: Option<i64>,
    /// No notifications.
    muted: bool,
    /// Until when, ms since 1970; null = for good, or not at all.
    muted_until_at: Option<i64>,
    /// Marked by the user, for example as unread.
    marked: bool,
    /// What was begun to be written there; empty = nothing.
    draft: String,
    /// Left out of the list until a newer message comes.
    hidden: bool,
    /// It was deleted, with its history.
    deleted: bool,
    /// The history begins after this seq.
    begins_after_seq: u64,
    /// Read up to this seq.
    read_seq: u64,
    /// How many messages are unread.
    unread: u64,
}

impl KeptBody {
    pub(in crate::hooks) fn of(view: &ConversationView, at_ms: i64) -> Self {
        let (muted, muted_until_at) = muting(view.muted_until_ms, at_ms);
        Self {
            pinned: view.pinned_at_ms > 0,
            pinned_at: Some(view.pinned_at_ms).filter(|at| *at > 0),
            muted,
            muted_until_at,
            marked: view.marked,
            draft: view.draft.clone(),
            hidden: view.hidden,
            deleted: view.deleted,
            begins_after_seq: view.begins_after,
            read_seq: view.read_seq,
            unread: view.unread,
        }
    }
}

/// A request to become a friend that was made or answered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookFriendRequestChanged)]
pub(in crate::hooks) struct FriendRequestData {
    /// The request as it is now.
    pub(in crate::hooks) request: FriendRequestBody,
}

/// A request to become a friend.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookFriendRequest)]
pub(in crate::hooks) struct FriendRequestBody {
    /// Its id.
    id: String,
    /// Who asks.
    from: String,
    /// Who is asked.
    to: String,
    /// What they say.
    message: String,
    /// `pending`, `accepted`, `rejected`, `expired`, `cancelled`.
    state: String,
    /// When it was made, ms since 1970.
    created_at: i64,
}

impl From<&FriendRequestView> for FriendRequestBody {
    fn from(view: &FriendRequestView) -> Self {
        Self {
            id: view.id.clone(),
            from: view.from.clone(),
            to: view.to.clone(),
            message: view.message.clone(),
            state: view.status.clone(),
            created_at: view.created_at_ms,
        }
    }
}

/// A friend that a user has, keeps otherwise, or has no longer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookFriend)]
pub(in crate::hooks) struct FriendData {
    /// Whose.
    pub(in crate::hooks) user: String,
    /// Who.
    pub(in crate::hooks) friend: String,
    /// What the user calls them; empty = nothing.
    pub(in crate::hooks) remark: String,
    /// The friend group; empty = none.
    pub(in crate::hooks) group: String,
}

/// Somebody whom a user blocks, or blocks no longer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookBlocked)]
pub(in crate::hooks) struct BlockedData {
    /// Who blocks.
    pub(in crate::hooks) user: String,
    /// Whom.
    pub(in crate::hooks) other: String,
}

/// A profile that has changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookProfile)]
pub(in crate::hooks) struct ProfileData {
    /// Whose.
    pub(in crate::hooks) user: String,
    /// The profile as it is now.
    #[schema(value_type = Object)]
    pub(in crate::hooks) profile: Value,
}

/// A session that has opened or closed; with it a user may have come or gone. The messenger
/// writes it down so; only the dialect is put into it.
#[derive(ToSchema)]
#[schema(as = HookSession)]
#[expect(dead_code, reason = "describes what the core writes down")]
pub(in crate::hooks) struct SessionData {
    /// Whose.
    user: String,
    /// The device's own id.
    device_id: String,
    /// Its class: 0 = mobile, 1 = web, 2 = desktop.
    device_flag: u8,
    /// The dialect that it speaks; null = none of these.
    dialect: Option<String>,
    /// The session's id, a decimal number.
    session: String,
    /// How many sessions the user has now.
    sessions: u32,
    /// How many of these are of the same class.
    sessions_of_flag: u32,
}

/// A test of a hook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookTested)]
pub(in crate::hooks) struct TestData {
    /// The hook's id.
    pub(in crate::hooks) hook: String,
}
