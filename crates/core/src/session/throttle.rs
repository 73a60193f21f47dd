//! Failed logins per address, and per user from one address: after too many, no more are
//! tried for a while.

use std::net::IpAddr;
use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::clock::Clock;
use crate::id::Uid;

/// How long failures are remembered, ms.
const WINDOW_MS: u64 = 60_000;
/// Addresses and users that are remembered; the least used are forgotten first.
const REMEMBERED: usize = 100_000;

/// How many failed logins are too many within a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    /// Of one address, for all users; 0 = no limit.
    pub per_address: u32,
    /// Of one user from one address; 0 = no limit.
    pub per_user: u32,
}

impl Default for LoginLimits {
    fn default() -> Self {
        Self {
            per_address: 300,
            per_user: 20,
        }
    }
}

#[derive(Clone, Copy)]
struct Failures {
    since_ms: u64,
    count: u32,
}

type Key = (IpAddr, Option<Uid>);

/// The memory of failed logins.
pub struct Throttle {
    limits: LoginLimits,
    clock: Arc<dyn Clock>,
    failures: Cache<Key, Failures>,
}

impl Throttle {
    /// Nothing has failed yet.
    #[must_use]
    pub fn new(limits: LoginLimits, clock: Arc<dyn Clock>) -> Self {
        Self {
            limits,
            clock,
            failures: Cache::new(REMEMBERED),
        }
    }

    fn count(&self, key: &Key) -> u32 {
        let now = self.clock.mono_ms();
        let fresh = |f: &Failures| now.saturating_sub(f.since_ms) < WINDOW_MS;
        self.failures.get(key).filter(fresh).map_or(0, |f| f.count)
    }

    /// True if this login may be tried.
    #[must_use]
    pub fn allows(&self, address: IpAddr, uid: Option<&Uid>) -> bool {
        let within = |limit: u32, key: &Key| limit == 0 || self.count(key) < limit;
        within(self.limits.per_address, &(address, None))
            && uid.is_none_or(|uid| within(self.limits.per_user, &(address, Some(uid.clone()))))
    }

    /// Remembers a failed login, of a user if it named one.
    pub fn failed(&self, address: IpAddr, uid: Option<&Uid>) {
        let of_user = uid.map(|uid| (address, Some(uid.clone())));
        for key in std::iter::once((address, None)).chain(of_user) {
            let count = self.count(&key);
            let since_ms = match self.failures.get(&key) {
                Some(seen) if count > 0 => seen.since_ms,
                _ => self.clock.mono_ms(),
            };
            self.failures.insert(
                key,
                Failures {
                    since_ms,
                    count: count + 1,
                },
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn too_many_failures_stop_logins_for_a_minute() {
        let clock = Arc::new(ManualClock::at_ms(0));
        let throttle = Throttle::new(
            LoginLimits {
                per_address: 5,
                per_user: 2,
            },
            clock.clone(),
        );
        let home: IpAddr = "127.0.0.1".parse().expect("an address");
        let away: IpAddr = "127.0.0.2".parse().expect("an address");
        let uid = |text| Uid::parse(text).expect("a uid");
        throttle.failed(home, Some(&uid("a")));
        assert!(throttle.allows(home, Some(&uid("a"))));
        throttle.failed(home, Some(&uid("a")));
        assert!(!throttle.allows(home, Some(&uid("a"))));
        assert!(throttle.allows(home, Some(&uid("b"))), "another user");
        assert!(throttle.allows(away, Some(&uid("a"))), "another address");
        for _ in 0..3 {
            throttle.failed(home, Some(&uid("c")));
        }
        assert!(
            !throttle.allows(home, Some(&uid("b"))),
            "the address as a whole"
        );
        assert!(!throttle.allows(home, None), "whoever it is");
        clock.advance_ms(60_001);
        assert!(throttle.allows(home, Some(&uid("a"))));
    }
}
