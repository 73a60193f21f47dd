//! What the core asks of a store about events and consumers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::id::{ChannelNum, MessageId, Realm};
use crate::store::StoreResult;

/// The longest name of a consumer, in bytes.
pub const MAX_CONSUMER_NAME: usize = 128;

/// Up to where a consumer has done its work. The default is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Messages up to this one.
    pub message: MessageId,
    /// Events up to this one; 0 = none.
    pub event: i64,
}

impl Default for Place {
    fn default() -> Self {
        Self {
            message: MessageId(0),
            event: 0,
        }
    }
}

/// Something that happened and is no message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Where.
    pub realm: Realm,
    /// What, as `user.online`.
    pub kind: Arc<str>,
    /// The channel that it is about, if it is about one.
    pub channel: Option<ChannelNum>,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// What is to be said of it: a JSON object.
    pub body: Bytes,
}

/// An event of the event log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its position: above those of all before it.
    pub pos: i64,
    /// What happened.
    pub what: NewEvent,
}

/// The store of events and of consumers' places.
#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// Appends events; durable when it returns. Positions rise, also over those of events that
    /// were dropped.
    async fn append_events(&self, events: &[NewEvent]) -> StoreResult<()>;

    /// Events after a position, ascending, at most `limit`.
    async fn events(&self, after: i64, limit: u32) -> StoreResult<Vec<Event>>;

    /// The position of the newest event, dropped or not; 0 = there never was one.
    async fn last_event(&self) -> StoreResult<i64>;

    /// Drops events up to a position, at most `limit`, oldest first. How many went.
    async fn drop_events(&self, up_to: i64, limit: u32) -> StoreResult<u64>;

    /// Where a consumer is; `None` if nothing was ever written down of it.
    async fn place(&self, consumer: &str) -> StoreResult<Option<Place>>;

    /// Writes down where a consumer is; durable when it returns. It may be further back than
    /// before: then it does its work again.
    async fn put_place(&self, consumer: &str, place: Place) -> StoreResult<()>;

    /// Forgets a consumer.
    async fn forget_place(&self, consumer: &str) -> StoreResult<()>;
}
