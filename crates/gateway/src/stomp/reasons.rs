//! Refusals as this dialect's codes and words: one exhaustive table (stomp.md Q2-11,
//! interop.md G.5).

use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::Fault;
use crosstalk_wire::stomp::im::Code;

/// `errorCode` and `errorMessage` of a FAILED message; `code` and `message` of an error and
/// of a REST answer.
#[must_use]
pub const fn failure(refusal: Refusal) -> (Code, &'static str) {
    match refusal {
        Refusal::NotAuthenticated => (Code::Unauthorized, "Unauthorized"),
        Refusal::LoginThrottled | Refusal::RateLimited => {
            (Code::TooManyRequests, "Too many requests")
        }
        Refusal::Forbidden => (Code::Forbidden, "Forbidden"),
        Refusal::UserBanned => (Code::Forbidden, "User banned"),
        Refusal::NoSuchUser | Refusal::InvalidUid => (Code::NotFound, "User not found"),
        // What cannot be a group's id is none's.
        Refusal::NoSuchChannel | Refusal::InvalidChannelId => (Code::NotFound, "Group not found"),
        Refusal::NoSuchMessage => (Code::NotFound, "Message not found"),
        Refusal::NoSuchApp => (Code::NotFound, "App not found"),
        Refusal::Ambiguous => (Code::Conflict, "Several messages have this id"),
        Refusal::TooLate => (Code::Conflict, "Revoke window expired"),
        Refusal::IdempotencyConflict => (Code::Conflict, "messageId was used for another content"),
        Refusal::NotAMember => (Code::Forbidden, "Not a member"),
        Refusal::Blocked => (Code::Forbidden, "Blocked"),
        Refusal::NotAllowListed => (Code::Forbidden, "Not allowed by the receiver"),
        Refusal::ChannelBanned => (Code::Forbidden, "Banned"),
        Refusal::SendBanned | Refusal::Muted => (Code::Forbidden, "Muted"),
        Refusal::SensitiveWord => (Code::Forbidden, "Sensitive content"),
        Refusal::ChannelDisbanded => (Code::Gone, "Group dissolved"),
        Refusal::UnsupportedChannelKind => (Code::BadRequest, "chatType is invalid"),
        Refusal::UndecodableContent => (Code::BadRequest, "content is invalid"),
        Refusal::InvalidArgument => (Code::BadRequest, "Bad request"),
        Refusal::NoSuchRequest => (Code::NotFound, "Request not found"),
        Refusal::NoSuchFile => (Code::NotFound, "File not found"),
        Refusal::NotFound => (Code::NotFound, "Not found"),
        Refusal::AlreadyExists => (Code::Conflict, "Already exists"),
        Refusal::WrongState => (Code::Conflict, "Not possible now"),
        Refusal::TooMany => (Code::Conflict, "Too many"),
        Refusal::DeviceBanned => (Code::Forbidden, "Device banned"),
        Refusal::HookRefused => (Code::Forbidden, "Refused"),
        Refusal::HeldForReview => (Code::Forbidden, "Held for review"),
        Refusal::TooLarge => (Code::TooLarge, "Message too large"),
        Refusal::Unavailable => (Code::Internal, "Try again later"),
        Refusal::Internal => (Code::Internal, "Internal error"),
    }
}

/// The ERROR that answers a CONNECT.
pub(crate) const fn login_fault(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Unavailable | Refusal::Internal => Fault::Internal,
        _ => Fault::Unauthorized,
    }
}

/// What is said of a refused edit.
#[must_use]
pub const fn edit_failure(refusal: Refusal) -> (Code, &'static str) {
    match refusal {
        Refusal::TooLate => (Code::Conflict, "Edit window expired"),
        other => failure(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_looks_like_success_and_each_says_why() {
        for refusal in Refusal::ALL {
            let (code, text) = failure(refusal);
            assert!(!code.is_ok(), "{refusal}");
            assert!(!text.is_empty(), "{refusal}");
        }
    }

    #[test]
    fn the_codes_of_the_specification() {
        let table = [
            (Refusal::NotAuthenticated, 401),
            (Refusal::UndecodableContent, 400),
            (Refusal::NoSuchUser, 404),
            (Refusal::NoSuchChannel, 404),
            (Refusal::NotAMember, 403),
            (Refusal::Blocked, 403),
            (Refusal::NotAllowListed, 403),
            (Refusal::Muted, 403),
            (Refusal::SendBanned, 403),
            (Refusal::ChannelDisbanded, 410),
            (Refusal::SensitiveWord, 403),
            (Refusal::RateLimited, 429),
            (Refusal::TooLarge, 413),
            (Refusal::IdempotencyConflict, 409),
            (Refusal::TooLate, 409),
            (Refusal::Forbidden, 403),
            (Refusal::NoSuchMessage, 404),
            (Refusal::Internal, 500),
        ];
        for (refusal, number) in table {
            assert_eq!(failure(refusal).0.number(), number, "{refusal}");
        }
        // The documentation's own words.
        assert_eq!(failure(Refusal::NoSuchUser).1, "User not found");
        assert_eq!(failure(Refusal::TooLate).1, "Revoke window expired");
        assert_eq!(failure(Refusal::NotAMember).1, "Not a member");
    }

    #[test]
    fn who_may_not_log_in_is_told_so_and_nothing_more() {
        for refusal in Refusal::ALL {
            let expected = match refusal {
                Refusal::Unavailable | Refusal::Internal => Fault::Internal,
                _ => Fault::Unauthorized,
            };
            assert_eq!(login_fault(refusal), expected, "{refusal}");
        }
    }
}
