//! Messages and their latencies.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{LatencyReport, those_found};

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
        those_found([
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
        ])
    }
}
