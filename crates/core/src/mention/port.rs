//! What the core asks of a store about mentions.

use async_trait::async_trait;

use crate::id::{ChannelNum, MessageId, UserNum};
use crate::store::StoreResult;

/// How often a user is mentioned in a stretch of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MentionCount {
    /// So often.
    pub count: u64,
    /// The seq of the first; 0 = there is none.
    pub first_seq: u64,
}

/// That a message mentions a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    /// The message.
    pub message: MessageId,
    /// Its channel.
    pub channel: ChannelNum,
    /// Its place there.
    pub seq: u64,
    /// Everybody was mentioned, and not this user by name.
    pub is_all: bool,
    /// The user has said that it is done with, or the message is gone.
    pub is_done: bool,
    /// Grows with each change of the user's list: new ones are above all before.
    pub version: i64,
}

/// Which mentions are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedQuery {
    /// In these logs, each from above a seq on.
    pub places: Vec<(ChannelNum, u64)>,
    /// Only what is not done with.
    pub open_only: bool,
    /// Only messages older than this.
    pub before: Option<MessageId>,
    /// Only what has changed after this version; also what is done with since because its
    /// message is gone.
    pub after_version: Option<i64>,
    /// At most this many: the newest messages, or with a version the lowest versions.
    pub limit: u32,
}

/// The store of mentions. They are written with the messages that make them.
#[async_trait]
pub trait Mentions: Send + Sync + 'static {
    /// How often messages above a seq of each of these logs mention a user and are not done
    /// with; in the order asked. Own messages, and those that are gone, do not.
    async fn counts(
        &self,
        user: UserNum,
        places: &[(ChannelNum, u64)],
    ) -> StoreResult<Vec<MentionCount>>;

    /// Who mentions a user, newest first, or with a version ascending by it. Of one log at most
    /// the newest 1,000 are looked at.
    async fn noted(&self, user: UserNum, query: NotedQuery) -> StoreResult<Vec<Noted>>;

    /// A user has done with these messages' mentions. What does not mention them is passed
    /// over. Returns how many are newly done. Durable when it returns.
    async fn done(&self, user: UserNum, messages: &[MessageId]) -> StoreResult<u64>;
}
