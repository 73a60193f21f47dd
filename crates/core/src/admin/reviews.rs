//! The review queue: messages with a word that a moderator is to look at. Either they were
//! delivered and may be taken back, or they are held and delivered once they are approved.

use async_trait::async_trait;

use crate::channel::ChannelKey;
use crate::id::{MessageId, Realm, UserRef};
use crate::message::{Accepted, Body};
use crate::store::StoreResult;

/// How many messages of a realm may be held at once.
pub const MAX_HELD: u32 = 100_000;

/// What a moderator has decided. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewState {
    /// Nothing yet.
    Pending = 0,
    /// It may be said.
    Approved = 1,
    /// It may not.
    Rejected = 2,
}

impl ReviewState {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Approved, Self::Rejected];

    /// The name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The state with a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// The state with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Approved,
            2 => Self::Rejected,
            _ => Self::Pending,
        }
    }
}

/// A message that is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whose it is.
    pub sender: UserRef,
    /// Where it is to go.
    pub key: ChannelKey,
    /// What it says.
    pub body: Body,
    /// When it came, ms since 1970.
    pub at_ms: i64,
}

/// One entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Its place.
    pub num: i64,
    /// What was decided.
    pub state: ReviewState,
    /// The message, if it was delivered.
    pub message: Option<MessageId>,
    /// Whose it is, where it went or is to go, and what it says, or said when it came into the
    /// queue. Of what is too large to be kept, or was delivered before such things were, the
    /// payload is empty.
    pub held: Held,
    /// The message that was sent for what was held.
    pub sent: Option<Accepted>,
    /// Who has decided.
    pub settled_by: Option<String>,
    /// The moderator's words.
    pub note: Option<String>,
    /// When, ms since 1970.
    pub settled_at_ms: Option<i64>,
}

/// The store of the queue. Each change is durable when it returns.
#[async_trait]
pub trait Reviews: Send + Sync + 'static {
    /// Holds a message. A retry of one that is held changes nothing. False if there are too
    /// many.
    async fn hold(&self, held: &Held) -> StoreResult<bool>;

    /// Puts a stored message into the queue that says something else now, or back into it if it
    /// was decided on; what waits stays in its place.
    async fn reopen(&self, message: MessageId, says: &Body) -> StoreResult<()>;

    /// The newest entry that was decided on of what this sender had held under this number in
    /// this channel.
    async fn decided(&self, held: &Held) -> StoreResult<Option<Review>>;

    /// Entries of a realm in a state, after a place. Messages that were delivered with
    /// [`Flags::review`](crate::message::Flags::review) are put into the queue first.
    async fn reviews(
        &self,
        realm: &Realm,
        state: ReviewState,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<Review>>;

    /// One entry.
    async fn review(&self, realm: &Realm, num: i64) -> StoreResult<Option<Review>>;

    /// Decides on an entry that is pending; false if it is not. `sent` is the message that was
    /// sent for it.
    async fn settle_review(
        &self,
        num: i64,
        state: ReviewState,
        by: &str,
        note: &str,
        sent: Option<Accepted>,
    ) -> StoreResult<bool>;
}
