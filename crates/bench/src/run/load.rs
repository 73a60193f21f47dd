//! Messages flow: warm up, measure, wait for what is under way, settle.

use anyhow::Result;

use super::course::{CHUNK_BYTES, Course};
use super::{Bench, Outcome};
use crate::options::LoadOptions;
use crate::report::Findings;
use crate::scenario::{Names, Plan};

impl Bench<'_> {
    /// Sends by a plan and reports.
    pub(super) async fn load(
        &self,
        mut plan: Plan,
        load: &LoadOptions,
        names: &Names,
    ) -> Result<Outcome> {
        let probe = self.probe()?;
        self.set_up(&mut plan).await?;
        let connector = self.connector(plan.logins.len(), CHUNK_BYTES)?;
        let connected = self.connect(&connector, &plan.logins).await?;

        let calm = self.calm(probe.as_ref()).await?;
        let course = Course {
            run: names.run,
            start_ns: self.start_ns(),
            payload: load.payload,
            warmup_secs: load.warmup,
            secs: load.measured_seconds(),
            rate: plan.rate(),
        };
        let running = self.start(connected.clients, plan, course, None);
        let begin = self.measure(&running, calm, probe.as_ref()).await?;
        let is_counted = load.count.is_some() && !self.interrupt.has_come();
        if !is_counted {
            running.end_sending(self.clock.now_ns());
        }
        self.drain(&running).await;
        if is_counted {
            // The measured time lasts until the last message is through.
            running.end_sending(self.clock.now_ns());
        }
        let end = self.end(&running, probe.as_ref()).await?;
        let shared = std::sync::Arc::clone(&running.shared);
        let settled = running.settle().await?;
        let (report, hints) = self.load_report(course, &shared, &settled);
        Ok(Outcome {
            findings: Findings {
                load: Some(report),
                ..Findings::default()
            },
            spent: self.spent_between(&begin, &end),
            hints,
        })
    }
}
