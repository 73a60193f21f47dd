//! Result codes: `errorCode` of a FAILED message, `code` of an error on
//! `/user/queue/errors` and of a REST answer (stomp.md Q2-11, Q2-31).
//!
//! A code's number is its contract, and in REST it is the HTTP status too.
//! The module does not know which refusal of the messenger maps to which.

use serde::{Serialize, Serializer};

/// Why something succeeded or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Code {
    /// It is done; REST only.
    Ok = 200,
    /// The request is malformed, or a member is missing or wrong.
    BadRequest = 400,
    /// The caller is not known; REST only, sockets get an ERROR frame.
    Unauthorized = 401,
    /// The caller may not do this.
    Forbidden = 403,
    /// The user, group, message or destination does not exist.
    NotFound = 404,
    /// It conflicts with what is: an id used for another content, a message
    /// too old to be revoked.
    Conflict = 409,
    /// The group is gone.
    Gone = 410,
    /// The message is too large.
    TooLarge = 413,
    /// Too many requests.
    TooManyRequests = 429,
    /// The server failed; nothing was done.
    Internal = 500,
}

impl Code {
    /// Every code.
    pub const ALL: [Code; 10] = [
        Code::Ok,
        Code::BadRequest,
        Code::Unauthorized,
        Code::Forbidden,
        Code::NotFound,
        Code::Conflict,
        Code::Gone,
        Code::TooLarge,
        Code::TooManyRequests,
        Code::Internal,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code with this number.
    #[must_use]
    pub fn from_number(number: u16) -> Option<Code> {
        Code::ALL.into_iter().find(|code| code.number() == number)
    }

    /// What a client is told where nothing more exact is known.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Code::Ok => "success",
            Code::BadRequest => "Bad request",
            Code::Unauthorized => "Unauthorized",
            Code::Forbidden => "Forbidden",
            Code::NotFound => "Not found",
            Code::Conflict => "Conflict",
            Code::Gone => "Gone",
            Code::TooLarge => "Message too large",
            Code::TooManyRequests => "Too many requests",
            Code::Internal => "Internal error",
        }
    }

    /// Whether something was done.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        matches!(self, Code::Ok)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_found_by_its_number() {
        for code in Code::ALL {
            assert_eq!(Code::from_number(code.number()), Some(code));
            assert_eq!(code.is_ok(), code.number() == 200);
        }
        assert_eq!(Code::from_number(418), None);
    }
}
