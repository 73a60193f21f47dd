//! When a server is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crosstalk_tests::{Http, Killer, Seed, Server};
use tokio::task::JoinHandle;

use super::ballast::{LOG_LIMIT, LOG_METRIC};

/// The size of the write-ahead log at which its move into the database is near.
const NEARLY_FULL_LOG: u64 = LOG_LIMIT - (1 << 20);

/// When to kill.
#[derive(Debug, Clone, Copy)]
pub(super) enum Moment {
    /// As soon as this many messages have been acknowledged that were not sent before.
    Acked(usize),
    /// As soon as this many messages have been written.
    Posted(usize),
    /// This long after the first acknowledgement.
    After(Duration),
    /// This long after it was told to stop, which was at the first acknowledgement: it moves its
    /// log into the database then.
    Stopping(Duration),
    /// This long after its log had grown to the size at which it is moved into the database.
    Moving(Duration),
    /// Never: it is told to stop after so many acknowledgements, and takes the time it needs.
    Stopped(usize),
}

impl Moment {
    /// Any of those that come soon.
    pub(super) fn soon(seed: &mut Seed) -> Moment {
        match seed.within(0..5) {
            0 | 1 => Moment::Acked(seed.within(1..500)),
            2 => Moment::Posted(seed.within(100..900)),
            3 => Moment::After(micros(seed, 150_000)),
            _ => Moment::Stopping(micros(seed, 200_000)),
        }
    }

    /// Around a move of the log into the database.
    pub(super) fn moving(seed: &mut Seed) -> Moment {
        Moment::Moving(micros(seed, 400_000))
    }

    /// An orderly stop.
    pub(super) fn stopped(seed: &mut Seed) -> Moment {
        Moment::Stopped(seed.within(1..800))
    }
}

/// Less time than so many microseconds.
pub(super) fn micros(seed: &mut Seed, below: usize) -> Duration {
    Duration::from_micros(seed.within(0..below) as u64)
}

/// Kills the server when the moment has come; shared by the writers.
pub(super) struct Trigger {
    moment: Moment,
    killer: Killer,
    posted: AtomicUsize,
    acked: AtomicUsize,
    watcher: Option<JoinHandle<()>>,
}

impl Trigger {
    pub(super) fn new(moment: Moment, server: &Server) -> Trigger {
        let killer = server.killer();
        let watcher = if let Moment::Moving(delay) = moment {
            let watching = kill_when_moving(server.rest(), killer.clone(), delay);
            Some(tokio::spawn(watching))
        } else {
            None
        };
        Trigger {
            moment,
            killer,
            posted: AtomicUsize::new(0),
            acked: AtomicUsize::new(0),
            watcher,
        }
    }

    pub(super) fn posted(&self) {
        let count = self.posted.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(self.moment, Moment::Posted(at) if at == count) {
            self.killer.kill();
        }
    }

    pub(super) fn acked(&self, is_fresh: bool) {
        if matches!(self.moment, Moment::Acked(_)) && !is_fresh {
            return;
        }
        let count = self.acked.fetch_add(1, Ordering::Relaxed) + 1;
        let killer = self.killer.clone();
        match self.moment {
            Moment::Acked(at) if at == count => killer.kill(),
            Moment::After(delay) if count == 1 => {
                tokio::spawn(kill_after(killer, delay));
            }
            Moment::Stopping(delay) if count == 1 => {
                tokio::spawn(async move {
                    killer.terminate().await;
                    kill_after(killer, delay).await;
                });
            }
            Moment::Stopped(at) if at == count => {
                tokio::spawn(async move { killer.terminate().await });
            }
            _ => {}
        }
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        if let Some(watcher) = &self.watcher {
            watcher.abort();
        }
    }
}

async fn kill_after(killer: Killer, delay: Duration) {
    // wait: a moment that has nothing to do with what is being sent
    tokio::time::sleep(delay).await;
    killer.kill();
}

async fn kill_when_moving(rest: Http, killer: Killer, delay: Duration) {
    while rest.metric(LOG_METRIC).await < NEARLY_FULL_LOG {
        // wait: between two questions; the answer is what ends the loop
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    kill_after(killer, delay).await;
}
