//! The one clock of a run: nanoseconds since the process began to measure.

use std::time::{Duration, Instant};

/// Nanoseconds of a second.
pub(crate) const SECOND_NS: u64 = 1_000_000_000;

/// Counts from when it was made; copies agree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Nanoseconds since the start.
    pub(crate) fn now_ns(self) -> u64 {
        // 2^64 ns are five centuries.
        self.start.elapsed().as_nanos() as u64
    }

    /// The instant at which [`now_ns`](Self::now_ns) has this value.
    pub(crate) fn instant(self, at_ns: u64) -> tokio::time::Instant {
        (self.start + Duration::from_nanos(at_ns)).into()
    }
}
