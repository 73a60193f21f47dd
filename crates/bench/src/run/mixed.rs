//! Everything at once, by the clock: messages to users and groups, reads, lists
//! of conversations, pages of history, and clients that leave and come back.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::chores::{Chores, Kind};
use super::course::{CHUNK_BYTES, Course};
use super::{Bench, Outcome};
use crate::account::Asked;
use crate::connect::Connector;
use crate::dialect::Login;
use crate::drive::{Ledger, Shared, Trips, When};
use crate::options::MixedOptions;
use crate::report::{Findings, ReconnectReport, RequestReport};
use crate::scenario::{self, Names};

/// Logins, and questions of those who are back, under way at once.
pub(super) const AT_ONCE: usize = 64;
/// The name of those questions in reports.
pub(super) const MISSED: &str = "missed";

impl Bench<'_> {
    /// Does all of it and reports.
    pub(super) async fn mixed(&self, options: &MixedOptions, names: &Names) -> Result<Outcome> {
        let probe = self.probe()?;
        let mut plan = scenario::mixed(options, names);
        self.set_up(&mut plan).await?;
        let connector = self.connector(plan.logins.len(), CHUNK_BYTES)?;
        let connected = self.connect(&connector, &plan.logins).await?;

        let calm = self.calm(probe.as_ref()).await?;
        let start_ns = self.start_ns();
        let course = Course {
            run: names.run,
            start_ns,
            payload: options.payload,
            warmup_secs: options.warmup,
            secs: options.seconds,
            rate: plan.rate(),
        };
        let trips = self.turns(options, connector, plan.logins.clone(), start_ns);
        let running = self.start(connected.clients, plan, course, trips);
        let mut chores = JoinSet::new();
        let asked = self.chores(options, names, &running.shared, start_ns, &mut chores);
        let begin = self.measure(&running, calm, probe.as_ref()).await?;
        running.end_sending(self.clock.now_ns());
        while chores.join_next().await.is_some() {}
        self.drain(&running).await;
        let end = self.end(&running, probe.as_ref()).await?;

        let shared = Arc::clone(&running.shared);
        let settled = running.settle().await?;
        let (load, hints) = self.load_report(course, &shared, &settled);
        let mut findings = Findings::default();
        for (kind, rate, asked) in asked {
            let report = RequestReport::new(asked.so_far(), load.measured_secs, Some(rate));
            findings.requests.insert(kind.name(), report);
        }
        if let Some(trips) = &shared.trips {
            let rate = options.rate_of(options.reconnects);
            let (totals, settlement) = (trips.ledger.totals(), &settled.settlement);
            findings.reconnects = Some(ReconnectReport::new(totals, settlement, Some(rate)));
            let missed = trips.ledger.asked.so_far();
            let missed = RequestReport::new(missed, load.measured_secs, None);
            findings.requests.insert(MISSED, missed);
        }
        findings.load = Some(load);
        Ok(Outcome {
            findings,
            spent: self.spent_between(&begin, &end),
            hints,
        })
    }

    /// How users leave and come back, one after the other.
    fn turns(
        &self,
        options: &MixedOptions,
        connector: Connector,
        logins: Vec<Login>,
        start_ns: u64,
    ) -> Option<Trips> {
        let rate = options.rate_of(options.reconnects);
        let may_ask = CancellationToken::new();
        may_ask.cancel();
        (rate > 0).then(|| Trips {
            when: When::InTurn { start_ns, rate },
            travellers: 0..options.users,
            logins,
            connector,
            target: Arc::clone(&self.target),
            at_once: Semaphore::new(AT_ONCE),
            questions: Semaphore::new(AT_ONCE),
            may_ask,
            ledger: Ledger::new(),
        })
    }

    /// Begins to ask; who asks what at which rate.
    fn chores(
        &self,
        options: &MixedOptions,
        names: &Names,
        shared: &Arc<Shared>,
        start_ns: u64,
        tasks: &mut JoinSet<()>,
    ) -> Vec<(Kind, u64, Arc<Asked>)> {
        let chores = Arc::new(Chores {
            dialect: Arc::clone(&self.dialect),
            target: Arc::clone(&self.target),
            names: names.clone(),
            users: options.users,
            members: options.members,
        });
        let kinds = [
            (Kind::Reads, options.reads),
            (Kind::Conversations, options.syncs),
            (Kind::Histories, options.histories),
        ];
        let rates = kinds.map(|(kind, share)| (kind, options.rate_of(share)));
        let asked = rates.into_iter().filter(|(_, rate)| *rate > 0);
        asked
            .map(|(kind, rate)| {
                let asked = Arc::new(Asked::new());
                let (chores, shared) = (Arc::clone(&chores), Arc::clone(shared));
                tasks.spawn(chores.ask_all(kind, rate, start_ns, shared, Arc::clone(&asked)));
                (kind, rate, asked)
            })
            .collect()
    }
}
