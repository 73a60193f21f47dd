//! Ctrl-C: the first ends the run with a report, the second at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// Some parents pass a signal on that the terminal sends to all: two so close are one.
const SAME_INTERRUPT: Duration = Duration::from_secs(1);
/// What shells give a process that an interrupt ended.
const INTERRUPTED_STATUS: i32 = 130;

/// Whether the run is to end.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    token: CancellationToken,
}

impl Interrupt {
    /// Listens to SIGINT and SIGTERM from now on.
    pub(super) fn listen() -> Result<Self> {
        let mut interrupts = signal(SignalKind::interrupt()).context("no signal handler")?;
        let mut terminations = signal(SignalKind::terminate()).context("no signal handler")?;
        let token = CancellationToken::new();
        let told = token.clone();
        tokio::spawn(async move {
            let mut first: Option<Instant> = None;
            loop {
                tokio::select! {
                    _ = interrupts.recv() => {}
                    _ = terminations.recv() => {}
                }
                match first {
                    Some(first) if first.elapsed() < SAME_INTERRUPT => {}
                    Some(_) => std::process::exit(INTERRUPTED_STATUS),
                    None => {
                        first = Some(Instant::now());
                        eprintln!("crosstalk-bench: ending; once more ends at once");
                        told.cancel();
                    }
                }
            }
        });
        Ok(Self { token })
    }

    #[cfg(test)]
    pub(super) fn of(token: CancellationToken) -> Self {
        Self { token }
    }

    pub(super) fn has_come(&self) -> bool {
        self.token.is_cancelled()
    }

    pub(super) async fn comes(&self) {
        self.token.cancelled().await;
    }
}
