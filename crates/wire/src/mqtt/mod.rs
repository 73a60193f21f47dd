//! The MQTT dialect: MQTT 3.1, 3.1.1 and 5.0, both directions
//! (`mqtt-wire.md`), and the JSON that travels in it (`mqtt.md`).
//!
//! A connection is one byte stream of packets, whatever carries it: packets may
//! be split or glued across TCP segments and WebSocket messages alike, so feed
//! everything received into one buffer and let [`Decoder`] cut it.
//!
//! ```text
//! packet = type << 4 | flags · remaining length (varint) · body
//! ```
//!
//! Reading order: [`Packet`] and its structs say what travels, [`Decoder`] and
//! [`Encoder`] how, [`DecodeError`] what the peer is told when it does not,
//! [`SharedPublish`] how one message is written to many. [`TopicFilter`] has the
//! matching rules, and [`im`] the messenger's payloads. Section numbers without
//! a version are those of the MQTT 5.0 specification.
//!
//! The codec is strict: a packet that the specification calls malformed or a
//! protocol error is refused if its bytes alone show it. What needs the state of
//! a session (packet ids in use, topic aliases, receive maximum, what a client
//! may do) it does not know.

mod decode;
mod encode;
mod error;
mod fields;
pub mod im;
mod kind;
mod packet;
mod property;
mod qos;
mod reason;
mod shared;
mod sink;
mod text;
pub mod topic;
mod user_properties;
mod version;

pub use decode::Decoder;
pub use encode::Encoder;
pub use error::{Answer, DecodeError, EncodeError};
pub use kind::Kind;
pub use packet::{
    Ack, Auth, Authentication, Connack, ConnackProperties, Connect, ConnectProperties, Diagnostics,
    Disconnect, MessageProperties, Packet, Publish, RetainHandling, Suback, Subscribe,
    Subscription, Unsuback, Unsubscribe, Will,
};
pub use property::{PropertyFault, PropertyId};
pub use qos::{Delivery, PacketId, Qos, SubscriptionId};
pub use reason::ReasonCode;
pub use shared::{PublishCopy, SharedPublish};
pub use topic::{TopicError, TopicFilter, TopicName};
pub use user_properties::UserProperties;
pub use version::Version;

/// The largest packet of a decoder that was not told otherwise: 1 MiB, header
/// included (protocols/README.md A12).
pub const MAX_PACKET_BYTES: usize = 1024 * 1024;

/// The largest packet that the protocol has room for, header included
/// (MQTT 5.0 §2.1.4).
pub const PROTOCOL_MAX_PACKET_BYTES: usize = 5 + MAX_VARINT as usize;

/// The longest string in bytes (MQTT 5.0 §1.5.4).
pub const MAX_STRING_BYTES: usize = 65_535;

/// The largest value of a variable byte integer (MQTT 5.0 §1.5.5).
const MAX_VARINT: u32 = 268_435_455;

/// The two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// Who sends CONNECT.
    Client,
    /// Who answers it.
    Server,
}
