//! Has the messenger do what goes on in the background: broadcasts, erasing and exporting
//! users; and has the audit log forget what is older than the operator wants to keep.

use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::http::v1::export_line;

/// How often it looks for acts that have become old.
const EVERY: Duration = Duration::from_secs(3600);
const DAY_MS: i64 = 24 * 3600 * 1000;

/// The tasks.
pub(super) struct Background {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts; acts are kept for `audit_days`, 0 = for ever.
    pub(super) fn start(im: &Arc<Im>, audit_days: u32) -> Self {
        let stop = CancellationToken::new();
        // Given up between two steps: what was done stays done, and goes on at the next start.
        let (worker, stopped) = (Arc::clone(im), stop.clone());
        let mut tasks = vec![tokio::spawn(async move {
            let im = Arc::clone(&worker);
            let render = move |message: &_| export_line(&im, message);
            stopped.run_until_cancelled(worker.work(&render)).await;
        })];
        if audit_days > 0 {
            let (im, stopped) = (Arc::clone(im), stop.clone());
            tasks.push(tokio::spawn(async move {
                stopped.run_until_cancelled(forget(im, audit_days)).await;
            }));
        }
        Self { stop, tasks }
    }

    /// Stops them and waits until they have let go of the messenger.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "work in the background ended with a failure");
            }
        }
    }
}

async fn forget(im: Arc<Im>, days: u32) {
    loop {
        let before_ms = im.clock().now_ms() - i64::from(days) * DAY_MS;
        loop {
            match im.audit().drop_acts(before_ms).await {
                Ok(0) => break,
                Ok(dropped) => tracing::info!(dropped, days, "old acts were dropped"),
                Err(error) => {
                    tracing::error!(%error, "old acts could not be dropped; trying later");
                    break;
                }
            }
        }
        sleep(EVERY).await;
    }
}
