//! What can be wrong with a packet, and what the peer is told.
//!
//! A decode error means that the connection must be closed. [`DecodeError::reason`]
//! is the reason code that belongs to it, [`DecodeError::answer`] what a server
//! writes before it closes: MQTT 5.0 §4.13 knows malformed packets (0x81),
//! protocol errors (0x82) and codes of their own, while 3.1.1 closes without a
//! word in all cases but two. Encode errors concern one packet and leave the
//! connection usable.

use bytes::BytesMut;

use super::property::{PropertyFault, PropertyId};
use super::topic::TopicError;
use super::{Connack, Disconnect, Encoder, Kind, Packet, ReasonCode, Side, Version};

/// Why bytes are no packet, or none that may come now from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The packet is larger than the limit. Found from its first bytes, before
    /// any of the body is waited for (5.0 §3.2.2.3.6).
    #[error("packet of {len} bytes is above the limit of {limit}")]
    TooLarge {
        /// Length of the whole packet in bytes.
        len: usize,
        /// The decoder's limit in bytes.
        limit: usize,
    },
    /// A variable byte integer goes on after its fourth byte (§1.5.5).
    #[error("variable byte integer is longer than four bytes")]
    VarintTooLong,
    /// A variable byte integer is longer than its value needs, which 5.0
    /// forbids and 3.1.1 does not (5.0 §1.5.5).
    #[error("variable byte integer is longer than needed")]
    PaddedVarint,
    /// Packet type 0, or 15 before 5.0 (§2.1.2).
    #[error("packet type {0} is reserved")]
    ReservedType(u8),
    /// The low bits of the first byte are not those of the type (§2.1.3).
    #[error("{kind} has the flags {flags:#x}")]
    Flags {
        /// The packet's type.
        kind: Kind,
        /// Its low four bits.
        flags: u8,
    },
    /// Another packet than CONNECT came first (§3.1).
    #[error("{0} came before CONNECT")]
    ConnectExpected(Kind),
    /// CONNECT came again (§3.1).
    #[error("CONNECT came a second time")]
    SecondConnect,
    /// A packet that this side never sends.
    #[error("{0} is not sent by this side")]
    NotFromThisSide(Kind),
    /// The packet ends inside a field.
    #[error("packet ends inside a field")]
    Truncated,
    /// The packet goes on after its last field.
    #[error("{0} bytes follow the last field")]
    TrailingBytes(usize),
    /// A string is not UTF-8 (§1.5.4).
    #[error("string is not valid UTF-8")]
    NotUtf8,
    /// A string contains U+0000 (§1.5.4).
    #[error("string contains U+0000")]
    NulInString,
    /// CONNECT names another protocol (§3.1.2.1).
    #[error("protocol name is not MQTT")]
    ProtocolName,
    /// CONNECT names a version that is not spoken here (§3.1.2.2).
    #[error("protocol level {0} is not supported")]
    ProtocolLevel(u8),
    /// The connect flags contradict each other or use the reserved bit
    /// (§3.1.2.3 to §3.1.2.9).
    #[error("connect flags {0:#04x} are not allowed")]
    ConnectFlags(u8),
    /// No client id, where only a clean session of 3.1.1 or 5.0 goes without
    /// (3.1.1 §3.1.3.1).
    #[error("client id is empty")]
    EmptyClientId,
    /// A topic that is none (§4.7).
    #[error("bad topic name: {0}")]
    Topic(TopicError),
    /// Neither a topic nor a topic alias (5.0 §3.3.2.1).
    #[error("PUBLISH has neither topic nor alias")]
    NoTopic,
    /// Topic alias 0 (5.0 §3.3.2.3.4).
    #[error("topic alias is 0")]
    TopicAliasZero,
    /// A topic filter that is none (§4.7, §4.8.2).
    #[error("bad topic filter: {0}")]
    Filter(TopicError),
    /// A packet that needs at least one filter or reason code has none
    /// (§3.8.3, §3.10.3, §3.9.3, §3.11.3).
    #[error("{0} has an empty list")]
    EmptyList(Kind),
    /// QoS 3 in a PUBLISH (§3.3.1.2).
    #[error("PUBLISH with QoS 3")]
    Qos3,
    /// DUP with QoS 0 (§3.3.1.1).
    #[error("PUBLISH is a duplicate with QoS 0")]
    DupWithQos0,
    /// Packet id 0 (§2.2.1).
    #[error("packet id is 0")]
    PacketIdZero,
    /// Reserved bits of a subscription's options are set (§3.8.3.1).
    #[error("subscription options {0:#04x} use reserved bits")]
    SubscriptionOptions(u8),
    /// A subscription asks for QoS 3 or retain handling 3 (5.0 §3.8.3.1).
    #[error("subscription options {0:#04x} have a value that is not allowed")]
    SubscriptionValue(u8),
    /// No Local on a shared subscription (5.0 §3.8.3.1).
    #[error("a shared subscription is marked no-local")]
    NoLocalShared,
    /// A byte that is no reason code of this packet from this side.
    #[error("{kind} has the reason code {code:#04x}")]
    Reason {
        /// The packet's type.
        kind: Kind,
        /// The code.
        code: u8,
    },
    /// The acknowledge flags of CONNACK use reserved bits, or there is a
    /// session although the client was refused (§3.2.2.1).
    #[error("CONNACK has the flags {0:#04x}")]
    ConnackFlags(u8),
    /// A property that 5.0 does not define (§2.2.2.2).
    #[error("unknown property {0:#04x}")]
    UnknownProperty(u8),
    /// A property that may not be as it is (§2.2.2.2).
    #[error("property {id:?} {fault}")]
    Property {
        /// Which.
        id: PropertyId,
        /// What is wrong.
        fault: PropertyFault,
    },
}

/// What a server does about a packet that it cannot accept. Closing the
/// connection is always part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Close without a word.
    Close,
    /// Write a CONNACK with this reason in the form of `version`, then close.
    Connack {
        /// The form of the packet.
        version: Version,
        /// Its code.
        reason: ReasonCode,
    },
    /// Write a 5.0 DISCONNECT with this reason, then close.
    Disconnect(ReasonCode),
}

impl DecodeError {
    /// The 5.0 reason code that belongs to the error (§4.13).
    #[must_use]
    pub const fn reason(self) -> ReasonCode {
        match self {
            DecodeError::TooLarge { .. } => ReasonCode::PacketTooLarge,
            DecodeError::ProtocolName | DecodeError::ProtocolLevel(_) => {
                ReasonCode::UnsupportedProtocolVersion
            }
            DecodeError::EmptyClientId => ReasonCode::ClientIdNotValid,
            DecodeError::TopicAliasZero => ReasonCode::TopicAliasInvalid,
            // It can be parsed, but the protocol does not allow it.
            DecodeError::ConnectExpected(_)
            | DecodeError::SecondConnect
            | DecodeError::NotFromThisSide(_)
            | DecodeError::NoTopic
            | DecodeError::EmptyList(_)
            | DecodeError::PacketIdZero
            | DecodeError::SubscriptionValue(_)
            | DecodeError::NoLocalShared
            | DecodeError::Reason { .. }
            | DecodeError::Property {
                fault:
                    PropertyFault::NotFromThisSide
                    | PropertyFault::Duplicate
                    | PropertyFault::OutOfRange
                    | PropertyFault::Missing,
                ..
            } => ReasonCode::ProtocolError,
            DecodeError::VarintTooLong
            | DecodeError::PaddedVarint
            | DecodeError::ReservedType(_)
            | DecodeError::Flags { .. }
            | DecodeError::Truncated
            | DecodeError::TrailingBytes(_)
            | DecodeError::NotUtf8
            | DecodeError::NulInString
            | DecodeError::ConnectFlags(_)
            | DecodeError::Topic(_)
            | DecodeError::Filter(_)
            | DecodeError::Qos3
            | DecodeError::DupWithQos0
            | DecodeError::SubscriptionOptions(_)
            | DecodeError::ConnackFlags(_)
            | DecodeError::UnknownProperty(_)
            | DecodeError::Property {
                fault: PropertyFault::NotInThisPacket,
                ..
            } => ReasonCode::MalformedPacket,
        }
    }

    /// What a server does: `version` is the decoder's
    /// ([`Decoder::version`](super::Decoder::version)), and `accepted` says
    /// whether a CONNACK that accepts the client was already written.
    ///
    /// 3.1.1 has words for an unknown protocol level and for an empty client id
    /// only. 5.0 has a CONNACK before it accepted the client and a DISCONNECT
    /// afterwards (5.0 §3.14, §4.13). An unknown level is answered in the form
    /// of 3.1.1, which every client of the past and of the future can read.
    #[must_use]
    pub fn answer(self, version: Option<Version>, accepted: bool) -> Answer {
        let reason = self.reason();
        let as_connack = |version| Answer::Connack { version, reason };
        match (self, version) {
            (DecodeError::ProtocolLevel(_), _) => as_connack(Version::V311),
            (DecodeError::EmptyClientId, Some(version)) => as_connack(version),
            (_, Some(Version::V5)) if accepted => Answer::Disconnect(reason),
            (_, Some(Version::V5)) if reason.is_allowed(Kind::Connack, Side::Server) => {
                as_connack(Version::V5)
            }
            _ => Answer::Close,
        }
    }
}

impl Answer {
    /// Appends what is to be written before closing; nothing for
    /// [`Answer::Close`].
    pub fn encode(self, out: &mut BytesMut) {
        let (version, packet) = match self {
            Answer::Close => return,
            Answer::Connack { version, reason } => {
                (version, Packet::Connack(Connack::refusing(reason).into()))
            }
            Answer::Disconnect(reason) => {
                (Version::V5, Packet::Disconnect(Disconnect::new(reason)))
            }
        };
        // A reason that the version has no word for leaves only the closing.
        let _ = Encoder::new(version).encode(&packet, out);
    }
}

/// Why a packet has no encoding. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string is longer than 65,535 bytes or contains U+0000 (§1.5.4).
    #[error("string of {len} bytes is too long or contains U+0000")]
    String {
        /// Its length in bytes.
        len: usize,
    },
    /// Binary data are longer than 65,535 bytes (§1.5.6).
    #[error("binary data of {len} bytes are too long")]
    Binary {
        /// Their length in bytes.
        len: usize,
    },
    /// The packet is larger than the receiver takes. It must be dropped as if
    /// it had been sent (5.0 §3.1.2.11.4).
    #[error("packet of {len} bytes is above the limit of {limit}")]
    TooLarge {
        /// Length of the whole packet in bytes.
        len: usize,
        /// The encoder's limit in bytes.
        limit: usize,
    },
    /// The packet may not carry this reason code, or the version has no form
    /// for it: then close without a word.
    #[error("{kind} cannot say {reason:?}")]
    Reason {
        /// The packet's type.
        kind: Kind,
        /// The code.
        reason: ReasonCode,
    },
    /// The version does not have this packet.
    #[error("{0} does not exist in this version")]
    NotInVersion(Kind),
    /// A list that needs an element is empty.
    #[error("{0} has an empty list")]
    EmptyList(Kind),
    /// A PUBLISH without topic: only 5.0 goes without, with an alias.
    #[error("PUBLISH has no topic")]
    NoTopic,
    /// A password without user name, which only 5.0 allows (3.1.1 §3.1.2.9).
    #[error("password without user name")]
    PasswordAlone,
    /// An empty client id without a clean session (3.1.1 §3.1.3.1).
    #[error("client id is empty")]
    EmptyClientId,
    /// A filter that is none in this version (5.0 §4.8.2).
    #[error("bad topic filter: {0}")]
    Filter(TopicError),
    /// No Local on a shared subscription (5.0 §3.8.3.1).
    #[error("a shared subscription is marked no-local")]
    NoLocalShared,
}
