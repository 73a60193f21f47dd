//! What devices were given: acknowledging, catching up, pulling.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::Im;
use crate::deliver::resync::resync;
use crate::delivered::{self, Pulled};
use crate::id::MessageId;
use crate::refusal::Refusal;
use crate::session::{Offline, Session};

/// After how long a session whose reading back has failed tries again.
const RETRY: Duration = Duration::from_secs(1);

impl Im {
    /// Reads back some of what a session was not given: what was sent while its device was
    /// away, if it is pushed, and what it missed because it was too slow. To be called when a
    /// drained mailbox says that it is behind; the mailbox has its next part then, or gets
    /// ready when there is one. True if there was something to do.
    ///
    /// # Errors
    /// When the store fails; nothing is lost, and the mailbox gets ready for another try.
    pub async fn resync(&self, session: &Arc<Session>) -> Result<bool, Refusal> {
        let done = resync(session, &self.stores, &self.ledger).await;
        if done.is_err() {
            let (session, stop) = (Arc::downgrade(session), self.stop.clone());
            self.tasks.spawn(async move {
                if timeout(RETRY, stop.cancelled()).await.is_err()
                    && let Some(session) = session.upgrade()
                {
                    session.mailbox.wake();
                }
            });
        }
        Ok(done?)
    }

    /// Notes that the client of a session has acknowledged stored messages. In any order and
    /// any number; cheapest in the order of delivery and many at once. Ids that it was not
    /// given, and repeated ones, are of no account.
    pub fn acknowledge(&self, session: &Session, ids: &[MessageId]) {
        session.mailbox.acknowledge(ids);
    }

    /// The next of what was sent while the session's device was away, oldest first over all
    /// of the user's channels, at most `limit` messages (1 to 1,000). It counts as given: until
    /// it is acknowledged, where the dialect does that, it comes again to the device's next
    /// session, but not to this one. Nothing for a dialect that does not pull.
    ///
    /// # Errors
    /// When the store fails; nothing is lost.
    pub async fn pull(&self, session: &Session, limit: u32) -> Result<Pulled, Refusal> {
        if session.delivery.offline != Offline::Pull {
            return Ok(Pulled::default());
        }
        Ok(delivered::pull(session, &self.ledger, limit).await?)
    }

    /// Writes down what devices were given until now, which happens by itself every few
    /// seconds.
    ///
    /// # Errors
    /// When the store fails; it is tried again by itself.
    pub async fn write_delivered(&self) -> Result<(), Refusal> {
        Ok(self.ledger.write_all().await?)
    }

    /// A position in the log up to which everything was handed out to the sessions that are
    /// online.
    #[must_use]
    pub fn dispatched(&self) -> MessageId {
        self.parts.positions.dispatched()
    }
}
