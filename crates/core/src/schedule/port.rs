//! What the core asks of a store about messages that are to be sent later.

use async_trait::async_trait;

use super::{Saying, Scheduled, State};
use crate::id::{MessageId, Realm, UserNum};
use crate::store::StoreResult;

/// Which are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledQuery {
    /// Of this realm.
    pub realm: Realm,
    /// In the name of this user; `None` = of anybody.
    pub sender: Option<UserNum>,
    /// Only what waits for its time; else only what is over; `None` = both.
    pub open: Option<bool>,
    /// With ids above this.
    pub after: MessageId,
    /// At most this many, ascending by id.
    pub limit: u32,
}

/// What is to be changed; `None` stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// When, ms since 1970.
    pub send_at_ms: Option<i64>,
    /// What.
    pub saying: Option<Saying>,
}

/// What became of the wish to change one that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// It is this now.
    Is(Box<Scheduled>),
    /// It is over, and stays as it is.
    Over(Box<Scheduled>),
    /// There is none.
    Nothing,
}

/// The store of what is to be sent later.
#[async_trait]
pub trait Schedule: Send + Sync + 'static {
    /// Notes one, unless its sender has `max_open` already: then false. Durable when it
    /// returns.
    async fn schedule(&self, item: &Scheduled, max_open: u64) -> StoreResult<bool>;

    /// One by its id.
    async fn scheduled(&self, id: MessageId) -> StoreResult<Option<Scheduled>>;

    /// Some of them.
    async fn scheduled_of(&self, query: ScheduledQuery) -> StoreResult<Vec<Scheduled>>;

    /// Those whose time has come at `now_ms`, ascending by time and id, those after `after`, at
    /// most `limit`.
    async fn scheduled_due(
        &self,
        now_ms: i64,
        after: Option<(i64, MessageId)>,
        limit: u32,
    ) -> StoreResult<Vec<Scheduled>>;

    /// Changes one that waits. Durable when it returns.
    async fn reschedule(&self, id: MessageId, change: Change) -> StoreResult<Closed>;

    /// Ends one that waits: what it says is erased. Durable when it returns.
    async fn close_scheduled(&self, id: MessageId, state: State, at_ms: i64)
    -> StoreResult<Closed>;

    /// Forgets those that were over before a time, at most `limit`. Returns how many.
    async fn forget_scheduled(&self, before_ms: i64, limit: u32) -> StoreResult<u64>;
}
