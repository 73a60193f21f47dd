//! Waiting for something that must happen, never longer than [`PATIENCE`].

use std::fmt::Display;
use std::time::{Duration, Instant};

/// How long a test waits for anything before it fails. Far more than any step takes, so that a
/// busy machine does not fail a test.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// The outcome of `future`, which must be there in time.
///
/// # Panics
/// When it is not; the message says `what`.
pub async fn within<T>(what: impl Display, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(outcome) => outcome,
        Err(_) => panic!("{what}: not within {PATIENCE:?}"),
    }
}

/// Asks `probe` until it has an answer. For states that nobody announces.
///
/// # Panics
/// When there is none in time; the message says `what`.
pub async fn eventually<T>(what: impl Display, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "{what}: not within {PATIENCE:?}"
        );
        // wait: between two questions; the answer is what ends the loop
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
