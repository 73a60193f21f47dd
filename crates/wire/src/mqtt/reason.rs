//! Reason codes (MQTT 5.0 §2.4) and what of them MQTT 3.1.1 can say.
//!
//! One enum for all packets; [`ReasonCode::is_allowed`] is the table that says
//! where each belongs. The module does not know which refusal of the messenger
//! maps to which code.

use super::{Kind, Side};

/// The outcome of an operation, as one byte on the wire (MQTT 5.0 §2.4).
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum ReasonCode {
    /// Success; in DISCONNECT a normal disconnection, in SUBACK QoS 0 granted.
    #[default]
    Success = 0x00,
    /// QoS 1 granted.
    GrantedQos1 = 0x01,
    /// QoS 2 granted.
    GrantedQos2 = 0x02,
    /// The client leaves and wants its will published.
    DisconnectWithWill = 0x04,
    /// Accepted, but nobody has subscribed.
    NoMatchingSubscribers = 0x10,
    /// There was no such subscription.
    NoSubscriptionExisted = 0x11,
    /// Another step of the authentication follows.
    ContinueAuthentication = 0x18,
    /// The client begins a new authentication.
    ReAuthenticate = 0x19,
    /// No other code fits, or the sender does not want to say.
    UnspecifiedError = 0x80,
    /// A packet cannot be parsed.
    MalformedPacket = 0x81,
    /// A packet that the protocol does not allow, or not now.
    ProtocolError = 0x82,
    /// Valid, but not accepted by this implementation.
    ImplementationSpecificError = 0x83,
    /// The server does not speak this version.
    UnsupportedProtocolVersion = 0x84,
    /// The client id is well formed but not allowed.
    ClientIdNotValid = 0x85,
    /// Wrong user name or password.
    BadUserNameOrPassword = 0x86,
    /// Not allowed.
    NotAuthorized = 0x87,
    /// The server is not available.
    ServerUnavailable = 0x88,
    /// The server is busy; try again later.
    ServerBusy = 0x89,
    /// The client is banned.
    Banned = 0x8a,
    /// The server is shutting down.
    ServerShuttingDown = 0x8b,
    /// The authentication method is not supported or not the current one.
    BadAuthenticationMethod = 0x8c,
    /// Nothing was heard for one and a half keep-alive periods.
    KeepAliveTimeout = 0x8d,
    /// Another connection took the session.
    SessionTakenOver = 0x8e,
    /// The filter is well formed but not accepted.
    TopicFilterInvalid = 0x8f,
    /// The topic is well formed but not accepted.
    TopicNameInvalid = 0x90,
    /// The packet id is already in use.
    PacketIdInUse = 0x91,
    /// The packet id is unknown.
    PacketIdNotFound = 0x92,
    /// More unacknowledged messages than the receiver allows.
    ReceiveMaximumExceeded = 0x93,
    /// A topic alias that the receiver did not allow.
    TopicAliasInvalid = 0x94,
    /// A packet larger than the receiver allows.
    PacketTooLarge = 0x95,
    /// Messages come too fast.
    MessageRateTooHigh = 0x96,
    /// A quota is used up.
    QuotaExceeded = 0x97,
    /// An administrator ended the connection.
    AdministrativeAction = 0x98,
    /// The payload is not of the announced format.
    PayloadFormatInvalid = 0x99,
    /// Retained messages are not supported.
    RetainNotSupported = 0x9a,
    /// The QoS is above the server's maximum.
    QosNotSupported = 0x9b,
    /// Use another server for now.
    UseAnotherServer = 0x9c,
    /// Use another server from now on.
    ServerMoved = 0x9d,
    /// Shared subscriptions are not supported.
    SharedSubscriptionsNotSupported = 0x9e,
    /// Too many connections in a short time.
    ConnectionRateExceeded = 0x9f,
    /// The longest time for a connection is over.
    MaximumConnectTime = 0xa0,
    /// Subscription ids are not supported.
    SubscriptionIdsNotSupported = 0xa1,
    /// Filters with wildcards are not supported.
    WildcardSubscriptionsNotSupported = 0xa2,
}

use ReasonCode as R;

impl ReasonCode {
    /// Every code, by number.
    pub const ALL: [ReasonCode; 43] = [
        R::Success,
        R::GrantedQos1,
        R::GrantedQos2,
        R::DisconnectWithWill,
        R::NoMatchingSubscribers,
        R::NoSubscriptionExisted,
        R::ContinueAuthentication,
        R::ReAuthenticate,
        R::UnspecifiedError,
        R::MalformedPacket,
        R::ProtocolError,
        R::ImplementationSpecificError,
        R::UnsupportedProtocolVersion,
        R::ClientIdNotValid,
        R::BadUserNameOrPassword,
        R::NotAuthorized,
        R::ServerUnavailable,
        R::ServerBusy,
        R::Banned,
        R::ServerShuttingDown,
        R::BadAuthenticationMethod,
        R::KeepAliveTimeout,
        R::SessionTakenOver,
        R::TopicFilterInvalid,
        R::TopicNameInvalid,
        R::PacketIdInUse,
        R::PacketIdNotFound,
        R::ReceiveMaximumExceeded,
        R::TopicAliasInvalid,
        R::PacketTooLarge,
        R::MessageRateTooHigh,
        R::QuotaExceeded,
        R::AdministrativeAction,
        R::PayloadFormatInvalid,
        R::RetainNotSupported,
        R::QosNotSupported,
        R::UseAnotherServer,
        R::ServerMoved,
        R::SharedSubscriptionsNotSupported,
        R::ConnectionRateExceeded,
        R::MaximumConnectTime,
        R::SubscriptionIdsNotSupported,
        R::WildcardSubscriptionsNotSupported,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The reason with this code, if 5.0 defines one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<ReasonCode> {
        let index = R::ALL.binary_search_by_key(&code, |reason| reason.code());
        index.ok().map(|index| R::ALL[index])
    }

    /// Whether the code says that something failed (0x80 and above).
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.code() >= 0x80
    }

    /// What SUBACK says when `qos` was granted.
    #[must_use]
    pub const fn granted(qos: super::Qos) -> ReasonCode {
        match qos {
            super::Qos::AtMostOnce => R::Success,
            super::Qos::AtLeastOnce => R::GrantedQos1,
            super::Qos::ExactlyOnce => R::GrantedQos2,
        }
    }

    /// Whether a `kind` of packet from `side` may carry this code in 5.0: the
    /// tables of §2.4, §3.14.2.1 and §3.15.2.1.
    #[must_use]
    pub fn is_allowed(self, kind: Kind, side: Side) -> bool {
        match kind {
            Kind::Connack => self.is_in_connack(),
            Kind::Puback | Kind::Pubrec => matches!(
                self,
                R::Success
                    | R::NoMatchingSubscribers
                    | R::UnspecifiedError
                    | R::ImplementationSpecificError
                    | R::NotAuthorized
                    | R::TopicNameInvalid
                    | R::PacketIdInUse
                    | R::QuotaExceeded
                    | R::PayloadFormatInvalid
            ),
            Kind::Pubrel | Kind::Pubcomp => matches!(self, R::Success | R::PacketIdNotFound),
            Kind::Suback => matches!(
                self,
                R::Success
                    | R::GrantedQos1
                    | R::GrantedQos2
                    | R::UnspecifiedError
                    | R::ImplementationSpecificError
                    | R::NotAuthorized
                    | R::TopicFilterInvalid
                    | R::PacketIdInUse
                    | R::QuotaExceeded
                    | R::SharedSubscriptionsNotSupported
                    | R::SubscriptionIdsNotSupported
                    | R::WildcardSubscriptionsNotSupported
            ),
            Kind::Unsuback => matches!(
                self,
                R::Success
                    | R::NoSubscriptionExisted
                    | R::UnspecifiedError
                    | R::ImplementationSpecificError
                    | R::NotAuthorized
                    | R::TopicFilterInvalid
                    | R::PacketIdInUse
            ),
            Kind::Disconnect => self.is_in_disconnect(side),
            Kind::Auth => match side {
                Side::Client => matches!(self, R::ContinueAuthentication | R::ReAuthenticate),
                Side::Server => matches!(self, R::Success | R::ContinueAuthentication),
            },
            Kind::Connect
            | Kind::Publish
            | Kind::Subscribe
            | Kind::Unsubscribe
            | Kind::Pingreq
            | Kind::Pingresp => false,
        }
    }

    fn is_in_connack(self) -> bool {
        matches!(
            self,
            R::Success
                | R::UnspecifiedError
                | R::MalformedPacket
                | R::ProtocolError
                | R::ImplementationSpecificError
                | R::UnsupportedProtocolVersion
                | R::ClientIdNotValid
                | R::BadUserNameOrPassword
                | R::NotAuthorized
                | R::ServerUnavailable
                | R::ServerBusy
                | R::Banned
                | R::BadAuthenticationMethod
                | R::TopicNameInvalid
                | R::PacketTooLarge
                | R::QuotaExceeded
                | R::PayloadFormatInvalid
                | R::RetainNotSupported
                | R::QosNotSupported
                | R::UseAnotherServer
                | R::ServerMoved
                | R::ConnectionRateExceeded
        )
    }

    fn is_in_disconnect(self, side: Side) -> bool {
        match self {
            R::Success
            | R::UnspecifiedError
            | R::MalformedPacket
            | R::ProtocolError
            | R::ImplementationSpecificError
            // In the list of §2.4, though not in that of §3.14.2.1.
            | R::BadAuthenticationMethod
            | R::TopicNameInvalid
            | R::ReceiveMaximumExceeded
            | R::TopicAliasInvalid
            | R::PacketTooLarge
            | R::MessageRateTooHigh
            | R::QuotaExceeded
            | R::AdministrativeAction
            | R::PayloadFormatInvalid => true,
            R::DisconnectWithWill => side == Side::Client,
            R::NotAuthorized
            | R::ServerBusy
            | R::ServerShuttingDown
            | R::KeepAliveTimeout
            | R::SessionTakenOver
            | R::TopicFilterInvalid
            | R::RetainNotSupported
            | R::QosNotSupported
            | R::UseAnotherServer
            | R::ServerMoved
            | R::SharedSubscriptionsNotSupported
            | R::ConnectionRateExceeded
            | R::MaximumConnectTime
            | R::SubscriptionIdsNotSupported
            | R::WildcardSubscriptionsNotSupported => side == Side::Server,
            _ => false,
        }
    }

    /// The return code of a 3.1.1 CONNACK that comes nearest; `None` where
    /// 3.1.1 has none and the server closes without a word (3.1.1 §3.2.2.3).
    #[must_use]
    pub const fn return_code(self) -> Option<u8> {
        match self {
            R::Success => Some(0),
            R::UnsupportedProtocolVersion => Some(1),
            R::ClientIdNotValid => Some(2),
            R::ServerUnavailable
            | R::ServerBusy
            | R::ServerShuttingDown
            | R::QuotaExceeded
            | R::UseAnotherServer
            | R::ServerMoved
            | R::ConnectionRateExceeded => Some(3),
            R::BadUserNameOrPassword => Some(4),
            R::NotAuthorized | R::Banned | R::BadAuthenticationMethod => Some(5),
            _ => None,
        }
    }

    /// The reason that a 3.1.1 CONNACK means; `None` for reserved codes.
    #[must_use]
    pub const fn from_return_code(code: u8) -> Option<ReasonCode> {
        match code {
            0 => Some(R::Success),
            1 => Some(R::UnsupportedProtocolVersion),
            2 => Some(R::ClientIdNotValid),
            3 => Some(R::ServerUnavailable),
            4 => Some(R::BadUserNameOrPassword),
            5 => Some(R::NotAuthorized),
            _ => None,
        }
    }
}
