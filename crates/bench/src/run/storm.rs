//! All clients lose their connection at once and come back as fast as the server
//! lets them, while messages to them go on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Result;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::course::{CHUNK_BYTES, Course, Mark, Running};
use super::mixed::{AT_ONCE, MISSED};
use super::{Bench, Outcome};
use crate::clock::SECOND_NS;
use crate::drive::{Ledger, Trips, When};
use crate::measure::Probe;
use crate::options::StormOptions;
use crate::report::{Findings, LatencyReport, ReconnectReport, RequestReport, StormReport, Work};
use crate::scenario::{self, Names};

/// How long clients may take to find out what they missed.
const CATCH_UP_NS: u64 = 60 * SECOND_NS;

/// When what happened.
struct Marks {
    dropped: Mark,
    back: Mark,
    caught_up: Mark,
    end: Mark,
}

impl Bench<'_> {
    /// Makes a storm and reports.
    pub(super) async fn storm(&self, options: &StormOptions, names: &Names) -> Result<Outcome> {
        let probe = self.probe()?;
        let mut plan = scenario::storm(options, names);
        self.set_up(&mut plan).await?;
        let connector = self.connector(plan.logins.len(), CHUNK_BYTES)?;
        let connected = self.connect(&connector, &plan.logins).await?;
        let calm_login = LatencyReport::new(&connected.login);

        let calm = self.calm(probe.as_ref()).await?;
        let course = Course {
            run: names.run,
            start_ns: self.start_ns(),
            payload: options.payload,
            warmup_secs: 0,
            // It ends when the storm is over.
            secs: options.before + options.deadline + options.after + CATCH_UP_NS / SECOND_NS,
            rate: plan.rate(),
        };
        let leave = CancellationToken::new();
        let at_once = options.at_once.unwrap_or(options.clients);
        let trips = Trips {
            when: When::Told(leave.clone()),
            travellers: 0..options.clients,
            logins: plan.logins.clone(),
            connector,
            target: Arc::clone(&self.target),
            at_once: Semaphore::new(at_once as usize),
            questions: Semaphore::new(AT_ONCE),
            may_ask: CancellationToken::new(),
            ledger: Ledger::new(),
        };
        let clients = connected.clients;
        let running = self.start(clients, plan, course, Some(trips));
        let marks = self.pass(options, &running, &leave, probe.as_ref()).await?;

        let shared = Arc::clone(&running.shared);
        let settled = running.settle().await?;
        let (load, hints) = self.load_report(course, &shared, &settled);
        let mut findings = Findings::default();
        if let Some(trips) = shared.trips.as_ref().filter(|_| leave.is_cancelled()) {
            let totals = trips.ledger.totals();
            let reconnects = ReconnectReport::new(totals, &settled.settlement, None);
            let mut storm = self.storm_report(options, &marks, &reconnects);
            storm.calm_login = calm_login;
            let missed = trips.ledger.asked.so_far();
            let missed = RequestReport::new(missed, storm.caught_up_secs, None);
            findings.requests.insert(MISSED, missed);
            findings.storm = Some(storm);
            findings.reconnects = Some(reconnects);
        }
        findings.load = Some(load);
        Ok(Outcome {
            findings,
            spent: self.spent_between(&calm, &marks.end),
            hints,
        })
    }

    /// Calm, the storm, all coming back, asking, calm again.
    async fn pass(
        &self,
        options: &StormOptions,
        running: &Running,
        leave: &CancellationToken,
        probe: Option<&Probe>,
    ) -> Result<Marks> {
        let storm_ns = running.shared.measure_ns + options.before * SECOND_NS;
        self.phase(running, "before the storm", |now_ns| now_ns >= storm_ns)
            .await;
        let dropped = self.begin(running, probe).await?;
        // An interrupt that came before leaves all where they are.
        if let Some(trips) = running.shared.trips.as_ref()
            && !self.interrupt.has_come()
        {
            trips.ledger.leaving(options.clients.into());
            leave.cancel();
        }
        let deadline_ns = self.clock.now_ns() + options.deadline * SECOND_NS;
        let count = |pick: fn(&Ledger) -> u64| {
            let trips = running.shared.trips.as_ref();
            trips.map_or(0, |trips| pick(&trips.ledger))
        };
        self.phase(running, "coming back", |now_ns| {
            now_ns >= deadline_ns || count(|it| it.away.load(Ordering::Acquire)) == 0
        })
        .await;
        let back = self.end(running, probe).await?;
        if let Some(trips) = &running.shared.trips {
            trips.may_ask.cancel();
        }
        let deadline_ns = self.clock.now_ns() + CATCH_UP_NS;
        self.phase(running, "catching up", |now_ns| {
            let behind = count(|it| it.behind.load(Ordering::Acquire));
            now_ns >= deadline_ns || behind <= count(|it| it.away.load(Ordering::Acquire))
        })
        .await;
        let caught_up = self.end(running, probe).await?;
        let calm_ns = self.clock.now_ns() + options.after * SECOND_NS;
        self.phase(running, "after the storm", |now_ns| now_ns >= calm_ns)
            .await;
        running.end_sending(self.clock.now_ns());
        self.drain(running).await;
        let end = self.end(running, probe).await?;
        Ok(Marks {
            dropped,
            back,
            caught_up,
            end,
        })
    }

    fn storm_report(
        &self,
        options: &StormOptions,
        marks: &Marks,
        reconnects: &ReconnectReport,
    ) -> StormReport {
        let secs = |from: &Mark, to: &Mark| {
            (to.moment.at_ns - from.moment.at_ns) as f64 / SECOND_NS as f64
        };
        let clients = u64::from(options.clients);
        let back = reconnects.count;
        let each = |all: f64| all / back.max(1) as f64;
        let (from, to) = (&marks.dropped.moment, &marks.back.moment);
        let generator = self.spent(from, to, Work::default()).generator;
        let back_secs = secs(&marks.dropped, &marks.back);
        StormReport {
            clients,
            all_back_secs: (back >= clients).then_some(reconnects.away.max_us / 1e6),
            logins_per_s: back as f64 / back_secs.max(f64::EPSILON),
            server_cpu_ms_per_login: from.server_cpu_ms_until(to).map(each),
            generator_cpu_ms_per_login: each(generator.cpu_secs * 1e3),
            caught_up_secs: secs(&marks.back, &marks.caught_up),
            calm_login: LatencyReport::default(),
        }
    }
}
