//! What the core asks of a store about messages whose time ends.

use std::ops::RangeInclusive;

use async_trait::async_trait;

use crate::id::{ChannelNum, MessageId, UserNum};
use crate::store::StoreResult;

/// A message whose time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When it ended, ms since 1970.
    pub at_ms: i64,
    /// Its id.
    pub id: MessageId,
}

/// The store of times at which messages end.
#[async_trait]
pub trait Expiry: Send + Sync + 'static {
    /// Messages whose time was over at `now_ms` and that are not erased, ascending by time and
    /// id, those after `after`, at most `limit`.
    async fn due(&self, now_ms: i64, after: Option<Due>, limit: u32) -> StoreResult<Vec<Due>>;

    /// A reader has read messages of a log with these seqs: those of others that burn once they
    /// are read, and do not yet, end their time later from `now_ms` on, if they would not
    /// before. Returns how many. Durable when it returns; costs a look where nothing burns.
    async fn burn(
        &self,
        channel: ChannelNum,
        reader: UserNum,
        seqs: RangeInclusive<u64>,
        now_ms: i64,
    ) -> StoreResult<u64>;
}
