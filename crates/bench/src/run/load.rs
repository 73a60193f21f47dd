//! Messages flow: warm up, measure, wait for what is under way, settle.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::spent::Moment;
use super::{Bench, Outcome};
use crate::account::{Books, Tally, Totals, settle};
use crate::clock::SECOND_NS;
use crate::connect::Client;
use crate::drive::{Sending, Shared, drive};
use crate::measure::Probe;
use crate::options::LoadOptions;
use crate::pace::Pace;
use crate::progress::load_line;
use crate::report::{LatencyReport, LoadReport};
use crate::scenario::{Names, Plan};

/// Read buffer of a client that gets many messages.
const CHUNK_BYTES: usize = 16 << 10;
/// Between starting the clients and the first message.
const LEAD_NS: u64 = SECOND_NS / 5;
/// How often the run looks whether a phase is over.
const LOOK: Duration = Duration::from_millis(5);
/// How long nothing may move before what is under way counts as lost.
const STALL_NS: u64 = 5 * SECOND_NS;
/// How long to wait for what is under way even if it moves.
const DRAIN_NS: u64 = 60 * SECOND_NS;

/// The processes and the counts at one moment.
struct Mark {
    moment: Moment,
    totals: Totals,
}

impl Bench<'_> {
    /// Sends by a plan and reports.
    pub(super) async fn load(
        &self,
        plan: Plan,
        load: &LoadOptions,
        names: &Names,
    ) -> Result<Outcome> {
        let probe = self.probe()?;
        self.set_up(&plan).await?;
        let connector = self.connector(CHUNK_BYTES)?;
        let connecting = async { Ok(connector.connect_all(&plan.logins, &self.progress).await) };
        let connected = self.unless_interrupted(connecting).await?;
        if let Some(error) = connected.first_failure {
            let (failures, all) = (connected.failures, plan.logins.len());
            return Err(error.context(format!("{failures} of {all} clients could not log in")));
        }

        let start_ns = self.clock.now_ns() + LEAD_NS;
        let shared = Arc::new(self.shared(&plan, load, names, start_ns));
        let mut clients = start(connected.clients, plan, load, &shared, start_ns);
        let begin = self.measure(&shared, probe.as_ref()).await?;
        let is_counted = load.count.is_some() && !self.interrupt.has_come();
        if !is_counted {
            end_sending(&shared, self.clock.now_ns());
        }
        self.drain(&shared).await;
        let end = self.mark(&shared, probe.as_ref())?;
        if is_counted {
            // The measured time lasts until the last message is through.
            end_sending(&shared, end.moment.at_ns);
        }
        shared.close.cancel();
        let mut books: Vec<(u32, Books)> = Vec::with_capacity(clients.len());
        while let Some(client) = clients.join_next().await {
            books.push(client.context("a client broke down")?);
        }
        books.sort_unstable_by_key(|(index, _)| *index);
        let books: Vec<Books> = books.into_iter().map(|(_, books)| books).collect();
        Ok(self.outcome(&shared, load, &books, &begin, &end))
    }

    fn shared(&self, plan: &Plan, load: &LoadOptions, names: &Names, start_ns: u64) -> Shared {
        let measure_ns = start_ns + load.warmup * SECOND_NS;
        let mut audiences = vec![None; plan.logins.len()];
        for sender in &plan.senders {
            audiences[sender.index as usize] = Some(sender.audience.clone());
        }
        Shared {
            clock: self.clock,
            run: names.run,
            payload: load.payload as usize,
            measure_ns,
            stop_ns: AtomicU64::new(measure_ns + load.measured_seconds() * SECOND_NS),
            senders: AtomicU64::new(plan.senders.len() as u64),
            tally: Tally::new(self.threads),
            close: CancellationToken::new(),
            audiences,
        }
    }

    /// Waits until the senders are done; the mark is from when measuring began.
    async fn measure(&self, shared: &Shared, probe: Option<&Probe>) -> Result<Mark> {
        let phase = async |name: &str, until_ns: u64| {
            let mut before = (self.clock.now_ns(), shared.tally.totals());
            loop {
                let now_ns = self.clock.now_ns();
                let is_over = now_ns >= until_ns || shared.senders.load(Ordering::Relaxed) == 0;
                if is_over || self.interrupt.has_come() {
                    return;
                }
                if now_ns - before.0 >= SECOND_NS {
                    let totals = shared.tally.totals();
                    let seconds = (now_ns - before.0) as f64 / SECOND_NS as f64;
                    self.progress
                        .step(&load_line(name, &before.1, &totals, seconds));
                    before = (now_ns, totals);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        phase("warming up", shared.measure_ns).await;
        let mark = self.mark(shared, probe)?;
        phase("measuring", shared.stop_ns()).await;
        Ok(mark)
    }

    /// Waits until all is answered and delivered, or nothing moves any more.
    async fn drain(&self, shared: &Shared) {
        let start_ns = self.clock.now_ns();
        let mut moved = (start_ns, shared.tally.totals());
        loop {
            let (now_ns, totals) = (self.clock.now_ns(), shared.tally.totals());
            if totals.accepted + totals.refused >= totals.sent
                && totals.delivered >= totals.expected
            {
                return;
            }
            if totals != moved.1 {
                moved = (now_ns, totals);
            }
            if now_ns - moved.0 >= STALL_NS || now_ns - start_ns >= DRAIN_NS {
                return;
            }
            self.progress.step("waiting for what is under way");
            tokio::time::sleep(LOOK).await;
        }
    }

    fn mark(&self, shared: &Shared, probe: Option<&Probe>) -> Result<Mark> {
        Ok(Mark {
            moment: self.moment(probe)?,
            totals: shared.tally.totals(),
        })
    }

    fn outcome(
        &self,
        shared: &Shared,
        load: &LoadOptions,
        books: &[Books],
        begin: &Mark,
        end: &Mark,
    ) -> Outcome {
        let measured_ns = shared.stop_ns().saturating_sub(shared.measure_ns);
        let secs = measured_ns as f64 / SECOND_NS as f64;
        let mut report = load_report(shared, load, books, secs);
        let mut hints = Vec::new();
        let mut is_too_fast = false;
        for (code, count) in books.iter().flat_map(|book| book.sent.refused_by_code()) {
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
        let messages = end.totals.accepted - begin.totals.accepted;
        let deliveries = end.totals.delivered - begin.totals.delivered;
        let spent = self.spent(&begin.moment, &end.moment, messages, deliveries);
        Outcome {
            load: Some(report),
            idle: None,
            spent,
            hints,
        }
    }
}

fn end_sending(shared: &Shared, at_ns: u64) {
    shared.stop_ns.fetch_min(at_ns, Ordering::Relaxed);
}

/// Lets all clients go.
fn start(
    clients: Vec<Client>,
    plan: Plan,
    load: &LoadOptions,
    shared: &Arc<Shared>,
    start_ns: u64,
) -> JoinSet<(u32, Books)> {
    let senders = plan.senders.len() as u64;
    let mut sendings: Vec<Option<Sending>> = Vec::new();
    sendings.resize_with(plan.logins.len(), || None);
    for (at, sender) in (0..).zip(plan.senders) {
        let pace = match load.rate {
            Some(rate) => Pace::schedule(start_ns, rate, at, senders),
            None => Pace::window(start_ns, load.window),
        };
        // The first senders take what does not divide.
        let quota = load
            .count
            .map(|count| count / senders + u64::from(at < count % senders));
        sendings[sender.index as usize] = Some(Sending {
            to: sender.to,
            pace,
            quota,
        });
    }
    let mut tasks = JoinSet::new();
    for client in clients {
        let sending = sendings[client.index as usize].take();
        tasks.spawn(drive(client, sending, Arc::clone(shared)));
    }
    tasks
}

fn load_report(shared: &Shared, load: &LoadOptions, books: &[Books], secs: f64) -> LoadReport {
    let totals = shared.tally.totals();
    let latencies = shared.tally.latencies();
    let settlement = settle(books);
    let per_second = |count: u64| if secs > 0.0 { count as f64 / secs } else { 0.0 };
    let due = load.rate.map(|rate| (rate as f64 * secs) as u64);
    LoadReport {
        measured_secs: secs,
        offered_per_s: load
            .rate
            .map_or(per_second(totals.measured_sent), |rate| rate as f64),
        achieved_per_s: per_second(totals.measured_accepted),
        deliveries_per_s: per_second(totals.measured_delivered),
        unsent: due.map(|due| due.saturating_sub(totals.measured_sent)),
        ack: LatencyReport::new(&latencies.ack),
        delivery: LatencyReport::new(&latencies.delivery),
        lag: load.rate.map(|_| LatencyReport::new(&latencies.lag)),
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
        broken_why: settlement.broken_why,
    }
}
