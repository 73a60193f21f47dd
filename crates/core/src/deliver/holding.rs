//! What waits for a moderator: a draft that may be sent but for a word in it. It is written
//! down before its sender is told so.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::lane::{Lane, SendJob};
use crate::admin::{Held, Reviews};
use crate::clock::Clock;
use crate::id::Snowflake;
use crate::refusal::Refusal;
use crate::session::Refused;

/// Drafts that may wait to be written down; further ones are refused.
pub(crate) const QUEUE: usize = 1024;

impl Lane {
    /// Has a draft held.
    pub(super) fn hold(&self, job: SendJob) {
        let (job, why) = match self.parts.holding.try_send(job) {
            Ok(()) => return,
            Err(TrySendError::Full(job)) => (job, Refusal::RateLimited),
            Err(TrySendError::Closed(job)) => (job, Refusal::Unavailable),
        };
        let id = self.parts.ids.next();
        job.refuse(Refused { id, why });
    }
}

/// Who writes down what is held.
pub(crate) struct Holder {
    pub(crate) reviews: Arc<dyn Reviews>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<Snowflake>,
}

impl Holder {
    /// Works until it is stopped.
    pub(crate) async fn run(self, mut jobs: mpsc::Receiver<SendJob>, stop: CancellationToken) {
        while let Some(Some(job)) = stop.run_until_cancelled(jobs.recv()).await {
            self.hold(job).await;
        }
        jobs.close();
        while let Some(job) = jobs.recv().await {
            self.hold(job).await;
        }
    }

    async fn hold(&self, job: SendJob) {
        let held = Held {
            sender: job.sender.user().clone(),
            key: job.key.clone(),
            body: job.draft.body.clone(),
            at_ms: self.clock.now_ms(),
        };
        let why = match self.reviews.hold(&held).await {
            Ok(true) => Refusal::HeldForReview,
            Ok(false) => Refusal::TooMany,
            Err(error) => error.into(),
        };
        let id = self.ids.next();
        job.refuse(Refused { id, why });
    }
}
