//! What the core asks of a store about edits, reactions, pins and hidden messages.

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::id::{ChannelNum, MessageId, UserNum, UserRef};
use crate::message::Origin;
use crate::store::StoreResult;

/// What a message is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Who wants it; `None` = the application.
    pub by: Option<UserRef>,
    /// Who wrote the payload.
    pub origin: Origin,
    /// What its envelope said of the payload's type.
    pub tag: Arc<str>,
    /// The payload.
    pub payload: Bytes,
}

/// What a message said from some edit on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Which edit it was, from 1; 0 = as it was sent.
    pub n: u32,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// What it said, and by whom.
    pub edit: Edit,
}

/// What became of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditOutcome {
    /// It is done: the number of the edit, and when it was made (ms since 1970).
    Done(u32, i64),
    /// It says so already, since the edit with this number; 0 = since it was sent.
    Same(u32, i64),
    /// It was edited too often.
    TooMany,
    /// There is no such message, it is damaged, or its content is gone.
    Gone,
}

/// What became of a reaction or a pin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkOutcome {
    /// It is done: the version of the message's state, and when (ms since 1970).
    Done(i64, i64),
    /// It was so before, since that version and time; 0 if it never was otherwise.
    Same(i64, i64),
    /// There are too many.
    TooMany,
    /// There is no such message, it is damaged, or its content is gone.
    Gone,
}

/// One user's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaction {
    /// To which message.
    pub message: MessageId,
    /// Its place in its log.
    pub seq: u64,
    /// Who.
    pub user: UserRef,
    /// Which.
    pub emoji: Arc<str>,
    /// It was taken away.
    pub removed: bool,
    /// When it was put there or taken away, ms since 1970.
    pub at_ms: i64,
    /// Grows with each change of any message of the log.
    pub version: i64,
}

/// How often a reaction was put to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which.
    pub emoji: Arc<str>,
    /// By how many.
    pub count: u64,
    /// The viewer is one of them.
    pub mine: bool,
}

/// A pinned message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// Which.
    pub message: MessageId,
    /// Who pinned it; `None` = the application.
    pub by: Option<UserRef>,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// The store of what users put on messages. All of it goes with the message's content, and
/// with the message itself when retention drops it. What changes a message for everybody gives
/// its state a new version.
#[async_trait]
pub trait Marks: Send + Sync + 'static {
    /// Replaces what a message of a chat log says; every later read of the message has it
    /// ([`Message::edited`](crate::message::Message::edited)). Durable when it returns.
    async fn edit(&self, id: MessageId, edit: &Edit) -> StoreResult<EditOutcome>;

    /// The edits of a message after one with this number, ascending, at most `limit`. None if
    /// its content is gone.
    async fn versions(&self, id: MessageId, after: u32, limit: u32) -> StoreResult<Vec<Version>>;

    /// Puts a user's reaction to a message of a chat log, or takes it away. Durable when it
    /// returns.
    async fn react(
        &self,
        id: MessageId,
        user: &UserRef,
        emoji: &str,
        removed: bool,
    ) -> StoreResult<MarkOutcome>;

    /// The reactions to a message that are not taken away, those after one of them, ordered by
    /// text and user, at most `limit`.
    async fn reactions(
        &self,
        id: MessageId,
        after: Option<(Arc<str>, UserNum)>,
        limit: u32,
    ) -> StoreResult<Vec<Reaction>>;

    /// The reactions to each of these messages that are not taken away, in the order asked:
    /// ordered by text and user, at most `limit` of each.
    async fn reactions_to(&self, ids: &[MessageId], limit: u32) -> StoreResult<Vec<Vec<Reaction>>>;

    /// Reactions to messages of a log that were put there or taken away after a version,
    /// ascending by version, at most `limit`.
    async fn reactions_since(
        &self,
        channel: ChannelNum,
        version: i64,
        limit: u32,
    ) -> StoreResult<Vec<Reaction>>;

    /// How often which reaction was put to these messages, in the order asked; the most
    /// frequent first.
    async fn tallies(
        &self,
        ids: &[MessageId],
        viewer: Option<UserNum>,
    ) -> StoreResult<Vec<Vec<Tally>>>;

    /// Pins a message of a chat log there, or unpins it. Durable when it returns.
    async fn pin(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        pinned: bool,
    ) -> StoreResult<MarkOutcome>;

    /// The pinned messages of a log, the one pinned last first, at most `limit`.
    async fn pins(&self, channel: ChannelNum, limit: u32) -> StoreResult<Vec<Pin>>;

    /// Notes that a user does not want to see these messages of a log any more; they no longer
    /// count as unread for them. Returns the seqs of those that were not hidden before.
    /// Durable when it returns.
    async fn hide(&self, user: UserNum, channel: ChannelNum, seqs: &[u64])
    -> StoreResult<Vec<u64>>;

    /// Which seqs of some stretches of logs a user has hidden, in the order asked, ascending.
    async fn hidden(
        &self,
        user: UserNum,
        stretches: &[(ChannelNum, RangeInclusive<u64>)],
    ) -> StoreResult<Vec<Vec<u64>>>;
}
