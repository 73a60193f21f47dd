//! What may be set of a hook, and what is set where nothing is said.

use std::time::Duration;

use crosstalk_core::hook::{HookKind, HookSettings};
use hyper::header::{HeaderName, HeaderValue};

use super::names::{MAX_PATTERNS, is_pattern};
use crate::auth::client::address;
use crate::config;

/// The longest address, bytes.
const MAX_URL_BYTES: usize = 2048;
/// Headers, and the bytes of each.
const MAX_HEADERS: usize = 20;
const MAX_HEADER_BYTES: usize = 1024;
/// Events in one request, at most.
const MAX_BATCH: u32 = 1000;
/// How long an answer may take, ms.
const TIMEOUT_MS: std::ops::RangeInclusive<u32> = 50..=30_000;
/// For how long a delivery is tried at most, ms: a week.
const MAX_RETRY_MS: u64 = 7 * 24 * 3600 * 1000;
/// The longest note, characters.
const MAX_NOTE_CHARS: usize = 200;
/// Headers that are ours, or the connection's.
const RESERVED: [&str; 9] = [
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "connection",
    "upgrade",
    "te",
    "trailer",
    "expect",
];

/// How hooks are called, for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookLimits {
    /// Where nothing is said: how long an event's receiver may take, ms.
    pub timeout_ms: u32,
    /// Where nothing is said: for how long a delivery is tried, ms.
    pub retry_for_ms: u64,
    /// Where nothing is said: how long a hook that is asked may take, ms.
    pub ask_timeout_ms: u32,
    /// The pause after the first try; it doubles…
    pub first_pause: Duration,
    /// … up to this.
    pub longest_pause: Duration,
    /// Requests to one hook at the same time, of different channels.
    pub at_once: usize,
    /// Whether hooks may be on this machine or in its own networks.
    pub private_addresses: bool,
}

impl From<&config::Hooks> for HookLimits {
    fn from(hooks: &config::Hooks) -> Self {
        Self {
            timeout_ms: hooks.timeout_ms,
            retry_for_ms: hooks.retry_secs.saturating_mul(1000),
            ask_timeout_ms: hooks.before_send_timeout_ms,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(300),
            at_once: hooks.parallel,
            private_addresses: hooks.private_addresses,
        }
    }
}

impl HookLimits {
    /// What is set of a hook of which nothing is said.
    #[must_use]
    pub fn usual(&self, kind: HookKind) -> HookSettings {
        HookSettings {
            max_batch: 1,
            timeout_ms: match kind {
                HookKind::Events => self.timeout_ms,
                HookKind::BeforeSend => self.ask_timeout_ms,
            },
            retry_for_ms: self.retry_for_ms,
            ..HookSettings::default()
        }
    }
}

impl Default for HookLimits {
    fn default() -> Self {
        Self::from(&config::Hooks::default())
    }
}

/// A setting that cannot be: which, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The member's name.
    pub field: &'static str,
    /// What is wrong with it.
    pub why: String,
}

fn wrong(field: &'static str, why: impl Into<String>) -> Wrong {
    Wrong {
        field,
        why: why.into(),
    }
}

/// Checks what is to be set of a hook.
///
/// # Errors
/// The first setting that cannot be.
pub fn check_settings(kind: HookKind, settings: &HookSettings) -> Result<(), Wrong> {
    if settings.url.len() > MAX_URL_BYTES {
        return Err(wrong("url", format!("has at most {MAX_URL_BYTES} bytes")));
    }
    let url = address(&settings.url).map_err(|why| wrong("url", why.to_string()))?;
    if url
        .authority()
        .is_some_and(|host| host.as_str().contains('@'))
    {
        return Err(wrong("url", "must not have a user; use a header"));
    }
    if settings.events.len() > MAX_PATTERNS {
        return Err(wrong("events", format!("has at most {MAX_PATTERNS} names")));
    }
    if let Some(bad) = settings.events.iter().find(|pattern| !is_pattern(pattern)) {
        return Err(wrong("events", format!("there is no event `{bad}`")));
    }
    if kind == HookKind::BeforeSend && !settings.events.is_empty() {
        return Err(wrong("events", "a hook that is asked has none"));
    }
    if settings.headers.len() > MAX_HEADERS {
        return Err(wrong("headers", format!("has at most {MAX_HEADERS}")));
    }
    for (name, value) in &settings.headers {
        let parsed = HeaderName::try_from(name.as_str());
        let Ok(parsed) = parsed else {
            return Err(wrong("headers", format!("`{name}` is no header")));
        };
        if RESERVED.contains(&parsed.as_str()) || parsed.as_str().starts_with("crosstalk-") {
            return Err(wrong("headers", format!("`{name}` is not free")));
        }
        if name.len() + value.len() > MAX_HEADER_BYTES
            || HeaderValue::try_from(value.as_str()).is_err()
        {
            return Err(wrong("headers", format!("`{name}` has no possible value")));
        }
    }
    if !(1..=MAX_BATCH).contains(&settings.max_batch) {
        return Err(wrong(
            "max_batch",
            format!("must be between 1 and {MAX_BATCH}"),
        ));
    }
    if !TIMEOUT_MS.contains(&settings.timeout_ms) {
        let (least, most) = (TIMEOUT_MS.start(), TIMEOUT_MS.end());
        return Err(wrong(
            "timeout_ms",
            format!("must be between {least} and {most}"),
        ));
    }
    if settings.retry_for_ms > MAX_RETRY_MS {
        let secs = MAX_RETRY_MS / 1000;
        return Err(wrong("retry_for_secs", format!("must be at most {secs}")));
    }
    if settings.note.chars().count() > MAX_NOTE_CHARS || settings.note.contains(char::is_control) {
        return Err(wrong(
            "note",
            format!("is a line of at most {MAX_NOTE_CHARS} characters"),
        ));
    }
    Ok(())
}
