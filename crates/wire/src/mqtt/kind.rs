//! The packet types and what their first byte may look like
//! (MQTT 5.0 §2.1.2, §2.1.3).

use super::{Side, Version};

/// The type of a control packet: the high nibble of its first byte.
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A client introduces itself.
    Connect = 1,
    /// The answer to CONNECT.
    Connack = 2,
    /// A message.
    Publish = 3,
    /// The answer to a PUBLISH with QoS 1.
    Puback = 4,
    /// The first answer to a PUBLISH with QoS 2.
    Pubrec = 5,
    /// The answer to PUBREC.
    Pubrel = 6,
    /// The answer to PUBREL; ends a QoS 2 exchange.
    Pubcomp = 7,
    /// A client asks for messages.
    Subscribe = 8,
    /// The answer to SUBSCRIBE.
    Suback = 9,
    /// A client no longer asks for messages.
    Unsubscribe = 10,
    /// The answer to UNSUBSCRIBE.
    Unsuback = 11,
    /// A client shows that it lives.
    Pingreq = 12,
    /// The answer to PINGREQ.
    Pingresp = 13,
    /// The sender is about to close.
    Disconnect = 14,
    /// A step of an enhanced authentication; 5.0 only.
    Auth = 15,
}

impl Kind {
    /// Every type; the element at index `n` is type `n + 1`.
    pub const ALL: [Kind; 15] = [
        Kind::Connect,
        Kind::Connack,
        Kind::Publish,
        Kind::Puback,
        Kind::Pubrec,
        Kind::Pubrel,
        Kind::Pubcomp,
        Kind::Subscribe,
        Kind::Suback,
        Kind::Unsubscribe,
        Kind::Unsuback,
        Kind::Pingreq,
        Kind::Pingresp,
        Kind::Disconnect,
        Kind::Auth,
    ];

    /// The type in a packet's first byte; `None` is the reserved type 0.
    #[must_use]
    pub(super) fn of_header(header: u8) -> Option<Kind> {
        let index = usize::from(header >> 4).checked_sub(1)?;
        Kind::ALL.get(index).copied()
    }

    /// Whether `side` sends packets of this type in `version`.
    #[must_use]
    pub(super) const fn is_sent_by(self, side: Side, version: Version) -> bool {
        match self {
            Kind::Connect | Kind::Subscribe | Kind::Unsubscribe | Kind::Pingreq => {
                matches!(side, Side::Client)
            }
            Kind::Connack | Kind::Suback | Kind::Unsuback | Kind::Pingresp => {
                matches!(side, Side::Server)
            }
            Kind::Disconnect => matches!(side, Side::Client) || version.is_v5(),
            Kind::Auth => version.is_v5(),
            Kind::Publish | Kind::Puback | Kind::Pubrec | Kind::Pubrel | Kind::Pubcomp => true,
        }
    }

    /// The flags that a packet of this type must have; PUBLISH has its own.
    #[must_use]
    pub(super) const fn flags(self) -> u8 {
        match self {
            Kind::Pubrel | Kind::Subscribe | Kind::Unsubscribe => 0x02,
            _ => 0,
        }
    }

    /// The flags that `version` does not look at. In 3.1 a re-sent PUBREL,
    /// SUBSCRIBE or UNSUBSCRIBE has its DUP bit set, and RETAIN is unused
    /// (MQTT 3.1 §2.1, §3.6, §3.8, §3.10).
    #[must_use]
    pub(super) const fn ignored_flags(self, version: Version) -> u8 {
        match (version, self) {
            (Version::V31, Kind::Pubrel | Kind::Subscribe | Kind::Unsubscribe) => 0x09,
            _ => 0,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Kind::Connect => "CONNECT",
            Kind::Connack => "CONNACK",
            Kind::Publish => "PUBLISH",
            Kind::Puback => "PUBACK",
            Kind::Pubrec => "PUBREC",
            Kind::Pubrel => "PUBREL",
            Kind::Pubcomp => "PUBCOMP",
            Kind::Subscribe => "SUBSCRIBE",
            Kind::Suback => "SUBACK",
            Kind::Unsubscribe => "UNSUBSCRIBE",
            Kind::Unsuback => "UNSUBACK",
            Kind::Pingreq => "PINGREQ",
            Kind::Pingresp => "PINGRESP",
            Kind::Disconnect => "DISCONNECT",
            Kind::Auth => "AUTH",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_byte_names_its_type() {
        assert_eq!(Kind::of_header(0x0f), None);
        for kind in Kind::ALL {
            assert_eq!(Kind::of_header((kind as u8) << 4), Some(kind));
            assert_eq!(Kind::of_header((kind as u8) << 4 | 0x0f), Some(kind));
        }
    }
}
