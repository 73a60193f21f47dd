//! The protocol versions and how a CONNECT names them.
//!
//! MQTT 3.1 is the version of old devices; it is spoken like 3.1.1 but for
//! the few differences written where they matter.

/// A version of MQTT (MQTT 5.0 §3.1.2.1, §3.1.2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// MQTT 3.1: protocol name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: protocol name `MQTT`, level 4.
    V311,
    /// MQTT 5.0: protocol name `MQTT`, level 5.
    V5,
}

impl Version {
    /// Every version.
    pub const ALL: [Version; 3] = [Version::V31, Version::V311, Version::V5];

    /// The protocol name that CONNECT carries.
    #[must_use]
    pub const fn protocol_name(self) -> &'static str {
        match self {
            Version::V31 => "MQIsdp",
            Version::V311 | Version::V5 => "MQTT",
        }
    }

    /// The protocol level that CONNECT carries.
    #[must_use]
    pub const fn level(self) -> u8 {
        match self {
            Version::V31 => 3,
            Version::V311 => 4,
            Version::V5 => 5,
        }
    }

    /// Whether packets have properties and reason codes.
    #[must_use]
    pub const fn is_v5(self) -> bool {
        matches!(self, Version::V5)
    }
}
