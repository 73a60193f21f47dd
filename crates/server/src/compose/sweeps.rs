//! What has its time: messages that end, messages that are to be sent, and answers that are
//! kept for a day.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::schedule::State;
use crosstalk_gateway::{examine, moderate};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often it looks what is due.
const EVERY: Duration = Duration::from_secs(1);
/// Of so many times it looks once for what was over long ago.
const FORGET_EVERY: u32 = 3600;
/// Of so many times it looks once for answers that are no longer kept.
const FORGET_ANSWERS_EVERY: u32 = 60;
/// Messages that are sent in one step.
const STEP: u32 = 100;
/// Steps in one sweep: the next goes on.
const STEPS: usize = 100;

/// A task that does what is due. What was due while the server was not there it does at once.
pub(super) struct Sweeps {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sweeps {
    pub(super) fn start(im: &Arc<Im>) -> Self {
        let stop = CancellationToken::new();
        let (im, stopping) = (Arc::clone(im), stop.clone());
        // Given up between two steps: what is not done is done after the next start.
        let task = tokio::spawn(async move {
            stopping.run_until_cancelled(run(im)).await;
        });
        Self { stop, task }
    }

    /// Stops it and waits until it has let go of the messenger.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sweeping ended with a failure");
        }
    }
}

async fn run(im: Arc<Im>) {
    let mut turn = 0_u32;
    loop {
        if let Err(why) = sweep(&im).await {
            tracing::error!(%why, "what is due could not be done; trying again");
        }
        if turn.is_multiple_of(FORGET_EVERY)
            && let Err(why) = im.forget_scheduled().await
        {
            tracing::error!(%why, "old scheduled messages could not be forgotten; trying later");
        }
        if turn.is_multiple_of(FORGET_ANSWERS_EVERY)
            && let Err(why) = forget_answers(&im).await
        {
            tracing::error!(%why, "old answers could not be forgotten; trying later");
        }
        turn = turn.wrapping_add(1);
        sleep(EVERY).await;
    }
}

/// Forgets answers that are no longer kept.
async fn forget_answers(im: &Im) -> Result<(), Refusal> {
    for _ in 0..STEPS {
        if !im.forget_answers().await? {
            break;
        }
    }
    Ok(())
}

/// Does what is due now. That one thing fails does not keep the other from it.
///
/// # Errors
/// When the store fails.
pub(crate) async fn sweep(im: &Arc<Im>) -> Result<(), Refusal> {
    let expired = im.expire_due().await;
    send_due(im).await?;
    expired.map(|_| ())
}

async fn send_due(im: &Arc<Im>) -> Result<(), Refusal> {
    let mut after = None;
    for _ in 0..STEPS {
        let due = im.scheduled_due(after, STEP).await?;
        let Some(last) = due.last() else {
            break;
        };
        // Those that wait on are looked at again in the next sweep.
        after = Some((last.send_at_ms, last.id));
        for item in &due {
            let mut draft = item.draft();
            if let Ok(draft) = &mut draft {
                examine(draft);
                // The application may say what it wants.
                if !item.by_application {
                    moderate(&im.words(&item.realm), draft);
                }
            }
            let state = im.send_scheduled(item, draft).await?;
            if let State::Failed(why) = state {
                tracing::debug!(id = %item.id, %why, "a scheduled message was refused");
            }
        }
    }
    Ok(())
}
