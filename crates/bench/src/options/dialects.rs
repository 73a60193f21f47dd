//! The protocols that clients speak, and what can be asked for with each.

use clap::ValueEnum;

use super::{Scenario, ServerOptions, Transport};

/// The version that clients ask for unless another is named.
const DEFAULT_VERSION: u8 = 5;
/// The protocol levels of MQTT 3.1, 3.1.1 and 5.0.
const MQTT_LEVELS: std::ops::RangeInclusive<u8> = 3..=5;

/// The protocols that clients can speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DialectName {
    /// WuKongIM's binary protocol.
    Wukong,
    /// STOMP over WebSocket, with the XuqmGroup IM's JSON.
    Stomp,
    /// MQTT with the IM's JSON, QoS 1.
    Mqtt,
    /// netty IM 2.0: JSON over WebSocket.
    Gyyx,
    /// wg-basic instant messages: JSON over WebSocket.
    Wg,
}

impl DialectName {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wukong => "wukong",
            Self::Stomp => "stomp",
            Self::Mqtt => "mqtt",
            Self::Gyyx => "gyyx",
            Self::Wg => "wg",
        }
    }

    const fn has_tcp(self) -> bool {
        matches!(self, Self::Wukong | Self::Mqtt)
    }
}

impl ServerOptions {
    /// What carries the protocol.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport.unwrap_or(if self.dialect.has_tcp() {
            Transport::Tcp
        } else {
            Transport::Ws
        })
    }

    /// The protocol's version; of no meaning where it has none.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version.unwrap_or(DEFAULT_VERSION)
    }

    /// What the dialect does not have.
    pub(super) fn check(&self, scenario: &Scenario) -> Result<(), String> {
        let dialect = self.dialect;
        let name = dialect.name();
        if self.transport == Some(Transport::Tcp) && !dialect.has_tcp() {
            return Err(format!("--dialect {name} is spoken over WebSocket only"));
        }
        match (dialect, self.version) {
            (DialectName::Wukong, _) | (_, None) => {}
            (DialectName::Mqtt, Some(version)) if MQTT_LEVELS.contains(&version) => {}
            (DialectName::Mqtt, Some(version)) => {
                return Err(format!("MQTT has no version {version}; it has 3, 4 and 5"));
            }
            (_, Some(_)) => return Err(format!("--dialect {name} has no --version")),
        }
        let asks = matches!(
            scenario,
            Scenario::Sync(_) | Scenario::Mixed(_) | Scenario::Storm(_)
        );
        if asks && dialect != DialectName::Wukong {
            let scenario = scenario.name();
            return Err(format!(
                "{scenario} asks for conversations and history, which is there for wukong only; \
                 --dialect {name} has direct, group, fanout and idle"
            ));
        }
        Ok(())
    }
}
