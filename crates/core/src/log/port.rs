//! What the core asks of a store about messages.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::channel::ChannelRef;
use crate::id::{ChannelNum, MessageId, UserNum, UserRef};
use crate::message::{Body, Message, OnReuse};
use crate::store::StoreResult;

/// One message to append.
#[derive(Debug, Clone)]
pub struct Append {
    /// The log to append to.
    pub channel: Arc<ChannelRef>,
    /// The sender.
    pub sender: UserRef,
    /// Those who get a conversation when this is the log's first message: the two of a
    /// direct channel. Members need none.
    pub first_contact: Arc<[UserNum]>,
    /// The content.
    pub body: Arc<Body>,
    /// What to do with a reused client number.
    pub on_reuse: OnReuse,
}

/// What became of one append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendOutcome {
    /// It is stored.
    Stored {
        /// The new id: its position in the log, above all before it.
        id: MessageId,
        /// Its place in the channel, the next after the channel's last.
        seq: u64,
        /// How many counting messages the channel has now.
        ordinal: u64,
        /// Server time, ms since 1970.
        sent_at_ms: i64,
    },
    /// It was stored before (data-model.md §4): the first one's id, seq and time.
    Duplicate {
        /// The first one's id.
        id: MessageId,
        /// Its seq.
        seq: u64,
        /// Its time.
        sent_at_ms: i64,
    },
    /// The client number was used with other content and `OnReuse::Refuse` was asked.
    Conflict,
}

/// Resolves when the whole batch is durable (or has failed, message by message), in order.
pub type PendingAppend = BoxFuture<'static, Vec<StoreResult<AppendOutcome>>>;

/// A channel's newest message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its seq; 0 = the log is empty.
    pub seq: u64,
    /// Its ordinal.
    pub ordinal: u64,
}

/// A stretch of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The lowest seq wanted.
    pub from: u64,
    /// The highest seq wanted.
    pub to: u64,
    /// At most this many.
    pub limit: u32,
    /// Which end counts when there are more: true = the newest. The answer is ascending
    /// either way.
    pub newest: bool,
}

/// The store of messages. Ids rise strictly with the order of appending; seqs of a log are
/// contiguous from 1; what was answered survives a crash or power loss.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Hands a batch over for appending. Batches of one caller are appended in the order of
    /// their calls; this returns as soon as the batch has its place (it waits when too much
    /// is in flight), the returned future when it is durable.
    ///
    /// # Errors
    /// `Unavailable` when the store is stopping: nothing of the batch was taken.
    async fn append(&self, batch: Vec<Append>) -> StoreResult<PendingAppend>;

    /// The newest message of each log, in the order asked.
    async fn heads(&self, channels: &[ChannelNum]) -> StoreResult<Vec<Head>>;

    /// A stretch of a log, ascending by seq.
    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>>;

    /// One message by its id.
    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>>;
}
