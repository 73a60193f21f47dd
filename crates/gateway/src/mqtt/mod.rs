//! The mqtt dialect: an IM over MQTT 3.1, 3.1.1 and 5.0, and plain topics below `t/`
//! (protocols/mqtt.md, mqtt-wire.md).
//!
//! `machine` is a connection from CONNECT to its end; what an open one holds and does is in
//! `live` and the files beside it: `publish` and `requests` what comes in, `deliver` what goes
//! out of the messenger, `plain` what has to do with plain topics.

mod acks;
mod aliases;
mod changes;
mod chores;
mod connect;
mod deliver;
mod envelope;
mod flight;
mod habit;
mod live;
mod machine;
pub(crate) mod map;
mod plain;
mod publish;
mod reasons;
mod requests;
pub(crate) mod settings;
mod storage;
#[cfg(test)]
mod tests;
pub(crate) mod told;
mod topics;
mod under_way;
pub(crate) mod users;

pub use envelope::{MqttReader, mqtt_envelope};
pub use habit::mqtt_habit;
pub use reasons::mqtt_error_code;
pub use settings::{MqttLimits, MqttSettings};
pub use storage::foreign_address;
