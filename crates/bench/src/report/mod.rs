//! What a run found, for people ([`Display`](std::fmt::Display)) and for
//! programs (`Serialize`).
//!
//! Units are in the names; what was not measured is `null`.

mod text;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::measure::{MachineReport, Sample};

/// What a run found.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub(crate) scenario: &'static str,
    pub(crate) dialect: String,
    pub(crate) transport: &'static str,
    pub(crate) settings: BTreeMap<&'static str, u64>,
    /// The run was ended early.
    pub(crate) is_interrupted: bool,
    pub(crate) load: Option<LoadReport>,
    pub(crate) idle: Option<IdleReport>,
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

impl Report {
    /// Whether nothing was wrong. Slow is not wrong, and neither is refusing.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Messages and their latencies.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct LoadReport {
    pub(crate) measured_secs: f64,
    /// What the senders tried. At a given rate that rate.
    pub(crate) offered_per_s: f64,
    /// What the server accepted.
    pub(crate) achieved_per_s: f64,
    pub(crate) deliveries_per_s: f64,
    /// Messages that were due and could not be sent before the end; only at a
    /// given rate.
    pub(crate) unsent: Option<u64>,
    pub(crate) ack: LatencyReport,
    pub(crate) delivery: LatencyReport,
    /// How late the load generator itself was; only at a given rate.
    pub(crate) lag: Option<LatencyReport>,
    /// From here on of the whole run, warm-up included.
    pub(crate) sent: u64,
    pub(crate) accepted: u64,
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) unanswered: u64,
    pub(crate) deliveries_expected: u64,
    pub(crate) deliveries: u64,
    pub(crate) losses: u64,
    pub(crate) duplicates: u64,
    pub(crate) order_errors: u64,
    pub(crate) sender_order_errors: u64,
    pub(crate) foreign: u64,
    pub(crate) checked: u64,
    pub(crate) corrupt: u64,
    pub(crate) broken_connections: u64,
    pub(crate) broken_why: Option<String>,
}

impl LoadReport {
    /// What is wrong with these numbers.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults = [
            (
                self.losses,
                "accepted messages never reached a member who was online",
            ),
            (
                self.order_errors,
                "messages did not come in the order of their channel",
            ),
            (
                self.sender_order_errors,
                "messages overtook an earlier one of the same sender",
            ),
            (self.foreign, "messages came to somebody they were not for"),
            (self.corrupt, "messages had a wrong signature or content"),
            (self.unanswered, "messages got no answer"),
            (self.broken_connections, "connections broke"),
        ];
        let found = faults.into_iter().filter(|(count, _)| *count > 0);
        found
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
    }
}

/// Connections that did nothing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdleReport {
    pub(crate) connections: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) logins_per_s: f64,
    pub(crate) login: LatencyReport,
    pub(crate) held_secs: f64,
    /// Connections that ended while they were held.
    pub(crate) broken_connections: u64,
    pub(crate) broken_why: Option<String>,
    pub(crate) rss_before_bytes: Option<u64>,
    pub(crate) rss_after_bytes: Option<u64>,
    pub(crate) bytes_per_connection: Option<f64>,
}

impl IdleReport {
    /// What is wrong with these numbers.
    pub(crate) fn faults(&self) -> Vec<String> {
        let faults = [
            (self.failed, "logins failed"),
            (self.broken_connections, "connections broke"),
        ];
        let found = faults.into_iter().filter(|(count, _)| *count > 0);
        found
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
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
}

impl ServerReport {
    /// What was spent between two samples on so much work.
    pub(crate) fn new(
        before: &Sample,
        after: &Sample,
        secs: f64,
        messages: u64,
        deliveries: u64,
    ) -> Self {
        let cpu_secs = after.cpu_secs - before.cpu_secs;
        let per_million = |count: u64| (count > 0).then(|| cpu_secs * 1e6 / count as f64);
        let written_bytes = match (before.written_bytes, after.written_bytes) {
            (Some(before), Some(after)) => Some(after.saturating_sub(before)),
            _ => None,
        };
        let per_message = |bytes| (messages > 0).then(|| bytes as f64 / messages as f64);
        Self {
            cpu_secs,
            cores_busy: cpu_secs / secs.max(f64::EPSILON),
            cpu_secs_per_million_messages: per_million(messages),
            cpu_secs_per_million_deliveries: per_million(deliveries),
            peak_rss_bytes: after.peak_rss_bytes,
            written_bytes,
            written_bytes_per_message: written_bytes.and_then(per_message),
        }
    }
}

/// What the load generator itself spent in the same time.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct GeneratorReport {
    pub(crate) threads: usize,
    pub(crate) cpu_secs: f64,
    pub(crate) cores_busy: f64,
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
