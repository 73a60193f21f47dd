//! Whose turn it is to have a small picture made: decoding takes a thread and much memory for
//! a moment, and whoever asks does not pay for it.
//!
//! One picture is made once, and all who ask for it meanwhile get that answer. Of the files of
//! one user one is decoded at a time, so that nobody has all decoders. What waits is bounded;
//! beyond it askers are told to come again. That a file is broken is remembered for a while.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::sync::Arc;

use crosstalk_core::file::Thumbnail;
use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

/// Images that are decoded at once: each may take much memory for a moment.
const DECODERS: usize = 2;
/// Pictures that are being made or wait for it; one more is refused.
const MAX_WANTED: usize = 128;
/// The same, of one user's files.
const MAX_OF_OWNER: usize = 32;
/// Broken files that are remembered; the one noted first is forgotten first, and tried again.
const MAX_BROKEN: usize = 4096;

/// A picture that is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    /// The blob of which.
    pub(super) blob: String,
    /// The side of the square in which it fits, pixels.
    pub(super) side: u32,
}

/// What became of one; `None` until that is known.
type Outcome = Option<Result<Thumbnail, Refusal>>;

/// What is being made.
pub(super) struct Making {
    decoders: Arc<Semaphore>,
    state: Mutex<State>,
    /// Ends what nobody will be there for.
    stop: CancellationToken,
}

#[derive(Default)]
struct State {
    /// Bounded by [`MAX_WANTED`]. Those who wait for the same one are as many as requests.
    wanted: HashMap<Wanted, watch::Receiver<Outcome>>,
    /// Of whose files some are being made.
    owners: HashMap<UserNum, Owner>,
    broken: Broken,
}

struct Owner {
    /// How many of theirs are in `wanted`.
    wanted: usize,
    /// One at a time.
    gate: Arc<Semaphore>,
}

/// Blobs of which no picture can be made.
#[derive(Default)]
struct Broken {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Broken {
    fn remember(&mut self, blob: String) {
        if !self.known.insert(blob.clone()) {
            return;
        }
        self.order.push_back(blob);
        if self.order.len() > MAX_BROKEN
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl State {
    /// Adds a picture to those that are to be made; the gate of the file's owner.
    fn add(
        &mut self,
        wanted: Wanted,
        owner: Option<UserNum>,
        outcome: watch::Receiver<Outcome>,
    ) -> Result<Option<Arc<Semaphore>>, Refusal> {
        if self.wanted.len() >= MAX_WANTED {
            return Err(Refusal::Unavailable);
        }
        // The application is not limited.
        let mut gate = None;
        if let Some(owner) = owner {
            let owner = self.owners.entry(owner).or_insert_with(|| Owner {
                wanted: 0,
                gate: Arc::new(Semaphore::new(1)),
            });
            if owner.wanted >= MAX_OF_OWNER {
                return Err(Refusal::Unavailable);
            }
            owner.wanted += 1;
            gate = Some(Arc::clone(&owner.gate));
        }
        self.wanted.insert(wanted, outcome);
        Ok(gate)
    }

    fn remove(&mut self, wanted: &Wanted, owner: Option<UserNum>) {
        self.wanted.remove(wanted);
        if let Some(owner) = owner
            && let Entry::Occupied(mut entry) = self.owners.entry(owner)
        {
            entry.get_mut().wanted -= 1;
            if entry.get().wanted == 0 {
                entry.remove();
            }
        }
    }
}

/// That a picture is being made, until this is dropped.
struct Place {
    making: Arc<Making>,
    wanted: Wanted,
    owner: Option<UserNum>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.making.state.lock().remove(&self.wanted, self.owner);
    }
}

impl Making {
    /// Nothing is made yet; what is made ends when `stop` is cancelled.
    pub(super) fn new(stop: CancellationToken) -> Arc<Self> {
        Arc::new(Self {
            decoders: Arc::new(Semaphore::new(DECODERS)),
            state: Mutex::default(),
            stop,
        })
    }

    /// Has a picture made of a file of this owner, or waits for it if it is being made. `make`
    /// gets the turn that it has to hold while it decodes. It goes on if whoever asked goes
    /// away: others may wait for it, and asking again is no way to have more decoders.
    ///
    /// # Errors
    /// Those of `make`; of `NotFound` is remembered that it is so. `Unavailable` when too many
    /// wait already.
    pub(super) async fn once<F, M>(
        self: &Arc<Self>,
        wanted: Wanted,
        owner: Option<UserNum>,
        make: M,
    ) -> Result<Thumbnail, Refusal>
    where
        M: FnOnce(Vec<OwnedSemaphorePermit>) -> F + Send + 'static,
        F: Future<Output = Result<Thumbnail, Refusal>> + Send + 'static,
    {
        let mut outcome = self.begin(wanted, owner, make)?;
        let known = outcome.wait_for(Option::is_some).await;
        // It ended without an outcome: the server stops.
        let known = known.map_err(|_| Refusal::Unavailable)?;
        known.clone().unwrap_or(Err(Refusal::Unavailable))
    }

    fn begin<F, M>(
        self: &Arc<Self>,
        wanted: Wanted,
        owner: Option<UserNum>,
        make: M,
    ) -> Result<watch::Receiver<Outcome>, Refusal>
    where
        M: FnOnce(Vec<OwnedSemaphorePermit>) -> F + Send + 'static,
        F: Future<Output = Result<Thumbnail, Refusal>> + Send + 'static,
    {
        let mut state = self.state.lock();
        if state.broken.known.contains(&wanted.blob) {
            return Err(Refusal::NotFound);
        }
        if let Some(outcome) = state.wanted.get(&wanted) {
            return Ok(outcome.clone());
        }
        let (tell, outcome) = watch::channel(None);
        let gate = state.add(wanted.clone(), owner, outcome.clone())?;
        drop(state);
        let place = Place {
            making: Arc::clone(self),
            wanted,
            owner,
        };
        let stop = self.stop.clone();
        tokio::spawn(async move {
            let made = stop.run_until_cancelled(place.made(gate, make)).await;
            // Who asks from now on finds it kept, or begins anew.
            drop(place);
            if made.is_some() {
                tell.send_replace(made);
            }
        });
        Ok(outcome)
    }
}

impl Place {
    async fn made<F, M>(&self, gate: Option<Arc<Semaphore>>, make: M) -> Result<Thumbnail, Refusal>
    where
        M: FnOnce(Vec<OwnedSemaphorePermit>) -> F,
        F: Future<Output = Result<Thumbnail, Refusal>>,
    {
        let mut turn = Vec::with_capacity(2);
        // First that of the owner: only one of theirs waits for a decoder.
        for gate in gate.into_iter().chain([Arc::clone(&self.making.decoders)]) {
            let permit = gate.acquire_owned().await;
            turn.push(permit.map_err(|_| Refusal::Unavailable)?);
        }
        let blob = &self.wanted.blob;
        // Another picture of the same file may have shown it while this waited.
        if self.making.state.lock().broken.known.contains(blob) {
            return Err(Refusal::NotFound);
        }
        let made = make(turn).await;
        if made == Err(Refusal::NotFound) {
            self.making.state.lock().broken.remember(blob.clone());
        }
        made
    }
}

#[cfg(test)]
mod tests;
