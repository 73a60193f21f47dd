//! How many connections there may be, in all and per address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use parking_lot::Mutex;

use super::gateway::ConnectionLimits;
use crate::stats::Counters;

/// Counts connections and refuses those beyond the limits.
pub(super) struct Doorkeeper {
    limits: ConnectionLimits,
    counters: Arc<Counters>,
    per_address: Mutex<HashMap<IpAddr, usize>>,
}

/// One admitted connection; leaving is dropping it.
pub(super) struct Admission {
    keeper: Arc<Doorkeeper>,
    address: IpAddr,
}

impl Doorkeeper {
    pub(super) fn new(limits: ConnectionLimits, counters: Arc<Counters>) -> Self {
        Self {
            limits,
            counters,
            per_address: Mutex::default(),
        }
    }

    /// Admits a connection, or not.
    ///
    /// Who stands for many clients (a proxy) is not limited by its address.
    pub(super) fn admit(self: &Arc<Self>, address: IpAddr, many: bool) -> Option<Admission> {
        let within = |limit: usize, count: usize| limit == 0 || count < limit;
        let mut per_address = self.per_address.lock();
        let here = per_address.entry(address).or_insert(0);
        let total = self.counters.connections.load(Ordering::Relaxed);
        if !within(self.limits.total, total) || !(many || within(self.limits.per_address, *here)) {
            if *here == 0 {
                per_address.remove(&address);
            }
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        *here += 1;
        self.counters.connections.fetch_add(1, Ordering::Relaxed);
        self.counters.accepted.fetch_add(1, Ordering::Relaxed);
        Some(Admission {
            keeper: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.keeper
            .counters
            .connections
            .fetch_sub(1, Ordering::Relaxed);
        let mut per_address = self.keeper.per_address.lock();
        if let Some(here) = per_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                per_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_and_leaving_makes_room() {
        let limits = ConnectionLimits {
            total: 3,
            per_address: 2,
        };
        let counters = Arc::new(Counters::default());
        let keeper = Arc::new(Doorkeeper::new(limits, Arc::clone(&counters)));
        let one: IpAddr = "127.0.0.1".parse().expect("an address");
        let two: IpAddr = "127.0.0.2".parse().expect("an address");
        let first = keeper.admit(one, false).expect("room");
        let _second = keeper.admit(one, false).expect("room");
        assert!(keeper.admit(one, false).is_none(), "per address");
        drop(
            keeper
                .admit(one, true)
                .expect("a proxy is not limited by its address"),
        );
        let _third = keeper.admit(two, false).expect("room");
        assert!(keeper.admit(two, false).is_none(), "in all");
        drop(first);
        assert!(keeper.admit(two, false).is_some());
        assert_eq!(counters.read().refused, 2);
        assert_eq!(keeper.per_address.lock().len(), 2);
    }
}
