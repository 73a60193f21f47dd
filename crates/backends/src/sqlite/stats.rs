//! What the store counts about itself, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters since the store was opened, and how things stand now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SqliteStats {
    /// Transactions committed.
    pub commits: u64,
    /// Merged transactions that failed and were taken apart.
    pub retried: u64,
    /// Messages stored.
    pub appended: u64,
    /// Messages that had been stored before.
    pub duplicates: u64,
    /// Messages that could not be stored.
    pub failed: u64,
    /// Look-ups of client numbers in the database; new numbers need none.
    pub key_lookups: u64,
    /// Time spent in commits, in ms.
    pub commit_ms_total: u64,
    /// The size of what is in the write-ahead log.
    pub wal_bytes: u64,
    /// Times that log was moved into the database.
    pub checkpoints: u64,
    /// Times that failed or was cut short by a reader.
    pub checkpoints_cut: u64,
    /// How long the last one took, in ms.
    pub last_checkpoint_ms: u64,
    /// Work that waits for the writer: batches and other writes.
    pub queue_len: u64,
    /// Queries that wait for a reader.
    pub read_queue_len: u64,
    /// Queries answered.
    pub reads: u64,
    /// Own advances of senders that wait in memory.
    pub advances: u64,
    /// Keys of client numbers that wait in memory.
    pub keys: u64,
    /// Damaged messages that were met.
    pub damaged: u64,
}

/// The same as counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) commits: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) appended: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) failed: AtomicU64,
    pub(super) key_lookups: AtomicU64,
    pub(super) commit_ms_total: AtomicU64,
    pub(super) wal_bytes: AtomicU64,
    pub(super) checkpoints: AtomicU64,
    pub(super) checkpoints_cut: AtomicU64,
    pub(super) last_checkpoint_ms: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) damaged: AtomicU64,
    pub(super) keys: AtomicU64,
    /// The last transaction failed for want of the disk.
    pub(super) writes_fail: AtomicBool,
}

pub(super) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

impl Counters {
    /// The counters; what is no counter is left 0.
    pub(super) fn snapshot(&self) -> SqliteStats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        SqliteStats {
            commits: get(&self.commits),
            retried: get(&self.retried),
            appended: get(&self.appended),
            duplicates: get(&self.duplicates),
            failed: get(&self.failed),
            key_lookups: get(&self.key_lookups),
            commit_ms_total: get(&self.commit_ms_total),
            wal_bytes: get(&self.wal_bytes),
            checkpoints: get(&self.checkpoints),
            checkpoints_cut: get(&self.checkpoints_cut),
            last_checkpoint_ms: get(&self.last_checkpoint_ms),
            reads: get(&self.reads),
            damaged: get(&self.damaged),
            keys: get(&self.keys),
            ..SqliteStats::default()
        }
    }
}
