//! What clients saw besides messages: waiting, asking, coming back.

use serde::Serialize;

use super::{LatencyReport, those_found};
use crate::account::{Asking, Settlement};
use crate::drive::TripTotals;

/// Connections that did nothing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct IdleReport {
    pub(crate) connections: u64,
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) logins_per_s: f64,
    pub(crate) login: LatencyReport,
    pub(crate) server_cpu_ms_per_login: Option<f64>,
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
    pub(super) fn faults(&self) -> Vec<String> {
        those_found([
            (self.failed, "logins failed"),
            (self.broken_connections, "connections broke"),
        ])
    }
}

/// Questions of one kind.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RequestReport {
    /// What was due; only at a given rate.
    pub(crate) offered_per_s: Option<f64>,
    pub(crate) answered_per_s: f64,
    pub(crate) latency: LatencyReport,
    pub(crate) bytes_per_answer: f64,
    /// Without an answer, or refused.
    pub(crate) failed: u64,
    pub(crate) first_failure: Option<String>,
    /// Answers that said something wrong.
    pub(crate) wrong: u64,
    pub(crate) first_wrong: Option<String>,
}

impl RequestReport {
    /// Of so many seconds.
    pub(crate) fn new(asking: Asking, secs: f64, offered_per_s: Option<u64>) -> Self {
        let latency = LatencyReport::new(&asking.latency);
        let answered = latency.count as f64;
        Self {
            offered_per_s: offered_per_s.map(|rate| rate as f64),
            answered_per_s: if secs > 0.0 { answered / secs } else { 0.0 },
            bytes_per_answer: asking.bytes as f64 / answered.max(1.0),
            latency,
            failed: asking.failed,
            first_failure: asking.first_failure,
            wrong: asking.wrong,
            first_wrong: asking.first_wrong,
        }
    }

    /// What is wrong with these numbers.
    pub(super) fn faults(&self, name: &str) -> Vec<String> {
        let why = |first: &Option<String>| {
            let first = first.as_deref();
            first.map_or_else(String::new, |why| format!(", the first: {why}"))
        };
        let mut faults = Vec::new();
        if self.failed > 0 {
            let why = why(&self.first_failure);
            faults.push(format!("{} requests for {name} failed{why}", self.failed));
        }
        if self.wrong > 0 {
            let why = why(&self.first_wrong);
            faults.push(format!("{} answers to {name} were wrong{why}", self.wrong));
        }
        faults
    }
}

/// Users who asked for all of their conversations.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct SyncReport {
    /// How often a user got all pages.
    pub(crate) cold_starts: u64,
    /// From the first question to the last answer.
    pub(crate) cold_start: LatencyReport,
    pub(crate) bytes_per_cold_start: f64,
    pub(crate) server_cpu_ms_per_request: Option<f64>,
    pub(crate) server_cpu_ms_per_cold_start: Option<f64>,
    pub(crate) conversations_expected: u64,
    /// Never in an answer.
    pub(crate) conversations_missing: u64,
    /// In more than one page, or twice in one.
    pub(crate) conversations_repeated: u64,
    /// With a wrong count, place or number of messages, or of somebody else.
    pub(crate) conversations_wrong: u64,
    pub(crate) first_wrong: Option<String>,
}

impl SyncReport {
    /// What is wrong with these numbers.
    pub(super) fn faults(&self) -> Vec<String> {
        let mut faults = those_found([
            (
                self.conversations_missing,
                "conversations were in no answer",
            ),
            (
                self.conversations_repeated,
                "conversations came more than once",
            ),
        ]);
        if self.conversations_wrong > 0 {
            let first = self.first_wrong.as_deref().unwrap_or("?");
            faults.push(format!(
                "{} conversations were wrong, the first: {first}",
                self.conversations_wrong
            ));
        }
        faults
    }
}

/// Clients that left and came back.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct ReconnectReport {
    /// What was due; only at a given rate.
    pub(crate) offered_per_s: Option<f64>,
    pub(crate) count: u64,
    /// Clients that were still away when the run ended.
    pub(crate) not_back: u64,
    /// Logins that succeeded, connecting included.
    pub(crate) login: LatencyReport,
    /// From hanging up to being logged in, with everything that failed before.
    pub(crate) away: LatencyReport,
    /// Logins that failed and were tried again, without those throttled.
    pub(crate) failures: u64,
    pub(crate) first_failure: Option<String>,
    pub(crate) throttled: u64,
    /// Messages that a client got because it asked when it was back.
    pub(crate) recovered: u64,
    /// Messages that came once more after that, which is allowed.
    pub(crate) redelivered: u64,
}

impl ReconnectReport {
    pub(crate) fn new(
        totals: TripTotals,
        settlement: &Settlement,
        offered_per_s: Option<u64>,
    ) -> Self {
        Self {
            offered_per_s: offered_per_s.map(|rate| rate as f64),
            count: totals.trips,
            not_back: settlement.away,
            login: LatencyReport::new(&totals.login),
            away: LatencyReport::new(&totals.away),
            failures: totals.failures,
            first_failure: totals.first_failure,
            throttled: totals.throttled,
            recovered: settlement.recovered,
            redelivered: settlement.redelivered,
        }
    }

    /// What is wrong with these numbers.
    pub(super) fn faults(&self) -> Vec<String> {
        those_found([(self.not_back, "clients did not come back")])
    }
}

/// All clients lost their connection at once.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct StormReport {
    pub(crate) clients: u64,
    /// Until the last one was logged in; `null` if one never was.
    pub(crate) all_back_secs: Option<f64>,
    pub(crate) logins_per_s: f64,
    /// Spent until all were back, with what was delivered meanwhile.
    pub(crate) server_cpu_ms_per_login: Option<f64>,
    /// The load generator's own part of that.
    pub(crate) generator_cpu_ms_per_login: f64,
    /// From when all were back until all knew what they had missed.
    pub(crate) caught_up_secs: f64,
    /// Before the storm, for comparison: 64 at a time.
    pub(crate) calm_login: LatencyReport,
}
