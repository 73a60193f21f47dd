//! Moving the write-ahead log into the database. The writer does it itself when the log has
//! grown past its limit: checkpoints beside a busy writer never catch up, and the log would
//! grow without bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crosstalk_core::clock::Clock;
use rusqlite::Connection;
use rusqlite::hooks::Wal;

use super::Shared;
use super::error::DbResult;
use super::open::{BUSY, PAGE_BYTES};
use super::stats::add;

/// How long a checkpoint waits for readers, which hold a snapshot for ≤ 100 ms. A reader
/// that takes longer (a backup) only postpones it.
const WAIT_FOR_READERS: Duration = Duration::from_millis(250);

/// A page in the log has a header.
const FRAME_BYTES: u64 = PAGE_BYTES + 24;

/// The writer's view of the log.
pub(super) struct Checkpoints {
    limit: u64,
    /// The size at which it is tried next: the limit, or above it after a try was cut short.
    next: u64,
    pages: Arc<AtomicU64>,
}

impl Checkpoints {
    /// Watches the log's size from now on.
    pub(super) fn watch(conn: &mut Connection, limit: u64) -> DbResult<Self> {
        let pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&pages);
        conn.wal_hook(Some(move |_: &mut Wal, pages: std::ffi::c_int| {
            seen.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            limit,
            next: limit,
            pages,
        })
    }

    fn bytes(&self) -> u64 {
        self.pages.load(Ordering::Relaxed) * FRAME_BYTES
    }

    /// Checkpoints if it is time.
    pub(super) fn after_commit(&mut self, conn: &Connection, shared: &Shared) {
        let bytes = self.bytes();
        shared.counters.wal_bytes.store(bytes, Ordering::Relaxed);
        if bytes < self.next {
            return;
        }
        self.next = if self.run(conn, shared, "RESTART") {
            self.limit
        } else {
            // Not with every commit: what could be moved was moved.
            bytes + self.limit / 4
        };
    }

    /// Leaves an empty log behind.
    pub(super) fn at_close(&mut self, conn: &Connection, shared: &Shared) {
        self.run(conn, shared, "TRUNCATE");
    }

    fn run(&mut self, conn: &Connection, shared: &Shared, mode: &str) -> bool {
        let counters = &shared.counters;
        let clock: &dyn Clock = &*shared.clock;
        let begun = clock.mono_ms();
        let done = restart(conn, mode);
        let took = clock.mono_ms().saturating_sub(begun);
        counters.last_checkpoint_ms.store(took, Ordering::Relaxed);
        match done {
            Ok(true) => {
                self.pages.store(0, Ordering::Relaxed);
                counters.wal_bytes.store(0, Ordering::Relaxed);
                add(&counters.checkpoints, 1);
                true
            }
            Ok(false) => {
                add(&counters.checkpoints_cut, 1);
                tracing::warn!(mode, took_ms = took, "a reader held up the checkpoint");
                false
            }
            Err(error) => {
                add(&counters.checkpoints_cut, 1);
                tracing::warn!(%error, mode, "the checkpoint failed");
                false
            }
        }
    }
}

/// True if the whole log was moved and its next use begins at the front.
fn restart(conn: &Connection, mode: &str) -> DbResult<bool> {
    conn.busy_timeout(WAIT_FOR_READERS)?;
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let busy = conn.query_row(&sql, [], |row| row.get::<_, i64>(0));
    conn.busy_timeout(BUSY)?;
    Ok(busy? == 0)
}
