//! What the writer is given to do.

use crosstalk_core::log::{Append, AppendOutcome};
use crosstalk_core::store::{StoreError, StoreResult};
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Shared;
use super::dedup::Dedup;
use super::error::{DbResult, stopped};
use super::stats::add;

/// One item of the writer's queue.
pub(super) enum Work {
    /// A batch of messages.
    Append(AppendWork),
    /// Any other write.
    Job(Box<dyn Job>),
    /// Finish what is queued, write everything down and stop.
    Close(oneshot::Sender<()>),
}

impl Work {
    /// How many messages and bytes of content this adds to a transaction.
    pub(super) fn size(&self) -> (usize, usize) {
        match self {
            Self::Append(work) => (work.items.len(), work.items.iter().map(weight).sum()),
            Self::Job(_) => (1, 0),
            Self::Close(_) => (0, 0),
        }
    }

    /// Tells whoever waits what became of it. Nobody may wait any more.
    pub(super) fn answer(self, shared: &Shared) {
        match self {
            Self::Append(work) => work.answer(shared),
            Self::Job(job) => job.answer(),
            Self::Close(_) => {}
        }
    }
}

/// Roughly the bytes of a message.
pub(super) fn weight(item: &Append) -> usize {
    let body = &item.body;
    body.payload.len() + body.extra.as_ref().map_or(0, |extra| extra.len()) + 128
}

/// A batch of messages and where the outcomes go.
pub(super) struct AppendWork {
    pub(super) items: Vec<Append>,
    pub(super) outcomes: Vec<StoreResult<AppendOutcome>>,
    pub(super) done: oneshot::Sender<Vec<StoreResult<AppendOutcome>>>,
    /// Its share of what may be in flight, given back with the answer.
    pub(super) _room: OwnedSemaphorePermit,
}

impl AppendWork {
    fn answer(self, shared: &Shared) {
        let count = |wanted: fn(&StoreResult<AppendOutcome>) -> bool| {
            self.outcomes
                .iter()
                .filter(|outcome| wanted(outcome))
                .count() as u64
        };
        let counters = &shared.counters;
        add(
            &counters.appended,
            count(|o| matches!(o, Ok(AppendOutcome::Stored { .. }))),
        );
        add(
            &counters.duplicates,
            count(|o| matches!(o, Ok(AppendOutcome::Duplicate { .. }))),
        );
        add(&counters.failed, count(Result::is_err));
        let _ = self.done.send(self.outcomes);
    }
}

/// What a write other than an append works with: the connection inside a transaction.
pub(super) struct Tx<'a> {
    pub(super) conn: &'a Connection,
    pub(super) shared: &'a Shared,
    /// Where the keys are that are not written down.
    pub(super) dedup: &'a Dedup,
    /// The wall clock when the transaction began.
    pub(super) now_ms: i64,
}

impl Tx<'_> {
    /// The version of a row that had `old`: it grows, and is near the time of the change.
    pub(super) fn version(&self, old: i64) -> i64 {
        old.saturating_add(1).max(self.now_ms)
    }
}

/// A write that can be run again when the transaction it was part of has failed.
pub(super) trait Job: Send {
    /// Runs it and keeps the result. False if it failed.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// What it was part of could not be committed. Its own failure, if it has one, says more.
    fn fail(&mut self, error: StoreError);
    /// Hands the result over.
    fn answer(self: Box<Self>);
}

/// A job made of a closure.
pub(super) struct Closure<T, F> {
    pub(super) write: F,
    pub(super) result: Option<StoreResult<T>>,
    pub(super) done: oneshot::Sender<StoreResult<T>>,
}

impl<T, F> Job for Closure<T, F>
where
    T: Send,
    F: FnMut(&Tx<'_>) -> DbResult<T> + Send,
{
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        let result = (self.write)(tx).map_err(StoreError::from);
        let worked = result.is_ok();
        self.result = Some(result);
        worked
    }

    fn fail(&mut self, error: StoreError) {
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(error));
        }
    }

    fn answer(self: Box<Self>) {
        let _ = self
            .done
            .send(self.result.unwrap_or_else(|| Err(stopped())));
    }
}
