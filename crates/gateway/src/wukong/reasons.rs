//! Refusals as WuKongIM reason codes: one exhaustive table (wukong.md §1.5, interop.md G.5).

use crosstalk_core::refusal::Refusal;
use crosstalk_wire::wukong::reason::Reason;

/// The reason in a SENDACK.
pub(crate) const fn send_reason(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::NotAuthenticated => Reason::AuthFail,
        Refusal::LoginThrottled | Refusal::RateLimited => Reason::RateLimit,
        Refusal::Forbidden
        | Refusal::SensitiveWord
        | Refusal::HookRefused
        | Refusal::HeldForReview => Reason::NotAllowSend,
        Refusal::UserBanned | Refusal::DeviceBanned | Refusal::ChannelBanned | Refusal::Muted => {
            Reason::Ban
        }
        Refusal::NoSuchUser
        | Refusal::NoSuchApp
        | Refusal::NoSuchRequest
        | Refusal::NoSuchFile
        | Refusal::NotFound
        | Refusal::NoSuchMessage => Reason::ChannelNotExist,
        // Sending to a group that was never made yields 3, as in the original.
        Refusal::NoSuchChannel | Refusal::NotAMember => Reason::SubscriberNotExist,
        Refusal::Blocked => Reason::InBlacklist,
        Refusal::NotAllowListed => Reason::NotInWhitelist,
        Refusal::ChannelDisbanded => Reason::Disband,
        Refusal::SendBanned => Reason::SendBan,
        Refusal::UnsupportedChannelKind => Reason::NotSupportChannelType,
        Refusal::InvalidChannelId | Refusal::InvalidUid => Reason::ChannelIdError,
        Refusal::UndecodableContent | Refusal::InvalidArgument | Refusal::TooLarge => {
            Reason::PayloadDecodeError
        }
        Refusal::IdempotencyConflict
        | Refusal::Ambiguous
        | Refusal::AlreadyExists
        | Refusal::WrongState
        | Refusal::TooMany
        | Refusal::TooLate => Reason::NotAllowSend,
        Refusal::Unavailable | Refusal::Internal => Reason::SystemError,
    }
}

/// The reason in a CONNACK.
pub(crate) const fn login_reason(refusal: Refusal) -> Reason {
    match refusal {
        Refusal::UserBanned => Reason::Ban,
        Refusal::LoginThrottled | Refusal::RateLimited => Reason::RateLimit,
        Refusal::Unavailable | Refusal::Internal => Reason::QueryTokenError,
        _ => Reason::AuthFail,
    }
}

/// The numeric code of a refused send, for WuKongIM's HTTP API.
#[must_use]
pub fn reason_code(refusal: Refusal) -> u8 {
    u8::from(send_reason(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_looks_like_success() {
        for refusal in Refusal::ALL {
            let code = reason_code(refusal);
            assert!((2..=25).contains(&code), "{refusal}: {code}");
            assert!(u8::from(login_reason(refusal)) > 1, "{refusal}");
        }
    }

    #[test]
    fn the_codes_of_the_specification() {
        let table = [
            (Refusal::NotAMember, 3),
            (Refusal::Blocked, 4),
            (Refusal::NoSuchUser, 5),
            (Refusal::UndecodableContent, 9),
            (Refusal::NotAllowListed, 13),
            (Refusal::Unavailable, 15),
            (Refusal::InvalidChannelId, 16),
            (Refusal::ChannelBanned, 19),
            (Refusal::Muted, 19),
            (Refusal::RateLimited, 22),
            (Refusal::UnsupportedChannelKind, 23),
            (Refusal::ChannelDisbanded, 24),
            (Refusal::SendBanned, 25),
        ];
        for (refusal, code) in table {
            assert_eq!(reason_code(refusal), code, "{refusal}");
        }
    }
}
