//! Subscribers of plain topics, their queues, and retained messages. The core keeps in memory
//! what it asks often; this is read at a start and when a subscriber comes back.

pub(super) mod change;
pub(super) mod load;
mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::pubsub::{
    Change, QueuePage, QueuedMessage, StoredTopics, SubscriberNum, Subscribers,
};
use crosstalk_core::store::StoreResult;

use super::Sqlite;

#[async_trait]
impl Subscribers for Sqlite {
    async fn load(&self) -> StoreResult<StoredTopics> {
        self.read(|conn, _| load::everything(conn)).await
    }

    async fn apply(&self, changes: Arc<[Change]>) -> StoreResult<()> {
        self.write(move |tx| change::apply(tx.conn, &changes)).await
    }

    async fn queued(
        &self,
        subscriber: SubscriberNum,
        page: QueuePage,
    ) -> StoreResult<(Vec<QueuedMessage>, bool)> {
        self.read(move |conn, _| load::queued(conn, subscriber, page))
            .await
    }

    async fn expired(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<(SubscriberNum, u64, usize)>> {
        self.read(move |conn, _| load::expired(conn, now_ms, limit))
            .await
    }
}
