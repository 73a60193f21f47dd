//! The one thread that writes. It takes what is queued, runs it in one transaction, and
//! answers when the commit has returned: while one commit runs the next batch gathers, so
//! commits are shared without a timer.
//!
//! If a shared transaction fails, nothing of it is kept: it is rolled back, what was cached
//! of it is dropped, and its parts are run again one by one, messages each alone, so that
//! only those that cannot be stored get an error. Nobody is told of anything that was not
//! committed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crosstalk_core::id::MessageId;
use crosstalk_core::store::{StoreError, StoreErrorKind, StoreResult};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::advance::Key;
use super::append::Appender;
use super::checkpoint::Checkpoints;
use super::dedup::Dedup;
use super::error::{DbError, DbResult};
use super::flush::{Flush, Slice};
use super::heads::Heads;
use super::stats::add;
use super::work::{AppendWork, Job, Tx, Work};

/// A transaction takes no more once it has this many messages or other writes…
const MERGED_ITEMS: usize = 4096;
/// … or this many bytes of content.
const MERGED_BYTES: usize = 8 << 20;

/// Messages that fail in a row for want of the store itself before the rest of a batch that
/// is taken apart gets the same error untried: a dying disk may take long for each.
const GIVE_UP_AFTER: u32 = 4;

/// The writer's own state. It lives on its thread.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) queue: mpsc::Receiver<Work>,
    pub(super) heads: Heads,
    pub(super) dedup: Dedup,
    pub(super) flush: Flush,
    pub(super) checkpoints: Checkpoints,
    /// The newest committed message.
    pub(super) last: i64,
    /// Own advances of the running transaction.
    pub(super) staged: Vec<Key>,
}

impl Writer {
    /// Works until it is told to close or everybody who could give it work is gone. In the
    /// second case nothing is written down: that is what a crash leaves, too.
    pub(super) fn run(mut self) {
        let mut closing: Option<oneshot::Sender<()>> = None;
        let mut batch = Vec::new();
        while let Some(first) = self.queue.blocking_recv() {
            if let Some(close) = self.gather(first, &mut batch) {
                // What was queued before is still served; nothing more comes in.
                self.queue.close();
                closing = Some(close);
            }
            if !batch.is_empty() {
                self.handle(&mut batch);
                self.checkpoints.after_commit(&self.conn, &self.shared);
            }
        }
        let Some(done) = closing else { return };
        let now_ms = self.shared.clock.now_ms();
        let advances = &self.shared.advances;
        let flushed = self
            .flush
            .all(&self.conn, advances, &mut self.dedup, self.last, now_ms);
        if let Err(error) = flushed {
            // Nothing is lost: the next start works it out from the log.
            tracing::warn!(%error, "what waited in memory could not be written down");
        }
        self.checkpoints.at_close(&self.conn, &self.shared);
        drop(self.conn);
        let _ = done.send(());
    }

    /// Takes what else is queued, up to the size of a transaction.
    fn gather(&mut self, first: Work, batch: &mut Vec<Work>) -> Option<oneshot::Sender<()>> {
        let (mut items, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(work) = next {
            if let Work::Close(done) = work {
                return Some(done);
            }
            let size = work.size();
            items += size.0;
            bytes += size.1;
            batch.push(work);
            if items >= MERGED_ITEMS || bytes >= MERGED_BYTES {
                break;
            }
            next = self.queue.try_recv().ok();
        }
        None
    }

    fn handle(&mut self, batch: &mut Vec<Work>) {
        if let Err(error) = self.together(batch) {
            let parts = batch.len();
            tracing::warn!(%error, parts, "a shared transaction failed; its parts are run alone");
            add(&self.shared.counters.retried, 1);
            self.one_by_one(batch);
        }
        let waiting = self.dedup.waiting() as u64;
        self.shared.counters.keys.store(waiting, Ordering::Relaxed);
        for work in batch.drain(..) {
            work.answer(&self.shared);
        }
    }

    /// Runs everything in one transaction.
    fn together(&mut self, batch: &mut [Work]) -> DbResult<()> {
        self.dedup.roll(&self.conn, self.shared.clock.now_ms())?;
        let shared = Arc::clone(&self.shared);
        let mono_ms = shared.clock.mono_ms();
        self.flush
            .begin(&shared.advances, &mut self.dedup, mono_ms, self.last);
        let slice = self.transaction(|writer, last| writer.all_of(batch, last))?;
        if let Some(slice) = slice {
            self.flush
                .committed(&shared.advances, &mut self.dedup, &slice);
        }
        Ok(())
    }

    fn all_of(&mut self, batch: &mut [Work], last: &mut i64) -> DbResult<Option<Slice>> {
        let now_ms = self.shared.clock.now_ms();
        let items = batch.iter().map(|work| work.size().0).sum();
        let advances = &self.shared.advances;
        let slice = self
            .flush
            .slice(&self.conn, advances, &self.dedup, items, now_ms)?;
        for work in batch {
            match work {
                Work::Append(work) => self.append_all(work, last)?,
                Work::Job(job) => self.run_guarded(&mut **job, now_ms)?,
                Work::Close(_) => {}
            }
        }
        Ok(slice)
    }

    fn append_all(&mut self, work: &mut AppendWork, last: &mut i64) -> DbResult<()> {
        work.outcomes.clear();
        let mut appender = Appender {
            conn: &self.conn,
            shared: &self.shared,
            heads: &mut self.heads,
            dedup: &mut self.dedup,
            staged: &mut self.staged,
            last,
        };
        for item in &work.items {
            work.outcomes.push(Ok(appender.append(item)?));
        }
        Ok(())
    }

    /// Runs a job so that its failure undoes only what it did itself.
    fn run_guarded(&mut self, job: &mut dyn Job, now_ms: i64) -> DbResult<()> {
        self.execute("SAVEPOINT job")?;
        let tx = Tx {
            conn: &self.conn,
            shared: &self.shared,
            dedup: &self.dedup,
            now_ms,
        };
        if !job.run(&tx) {
            if self.conn.is_autocommit() {
                // Some failures, such as a full disk, end the whole transaction.
                let why = "a write beside this one ended the transaction";
                return Err(DbError::Unavailable(why.to_owned()));
            }
            self.execute("ROLLBACK TO job")?;
        }
        self.execute("RELEASE job")
    }

    /// Runs each part of a batch in its own transaction, each message alone.
    fn one_by_one(&mut self, batch: &mut [Work]) {
        let mut patience = Patience::default();
        for work in batch {
            match work {
                Work::Append(work) => self.append_each(work, &mut patience),
                Work::Job(job) => self.run_alone(&mut **job, &mut patience),
                Work::Close(_) => {}
            }
        }
    }

    fn append_each(&mut self, work: &mut AppendWork, patience: &mut Patience) {
        work.outcomes.clear();
        for item in &work.items {
            let outcome = patience.with(|| {
                self.dedup.roll(&self.conn, self.shared.clock.now_ms())?;
                let stored = self.transaction(|writer, last| {
                    let mut appender = Appender {
                        conn: &writer.conn,
                        shared: &writer.shared,
                        heads: &mut writer.heads,
                        dedup: &mut writer.dedup,
                        staged: &mut writer.staged,
                        last,
                    };
                    appender.append(item)
                })?;
                Ok(stored)
            });
            work.outcomes.push(outcome);
        }
    }

    fn run_alone(&mut self, job: &mut dyn Job, patience: &mut Patience) {
        let outcome = patience.with(|| {
            let now_ms = self.shared.clock.now_ms();
            let done = self.transaction(|writer, _| writer.run_guarded(job, now_ms));
            Ok(done?)
        });
        if let Err(error) = outcome {
            job.fail(error);
        }
    }

    /// A transaction around `run`, which gets the place for the newest id. If it fails in
    /// any way it has never been.
    fn transaction<T>(
        &mut self,
        run: impl FnOnce(&mut Self, &mut i64) -> DbResult<T>,
    ) -> DbResult<T> {
        let mut last = self.last;
        let done = self.execute("BEGIN IMMEDIATE").and_then(|()| {
            let done = run(self, &mut last)?;
            self.commit()?;
            Ok(done)
        });
        let committed = done.is_ok();
        if committed {
            self.last = last;
        } else {
            self.undo();
        }
        let failure = done.as_ref().err().map(DbError::kind);
        let fails = failure == Some(StoreErrorKind::Unavailable);
        let counters = &self.shared.counters;
        counters.writes_fail.store(fails, Ordering::Relaxed);
        self.dedup.settle(committed);
        self.shared.advances.settle(&self.staged, committed);
        self.staged.clear();
        done
    }

    fn commit(&mut self) -> DbResult<()> {
        #[cfg(test)]
        self.fail_if_told()?;
        let clock = &self.shared.clock;
        let begun = clock.mono_ms();
        let done = self.execute("COMMIT");
        let took = clock.mono_ms().saturating_sub(begun);
        let counters = &self.shared.counters;
        counters.commit_ms_total.fetch_add(took, Ordering::Relaxed);
        if done.is_ok() {
            add(&counters.commits, 1);
        }
        done
    }

    #[cfg(test)]
    fn fail_if_told(&self) -> DbResult<()> {
        let failing = &self.shared.failing_commits;
        let left = failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match left {
            Ok(_) => Err(DbError::Unavailable("a commit failed, as told".to_owned())),
            Err(_) => Ok(()),
        }
    }

    fn undo(&mut self) {
        self.heads.forget();
        if !self.conn.is_autocommit()
            && let Err(error) = self.execute("ROLLBACK")
        {
            // The next BEGIN fails then, and this is tried again after it.
            tracing::error!(%error, "a failed transaction could not be rolled back");
        }
    }

    fn execute(&self, sql: &str) -> DbResult<()> {
        self.conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    }
}

/// How long a batch that is taken apart goes on against a store that refuses everything.
#[derive(Default)]
struct Patience {
    failures: u32,
    last: Option<StoreError>,
}

impl Patience {
    fn with<T>(&mut self, run: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
        if self.failures >= GIVE_UP_AFTER
            && let Some(error) = &self.last
        {
            return Err(error.clone());
        }
        let done = run();
        match &done {
            Err(error) if error.kind == StoreErrorKind::Unavailable => {
                self.failures += 1;
                self.last = Some(error.clone());
            }
            _ => self.failures = 0,
        }
        done
    }
}

/// The newest message that was ever stored, also if it was dropped since.
pub(super) fn newest(conn: &Connection) -> DbResult<MessageId> {
    let sql = "SELECT max(ifnull((SELECT max(id) FROM message), 0), dropped_through) FROM meta";
    Ok(MessageId(conn.query_row(sql, [], |row| row.get(0))?))
}
