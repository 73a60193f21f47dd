//! Heart-beats and the end of a token: when something is due (stomp.md Q2-3, Q2-5).

use crosstalk_wire::stomp::Periods;

use crate::protocol::Now;

/// How long before its end a token is told to end.
const WARNING_MS: i64 = 5 * 60 * 1000;
/// Connections without heart-beats of ours are pinged, where the transport can: of one whose
/// peer is gone without a word nothing else would be known.
const PING_MS: u64 = 5 * 60 * 1000;

/// What an open session waits for.
#[derive(Debug)]
pub(super) struct Clock {
    periods: Periods,
    /// When the client was last heard, and when something was last written, monotonic ms.
    heard_mono_ms: u64,
    said_mono_ms: u64,
    /// When the token ends, ms since 1970.
    expires_at_ms: Option<i64>,
    closes_on_expiry: bool,
    is_warned: bool,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// A heart-beat.
    Beat,
    /// A ping of the transport.
    Ping,
    /// The client is gone.
    Silence,
    /// The token ends soon, ms since 1970.
    Warning(i64),
    /// The token has ended.
    Expired,
}

impl Clock {
    pub(super) fn new(
        periods: Periods,
        expires_at_ms: Option<i64>,
        closes_on_expiry: bool,
        now: Now,
    ) -> Self {
        Self {
            periods,
            heard_mono_ms: now.mono_ms,
            said_mono_ms: now.mono_ms,
            expires_at_ms,
            closes_on_expiry,
            is_warned: false,
        }
    }

    /// The client was heard.
    pub(super) fn heard(&mut self, now: Now) {
        self.heard_mono_ms = now.mono_ms;
    }

    /// Something was written.
    pub(super) fn said(&mut self, now: Now) {
        self.said_mono_ms = now.mono_ms;
    }

    /// The client was told that its token ends.
    pub(super) fn warned(&mut self) {
        self.is_warned = true;
    }

    /// What is due now, the most important first. `can_warn` says that a warning would reach
    /// the client.
    pub(super) fn due(&self, now: Now, can_warn: bool) -> Option<Due> {
        let is_over = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms <= now.mono_ms);
        if self.closes_on_expiry && self.expires_at_ms.is_some_and(|at| at <= now.wall_ms) {
            return Some(Due::Expired);
        }
        if is_over(self.silence_ends()) {
            return Some(Due::Silence);
        }
        if can_warn && let Some(warning) = self.warning(now) {
            return Some(warning);
        }
        match self.periods.server_idle_ms() {
            Some(idle_ms) if self.said_mono_ms + idle_ms <= now.mono_ms => Some(Due::Beat),
            None if self.said_mono_ms + PING_MS <= now.mono_ms => Some(Due::Ping),
            _ => None,
        }
    }

    /// The warning, if it is time for it and it was not given.
    pub(super) fn warning(&self, now: Now) -> Option<Due> {
        let ends = self.expires_at_ms.filter(|_| !self.is_warned)?;
        (ends.saturating_sub(WARNING_MS) <= now.wall_ms).then_some(Due::Warning(ends))
    }

    fn silence_ends(&self) -> Option<u64> {
        let silence_ms = self.periods.client_silence_ms()?;
        Some(self.heard_mono_ms + silence_ms)
    }

    /// When something is due next, monotonic ms.
    pub(super) fn next(&self, now: Now, can_warn: bool) -> u64 {
        let idle_ms = self.periods.server_idle_ms().unwrap_or(PING_MS);
        let mut next = self.said_mono_ms + idle_ms;
        next = next.min(self.silence_ends().unwrap_or(u64::MAX));
        if let Some(ends) = self.expires_at_ms {
            let in_ms = |at_ms: i64| {
                let ms = at_ms.saturating_sub(now.wall_ms).max(0).unsigned_abs();
                now.mono_ms.saturating_add(ms)
            };
            if self.closes_on_expiry {
                next = next.min(in_ms(ends));
            }
            if !self.is_warned && can_warn {
                next = next.min(in_ms(ends.saturating_sub(WARNING_MS)));
            }
        }
        next
    }
}
