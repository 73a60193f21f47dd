//! Forgetting what is old.

use super::Im;
use crate::id::MessageId;
use crate::refusal::Refusal;

/// Messages dropped in one step, which shares the store with what is sent meanwhile.
const CHUNK: u32 = 1000;

impl Im {
    /// Drops all messages from before a moment, in small steps between which others get
    /// their turn. Returns how many it dropped. It can be given up at any time: what was
    /// dropped stays dropped, and the next call goes on.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retain(&self, before_ms: i64) -> Result<u64, Refusal> {
        let before = MessageId::first_at_ms(before_ms);
        let (mut dropped, mut next) = (0, Some(MessageId(0)));
        while let Some(from) = next {
            let step = self.stores.log.retain(from, before, CHUNK).await?;
            dropped += step.dropped;
            next = step.next;
            tokio::task::yield_now().await;
        }
        Ok(dropped)
    }
}
