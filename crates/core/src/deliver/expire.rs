//! The end of messages, in its place among what is sent to their channel: whatever tells of an
//! edit of one is in the command log before the message goes, so that it goes with it.

use futures_util::future::join_all;
use tokio::sync::oneshot;

use super::lane::Lane;
use crate::channel::ChannelKey;
use crate::id::MessageId;
use crate::log::RevokeOutcome;
use crate::message::Gone;
use crate::store::StoreResult;

/// Messages of one channel whose time is over.
pub struct ExpireJob {
    /// Their channel.
    pub key: ChannelKey,
    /// Which. The lane waits until they are erased: a few at a time.
    pub messages: Vec<MessageId>,
    /// Where is said what became of each, in the order given.
    pub reply: oneshot::Sender<Vec<StoreResult<RevokeOutcome>>>,
}

impl Lane {
    /// Erases them. Who could see them was told before.
    pub(super) async fn expire(&mut self, job: ExpireJob) {
        self.settle_sends(&job.key).await;
        let log = &self.parts.log;
        // Together, so that they share commits.
        let erased = job
            .messages
            .iter()
            .map(|id| log.erase(*id, None, Gone::Expired));
        let outcomes = join_all(erased).await;
        // Whoever no longer waits has gone away.
        drop(job.reply.send(outcomes));
    }
}
