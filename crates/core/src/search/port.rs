//! What the core asks of a store that finds messages by what they say.

use async_trait::async_trait;

use super::Term;
use crate::id::{ChannelNum, MessageId, Realm, UserNum};
use crate::store::StoreResult;

/// A message as the index has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchDoc {
    /// The message.
    pub id: MessageId,
    /// Its realm.
    pub realm: Realm,
    /// Its channel's chat log.
    pub channel: ChannelNum,
    /// Who sent it.
    pub sender: UserNum,
    /// The type of its content, as REST names it: lower-case letters and `_`.
    pub kind: String,
    /// Its words, in their order.
    pub words: Vec<String>,
}

/// A change of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocChange {
    /// A message says this now.
    Put(SearchDoc),
    /// A message is not to be found any more.
    Remove(MessageId),
}

/// Where to look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Within {
    /// In the whole realm.
    Realm(Realm),
    /// In these channels.
    Channels(Vec<ChannelNum>),
}

/// What is asked of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexQuery {
    /// Where.
    pub within: Within,
    /// All of these are in the text; none = whatever it says.
    pub terms: Vec<Term>,
    /// Only of this sender.
    pub sender: Option<UserNum>,
    /// Only content of this type.
    pub kind: Option<String>,
    /// Only from this id on.
    pub from: MessageId,
    /// Only below this id.
    pub before: MessageId,
    /// At most this many.
    pub limit: u32,
}

/// A message that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub id: MessageId,
    /// Its channel.
    pub channel: ChannelNum,
    /// Its place there.
    pub seq: u64,
}

/// The index of messages. It lags behind the log: whoever fills it keeps their place.
#[async_trait]
pub trait SearchIndex: Send + Sync + 'static {
    /// Changes the index, in order; durable when it returns. A message that is there is
    /// replaced; one that the log does not have, or whose content is gone, is not taken in.
    async fn apply(&self, changes: Vec<DocChange>) -> StoreResult<()>;

    /// Messages that fit, newest first.
    async fn find(&self, query: IndexQuery) -> StoreResult<Vec<Found>>;

    /// Forgets everything, for a new beginning.
    async fn clear(&self) -> StoreResult<()>;
}
