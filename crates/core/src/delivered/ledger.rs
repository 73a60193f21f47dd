//! What sessions were given, on its way to the store: open ones are asked, of closed ones it
//! waits here. Both are written down every few seconds, in slices, so that sends beside them
//! are not delayed long. A crash loses what was not written yet: that is delivered again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::{DeviceKey, Devices, Given, Positions, Stretch, Waiting, WaitingQuery};
use crate::clock::Clock;
use crate::id::{MessageId, UserNum};
use crate::session::mailbox::Unwritten;
use crate::session::{Hub, Offline, Session};
use crate::store::StoreResult;

/// Devices of closed sessions that may wait, and open sessions with something to write: at
/// this many they are written at once.
const WAITING: usize = 50_000;
/// Devices that are written in one go.
const SLICE: usize = 256;

/// What waits to be written. Beside closed sessions' devices, of which there are `WAITING` at
/// most, it has those of the open sessions that are being written: one part of the hub.
#[derive(Default)]
struct Kept {
    waiting: HashMap<DeviceKey, Given>,
    /// Handed to the store, which has not answered.
    writing: HashMap<DeviceKey, Given>,
}

impl Kept {
    fn add(&mut self, device: DeviceKey, given: &Given) {
        self.waiting.entry(device).or_default().absorb(given);
    }
}

/// See the module's words.
pub(crate) struct Ledger {
    devices: Arc<dyn Devices>,
    hub: Arc<Hub>,
    positions: Arc<Positions>,
    clock: Arc<dyn Clock>,
    unwritten: Arc<Unwritten>,
    kept: Mutex<Kept>,
    waiting: usize,
    /// Whoever writes has this, so that nobody writes beside it.
    turn: tokio::sync::Mutex<()>,
}

impl Ledger {
    pub(crate) fn new(
        devices: Arc<dyn Devices>,
        hub: Arc<Hub>,
        positions: Arc<Positions>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            devices,
            hub,
            positions,
            clock,
            unwritten: Unwritten::new(WAITING),
            kept: Mutex::default(),
            waiting: WAITING,
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// Where sessions say that something is to be written.
    pub(crate) fn unwritten(&self) -> Arc<Unwritten> {
        Arc::clone(&self.unwritten)
    }

    pub(crate) fn positions(&self) -> &Positions {
        &self.positions
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// What a session's device was given by others: by earlier sessions, and by those that
    /// are open on it now.
    pub(super) async fn given_before(&self, session: &Session) -> StoreResult<Option<Given>> {
        let device = session.device_key();
        let through = self.positions.dispatched();
        let mut found: Option<Given> = None;
        let mut add = |given: &Given| found.get_or_insert_default().absorb(given);
        // In this order: what leaves the hub waits here first, and what waits no longer is
        // in the store.
        self.hub.each_of(device.user, |other| {
            let kept = other.delivery.offline != Offline::Sync;
            if kept && other.id != session.id && other.device_key() == device {
                let given = other.mailbox.given(through);
                if !given.is_empty() {
                    add(&given);
                }
            }
        });
        {
            let kept = self.kept.lock();
            let both = [kept.waiting.get(&device), kept.writing.get(&device)];
            both.into_iter().flatten().for_each(&mut add);
        }
        if let Some(given) = self.devices.given(&device).await? {
            add(&given);
        }
        Ok(found)
    }

    /// See [`Devices::waiting`].
    pub(super) async fn waiting(
        &self,
        user: UserNum,
        at: Vec<Stretch>,
        query: WaitingQuery,
    ) -> StoreResult<Waiting> {
        self.devices.waiting(user, at, query).await
    }

    /// See [`Devices::newest`].
    pub(super) async fn newest(
        &self,
        user: UserNum,
        after: MessageId,
        count: u32,
    ) -> StoreResult<MessageId> {
        self.devices.newest(user, after, count).await
    }

    /// Writes down at once that a session's device was given something.
    pub(super) async fn remember(&self, session: &Session, given: Given) -> StoreResult<()> {
        self.devices
            .absorb(vec![(session.device_key(), given)])
            .await
    }

    /// Keeps what a session that is about to leave the hub was given. Gives it back if too
    /// much waits already.
    #[must_use]
    pub(crate) fn leaves(&self, session: &Session) -> Option<(DeviceKey, Given)> {
        let through = self.positions.dispatched();
        let given = session.mailbox.take_unwritten(through)?;
        self.keep(session.device_key(), given)
    }

    fn keep(&self, device: DeviceKey, given: Given) -> Option<(DeviceKey, Given)> {
        let mut kept = self.kept.lock();
        let there = kept.waiting.len() + kept.writing.len();
        if there >= self.waiting && !kept.waiting.contains_key(&device) {
            return Some((device, given));
        }
        kept.add(device, &given);
        None
    }

    /// Keeps what found no place, once what waits is written. If that fails it is dropped:
    /// the device gets some of it again.
    pub(crate) async fn keep_later(&self, (device, given): (DeviceKey, Given)) {
        let _ = self.write_all().await;
        if let Some((device, _)) = self.keep(device, given) {
            tracing::warn!(user = device.user.0, "what a device was given is forgotten");
        }
    }

    /// Writes down every `every`, and when there is too much, until told to stop.
    pub(crate) async fn run(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = self.unwritten.too_many() => {}
                () = sleep(every) => {}
            }
            let _ = self.write_all().await;
        }
    }

    /// Writes down everything that there is now. An error is reported, and what could not be
    /// written is kept for the next time.
    pub(crate) async fn write_all(&self) -> StoreResult<()> {
        let _turn = self.turn.lock().await;
        let written = self.write_in_turn().await;
        if let Err(error) = &written {
            tracing::warn!(%error, "what devices were given could not be written down yet");
        }
        written
    }

    async fn write_in_turn(&self) -> StoreResult<()> {
        self.write_waiting().await?;
        for part in 0..Hub::parts() {
            let through = self.positions.dispatched();
            for session in self.hub.unwritten_in(part) {
                // What it was given goes from here straight to what waits: whoever asks
                // meanwhile finds it in one of both.
                let mut kept = self.kept.lock();
                if let Some(given) = session.mailbox.take_unwritten(through) {
                    kept.add(session.device_key(), &given);
                }
            }
            while self.write_slice(SLICE).await? {}
        }
        self.write_waiting().await
    }

    /// Writes what waits now; what comes meanwhile has its time.
    async fn write_waiting(&self) -> StoreResult<()> {
        let waiting = self.kept.lock().waiting.len();
        for _ in 0..waiting.div_ceil(SLICE) {
            self.write_slice(1).await?;
        }
        Ok(())
    }

    /// Writes one slice, if at least `least` devices wait. True if it did.
    async fn write_slice(&self, least: usize) -> StoreResult<bool> {
        let slice: Vec<_> = {
            let mut kept = self.kept.lock();
            if kept.waiting.len() < least {
                return Ok(false);
            }
            let devices: Vec<DeviceKey> = kept.waiting.keys().take(SLICE).cloned().collect();
            let taken = devices.into_iter().filter_map(|device| {
                let given = kept.waiting.remove(&device)?;
                kept.writing.insert(device.clone(), given.clone());
                Some((device, given))
            });
            taken.collect()
        };
        let answer = Answer {
            ledger: self,
            written: false,
        };
        self.devices.absorb(slice).await?;
        answer.written();
        Ok(true)
    }
}

/// A slice that the store has: unless it says that it is written, it waits again.
struct Answer<'a> {
    ledger: &'a Ledger,
    written: bool,
}

impl Answer<'_> {
    fn written(mut self) {
        self.written = true;
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let mut kept = self.ledger.kept.lock();
        let writing = std::mem::take(&mut kept.writing);
        if !self.written {
            for (device, given) in &writing {
                kept.add(device.clone(), given);
            }
        }
    }
}

#[cfg(test)]
mod tests;
