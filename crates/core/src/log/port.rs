//! What the core asks of a store about messages.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use crate::channel::ChannelRef;
use crate::file::FileId;
use crate::id::{ChannelNum, MessageId, Realm, UserNum, UserRef};
use crate::message::{Body, Gone, Message, Naming, OnReuse, Revocation};
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
    /// Files that its content names and that its sender may pass on: whoever may see the
    /// message may read them.
    pub files: Vec<FileId>,
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
        /// What it is known by: [`Body::as_stored`] is what was stored.
        naming: Naming,
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

/// A channel's newest message. It stays what it is when retention drops that message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Head {
    /// Its seq; 0 = nothing was ever said.
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

/// How many messages of one number or name are looked through at most.
pub const MAX_CALLED: u32 = 10_000;

/// What a client may call a message: the number it was sent with, or its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// Messages of this realm.
    pub realm: Realm,
    /// What it is called; nothing is called by the empty text.
    pub text: Arc<str>,
    /// Only messages of this sender.
    pub sender: Option<UserNum>,
    /// Only messages of this log.
    pub channel: Option<ChannelNum>,
}

/// What became of the wish to take the content of a message away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevokeOutcome {
    /// It is gone now.
    Revoked(Revocation),
    /// It had been gone, and stays as it was.
    Before(Revocation),
    /// There is no such message, or it is damaged.
    NoMessage,
}

/// What one step of retention did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retained {
    /// How many messages it dropped.
    pub dropped: u64,
    /// Where the next step begins; `None` = nothing is left to do.
    pub next: Option<MessageId>,
}

/// The store of messages. Ids rise strictly with the order of appending; seqs of a log are
/// contiguous from 1, though retention may have dropped the first ones; what was answered
/// survives a crash or power loss.
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

    /// A stretch of a log, ascending by seq. Revoked messages are there as tombstones, here
    /// as in every other answer.
    async fn page(&self, channel: &Arc<ChannelRef>, page: Page) -> StoreResult<Vec<Message>>;

    /// One message by its id.
    async fn by_id(&self, id: MessageId) -> StoreResult<Option<Message>>;

    /// Messages that a client calls so, newest first, at most `limit`, however old they are.
    /// Revoked ones are among them. Where very many are called so, only the
    /// newest [`MAX_CALLED`] are looked through.
    async fn by_number(&self, called: &Called, limit: u32) -> StoreResult<Vec<Message>>;

    /// The newest messages of each of these logs from a seq on, at most `limit` of each,
    /// ascending by seq; in the order asked.
    async fn newest(
        &self,
        logs: &[(Arc<ChannelRef>, u64)],
        limit: u32,
    ) -> StoreResult<Vec<Vec<Message>>>;

    /// Messages of all logs after an id, ascending by id, at most `limit`. Only what is durable,
    /// and nothing is ever committed below what was given: whoever goes on after the last one
    /// misses nothing. Those that cannot be read are passed over.
    async fn scan(&self, after: MessageId, limit: u32) -> StoreResult<Vec<Message>>;

    /// The newest id that [`scan`](Self::scan) would give; 0 = there is none.
    async fn last_id(&self) -> StoreResult<MessageId>;

    /// Takes the content of a message away for good: it is erased with its edits, its
    /// reactions and what the command log says of them; its place and client number stay (a
    /// retry of it is answered as before), and in the chat log it no longer counts as unread.
    /// It is pinned no longer. `by` is who did it, `None` the application. Durable when it
    /// returns.
    async fn erase(
        &self,
        id: MessageId,
        by: Option<&UserRef>,
        how: Gone,
    ) -> StoreResult<RevokeOutcome>;

    /// Revokes a message: [`erase`](Self::erase) with the commonest of reasons.
    async fn revoke(&self, id: MessageId, by: Option<&UserRef>) -> StoreResult<RevokeOutcome> {
        self.erase(id, by, Gone::Revoked).await
    }

    /// One step of retention: drops messages with ids from `from` on and below `before`, at
    /// most `limit`, and whatever was kept for them. Logs lose only their first messages;
    /// heads stay and seqs go on. It may drop fewer, or none, and still not be done. A
    /// damaged message that cannot be dropped is passed over. Durable when it returns.
    async fn retain(&self, from: MessageId, before: MessageId, limit: u32)
    -> StoreResult<Retained>;
}
