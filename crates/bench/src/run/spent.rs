//! What the server, the load generator and everything else on the machine spent
//! between two moments.

use anyhow::Result;

use super::Bench;
use crate::clock::SECOND_NS;
use crate::measure::{Probe, Sample, machine_busy_secs};
use crate::report::{GeneratorReport, ServerReport};

/// How busy everything else may be before a report says that its numbers suffer.
const OTHERS_CORES: f64 = 0.2;

/// All that is spent so far.
pub(super) struct Moment {
    pub(super) at_ns: u64,
    pub(super) server: Option<Sample>,
    own: Sample,
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
    /// Looks at the processes. A server that has ended is no error: its clients
    /// tell what they saw.
    pub(super) fn moment(&self, probe: Option<&Probe>) -> Result<Moment> {
        Ok(Moment {
            at_ns: self.clock.now_ns(),
            server: probe.and_then(|probe| probe.sample().ok()),
            own: Probe::own().sample()?,
            machine_busy_secs: machine_busy_secs(),
        })
    }

    /// What was spent on so many messages and deliveries.
    pub(super) fn spent(
        &self,
        begin: &Moment,
        end: &Moment,
        messages: u64,
        deliveries: u64,
    ) -> Spent {
        let secs = (end.at_ns - begin.at_ns) as f64 / SECOND_NS as f64;
        let server = begin.server.as_ref().zip(end.server.as_ref());
        let server = server
            .map(|(before, after)| ServerReport::new(before, after, secs, messages, deliveries));
        let cpu_secs = end.own.cpu_secs - begin.own.cpu_secs;
        let generator = GeneratorReport {
            threads: self.threads,
            cpu_secs,
            cores_busy: cpu_secs / secs.max(f64::EPSILON),
        };
        let machine = begin.machine_busy_secs.zip(end.machine_busy_secs);
        let others_cores_busy = machine
            .zip(server.as_ref())
            .map(|((before, after), server)| {
                let others = after - before - server.cpu_secs - cpu_secs;
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
                cpu_secs: 1.0,
                cores_busy,
            },
            others_cores_busy: others,
        };
        assert!(spent(1.0, Some(0.1)).hints().is_empty());
        assert!(spent(1.0, None).hints().is_empty());
        assert!(spent(1.9, None).hints()[0].contains("--threads 2"));
        assert!(spent(1.0, Some(0.5)).hints()[0].contains("0.5 cores"));
    }
}
