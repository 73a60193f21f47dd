//! How much and how fast a user may send.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::clock::DefaultClock;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use quick_cache::sync::Cache;

use super::rates::Rate;
use crate::id::UserNum;

/// No payload may be larger, bytes: what is accepted must fit, encrypted and in base64, into
/// a frame of 1 MiB beside its envelope, or it could never be delivered.
pub const MAX_PAYLOAD_BYTES: usize = 700 << 10;
/// The longest client number, bytes.
pub const MAX_CLIENT_NO_BYTES: usize = 512;

/// Limits on sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendLimits {
    /// Messages per second and user; 0 = no limit.
    pub rate_per_sec: u32,
    /// Messages that a user may send at once before the rate counts.
    pub burst: u32,
    /// The largest payload, bytes; at most [`MAX_PAYLOAD_BYTES`].
    pub payload_bytes: usize,
    /// Messages per second and channel, by all together.
    pub channel: Rate,
    /// Messages per second and app, by all of its users together, unless the app has a limit
    /// of its own.
    pub app: Rate,
}

impl Default for SendLimits {
    fn default() -> Self {
        Self {
            rate_per_sec: 200,
            burst: 1000,
            payload_bytes: MAX_PAYLOAD_BYTES,
            channel: Rate::default(),
            app: Rate::default(),
        }
    }
}

/// What one user may still send now; shared by the user's sessions.
pub struct Budget(Option<RateLimiter<NotKeyed, InMemoryState, DefaultClock>>);

impl Budget {
    /// A full budget.
    #[must_use]
    pub fn new(limits: &SendLimits) -> Self {
        Self::of_rate(Rate {
            per_sec: limits.rate_per_sec,
            burst: limits.burst,
        })
    }

    /// A full budget of a rate.
    #[must_use]
    pub fn of_rate(rate: Rate) -> Self {
        let quota = NonZeroU32::new(rate.per_sec).map(|per_sec| {
            let burst = NonZeroU32::new(rate.burst).unwrap_or(per_sec);
            Quota::per_second(per_sec).allow_burst(burst)
        });
        Self(quota.map(RateLimiter::direct))
    }

    /// Takes one message out of the budget; false if there is none left.
    #[must_use]
    pub fn take(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|limiter| limiter.check().is_ok())
    }
}

/// Users whose budgets are remembered; the least used are forgotten first.
const REMEMBERED: usize = 100_000;

/// The budgets of all users. They outlive sessions: coming back buys nothing.
pub struct Budgets {
    limits: SendLimits,
    known: Cache<UserNum, Arc<Budget>>,
}

impl Budgets {
    /// All budgets are full.
    #[must_use]
    pub fn new(limits: SendLimits) -> Self {
        Self {
            limits,
            known: Cache::new(REMEMBERED),
        }
    }

    /// A user's budget.
    #[must_use]
    pub fn of(&self, user: UserNum) -> Arc<Budget> {
        let full = || Ok::<_, Infallible>(Arc::new(Budget::new(&self.limits)));
        match self.known.get_or_insert_with(&user, full) {
            Ok(budget) => budget,
            Err(never) => match never {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_one_budget() {
        let limits = SendLimits {
            rate_per_sec: 1,
            burst: 1,
            ..SendLimits::default()
        };
        let budgets = Budgets::new(limits);
        assert!(budgets.of(UserNum(1)).take());
        assert!(!budgets.of(UserNum(1)).take());
        assert!(budgets.of(UserNum(2)).take());
    }

    #[test]
    fn a_burst_passes_and_then_no_more() {
        let limits = SendLimits {
            rate_per_sec: 1,
            burst: 5,
            ..SendLimits::default()
        };
        let budget = Budget::new(&limits);
        let passed = (0..20).filter(|_| budget.take()).count();
        assert_eq!(passed, 5);
    }

    #[test]
    fn zero_is_no_limit() {
        let budget = Budget::new(&SendLimits {
            rate_per_sec: 0,
            ..SendLimits::default()
        });
        assert!((0..10_000).all(|_| budget.take()));
    }
}
