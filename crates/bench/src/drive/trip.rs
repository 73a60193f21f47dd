//! Leaving and coming back: hang up, log in again until it succeeds, send once
//! more what got no answer, ask for what was missed.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, anyhow};
use hdrhistogram::Histogram;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::{Driver, missed};
use crate::account::{Asked, histogram};
use crate::connect::{Client, Connector};
use crate::dialect::{Address, Known, Login, LoginRefused};
use crate::link::Link;
use crate::pace::Pace;
use crate::target::Target;

/// The first pause after a login that failed; the next ones are twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// How clients leave and come back.
pub(crate) struct Trips {
    pub(crate) when: When,
    /// Who leaves, by index.
    pub(crate) travellers: Range<u32>,
    pub(crate) logins: Vec<Login>,
    pub(crate) connector: Connector,
    pub(crate) target: Arc<Target>,
    /// Logins under way at once; the others wait for theirs.
    pub(crate) at_once: Semaphore,
    /// Questions under way at once.
    pub(crate) questions: Semaphore,
    /// Nobody asks for what was missed before this.
    pub(crate) may_ask: CancellationToken,
    pub(crate) ledger: Ledger,
}

/// When clients leave.
pub(crate) enum When {
    /// All together.
    Told(CancellationToken),
    /// One after the other, so many per second from a time on.
    InTurn { start_ns: u64, rate: u64 },
}

/// What all trips came to.
pub(crate) struct Ledger {
    /// Clients that are away.
    pub(crate) away: AtomicU64,
    /// Clients that have not found out what they missed.
    pub(crate) behind: AtomicU64,
    pub(crate) asked: Asked,
    totals: Mutex<TripTotals>,
}

/// Counts and times of trips.
#[derive(Debug, Clone)]
pub(crate) struct TripTotals {
    /// Trips that ended with a login.
    pub(crate) trips: u64,
    /// How long the login took that succeeded, connecting included.
    pub(crate) login: Histogram<u64>,
    /// From hanging up to being logged in.
    pub(crate) away: Histogram<u64>,
    /// Logins that failed, without those throttled.
    pub(crate) failures: u64,
    pub(crate) first_failure: Option<String>,
    /// Logins refused because there were too many.
    pub(crate) throttled: u64,
}

impl Ledger {
    /// Nobody has left.
    pub(crate) fn new() -> Self {
        Self {
            away: AtomicU64::new(0),
            behind: AtomicU64::new(0),
            asked: Asked::new(),
            totals: Mutex::new(TripTotals {
                trips: 0,
                login: histogram(),
                away: histogram(),
                failures: 0,
                first_failure: None,
                throttled: 0,
            }),
        }
    }

    /// So many clients are leaving now.
    pub(crate) fn leaving(&self, clients: u64) {
        self.behind.fetch_add(clients, Ordering::AcqRel);
        self.away.fetch_add(clients, Ordering::AcqRel);
    }

    /// All of it so far.
    pub(crate) fn totals(&self) -> TripTotals {
        self.totals.lock().clone()
    }

    /// Nobody is away, or does not know yet what was missed.
    pub(crate) fn is_quiet(&self) -> bool {
        self.away.load(Ordering::Acquire) == 0 && self.behind.load(Ordering::Acquire) == 0
    }

    pub(super) fn has_caught_up(&self) {
        self.behind.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Trips {
    /// Whether this client leaves at all.
    pub(super) fn takes(&self, index: u32) -> bool {
        self.travellers.contains(&index)
    }

    pub(super) fn signal(&self) -> Option<WaitForCancellationFutureOwned> {
        match &self.when {
            When::Told(token) => Some(token.clone().cancelled_owned()),
            When::InTurn { .. } => None,
        }
    }

    pub(super) fn turns(&self, index: u32) -> Option<Pace> {
        let travellers = u64::from(self.travellers.end - self.travellers.start);
        match self.when {
            When::Told(_) => None,
            When::InTurn { start_ns, rate } => {
                let at = u64::from(index - self.travellers.start);
                Some(Pace::schedule(start_ns, rate, at, travellers))
            }
        }
    }

    /// Logs a client in, as often as it takes.
    async fn log_in(&self, index: u32) -> Client {
        let login = &self.logins[index as usize];
        let mut pause = FIRST_PAUSE;
        loop {
            // The semaphore is never closed.
            let permit = self.at_once.acquire().await;
            let outcome = self.connector.connect(login, index).await;
            drop(permit);
            match outcome {
                Ok((client, took_ns)) => {
                    let mut totals = self.ledger.totals.lock();
                    totals.trips += 1;
                    totals.login.saturating_record(took_ns);
                    return client;
                }
                Err(why) => self.note_failure(&why),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn note_failure(&self, why: &anyhow::Error) {
        let mut totals = self.ledger.totals.lock();
        let refused = why.downcast_ref::<LoginRefused>();
        if refused.is_some_and(|it| self.connector.dialect.is_rate_limit(it.code)) {
            totals.throttled += 1;
        } else {
            totals.failures += 1;
            totals
                .first_failure
                .get_or_insert_with(|| format!("{why:#}"));
        }
    }
}

impl Driver {
    /// Leaves and comes back, unless the run ends before that.
    pub(super) async fn trip(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.desk.shared);
        let Some(trips) = &shared.trips else {
            return Ok(());
        };
        let index = self.client.index;
        if matches!(trips.when, When::InTurn { .. }) {
            trips.ledger.leaving(1);
        }
        let left_ns = shared.clock.now_ns();
        self.client.link = Link::Closed;
        let client = tokio::select! {
            client = trips.log_in(index) => client,
            () = shared.close.cancelled() => {
                self.desk.books.is_away = true;
                return Ok(());
            }
        };
        self.client = client;
        let back_ns = shared.clock.now_ns();
        trips
            .ledger
            .totals
            .lock()
            .away
            .saturating_record(back_ns - left_ns);
        let known = self.known();
        self.desk.came_back(back_ns);
        self.desk.send_again(&mut self.client)?;
        trips.ledger.away.fetch_sub(1, Ordering::AcqRel);
        let all = Arc::clone(&shared);
        self.asking = Some(tokio::spawn(async move {
            let Some(trips) = &all.trips else {
                return Err(anyhow!("nobody leaves in this run"));
            };
            trips.may_ask.cancelled().await;
            let _permit = trips.questions.acquire().await;
            let uid = &trips.logins[index as usize].uid;
            missed::ask(trips, all.clock, uid, &known).await
        }));
        Ok(())
    }

    /// What the client has of its channels.
    fn known(&self) -> Vec<Known> {
        let channels = self.desk.books.received.channels();
        let known = channels.map(|(name, is_group, place)| Known {
            channel: match is_group {
                true => Address::Group(name.to_owned()),
                false => Address::User(name.to_owned()),
            },
            place,
        });
        known.collect()
    }
}
