//! The embedded store: one SQLite file with a write-ahead log.
//!
//! One thread writes and shares its commits among all that wait (`writer`, `append`); a few
//! read (`reader`). What the send path asks most is answered from memory: heads (`heads`),
//! whether a client number is new (`pending`, `filter`, `dedup`), how far senders have read by
//! sending (`advance`); the last two are written down later (`flush`). The ports stand in one
//! file each: `log`, `channels`, `inbox`, `directory`, `relations`, `apps`, `devices`, `receipts`,
//! `pubsub`, `outbox`, `hooks`, `answered`, `probe`, `verify`; what the log does
//! besides appending in `revoke`, `retain`, `called` and `scan`.
//!
//! It guarantees that what was answered survives a crash (and, with [`Durability::Full`], a
//! loss of power), that seqs are contiguous and that ids rise in the order of appending. Both
//! hold because nobody else writes the file: a second store on it is refused.

mod admin;
mod advance;
mod answered;
mod append;
mod apps;
mod called;
mod carried;
mod channels;
mod checkpoint;
mod dedup;
mod devices;
mod directed;
mod directory;
mod edits;
mod error;
mod expire;
mod files;
mod filter;
mod flush;
mod friend_groups;
mod friend_requests;
mod friends;
mod heads;
mod hidden;
mod hooks;
mod inbox;
mod joining;
mod keep;
mod log;
mod marks;
mod member_search;
mod members;
mod mentions;
mod migrate;
mod names;
mod open;
mod options;
mod outbox;
mod pending;
mod people;
mod pins;
mod probe;
mod pubsub;
mod reactions;
mod reader;
mod receipts;
mod registrations;
mod relations;
mod retain;
mod revoke;
mod rows;
mod scan;
mod schedule;
mod search;
mod start;
mod stats;
#[cfg(test)]
mod tests;
mod unread;
mod uploads;
mod user_names;
mod verify;
mod waiting;
mod work;
mod writer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crosstalk_core::clock::Clock;
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::Snowflake;
use crosstalk_core::store::StoreResult;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use self::options::{Durability, SqliteOptions};
pub use self::stats::SqliteStats;
pub use self::verify::{DamagedMessage, Verified};

use self::advance::Advances;
use self::error::{DbResult, stopped};
use self::names::Names;
use self::stats::Counters;
use self::work::{Closure, Tx, Work};

/// What the threads and the ports share.
struct Shared {
    clock: Arc<dyn Clock>,
    ids: Arc<Snowflake>,
    aliases: Aliases,
    names: Names,
    advances: Advances,
    counters: Counters,
    /// How many of the next commits fail.
    #[cfg(test)]
    failing_commits: std::sync::atomic::AtomicU32,
}

/// The threads that run, until they are joined.
#[derive(Default)]
struct Threads {
    readers: Vec<JoinHandle<()>>,
    writer: Vec<JoinHandle<()>>,
}

/// A store in one SQLite file. Share it by `Arc`.
///
/// Dropping it without [`close`](Self::close) is like a crash, except that its threads have
/// ended when the drop returns: nothing that was answered is lost, and the next start takes a
/// little longer.
pub struct Sqlite {
    shared: Arc<Shared>,
    /// `None` only while it is dropped.
    writes: Option<mpsc::Sender<Work>>,
    /// `None` only while it is dropped.
    reads: Option<mpsc::Sender<reader::Read>>,
    /// What appends may have in flight, in KiB.
    room: Arc<Semaphore>,
    stop: Arc<AtomicBool>,
    threads: Mutex<Threads>,
    place: Mutex<Option<open::Place>>,
}

impl Sqlite {
    /// Opens a store: checks the file, brings its schema up to date, replays what the last
    /// run had not written down, and starts the threads.
    ///
    /// # Errors
    /// `TooNew` for a file of a later version and `Corrupt` for a broken one or one of
    /// another program (neither is changed); `Unavailable` when the file cannot be reached
    /// or another server has it open.
    pub fn open(options: SqliteOptions) -> StoreResult<Self> {
        Ok(start::open(options)?)
    }

    /// Finishes what is queued, writes everything down and stops the threads. Calls after
    /// it are answered with `Unavailable`. Calling it again does nothing.
    pub async fn close(&self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(reads) = &self.reads {
            // Already closed: nothing to do.
            let _ = reads.send(reader::Read::Close).await;
        }
        // Without readers the log can be moved whole.
        self.join(|threads| &mut threads.readers).await;
        if let Some(writes) = &self.writes {
            let (done, closed) = oneshot::channel();
            let _ = writes.send(Work::Close(done)).await;
            let _ = closed.await;
        }
        self.join(|threads| &mut threads.writer).await;
        self.place.lock().take();
    }

    async fn join(&self, which: fn(&mut Threads) -> &mut Vec<JoinHandle<()>>) {
        let threads = std::mem::take(which(&mut self.threads.lock()));
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }

    /// What the store counts about itself.
    #[must_use]
    pub fn stats(&self) -> SqliteStats {
        let waiting = |free: usize, all: usize| (all - free) as u64;
        let writes = self.writes.as_ref();
        let reads = self.reads.as_ref();
        SqliteStats {
            queue_len: writes.map_or(0, |q| waiting(q.capacity(), q.max_capacity())),
            read_queue_len: reads.map_or(0, |q| waiting(q.capacity(), q.max_capacity())),
            advances: self.shared.advances.len() as u64,
            ..self.shared.counters.snapshot()
        }
    }

    /// Has something read by a reader thread.
    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection, &Shared) -> DbResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let shared = Arc::clone(&self.shared);
        reader::ask(self.reads.as_ref(), move |conn| query(conn, &shared)).await
    }

    /// Has something written by the writer; durable when it returns. The closure may be run
    /// again if the transaction it was part of fails.
    async fn write<T: Send + 'static>(
        &self,
        write: impl FnMut(&Tx<'_>) -> DbResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        let (done, answer) = oneshot::channel();
        let job = Box::new(Closure {
            write,
            result: None,
            done,
        });
        let writes = self.writes.as_ref().ok_or_else(stopped)?;
        writes.send(Work::Job(job)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.writes = None;
        self.reads = None;
        let threads = self.threads.get_mut();
        for thread in threads.readers.drain(..).chain(threads.writer.drain(..)) {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}
