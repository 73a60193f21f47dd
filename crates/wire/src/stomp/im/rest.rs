//! The envelope of REST answers (stomp.md Q2-31).

use serde::Serialize;

use super::Code;

/// `{"code":200,"status":"0","data":…,"message":"success"}`; the code is the
/// HTTP status too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer<'a, T> {
    code: Code,
    status: &'static str,
    data: Option<T>,
    message: &'a str,
}

impl<T> Answer<'static, T> {
    /// It is done.
    #[must_use]
    pub const fn ok(data: T) -> Answer<'static, T> {
        Answer {
            code: Code::Ok,
            status: "0",
            data: Some(data),
            message: Code::Ok.text(),
        }
    }
}

impl<'a> Answer<'a, ()> {
    /// It is not done, for this reason; `code` is not [`Code::Ok`].
    #[must_use]
    pub const fn failed(code: Code, message: &'a str) -> Answer<'a, ()> {
        Answer {
            code,
            status: "1",
            data: None,
            message,
        }
    }
}

impl<T> Answer<'_, T> {
    /// The HTTP status.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        self.code.number()
    }
}

/// A part of a list, as an answer's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<'a, T> {
    /// The items.
    pub list: &'a [T],
    /// Whether there are more.
    pub has_more: bool,
    /// Where the next part begins; `null` at the end.
    pub cursor: Option<&'a str>,
}
