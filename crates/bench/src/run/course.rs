//! Clients under way: start them, watch a phase pass, wait for what is under
//! way, settle. What [`load`](super::load), [`mixed`](super::mixed) and
//! [`storm`](super::storm) have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Bench;
use super::spent::{Moment, Spent};
use crate::account::{Books, Settlement, Tally, Totals, settle};
use crate::clock::SECOND_NS;
use crate::connect::Client;
use crate::drive::{Sending, Shared, Trips, drive};
use crate::measure::Probe;
use crate::pace::Pace;
use crate::progress::load_line;
use crate::report::{LatencyReport, LoadReport, Work};
use crate::scenario::{Flow, Plan, Speed};

/// Read buffer of a client that gets many messages.
pub(super) const CHUNK_BYTES: usize = 16 << 10;
/// Between starting the clients and the first message.
const LEAD_NS: u64 = SECOND_NS / 5;
/// How often the run looks whether a phase is over.
const LOOK: Duration = Duration::from_millis(5);
/// How long to wait for what is under way even if it moves.
const DRAIN_NS: u64 = 60 * SECOND_NS;

/// How long messages flow, and what they are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    /// Tells this run's messages from others'.
    pub(super) run: u32,
    /// When clients send their first message.
    pub(super) start_ns: u64,
    pub(super) payload: u32,
    pub(super) warmup_secs: u64,
    /// How long to measure at most.
    pub(super) secs: u64,
    /// Messages per second of all senders; `None` if answers set the pace.
    pub(super) rate: Option<u64>,
}

/// The processes and the counts at one moment.
pub(super) struct Mark {
    pub(super) moment: Moment,
    pub(super) totals: Totals,
}

/// Clients that are connected and free to send.
pub(super) struct Running {
    pub(super) shared: Arc<Shared>,
    has_warmup: bool,
    clients: JoinSet<(u32, Books)>,
}

/// The books when all is over.
pub(super) struct Settled {
    pub(super) books: Vec<Books>,
    pub(super) settlement: Settlement,
}

impl Bench<'_> {
    /// When clients that start now send their first message.
    pub(super) fn start_ns(&self) -> u64 {
        self.clock.now_ns() + LEAD_NS
    }

    /// Lets clients go.
    pub(super) fn start(
        &self,
        clients: Vec<Client>,
        plan: Plan,
        course: Course,
        trips: Option<Trips>,
    ) -> Running {
        let start_ns = course.start_ns;
        let measure_ns = start_ns + course.warmup_secs * SECOND_NS;
        let mut audiences = vec![None; plan.logins.len()];
        for sender in plan.senders() {
            audiences[sender.index as usize] = Some(sender.audience.clone());
        }
        let shared = Arc::new(Shared {
            clock: self.clock,
            run: course.run,
            payload: course.payload as usize,
            measure_ns,
            stop_ns: AtomicU64::new(measure_ns + course.secs * SECOND_NS),
            senders: AtomicU64::new(plan.senders().count() as u64),
            tally: Tally::new(self.threads),
            close: CancellationToken::new(),
            audiences,
            trips,
        });
        let mut sendings = sendings(plan, start_ns);
        let mut tasks = JoinSet::new();
        for client in clients {
            let sending = sendings[client.index as usize].take();
            tasks.spawn(drive(client, sending, Arc::clone(&shared)));
        }
        Running {
            shared,
            has_warmup: course.warmup_secs > 0,
            clients: tasks,
        }
    }

    /// Waits until `is_over` says so at a time in nanoseconds, or an interrupt
    /// comes.
    pub(super) async fn phase(
        &self,
        running: &Running,
        name: &str,
        mut is_over: impl FnMut(u64) -> bool,
    ) {
        let tally = &running.shared.tally;
        let mut before = (self.clock.now_ns(), tally.totals());
        loop {
            let now_ns = self.clock.now_ns();
            if is_over(now_ns) || self.interrupt.has_come() {
                return;
            }
            if now_ns - before.0 >= SECOND_NS {
                let totals = tally.totals();
                let seconds = (now_ns - before.0) as f64 / SECOND_NS as f64;
                self.progress
                    .step(&load_line(name, &before.1, &totals, seconds));
                before = (now_ns, totals);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The mark of a run in which nothing has been sent.
    pub(super) async fn calm(&self, probe: Option<&Probe>) -> Result<Mark> {
        Ok(Mark {
            moment: self.moment_before(probe).await?,
            totals: Totals::default(),
        })
    }

    /// Waits until the senders are done; the mark is from when measuring began.
    /// Without a warm-up that is the one from before anything was sent.
    pub(super) async fn measure(
        &self,
        running: &Running,
        calm: Mark,
        probe: Option<&Probe>,
    ) -> Result<Mark> {
        let shared = &running.shared;
        let are_done = || shared.senders.load(Ordering::Relaxed) == 0;
        let measure_ns = shared.measure_ns;
        self.phase(running, "warming up", |now_ns| {
            now_ns >= measure_ns || are_done()
        })
        .await;
        let mark = if running.has_warmup {
            self.begin(running, probe).await?
        } else {
            calm
        };
        self.phase(running, "measuring", |now_ns| {
            now_ns >= shared.stop_ns() || are_done()
        })
        .await;
        Ok(mark)
    }

    /// Waits until all is answered and delivered and all are back, or nothing
    /// moves any more.
    pub(super) async fn drain(&self, running: &Running) {
        let (shared, start_ns) = (&running.shared, self.clock.now_ns());
        let mut moved = (start_ns, shared.tally.totals());
        loop {
            let are_here = shared.trips.as_ref().is_none_or(|it| it.ledger.is_quiet());
            let (now_ns, totals) = (self.clock.now_ns(), shared.tally.totals());
            if are_here
                && totals.accepted + totals.refused >= totals.sent
                && totals.delivered >= totals.expected
            {
                return;
            }
            if totals != moved.1 {
                moved = (now_ns, totals);
            }
            if now_ns - moved.0 >= self.patience_ns || now_ns - start_ns >= DRAIN_NS {
                return;
            }
            self.progress.step("waiting for what is under way");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The mark of a stretch that begins now.
    pub(super) async fn begin(&self, running: &Running, probe: Option<&Probe>) -> Result<Mark> {
        let moment = self.moment_before(probe).await?;
        let totals = running.shared.tally.totals();
        Ok(Mark { moment, totals })
    }

    /// The mark of a stretch that ends now.
    pub(super) async fn end(&self, running: &Running, probe: Option<&Probe>) -> Result<Mark> {
        let totals = running.shared.tally.totals();
        let moment = self.moment_after(probe).await?;
        Ok(Mark { moment, totals })
    }

    /// What was spent on the messages between two marks.
    pub(super) fn spent_between(&self, begin: &Mark, end: &Mark) -> Spent {
        let work = Work {
            messages: end.totals.accepted - begin.totals.accepted,
            deliveries: end.totals.delivered - begin.totals.delivered,
        };
        self.spent(&begin.moment, &end.moment, work)
    }

    /// What was sent and received, and what may help to understand it.
    pub(super) fn load_report(
        &self,
        course: Course,
        shared: &Shared,
        settled: &Settled,
    ) -> (LoadReport, Vec<String>) {
        let measured_ns = shared.stop_ns().saturating_sub(shared.measure_ns);
        let secs = measured_ns as f64 / SECOND_NS as f64;
        let mut report = load_report(shared, course, &settled.settlement, secs);
        let mut hints = Vec::new();
        let mut is_too_fast = false;
        let books = settled.books.iter();
        for (code, count) in books.flat_map(|book| book.sent.refused_by_code()) {
            *report
                .refused
                .entry(self.dialect.refusal(*code))
                .or_default() += count;
            is_too_fast |= self.dialect.is_rate_limit(*code);
        }
        if is_too_fast {
            hints.push(
                "the server's rate limit was hit; start it with --set limits.send_rate=0 to see \
                 how fast it is"
                    .to_owned(),
            );
        }
        if measured_ns == 0 {
            hints.push("the run ended before anything was measured".to_owned());
        }
        (report, hints)
    }
}

impl Running {
    /// Nobody sends after this time.
    pub(super) fn end_sending(&self, at_ns: u64) {
        self.shared.stop_ns.fetch_min(at_ns, Ordering::Relaxed);
    }

    /// Ends all clients and compares their books.
    pub(super) async fn settle(mut self) -> Result<Settled> {
        self.shared.close.cancel();
        let mut books: Vec<(u32, Books)> = Vec::with_capacity(self.clients.len());
        while let Some(client) = self.clients.join_next().await {
            books.push(client.context("a client broke down")?);
        }
        books.sort_unstable_by_key(|(index, _)| *index);
        let books: Vec<Books> = books.into_iter().map(|(_, books)| books).collect();
        Ok(Settled {
            settlement: settle(&books),
            books,
        })
    }
}

/// What each client sends, by its index.
fn sendings(plan: Plan, start_ns: u64) -> Vec<Option<Sending>> {
    let mut sendings: Vec<Option<Sending>> = Vec::new();
    sendings.resize_with(plan.logins.len(), || None);
    for flow in plan.flows {
        let Flow {
            speed,
            count,
            senders,
        } = flow;
        let all = senders.len() as u64;
        for (at, sender) in (0..).zip(senders) {
            let pace = match speed {
                Speed::Rate(rate) => Pace::schedule(start_ns, rate, at, all),
                Speed::Window(window) => Pace::window(start_ns, window),
            };
            // The first senders take what does not divide.
            let quota = count.map(|count| count / all + u64::from(at < count % all));
            sendings[sender.index as usize] = Some(Sending {
                to: sender.to,
                pace,
                quota,
            });
        }
    }
    sendings
}

fn load_report(shared: &Shared, course: Course, settlement: &Settlement, secs: f64) -> LoadReport {
    let totals = shared.tally.totals();
    let latencies = shared.tally.latencies();
    let per_second = |count: u64| if secs > 0.0 { count as f64 / secs } else { 0.0 };
    let due = course.rate.map(|rate| (rate as f64 * secs) as u64);
    LoadReport {
        measured_secs: secs,
        offered_per_s: course
            .rate
            .map_or(per_second(totals.measured_sent), |rate| rate as f64),
        achieved_per_s: per_second(totals.measured_accepted),
        deliveries_per_s: per_second(totals.measured_delivered),
        unsent: due.map(|due| due.saturating_sub(totals.measured_sent)),
        ack: LatencyReport::new(&latencies.ack),
        delivery: LatencyReport::new(&latencies.delivery),
        lag: course.rate.map(|_| LatencyReport::new(&latencies.lag)),
        sent: totals.sent,
        accepted: totals.accepted,
        refused: Default::default(),
        unanswered: settlement.unanswered,
        deliveries_expected: totals.expected,
        deliveries: totals.delivered,
        losses: settlement.losses,
        duplicates: settlement.duplicates,
        order_errors: settlement.order_errors,
        sender_order_errors: settlement.sender_order_errors,
        foreign: settlement.foreign,
        checked: settlement.checked,
        corrupt: settlement.corrupt,
        broken_connections: settlement.broken,
        broken_why: settlement.broken_why.clone(),
    }
}
