//! The packets as Rust values: one file per packet with its fields, how they
//! are read and how they are written.
//!
//! A value holds what was on the wire and nothing else. Fields that a version
//! does not carry (properties and most reason codes before 5.0) are empty or
//! the default after decoding, and skipped when encoding. A packet decides
//! what is well formed; what is allowed for a client is the gateway's.

mod ack;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod message;
mod publish;
mod suback;
mod subscribe;
mod unsubscribe;

pub use ack::Ack;
pub(super) use ack::AckBody;
pub use auth::Auth;
pub use connack::{Connack, ConnackProperties};
pub use connect::{Connect, ConnectProperties, Will};
pub use disconnect::Disconnect;
pub use message::MessageProperties;
pub use publish::Publish;
pub use suback::{Suback, Unsuback};
pub use subscribe::{RetainHandling, Subscribe, Subscription};
pub use unsubscribe::Unsubscribe;

pub(super) use publish::{PublishHeader, write_head};

use bytes::Bytes;

use super::fields::Fields;
use super::{DecodeError, Kind, PropertyFault, PropertyId, ReasonCode, Side, UserProperties};

/// One control packet of either direction (MQTT 5.0 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// Client to server; must be first.
    Connect(Box<Connect>),
    /// Server to client, answers CONNECT.
    Connack(Box<Connack>),
    /// A message, either way.
    Publish(Publish),
    /// Answers a PUBLISH with QoS 1.
    Puback(Ack),
    /// Answers a PUBLISH with QoS 2.
    Pubrec(Ack),
    /// Answers PUBREC.
    Pubrel(Ack),
    /// Answers PUBREL.
    Pubcomp(Ack),
    /// Client to server.
    Subscribe(Subscribe),
    /// Server to client, answers SUBSCRIBE.
    Suback(Suback),
    /// Client to server.
    Unsubscribe(Unsubscribe),
    /// Server to client, answers UNSUBSCRIBE.
    Unsuback(Unsuback),
    /// Client to server.
    Pingreq,
    /// Server to client.
    Pingresp,
    /// Client to server; either way in 5.0.
    Disconnect(Disconnect),
    /// Either way; 5.0 only.
    Auth(Auth),
}

impl Packet {
    /// The packet's type.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Packet::Connect(_) => Kind::Connect,
            Packet::Connack(_) => Kind::Connack,
            Packet::Publish(_) => Kind::Publish,
            Packet::Puback(_) => Kind::Puback,
            Packet::Pubrec(_) => Kind::Pubrec,
            Packet::Pubrel(_) => Kind::Pubrel,
            Packet::Pubcomp(_) => Kind::Pubcomp,
            Packet::Subscribe(_) => Kind::Subscribe,
            Packet::Suback(_) => Kind::Suback,
            Packet::Unsubscribe(_) => Kind::Unsubscribe,
            Packet::Unsuback(_) => Kind::Unsuback,
            Packet::Pingreq => Kind::Pingreq,
            Packet::Pingresp => Kind::Pingresp,
            Packet::Disconnect(_) => Kind::Disconnect,
            Packet::Auth(_) => Kind::Auth,
        }
    }
}

/// Words beside a reason code: for people and logs, never for decisions
/// (MQTT 5.0 §3.2.2.3.9). The encoder leaves them out where the receiver does
/// not want them or has no room for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diagnostics {
    /// The reason in words.
    pub reason_string: Option<String>,
    /// Further information.
    pub user_properties: UserProperties,
}

impl Diagnostics {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reason_string.is_none() && self.user_properties.is_empty()
    }
}

/// A method of enhanced authentication and its data (MQTT 5.0 §4.12).
#[derive(Clone, PartialEq, Eq)]
pub struct Authentication {
    /// The method's name.
    pub method: String,
    /// What the method defines. A secret: `Debug` leaves it out.
    pub data: Option<Bytes>,
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authentication")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// The two properties of [`Authentication`] while they are read.
#[derive(Default)]
struct AuthenticationParts {
    method: Option<String>,
    data: Option<Bytes>,
}

impl AuthenticationParts {
    /// Both, or neither: data without a method are an error (§3.1.2.11.10).
    fn join(self) -> Result<Option<Authentication>, DecodeError> {
        match (self.method, self.data) {
            (Some(method), data) => Ok(Some(Authentication { method, data })),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(missing(PropertyId::AuthenticationMethod)),
        }
    }
}

/// The error for a property that should be there.
const fn missing(id: PropertyId) -> DecodeError {
    DecodeError::Property {
        id,
        fault: PropertyFault::Missing,
    }
}

/// A reason code that `kind` may carry when `side` sends it.
fn reason(fields: &mut Fields<'_>, kind: Kind, side: Side) -> Result<ReasonCode, DecodeError> {
    let code = fields.u8()?;
    ReasonCode::from_code(code)
        .filter(|reason| reason.is_allowed(kind, side))
        .ok_or(DecodeError::Reason { kind, code })
}
