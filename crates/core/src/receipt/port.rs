//! What the core asks of a store about receipts and the state of messages.

use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;

use crate::id::{ChannelNum, MessageId, UserNum, UserRef};
use crate::message::{Flags, Origin, Revocation};
use crate::store::StoreResult;

/// A message that somebody has read for the first time, with what its author's dialect needs
/// to name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewlyRead {
    /// Its id.
    pub id: MessageId,
    /// Its place in its log.
    pub seq: u64,
    /// Who is told.
    pub sender: UserRef,
    /// The client's own number of it; empty = none.
    pub client_no: Arc<str>,
    /// The name that its author gave it.
    pub name: Option<Arc<str>>,
    /// Who wrote its payload.
    pub origin: Origin,
    /// Its flags.
    pub flags: Flags,
    /// How many have read it now.
    pub read_count: u64,
}

/// What became of a message after it was sent. Most have no state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageState {
    /// The message.
    pub id: MessageId,
    /// Its place in its log.
    pub seq: u64,
    /// Grows with each change of any message of the log: strictly, so no two states of a log
    /// have the same.
    pub version: i64,
    /// Set once its content has gone.
    pub revoked: Option<Revocation>,
    /// How often it was edited.
    pub edits: u32,
    /// When it was edited last, ms since 1970; 0 = never.
    pub edited_at_ms: i64,
    /// When it was pinned, ms since 1970; 0 = it is not.
    pub pinned_at_ms: i64,
    /// It asked for receipts, and somebody has read it.
    pub asked: bool,
    /// How many have read it, of those who were asked.
    pub read_count: u64,
}

/// The store of read receipts.
#[async_trait]
pub trait Receipts: Send + Sync + 'static {
    /// Notes that a reader has read the messages of a log with these seqs: each of them that
    /// asked for a receipt, is somebody else's, may be seen by the reader, was not revoked and
    /// was not read by them before gets a receipt with the time `at_ms`. At most `limit`,
    /// the newest; those are returned, newest first. Durable when it returns.
    async fn read(
        &self,
        channel: ChannelNum,
        reader: UserNum,
        seqs: RangeInclusive<u64>,
        at_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<NewlyRead>>;

    /// Who has read a message and when (ms since 1970), in order of user number, those after
    /// `after`, at most `limit`.
    async fn of(
        &self,
        message: MessageId,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<(UserNum, i64)>>;

    /// States of a log's messages that changed after a version, ascending by version, at most
    /// `limit`.
    async fn changed_since(
        &self,
        channel: ChannelNum,
        version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MessageState>>;

    /// The states of these messages, those of them that have one, in the order asked.
    async fn states(&self, ids: &[MessageId]) -> StoreResult<Vec<MessageState>>;
}
