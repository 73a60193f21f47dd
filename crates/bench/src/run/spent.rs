//! What the server, the load generator and everything else on the machine spent
//! between two moments.

use anyhow::Result;

use super::Bench;
use crate::clock::SECOND_NS;
use crate::dialect::Question;
use crate::measure::{COUNTERS_PATH, Counters, Probe, Sample, machine_busy_secs};
use crate::report::{GeneratorReport, ServerReport, Work};

/// How busy everything else may be before a report says that its numbers suffer.
const OTHERS_CORES: f64 = 0.2;
/// The listener that shows what the server counts.
const LISTENER: &str = "http";

/// All that is spent so far.
pub(super) struct Moment {
    pub(super) at_ns: u64,
    pub(super) server: Option<Sample>,
    pub(super) own: Sample,
    counters: Option<Counters>,
    machine_busy_secs: Option<f64>,
}

/// What was spent between two moments.
pub(super) struct Spent {
    pub(super) secs: f64,
    pub(super) server: Option<ServerReport>,
    pub(super) generator: GeneratorReport,
    pub(super) others_cores_busy: Option<f64>,
}

impl Bench<'_> {
    /// The moment before something: what the server counts is asked first, so
    /// that the question costs nothing of it.
    pub(super) async fn moment_before(&self, probe: Option<&Probe>) -> Result<Moment> {
        let counters = self.counters(probe).await;
        Ok(Moment {
            counters,
            ..self.moment(probe)?
        })
    }

    /// The moment after something.
    pub(super) async fn moment_after(&self, probe: Option<&Probe>) -> Result<Moment> {
        let moment = self.moment(probe)?;
        let counters = self.counters(probe).await;
        Ok(Moment { counters, ..moment })
    }

    /// Looks at the processes. A server that has ended is no error: its clients
    /// tell what they saw.
    pub(super) fn moment(&self, probe: Option<&Probe>) -> Result<Moment> {
        Ok(Moment {
            at_ns: self.clock.now_ns(),
            server: probe.and_then(|probe| probe.sample().ok()),
            own: Probe::own().sample()?,
            counters: None,
            machine_busy_secs: machine_busy_secs(),
        })
    }

    /// `None` if the server does not show them, or nobody wants to see them.
    async fn counters(&self, probe: Option<&Probe>) -> Option<Counters> {
        probe?;
        let question = Question::get(self.target.url(LISTENER, COUNTERS_PATH).ok()?);
        let text = self.target.ask(&question).await.ok()?;
        Some(Counters::parse(&String::from_utf8_lossy(&text)))
    }

    /// What was spent on so much work.
    pub(super) fn spent(&self, begin: &Moment, end: &Moment, work: Work) -> Spent {
        let secs = (end.at_ns - begin.at_ns) as f64 / SECOND_NS as f64;
        let server = begin.server.as_ref().zip(end.server.as_ref());
        let counters = begin.counters.as_ref().zip(end.counters.as_ref());
        let server = server.map(|(before, after)| {
            let report = ServerReport::new(before, after, secs, work);
            match counters {
                Some((before, after)) => report.counted(after.since(before), work),
                None => report,
            }
        });
        let generator = GeneratorReport::new(self.threads, &begin.own, &end.own, secs, work);
        let machine = begin.machine_busy_secs.zip(end.machine_busy_secs);
        let others_cores_busy = machine
            .zip(server.as_ref())
            .map(|((before, after), server)| {
                let others = after - before - server.cpu_secs - generator.cpu_secs;
                // The three clocks tick apart, so nothing may come out as less.
                others.max(0.0) / secs.max(f64::EPSILON)
            });
        Spent {
            secs,
            server,
            generator,
            others_cores_busy,
        }
    }
}

impl Moment {
    /// Processor time that the server took from here to there, in ms.
    pub(super) fn server_cpu_ms_until(&self, end: &Self) -> Option<f64> {
        let server = self.server.as_ref().zip(end.server.as_ref());
        server.map(|(before, after)| (after.cpu_secs - before.cpu_secs) * 1e3)
    }
}

impl Spent {
    /// What may have falsified the other numbers.
    pub(super) fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let threads = self.generator.threads;
        if self.generator.cores_busy > 0.9 * threads as f64 {
            hints.push(format!(
                "the load generator was busy all the time: the server may be faster than this \
                 shows; give it more than --threads {threads}, or another machine"
            ));
        }
        if let Some(others) = self
            .others_cores_busy
            .filter(|others| *others > OTHERS_CORES)
        {
            hints.push(format!(
                "something else kept {others:.1} cores busy: on a quiet machine the numbers will \
                 be better"
            ));
        }
        hints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_falsifies_is_said() {
        let spent = |cores_busy, others| Spent {
            secs: 1.0,
            server: None,
            generator: GeneratorReport {
                threads: 2,
                cores_busy,
                ..GeneratorReport::default()
            },
            others_cores_busy: others,
        };
        assert!(spent(1.0, Some(0.1)).hints().is_empty());
        assert!(spent(1.0, None).hints().is_empty());
        assert!(spent(1.9, None).hints()[0].contains("--threads 2"));
        assert!(spent(1.0, Some(0.5)).hints()[0].contains("0.5 cores"));
    }
}
