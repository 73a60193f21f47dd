//! Refusals as codes of the dialect: one exhaustive table (interop.md G.5).

use crosstalk_core::refusal::Refusal;
use crosstalk_wire::gyyx::{Code, close_code};

use crate::protocol::close_code as websocket;

/// The frame that answers a message which is refused.
pub(crate) const fn send_code(refusal: Refusal) -> Code {
    match refusal {
        Refusal::SensitiveWord => Code::Sensitive,
        Refusal::NotAuthenticated
        | Refusal::LoginThrottled
        | Refusal::Forbidden
        | Refusal::UserBanned
        | Refusal::NoSuchUser
        | Refusal::NoSuchChannel
        | Refusal::NoSuchMessage
        | Refusal::Ambiguous
        | Refusal::TooLate
        | Refusal::NoSuchApp
        | Refusal::NotAMember
        | Refusal::Blocked
        | Refusal::NotAllowListed
        | Refusal::ChannelBanned
        | Refusal::ChannelDisbanded
        | Refusal::SendBanned
        | Refusal::Muted
        | Refusal::UnsupportedChannelKind
        | Refusal::InvalidChannelId
        | Refusal::InvalidUid
        | Refusal::UndecodableContent
        | Refusal::InvalidArgument
        | Refusal::TooLarge
        | Refusal::RateLimited
        | Refusal::IdempotencyConflict
        | Refusal::NoSuchRequest
        | Refusal::NoSuchFile
        | Refusal::NotFound
        | Refusal::AlreadyExists
        | Refusal::WrongState
        | Refusal::TooMany
        | Refusal::DeviceBanned
        | Refusal::HookRefused
        | Refusal::HeldForReview
        | Refusal::Unavailable
        | Refusal::Internal => Code::ParameterError,
    }
}

/// The close code behind the frame 10 that refuses a connection. Only what a new URL can mend
/// is 4401; with the others a client comes again later.
pub(crate) const fn login_close(refusal: Refusal) -> u16 {
    match refusal {
        Refusal::Unavailable
        | Refusal::Internal
        | Refusal::LoginThrottled
        | Refusal::RateLimited => websocket::TRY_AGAIN,
        _ => close_code::REFUSED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_a_code_of_their_own_and_all_else_is_a_parameter_error() {
        for refusal in Refusal::ALL {
            let expected = match refusal {
                Refusal::SensitiveWord => 133,
                _ => 10,
            };
            assert_eq!(send_code(refusal).number(), expected, "{refusal}");
        }
    }

    #[test]
    fn who_may_come_again_is_not_told_to_log_in() {
        for refusal in Refusal::ALL {
            let is_passing = [
                Refusal::Unavailable,
                Refusal::Internal,
                Refusal::LoginThrottled,
                Refusal::RateLimited,
            ]
            .contains(&refusal);
            let expected = if is_passing { 1013 } else { 4401 };
            assert_eq!(login_close(refusal), expected, "{refusal}");
        }
    }
}
