//! What the processes spent.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::measure::Sample;

/// The server's counters of which there is a number per message.
const COMMITS: &str = "store_commits";
const ROWS: &str = "store_rows_written";

/// How much was done with what was spent.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) messages: u64,
    pub(crate) deliveries: u64,
}

impl Work {
    fn per_million(count: u64, secs: f64) -> Option<f64> {
        (count > 0).then(|| secs * 1e6 / count as f64)
    }

    fn per_message(self, amount: u64) -> Option<f64> {
        (self.messages > 0).then(|| amount as f64 / self.messages as f64)
    }
}

/// What the server spent, from the start of measuring until all was delivered.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ServerReport {
    pub(crate) cpu_secs: f64,
    /// Processors that were busy on average.
    pub(crate) cores_busy: f64,
    pub(crate) cpu_secs_per_million_messages: Option<f64>,
    pub(crate) cpu_secs_per_million_deliveries: Option<f64>,
    /// Since the server's start.
    pub(crate) peak_rss_bytes: u64,
    pub(crate) written_bytes: Option<u64>,
    pub(crate) written_bytes_per_message: Option<f64>,
    /// `null` if the server does not count them.
    pub(crate) rows_written_per_message: Option<f64>,
    pub(crate) commits_per_message: Option<f64>,
    /// What the server counted itself in that time, by its names in `/metrics`.
    pub(crate) counters: BTreeMap<String, u64>,
}

impl ServerReport {
    /// What was spent between two samples on so much work.
    pub(crate) fn new(before: &Sample, after: &Sample, secs: f64, work: Work) -> Self {
        let cpu_secs = after.cpu_secs - before.cpu_secs;
        let written_bytes = match (before.written_bytes, after.written_bytes) {
            (Some(before), Some(after)) => Some(after.saturating_sub(before)),
            _ => None,
        };
        Self {
            cpu_secs,
            cores_busy: cpu_secs / secs.max(f64::EPSILON),
            cpu_secs_per_million_messages: Work::per_million(work.messages, cpu_secs),
            cpu_secs_per_million_deliveries: Work::per_million(work.deliveries, cpu_secs),
            peak_rss_bytes: after.peak_rss_bytes,
            written_bytes,
            written_bytes_per_message: written_bytes.and_then(|bytes| work.per_message(bytes)),
            rows_written_per_message: None,
            commits_per_message: None,
            counters: BTreeMap::new(),
        }
    }

    /// With what the server counted itself.
    pub(crate) fn counted(mut self, counters: BTreeMap<String, u64>, work: Work) -> Self {
        let each = |name| {
            counters
                .get(name)
                .and_then(|count| work.per_message(*count))
        };
        self.commits_per_message = each(COMMITS);
        self.rows_written_per_message = each(ROWS);
        self.counters = counters;
        self
    }
}

/// What the load generator itself spent in the same time.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct GeneratorReport {
    pub(crate) threads: usize,
    pub(crate) cpu_secs: f64,
    pub(crate) cores_busy: f64,
    pub(crate) cpu_secs_per_million_messages: Option<f64>,
    pub(crate) cpu_secs_per_million_deliveries: Option<f64>,
    pub(crate) peak_rss_bytes: u64,
}

impl GeneratorReport {
    /// What was spent between two samples on so much work.
    pub(crate) fn new(
        threads: usize,
        before: &Sample,
        after: &Sample,
        secs: f64,
        work: Work,
    ) -> Self {
        let cpu_secs = after.cpu_secs - before.cpu_secs;
        Self {
            threads,
            cpu_secs,
            cores_busy: cpu_secs / secs.max(f64::EPSILON),
            cpu_secs_per_million_messages: Work::per_million(work.messages, cpu_secs),
            cpu_secs_per_million_deliveries: Work::per_million(work.deliveries, cpu_secs),
            peak_rss_bytes: after.peak_rss_bytes,
        }
    }
}
