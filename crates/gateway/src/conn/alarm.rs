//! The timer of a connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use crosstalk_core::clock::Clock;
use tokio::time::{Instant, Sleep};

/// Longer is not waited at once, ms.
const LONGEST_MS: u64 = 24 * 3600 * 1000;

/// Rings for a deadline that moves. Mostly it moves away, at every sign of life; so the timer
/// is moved only when it must ring earlier, and where it rings too early it wakes its
/// connection once for nothing.
pub(super) struct Alarm<'a> {
    clock: Arc<dyn Clock>,
    timer: Pin<&'a mut Sleep>,
    /// What the timer was set for, monotonic ms; `None` = it has rung.
    set_ms: Option<u64>,
}

impl<'a> Alarm<'a> {
    /// An alarm with a timer of any time.
    pub(super) fn new(clock: Arc<dyn Clock>, timer: Pin<&'a mut Sleep>) -> Self {
        Self {
            clock,
            timer,
            set_ms: None,
        }
    }

    /// Ready at `deadline_ms` of the clock's monotonic time, or earlier.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, deadline_ms: u64) -> Poll<()> {
        if self.set_ms.is_none_or(|set_ms| deadline_ms < set_ms) {
            let wait_ms = deadline_ms
                .saturating_sub(self.clock.mono_ms())
                .min(LONGEST_MS);
            let at = Instant::now() + Duration::from_millis(wait_ms);
            self.timer.as_mut().reset(at);
            self.set_ms = Some(deadline_ms);
        }
        let polled = self.timer.as_mut().poll(cx);
        if polled.is_ready() {
            self.set_ms = None;
        }
        polled
    }
}
