//! What waits for a moderator: a draft that may be sent but for a word in it. It is written
//! down before its sender is told so.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio_util::sync::CancellationToken;

use super::lane::{Lane, SendJob};
use crate::admin::{Held, ReviewState, Reviews};
use crate::clock::Clock;
use crate::id::Snowflake;
use crate::message::Accepted;
use crate::refusal::Refusal;
use crate::session::Refused;
use crate::store::StoreResult;

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
        let why = match self.decided(&held).await {
            Ok(Some(Ok(sent))) => return job.accept(sent),
            Ok(Some(Err(why))) => why,
            Ok(None) => self.kept(&held).await,
            Err(error) => error.into(),
        };
        let id = self.ids.next();
        job.refuse(Refused { id, why });
    }

    /// What was decided about what this is a retry of.
    async fn decided(&self, held: &Held) -> StoreResult<Option<Result<Accepted, Refusal>>> {
        if held.body.client_no.is_empty() {
            return Ok(None);
        }
        let before = self.reviews.decided(held).await?;
        let same = before.filter(|it| it.held.body.digest() == held.body.digest());
        Ok(same.and_then(|before| match (before.state, before.sent) {
            (ReviewState::Rejected, _) => Some(Err(Refusal::SensitiveWord)),
            (_, Some(sent)) => Some(Ok(Accepted {
                is_new: false,
                ..sent
            })),
            (_, None) => None,
        }))
    }

    async fn kept(&self, held: &Held) -> Refusal {
        match self.reviews.hold(held).await {
            Ok(true) => Refusal::HeldForReview,
            Ok(false) => Refusal::TooMany,
            Err(error) => error.into(),
        }
    }
}
