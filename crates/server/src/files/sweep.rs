//! Removes what nothing needs: bytes that no file is made of, what crashes have left, uploads
//! that nobody goes on with.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::refusal::Refusal;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::FileService;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(600);
/// How long what is not needed stays: whoever reads it, or is about to keep it, has so long.
const GRACE_MS: i64 = 24 * 3600 * 1000;
/// Keys that are looked at in one go.
const BATCH: u32 = 200;

/// The task that sweeps.
pub struct Sweeper {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Sweeper {
    /// Starts to sweep, now and then.
    #[must_use]
    pub fn start(service: &Arc<FileService>) -> Self {
        let stop = service.stop.clone();
        let (service, stopped) = (Arc::clone(service), stop.clone());
        // Given up between two steps: what was deleted and not forgotten is deleted again.
        let task = tokio::spawn(async move {
            stopped.run_until_cancelled(run(service)).await;
        });
        Self { stop, task }
    }

    /// Stops it, and what the service does by itself, and waits until it has let go of the messenger.
    pub async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "sweeping files ended with a failure");
        }
    }
}

async fn run(service: Arc<FileService>) {
    loop {
        if let Err(why) = service.sweep().await {
            tracing::error!(%why, "files could not be swept; trying later");
        }
        sleep(EVERY).await;
    }
}

impl FileService {
    /// Removes what has not been needed for a day. Says of how many keys of the blob store.
    ///
    /// # Errors
    /// When a store fails.
    pub async fn sweep(&self) -> Result<usize, Refusal> {
        self.sweep_parts().await?;
        let mut swept = 0;
        let before_ms = self.clock().now_ms() - GRACE_MS;
        loop {
            let found = self.im.files().sweep(before_ms, BATCH).await?.garbage;
            let mut gone = Vec::with_capacity(found.len());
            for key in found {
                match self.blobs.delete(&key).await {
                    Ok(()) => gone.push(key),
                    Err(error) => tracing::warn!(%error, key, "bytes cannot be deleted"),
                }
            }
            if gone.is_empty() {
                return Ok(swept);
            }
            swept += gone.len();
            self.im.files().forget_garbage(&gone).await?;
        }
    }
}
