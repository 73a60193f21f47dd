//! What the core asks of a store about conversations.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Keep, KeepOutcome, Kept};
use crate::channel::ChannelRef;
use crate::id::{ChannelNum, MessageId, UserNum};
use crate::store::StoreResult;

/// A user's view of one channel, with what is needed to compute unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationRow {
    /// The channel's chat log.
    pub channel: Arc<ChannelRef>,
    /// The channel's newest seq, also when retention dropped that message; 0 = nothing was
    /// ever said.
    pub head_seq: u64,
    /// The newest message's ordinal.
    pub head_ordinal: u64,
    /// The newest message's id and time, if it is still there.
    pub head: Option<(MessageId, i64)>,
    /// Read up to here; only moves forward; drives read receipts.
    pub read_seq: u64,
    /// The badge's place: moves either way, drives unread. Never before what retention has
    /// dropped.
    pub badge_seq: u64,
    /// The ordinal at the badge.
    pub badge_ordinal: u64,
    /// Counting messages after the badge that no longer count (revoked).
    pub uncounted: u64,
    /// Directed messages for this user after the badge that count.
    pub directed: u64,
    /// History begins after this seq: the largest of what was cleared, what retention
    /// dropped, and the join if the channel shows history only since then.
    pub begins_after: u64,
    /// Hidden from lists while the head is not above it; `None` = it was not put away.
    pub hidden_seq: Option<u64>,
    /// Pinned at, ms since 1970; 0 = not pinned.
    pub pinned_at_ms: i64,
    /// How the user keeps it.
    pub kept: Kept,
    /// Grows with each change of this row.
    pub version: i64,
}

/// A change of a user's view of a channel. Each makes the row if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConversationChange {
    /// Read up to a seq (`None` = the head): read position and badge move forward to it.
    Read(Option<u64>),
    /// Sets unread to n: moves the badge, either way, to the last place after which exactly
    /// n messages still count; the read position never goes back. Revoked messages do not
    /// count, nor does what the user cannot read (`begins_after`); if that leaves fewer than
    /// n, all of them are unread.
    SetUnread(u64),
    /// Clears the history for this user: it begins after the head, up to which all is read.
    /// The others see what they saw.
    Clear,
    /// Hides the conversation until a newer message comes.
    Hide,
}

/// The store of conversations. It counts a user's own sends as read by them at once, though
/// it may write that down later.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// All conversations of a user: the channels they are a member of, and the direct ones
    /// in which anything was said or has changed. In no particular order; hidden ones are
    /// included.
    async fn conversations(&self, user: UserNum) -> StoreResult<Vec<ConversationRow>>;

    /// One conversation; `None` when the user has nothing to do with the channel.
    async fn conversation(
        &self,
        user: UserNum,
        channel: ChannelNum,
    ) -> StoreResult<Option<ConversationRow>>;

    /// Changes a conversation and returns it as it is then; durable when it returns.
    /// `None` as above.
    async fn change(
        &self,
        user: UserNum,
        channel: ChannelNum,
        change: ConversationChange,
    ) -> StoreResult<Option<ConversationRow>>;

    /// Changes how a conversation is kept; durable when it returns. `None` as above, except
    /// that with `make` a view of the channel is made: whoever calls has seen that the channel
    /// is the user's business.
    async fn keep(
        &self,
        user: UserNum,
        channel: ChannelNum,
        keep: Keep,
        make: bool,
    ) -> StoreResult<Option<KeepOutcome>>;

    /// The conversations of a user whose [`Kept::version`] is above one, ascending by it, at
    /// most so many.
    async fn kept_since(
        &self,
        user: UserNum,
        after_version: i64,
        limit: u32,
    ) -> StoreResult<Vec<ConversationRow>>;
}
