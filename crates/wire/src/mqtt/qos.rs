//! Qualities of service, and the numbers of packets and subscriptions.
//!
//! The types leave no room for what the protocol forbids: a packet id of 0, a
//! PUBLISH with QoS 0 that has an id or is a duplicate, a subscription id of 0.

use std::num::{NonZeroU16, NonZeroU32};

/// How surely a message arrives (MQTT 5.0 §4.3).
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Qos {
    /// QoS 0: not acknowledged.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: answered by PUBACK.
    AtLeastOnce = 1,
    /// QoS 2: answered in four steps.
    ExactlyOnce = 2,
}

impl Qos {
    /// The quality with this number; `None` above 2.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Qos> {
        match number {
            0 => Some(Qos::AtMostOnce),
            1 => Some(Qos::AtLeastOnce),
            2 => Some(Qos::ExactlyOnce),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// The number of a packet that is acknowledged, never 0 (MQTT 5.0 §2.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The id with this number; `None` for 0.
    #[must_use]
    pub const fn new(number: u16) -> Option<PacketId> {
        match NonZeroU16::new(number) {
            Some(number) => Some(PacketId(number)),
            None => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

/// The number that a client gives its subscription, 1 to 268,435,455
/// (MQTT 5.0 §3.8.2.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriptionId(NonZeroU32);

impl SubscriptionId {
    /// The largest id.
    pub const MAX: u32 = super::MAX_VARINT;

    /// The id with this number; `None` for 0 and above [`Self::MAX`].
    #[must_use]
    pub const fn new(number: u32) -> Option<SubscriptionId> {
        match NonZeroU32::new(number) {
            Some(valid) if number <= Self::MAX => Some(SubscriptionId(valid)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

/// QoS, packet id and DUP of a PUBLISH, as far as they belong together
/// (MQTT 5.0 §3.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// QoS 0.
    AtMostOnce,
    /// QoS 1.
    AtLeastOnce {
        /// What PUBACK repeats.
        id: PacketId,
        /// Whether this is a repetition.
        dup: bool,
    },
    /// QoS 2.
    ExactlyOnce {
        /// What PUBREC, PUBREL and PUBCOMP repeat.
        id: PacketId,
        /// Whether this is a repetition.
        dup: bool,
    },
}

impl Delivery {
    /// The quality of service.
    #[must_use]
    pub const fn qos(self) -> Qos {
        match self {
            Delivery::AtMostOnce => Qos::AtMostOnce,
            Delivery::AtLeastOnce { .. } => Qos::AtLeastOnce,
            Delivery::ExactlyOnce { .. } => Qos::ExactlyOnce,
        }
    }

    /// The packet id, from QoS 1 on.
    #[must_use]
    pub const fn packet_id(self) -> Option<PacketId> {
        match self {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce { id, .. } | Delivery::ExactlyOnce { id, .. } => Some(id),
        }
    }

    /// Whether this is a repetition.
    #[must_use]
    pub const fn is_dup(self) -> bool {
        match self {
            Delivery::AtMostOnce => false,
            Delivery::AtLeastOnce { dup, .. } | Delivery::ExactlyOnce { dup, .. } => dup,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_no_zero() {
        assert_eq!(PacketId::new(0), None);
        assert_eq!(PacketId::new(65_535).map(PacketId::get), Some(65_535));
        assert_eq!(SubscriptionId::new(0), None);
        assert_eq!(SubscriptionId::new(268_435_456), None);
        let largest = SubscriptionId::new(268_435_455);
        assert_eq!(largest.map(SubscriptionId::get), Some(268_435_455));
    }

    #[test]
    fn there_is_no_qos_3() {
        let numbers: Vec<_> = (0..=3)
            .map(|n| Qos::from_number(n).map(Qos::number))
            .collect();
        assert_eq!(numbers, [Some(0), Some(1), Some(2), None]);
    }
}
