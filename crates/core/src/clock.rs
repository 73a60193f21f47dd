//! Time and randomness: the only door to both, so that tests and simulations can hold them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall and monotonic time, and random bytes.
pub trait Clock: Send + Sync + 'static {
    /// Wall time in ms since 1970 UTC. It may step in either direction.
    fn now_ms(&self) -> i64;
    /// Monotonic time in ms since an arbitrary start. It never goes back.
    fn mono_ms(&self) -> u64;
    /// Fills `out` with random bytes fit for keys.
    fn fill_random(&self, out: &mut [u8]);
}

/// The machine's own clock and random source.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[must_use]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn fill_random(&self, out: &mut [u8]) {
        getrandom::fill(out).expect("the system's random source answers");
    }
}

/// A clock that moves only when told, with a counted "random" source: for tests.
#[derive(Debug)]
pub struct ManualClock {
    wall_ms: AtomicI64,
    mono_ms: AtomicI64,
    random: AtomicI64,
}

impl ManualClock {
    /// A clock that shows `ms` since 1970.
    #[must_use]
    pub fn at_ms(ms: i64) -> Self {
        Self {
            wall_ms: AtomicI64::new(ms),
            mono_ms: AtomicI64::new(0),
            random: AtomicI64::new(0),
        }
    }

    /// Steps the wall clock; monotonic time stays.
    pub fn set_ms(&self, ms: i64) {
        self.wall_ms.store(ms, Ordering::SeqCst);
    }

    /// Lets `ms` pass on both clocks.
    pub fn advance_ms(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
        self.mono_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::SeqCst)
    }

    fn mono_ms(&self) -> u64 {
        self.mono_ms.load(Ordering::SeqCst).unsigned_abs()
    }

    fn fill_random(&self, out: &mut [u8]) {
        for byte in out {
            let n = self.random.fetch_add(1, Ordering::SeqCst);
            *byte = n.to_le_bytes()[0].wrapping_mul(167).wrapping_add(13);
        }
    }
}
