//! Devices, and which older session gives way to a new one.

use std::sync::Arc;

/// Whether a device is one of the user's main ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceLevel {
    /// Coexists with others of its flag.
    Slave = 0,
    /// The only one of its flag.
    Master = 1,
}

/// What a session runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The client's own id of the device; may change at each login.
    pub id: Arc<str>,
    /// The kind of device as its dialect numbers them (0 app, 1 web, 2 pc).
    pub flag: u8,
    /// Its level.
    pub level: DeviceLevel,
}

/// How an older session ends because of a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Displacement {
    /// It is told that the user has logged in elsewhere.
    Kicked,
    /// The same device came back: the old connection is closed without a word.
    Replaced,
}

impl Device {
    /// What a login on `self` means for an older session of the same user and dialect.
    #[must_use]
    pub fn displaces(&self, older: &Self) -> Option<Displacement> {
        if self.flag != older.flag {
            return None;
        }
        match (self.level, self.id == older.id) {
            (_, true) => Some(Displacement::Replaced),
            (DeviceLevel::Master, false) => Some(Displacement::Kicked),
            (DeviceLevel::Slave, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, flag: u8, level: DeviceLevel) -> Device {
        Device {
            id: id.into(),
            flag,
            level,
        }
    }

    #[test]
    fn the_table_of_who_gives_way() {
        use DeviceLevel::{Master, Slave};
        let old = [device("d1", 1, Master), device("d1", 1, Slave)];
        for old in &old {
            let cases = [
                (device("d2", 1, Master), Some(Displacement::Kicked)),
                (device("d1", 1, Master), Some(Displacement::Replaced)),
                (device("d1", 1, Slave), Some(Displacement::Replaced)),
                (device("d2", 1, Slave), None),
                (device("d2", 0, Master), None),
                (device("d1", 0, Master), None),
            ];
            for (new, expected) in cases {
                assert_eq!(new.displaces(old), expected, "{new:?} against {old:?}");
            }
        }
    }
}
