//! `[hooks]`: how applications are told what happens, and asked before a message is accepted.
//! The hooks themselves are made over REST.

use serde::{Deserialize, Serialize};

use super::check::Findings;

/// `[hooks]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// How long a receiver may take, where its hook does not say, ms.
    pub timeout_ms: u32,
    /// For how long a delivery is tried, where its hook does not say, seconds.
    pub retry_secs: u64,
    /// How long a hook that is asked may take, where it does not say, ms.
    pub before_send_timeout_ms: u32,
    /// Requests to one hook at the same time, of different channels.
    pub parallel: usize,
    /// Whether hooks may be on this machine or in its own networks.
    pub private_addresses: bool,
}

impl Default for Hooks {
    fn default() -> Self {
        Self {
            timeout_ms: 5000,
            retry_secs: 3600,
            before_send_timeout_ms: 1000,
            parallel: 16,
            private_addresses: true,
        }
    }
}

/// Checks it.
pub(super) fn check(hooks: &Hooks, findings: &mut Findings) {
    let millis = 50..=30_000;
    for (key, value) in [
        ("hooks.timeout_ms", hooks.timeout_ms),
        ("hooks.before_send_timeout_ms", hooks.before_send_timeout_ms),
    ] {
        if !millis.contains(&value) {
            findings.problem(key, "must be 50 to 30000");
        }
    }
    if hooks.retry_secs > 7 * 24 * 3600 {
        findings.problem("hooks.retry_secs", "must be at most 604800, a week");
    }
    if !(1..=256).contains(&hooks.parallel) {
        findings.problem("hooks.parallel", "must be 1 to 256");
    }
}
