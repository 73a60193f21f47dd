//! Refusals in mqtt's words: the code of the error message and the reason code of MQTT 5, one
//! exhaustive table (interop.md G.5; mqtt.md Q3-9, E.c).

use crosstalk_core::refusal::Refusal;
use crosstalk_wire::mqtt::ReasonCode;

/// What a client is told of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    /// The code of the error message, as in HTTP.
    pub(super) code: u16,
    /// The reason in PUBACK or PUBREC.
    pub(super) reason: ReasonCode,
}

/// What was published is no message.
pub(super) const MALFORMED: Told = told(400, ReasonCode::PayloadFormatInvalid);
/// It says that somebody else sends it, or to another tenant.
pub(super) const FORGED: Told = told(403, ReasonCode::NotAuthorized);

const fn told(code: u16, reason: ReasonCode) -> Told {
    Told { code, reason }
}

/// What is said of a refused publication.
pub(super) const fn refused(refusal: Refusal) -> Told {
    match refusal {
        Refusal::NotAuthenticated => told(401, ReasonCode::NotAuthorized),
        Refusal::Forbidden
        | Refusal::UserBanned
        | Refusal::NotAMember
        | Refusal::Blocked
        | Refusal::NotAllowListed
        | Refusal::ChannelBanned
        | Refusal::SendBanned
        | Refusal::Muted
        | Refusal::DeviceBanned
        | Refusal::HookRefused
        | Refusal::HeldForReview
        | Refusal::SensitiveWord => told(403, ReasonCode::NotAuthorized),
        Refusal::NoSuchUser
        | Refusal::NoSuchChannel
        | Refusal::NoSuchMessage
        | Refusal::NoSuchRequest
        | Refusal::NoSuchFile
        | Refusal::NotFound
        | Refusal::NoSuchApp => told(404, ReasonCode::UnspecifiedError),
        Refusal::ChannelDisbanded => told(410, ReasonCode::UnspecifiedError),
        Refusal::TooLate
        | Refusal::Ambiguous
        | Refusal::AlreadyExists
        | Refusal::WrongState
        | Refusal::TooMany
        | Refusal::IdempotencyConflict => told(409, ReasonCode::ImplementationSpecificError),
        Refusal::UnsupportedChannelKind
        | Refusal::InvalidChannelId
        | Refusal::InvalidUid
        | Refusal::UndecodableContent
        | Refusal::InvalidArgument => MALFORMED,
        Refusal::TooLarge => told(413, ReasonCode::PayloadFormatInvalid),
        Refusal::RateLimited | Refusal::LoginThrottled => told(429, ReasonCode::QuotaExceeded),
        Refusal::Unavailable => told(503, ReasonCode::UnspecifiedError),
        Refusal::Internal => told(500, ReasonCode::UnspecifiedError),
    }
}

/// The code of a refusal in this dialect's HTTP answers and error messages.
#[must_use]
pub const fn mqtt_error_code(refusal: Refusal) -> u16 {
    refused(refusal).code
}

/// The reason in a CONNACK.
pub(super) const fn login_reason(refusal: Refusal) -> ReasonCode {
    match refusal {
        Refusal::Forbidden => ReasonCode::NotAuthorized,
        Refusal::UserBanned => ReasonCode::Banned,
        Refusal::LoginThrottled | Refusal::RateLimited => ReasonCode::ConnectionRateExceeded,
        Refusal::Unavailable | Refusal::Internal => ReasonCode::ServerUnavailable,
        _ => ReasonCode::BadUserNameOrPassword,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crosstalk_wire::mqtt::{Connack, Encoder, Kind, Packet, Side, Version};

    #[test]
    fn every_refusal_has_a_code_and_a_reason_that_packets_can_carry() {
        for refusal in Refusal::ALL {
            let Told { code, reason } = refused(refusal);
            assert!((400..=503).contains(&code), "{refusal}: {code}");
            assert!(reason.is_error(), "{refusal}");
            for kind in [Kind::Puback, Kind::Pubrec] {
                assert!(reason.is_allowed(kind, Side::Server), "{refusal}");
            }
            for version in [Version::V311, Version::V5] {
                let connack = Connack::refusing(login_reason(refusal));
                let mut out = bytes::BytesMut::new();
                let encoded =
                    Encoder::new(version).encode(&Packet::Connack(connack.into()), &mut out);
                assert_eq!(encoded, Ok(()), "{refusal}");
                assert_ne!(out[3], 0, "{refusal} does not look like success");
            }
        }
    }

    #[test]
    fn the_codes_of_the_specification() {
        let table = [
            (Refusal::NoSuchUser, 404, 0x80),
            (Refusal::NotAMember, 403, 0x87),
            (Refusal::Blocked, 403, 0x87),
            (Refusal::SensitiveWord, 403, 0x87),
            (Refusal::ChannelDisbanded, 410, 0x80),
            (Refusal::RateLimited, 429, 0x97),
            (Refusal::TooLarge, 413, 0x99),
            (Refusal::InvalidArgument, 400, 0x99),
            (Refusal::TooLate, 409, 0x83),
            (Refusal::Internal, 500, 0x80),
        ];
        for (refusal, code, reason) in table {
            let told = refused(refusal);
            assert_eq!((told.code, told.reason.code()), (code, reason), "{refusal}");
        }
        assert_eq!(login_reason(Refusal::NotAuthenticated).code(), 0x86);
        assert_eq!(login_reason(Refusal::Forbidden).return_code(), Some(5));
        assert_eq!(
            login_reason(Refusal::NotAuthenticated).return_code(),
            Some(4)
        );
    }
}
