//! What became of a hook's deliveries since the server started.

use parking_lot::Mutex;

/// The longest failure that is remembered, characters.
const REASON_CHARS: usize = 300;

/// Numbers at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Requests that were taken.
    pub delivered: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Requests that were given up.
    pub dead: u64,
    /// Requests that are being tried again now.
    pub retrying: u64,
    /// The status of the last answer; 0 = there was none.
    pub last_status: u16,
    /// Why the last try that failed did so; empty = none did.
    pub last_error: String,
    /// When it was last called, ms since 1970; 0 = never.
    pub last_at_ms: i64,
    /// How long the last answer took, ms.
    pub last_ms: u64,
}

/// Where they are counted.
#[derive(Debug, Default)]
pub(super) struct Stats(Mutex<Snapshot>);

impl Stats {
    pub(super) fn snapshot(&self) -> Snapshot {
        self.0.lock().clone()
    }

    pub(super) fn change(&self, f: impl FnOnce(&mut Snapshot)) {
        f(&mut self.0.lock());
    }
}

/// A reason as it is remembered and shown.
pub(super) fn short(reason: &str) -> String {
    reason.chars().take(REASON_CHARS).collect()
}
