//! The lane: takes jobs in order, commits what a batch of them changes, and lets it be known
//! then. While one commit runs the next batch gathers.
//!
//! If a commit fails, those who asked are told so; what it should have changed is kept and
//! committed before anything else, so that memory and store do not part. Until that succeeds
//! no job is begun.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::job::Job;
use super::state::{Effect, State, Turn};
use super::subscriber::Env;
use super::{Change, Subscribers, TopicError};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// Jobs handled in one go.
const BATCH: usize = 512;
/// No further job is begun in a batch with so many changes.
const CHANGES: usize = 8192;
/// Expired messages looked for at a time.
const EXPIRED: u32 = 1024;
/// So many sweeps pass between two searches for expired messages in stored queues.
const SEARCH_EVERY: u32 = 16;

/// See the module's words.
pub(super) struct Lane {
    state: State,
    env: Arc<Env>,
    store: Arc<dyn Subscribers>,
    /// What could not be committed, and what is to happen when it is.
    owed: Option<(Arc<[Change]>, Vec<Effect>)>,
    sweeps: u32,
}

impl Lane {
    pub(super) fn new(state: State, store: Arc<dyn Subscribers>) -> Self {
        let env = Arc::clone(state.env());
        Self {
            state,
            env,
            store,
            owed: None,
            sweeps: 0,
        }
    }

    /// Works until it is told to stop, or nobody is left to ask.
    pub(super) async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        sweep_every: Duration,
        stop: CancellationToken,
    ) {
        let mut sweeps = interval(sweep_every.max(Duration::from_millis(10)));
        sweeps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::new();
        loop {
            let is_sweep = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                // Before the jobs: there may be no moment without any.
                _ = sweeps.tick() => true,
                taken = jobs.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        break;
                    }
                    false
                }
            };
            self.turns(&mut batch, is_sweep).await;
        }
        // What was asked before the end is done, and what was settled written down.
        jobs.close();
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            self.turns(&mut batch, false).await;
        }
        self.turns(&mut batch, false).await;
    }

    /// One turn, or as many as the changes need.
    async fn turns(&mut self, batch: &mut Vec<Job>, is_sweep: bool) {
        if let Err(error) = self.pay().await {
            let error = TopicError::Store(error);
            for job in batch.drain(..) {
                job.refuse(&error);
            }
            return;
        }
        if is_sweep || batch.iter().any(|job| matches!(job, Job::Sweep(_))) {
            self.drop_expired(is_sweep).await;
        }
        let mut is_sweep = is_sweep;
        let mut jobs = batch.drain(..).peekable();
        loop {
            let mut turn = Turn::new(self.env.clock.now_ms());
            for (holder, how) in self.env.take_abandoned() {
                self.state.detach(holder, how, None, &mut turn);
            }
            if std::mem::take(&mut is_sweep) {
                self.state.sweep(&mut turn);
            }
            self.env.take_marks(&mut turn.changes);
            while turn.changes.len() < CHANGES
                && let Some(job) = jobs.next()
            {
                self.state.run(job, &mut turn);
            }
            commit(&*self.store, &mut self.owed, turn).await;
            if jobs.peek().is_none() {
                return;
            }
            if self.owed.is_some() {
                break;
            }
        }
        let error = StoreError::unavailable("an earlier change is not stored yet");
        let error = TopicError::Store(error);
        for job in jobs {
            job.refuse(&error);
        }
    }

    /// Commits what an earlier turn could not.
    async fn pay(&mut self) -> StoreResult<()> {
        let Some((changes, _)) = &self.owed else {
            return Ok(());
        };
        let paid = self.store.apply(Arc::clone(changes)).await;
        match paid {
            Err(error) if error.kind == StoreErrorKind::Unavailable => Err(error),
            Err(error) => {
                tracing::error!(%error, "changes of topics were given up");
                let (_, effects) = self.owed.take().expect("it was just there");
                effects.into_iter().for_each(Effect::give_up);
                Ok(())
            }
            Ok(()) => {
                let (_, effects) = self.owed.take().expect("it was just there");
                effects.into_iter().for_each(|effect| effect.happen(None));
                Ok(())
            }
        }
    }

    async fn drop_expired(&mut self, is_seldom: bool) {
        self.sweeps = self.sweeps.wrapping_add(1);
        if is_seldom && !self.sweeps.is_multiple_of(SEARCH_EVERY) {
            return;
        }
        let now_ms = self.env.clock.now_ms();
        match self.store.expired(now_ms, EXPIRED).await {
            Ok(expired) => self.state.drop_expired(&expired),
            Err(error) => tracing::warn!(%error, "expired messages could not be looked for"),
        }
    }
}

async fn commit(
    store: &dyn Subscribers,
    owed: &mut Option<(Arc<[Change]>, Vec<Effect>)>,
    turn: Turn,
) {
    let Turn {
        changes, effects, ..
    } = turn;
    let mut failure = None;
    let changes: Arc<[Change]> = changes.into();
    if !changes.is_empty()
        && let Err(error) = store.apply(Arc::clone(&changes)).await
    {
        tracing::error!(%error, "topics could not be stored");
        failure = Some(TopicError::Store(error));
    }
    let Some(failure) = failure else {
        effects.into_iter().for_each(|effect| effect.happen(None));
        return;
    };
    let mut later = Vec::new();
    for effect in effects {
        match effect {
            Effect::Answer(_) => effect.happen(Some(&failure)),
            Effect::Queue(..) | Effect::Once(..) => later.push(effect),
        }
    }
    *owed = Some((changes, later));
}

impl Effect {
    fn happen(self, failure: Option<&TopicError>) {
        match self {
            Self::Queue(subscriber, entry) => subscriber.push(entry),
            Self::Once(subscriber, deliveries) => subscriber.push_once(deliveries),
            Self::Answer(answer) => answer(failure),
        }
    }

    /// It will never happen.
    fn give_up(self) {
        if let Self::Queue(subscriber, entry) = self {
            subscriber.give_up(entry.message.weight());
        }
    }
}
