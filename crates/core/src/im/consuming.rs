//! What consumers of the outbox need: reading both logs in order, and keeping their place.

use tokio::sync::watch;

use super::Im;
use crate::id::MessageId;
use crate::message::Message;
use crate::outbox::{Event, NewEvent, Place};
use crate::refusal::Refusal;

/// Messages or events of one answer, at most.
const MAX_SCAN: u32 = 10_000;

impl Im {
    /// Messages of all logs after an id, in the order of their ids: everything that was said
    /// and, in command logs, everything that [`Change`](crate::change::Change) says.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn scan(&self, after: MessageId, limit: u32) -> Result<Vec<Message>, Refusal> {
        Ok(self.stores.log.scan(after, limit.min(MAX_SCAN)).await?)
    }

    /// Events after a position, in order.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn events(&self, after: i64, limit: u32) -> Result<Vec<Event>, Refusal> {
        Ok(self
            .stores
            .outbox
            .events(after, limit.min(MAX_SCAN))
            .await?)
    }

    /// The end of both logs: the place of a consumer that has nothing left to do.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn outbox_end(&self) -> Result<Place, Refusal> {
        Ok(Place {
            message: self.stores.log.last_id().await?,
            event: self.stores.outbox.last_event().await?,
        })
    }

    /// Records events and wakes the consumers.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record_events(&self, events: &[NewEvent]) -> Result<(), Refusal> {
        self.stores.outbox.append_events(events).await?;
        self.parts.grown.send_replace(());
        Ok(())
    }

    /// Drops events up to a position, at most `limit`. How many went.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn drop_events(&self, up_to: i64, limit: u32) -> Result<u64, Refusal> {
        Ok(self.stores.outbox.drop_events(up_to, limit).await?)
    }

    /// Where a consumer is; `None` if it has never been anywhere.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn place_of(&self, consumer: &str) -> Result<Option<Place>, Refusal> {
        Ok(self.stores.outbox.place(consumer).await?)
    }

    /// Writes down where a consumer is: what it has done is not done again after a restart.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn put_place(&self, consumer: &str, place: Place) -> Result<(), Refusal> {
        Ok(self.stores.outbox.put_place(consumer, place).await?)
    }

    /// Forgets a consumer.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_place(&self, consumer: &str) -> Result<(), Refusal> {
        Ok(self.stores.outbox.forget_place(consumer).await?)
    }

    /// Whether sessions that come and go are recorded as events
    /// ([`comings`](crate::session::comings)) from now on.
    pub fn record_comings(&self, wanted: bool) {
        self.comings.want(wanted);
    }

    /// Changes whenever one of the logs has grown. What was appended before it was asked for
    /// is there to be scanned already.
    #[must_use]
    pub fn outbox_grown(&self) -> watch::Receiver<()> {
        self.parts.grown.subscribe()
    }
}
