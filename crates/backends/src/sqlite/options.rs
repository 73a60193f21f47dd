//! How the store is opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::clock::Clock;
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::Snowflake;

/// What an answered write has survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Loss of power: every commit ends with an fsync.
    #[default]
    Full,
    /// A crash of the program; a loss of power may undo the last commits, never tear them.
    Relaxed,
}

/// How to open a store.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The database file. `None` = a private temporary one that vanishes with the store and
    /// is never synced: for tests and trials.
    pub path: Option<PathBuf>,
    /// Where times come from.
    pub clock: Arc<dyn Clock>,
    /// Where message ids come from. Opening raises it above the largest stored id.
    pub ids: Arc<Snowflake>,
    /// What computes the aliases of users: always under the same key.
    pub aliases: Aliases,
    /// What an answered write has survived.
    pub durability: Durability,
    /// Threads that read, each with its own connection; at least 1.
    pub reader_threads: usize,
    /// How often what waits in memory (senders' own advances, keys of client numbers) is
    /// written down while there is traffic.
    pub flush_every: Duration,
    /// How many rows may wait before that is begun early.
    pub flush_rows: usize,
    /// Memory of the filter that answers for new client numbers, per week looked at (two).
    pub filter_bytes: usize,
    /// The write-ahead log is moved into the database when it is larger than this.
    pub wal_limit_bytes: u64,
}

impl SqliteOptions {
    /// The usual settings for a file; the key of `aliases` is the caller's to set.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, clock: Arc<dyn Clock>, ids: Arc<Snowflake>) -> Self {
        Self {
            path: Some(path.into()),
            ..Self::temporary(clock, ids)
        }
    }

    /// The usual settings for a private temporary store.
    #[must_use]
    pub fn temporary(clock: Arc<dyn Clock>, ids: Arc<Snowflake>) -> Self {
        Self {
            path: None,
            clock,
            ids,
            aliases: Aliases::default(),
            durability: Durability::Full,
            reader_threads: 2,
            flush_every: Duration::from_secs(10),
            flush_rows: 50_000,
            filter_bytes: 16 << 20,
            wal_limit_bytes: 64 << 20,
        }
    }
}
