//! What a run found, for people ([`Display`](std::fmt::Display)) and for
//! programs (`Serialize`; `crates/bench/REPORT.md` has every key).
//!
//! Units are in the names; what was not measured is `null`.

mod clients;
mod load;
mod spent;
mod text;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::measure::MachineReport;

pub(crate) use clients::{IdleReport, ReconnectReport, RequestReport, StormReport, SyncReport};
pub(crate) use load::LoadReport;
pub(crate) use spent::{GeneratorReport, ServerReport, Work};
pub(crate) use text::numbers;

/// The shape of the JSON. A key that is added leaves it as it is; one that is
/// renamed, removed or means something else makes it one more.
pub(crate) const FORMAT: u32 = 1;

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// [`FORMAT`]
    pub(crate) format: u32,
    /// When the run ended, in seconds since 1970.
    pub(crate) ended_at_secs: u64,
    pub(crate) scenario: &'static str,
    pub(crate) dialect: String,
    pub(crate) transport: &'static str,
    pub(crate) settings: BTreeMap<&'static str, u64>,
    /// The run was ended early.
    pub(crate) is_interrupted: bool,
    #[serde(flatten)]
    pub(crate) findings: Findings,
    pub(crate) server: Option<ServerReport>,
    pub(crate) generator: GeneratorReport,
    /// Processors that all other processes kept busy on average in that time;
    /// `null` without the server's process.
    pub(crate) others_cores_busy: Option<f64>,
    pub(crate) machine: MachineReport,
    /// What a correct server would not have done.
    pub(crate) faults: Vec<String>,
    /// What may help to understand the numbers.
    pub(crate) hints: Vec<String>,
}

/// What the clients saw. Each scenario has some of it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Findings {
    pub(crate) load: Option<LoadReport>,
    pub(crate) idle: Option<IdleReport>,
    pub(crate) sync: Option<SyncReport>,
    pub(crate) storm: Option<StormReport>,
    pub(crate) reconnects: Option<ReconnectReport>,
    /// By what was asked: `conversations`, `histories`, `reads`, `missed`.
    pub(crate) requests: BTreeMap<&'static str, RequestReport>,
}

impl Report {
    /// Whether nothing was wrong. Slow is not wrong, and neither is refusing.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

impl Findings {
    /// What is wrong with these numbers.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        faults.extend(self.load.iter().flat_map(LoadReport::faults));
        faults.extend(self.idle.iter().flat_map(IdleReport::faults));
        faults.extend(self.sync.iter().flat_map(SyncReport::faults));
        faults.extend(self.reconnects.iter().flat_map(ReconnectReport::faults));
        let requests = self.requests.iter();
        faults.extend(requests.flat_map(|(name, it)| it.faults(name)));
        faults
    }
}

/// Those that happened, in words.
fn those_found<const N: usize>(faults: [(u64, &str); N]) -> Vec<String> {
    let found = faults.into_iter().filter(|(count, _)| *count > 0);
    found
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
}

/// A distribution of latencies.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct LatencyReport {
    pub(crate) count: u64,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

impl LatencyReport {
    /// Of a histogram of nanoseconds.
    pub(crate) fn new(histogram: &Histogram<u64>) -> Self {
        let at = |quantile| histogram.value_at_quantile(quantile) as f64 / 1e3;
        Self {
            count: histogram.len(),
            p50_us: at(0.5),
            p99_us: at(0.99),
            p999_us: at(0.999),
            max_us: histogram.max() as f64 / 1e3,
        }
    }
}

#[cfg(test)]
mod tests;
