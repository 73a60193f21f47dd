//! What of the bans is looked at often, in memory: devices, and what ends next.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::bans::{Ban, BanTarget};
use crate::id::Realm;

#[derive(Default)]
struct Known {
    /// Devices and when their bans end.
    devices: FxHashMap<(Realm, String), Option<i64>>,
    /// What ends, the next one first.
    ends: BTreeSet<(i64, i64, Realm)>,
}

/// The bans that hold. As many as the store lets there be.
#[derive(Default)]
pub struct Banned {
    has_devices: AtomicBool,
    known: RwLock<Known>,
}

impl Banned {
    /// Takes in a ban.
    pub fn add(&self, ban: &Ban) {
        let mut known = self.known.write();
        let (realm, until_ms) = (&ban.ban.realm, ban.ban.until_ms);
        known
            .ends
            .retain(|(_, num, of)| *num != ban.num || of != realm);
        if let Some(until_ms) = until_ms {
            known.ends.insert((until_ms, ban.num, realm.clone()));
        }
        if let BanTarget::Device(id) = &ban.ban.target {
            known.devices.insert((realm.clone(), id.clone()), until_ms);
            self.has_devices.store(true, Ordering::Release);
        }
    }

    /// Forgets a ban.
    pub fn remove(&self, ban: &Ban) {
        let mut known = self.known.write();
        let realm = &ban.ban.realm;
        known
            .ends
            .retain(|(_, num, of)| *num != ban.num || of != realm);
        if let BanTarget::Device(id) = &ban.ban.target {
            known.devices.remove(&(realm.clone(), id.clone()));
            self.has_devices
                .store(!known.devices.is_empty(), Ordering::Release);
        }
    }

    /// Whether a device is banned.
    #[must_use]
    pub fn device(&self, realm: &Realm, id: &str, now_ms: i64) -> bool {
        // Costs nothing where no device is banned.
        if !self.has_devices.load(Ordering::Acquire) {
            return false;
        }
        let key = (realm.clone(), id.to_owned());
        let until = self.known.read().devices.get(&key).copied();
        until.is_some_and(|until| until.is_none_or(|until_ms| now_ms < until_ms))
    }

    /// Bans that are over.
    #[must_use]
    pub fn over(&self, now_ms: i64) -> Vec<(i64, Realm)> {
        let known = self.known.read();
        let due = known.ends.iter().take_while(|(at, _, _)| *at <= now_ms);
        due.map(|(_, num, realm)| (*num, realm.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::NewBan;

    fn ban(num: i64, device: &str, until_ms: Option<i64>) -> Ban {
        Ban {
            num,
            ban: NewBan {
                realm: Realm::default(),
                target: BanTarget::Device(device.to_owned()),
                reason: String::new(),
                until_ms,
                by: String::new(),
            },
            at_ms: 0,
        }
    }

    #[test]
    fn bans_hold_until_they_end() {
        let banned = Banned::default();
        let realm = Realm::default();
        assert!(!banned.device(&realm, "d", 0));
        banned.add(&ban(1, "d", Some(10)));
        banned.add(&ban(2, "e", None));
        assert!(banned.device(&realm, "d", 9));
        assert!(!banned.device(&realm, "d", 10));
        assert!(banned.device(&realm, "e", i64::MAX));
        let other = Realm::parse("other").expect("a realm");
        assert!(!banned.device(&other, "e", 0));
        assert_eq!(banned.over(9), []);
        assert_eq!(banned.over(10), [(1, realm.clone())]);
        // Said again, it ends later.
        banned.add(&ban(1, "d", Some(20)));
        assert_eq!(banned.over(10), []);
        banned.remove(&ban(1, "d", Some(20)));
        banned.remove(&ban(2, "e", None));
        assert!(!banned.device(&realm, "e", 0));
        assert_eq!(banned.over(i64::MAX), []);
    }
}
