//! The codes of `StatusEnum`, and what people are told (wg.md S0-37 to S0-45).

/// What became of a message.
#[repr(u16)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// It worked.
    Success = 200,
    /// It is not allowed, or went wrong.
    Failed = 400,
    /// It is no message.
    MessageError = 401,
    /// The session is not registered, unknown, or over.
    SessionError = 402,
    /// No such type.
    TypeError = 403,
    /// The body does not fit the type.
    BodyError = 404,
    /// The sender is not who it says.
    FromError = 405,
    /// No such receiver.
    ToError = 406,
    /// The receiver could not use it.
    ReceiveError = 407,
}

impl Status {
    /// Every status, in the order of the codes.
    pub const ALL: [Status; 9] = [
        Status::Success,
        Status::Failed,
        Status::MessageError,
        Status::SessionError,
        Status::TypeError,
        Status::BodyError,
        Status::FromError,
        Status::ToError,
        Status::ReceiveError,
    ];

    /// The number in `code`.
    #[must_use]
    pub const fn code(self) -> i64 {
        self as i64
    }

    /// The name in `status`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Status::Success => "SUCCESS",
            Status::Failed => "FAILED",
            Status::MessageError => "MESSAGE_ERROR",
            Status::SessionError => "SESSION_ERROR",
            Status::TypeError => "TYPE_ERROR",
            Status::BodyError => "BODY_ERROR",
            Status::FromError => "FROM_ERROR",
            Status::ToError => "TO_ERROR",
            Status::ReceiveError => "RECEIVE_ERROR",
        }
    }

    /// What the document says it means; what a person is told when there is
    /// nothing better to say.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Status::Success => "成功",
            Status::Failed => "失败",
            Status::MessageError => "消息错误",
            Status::SessionError => "会话错误",
            Status::TypeError => "类型编码错误",
            Status::BodyError => "消息体错误",
            Status::FromError => "来源错误",
            Status::ToError => "接收人错误",
            Status::ReceiveError => "接收错误",
        }
    }

    /// The status of a code.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Status> {
        Status::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The status of a name in any case, or of a code in digits.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Status> {
        Status::ALL
            .into_iter()
            .find(|status| status.name().eq_ignore_ascii_case(name))
            .or_else(|| Status::of_code(name.parse().ok()?))
    }
}

/// What people are told, beside [`Status::text`] (wg.md B.b, B.c).
pub mod texts {
    use std::borrow::Cow;

    /// The registration worked.
    pub const REGISTERED: &str = "注册成功";
    /// The message is stored, and a receiver is there.
    pub const SENT: &str = "发送成功";
    /// The message is stored; no receiver is there.
    pub const SENT_OFFLINE: &str = "接收人不在线,已转离线";
    /// The message has arrived.
    pub const RECEIVED: &str = "已接收";
    /// Not a JSON object, or a required member is missing.
    pub const MALFORMED: &str = "消息格式错误";
    /// The body is above the limit.
    pub const TOO_LARGE: &str = "消息体过大";
    /// Nothing was registered yet.
    pub const NOT_REGISTERED: &str = "未注册会话";
    /// The session id is not known, or no more.
    pub const NO_SUCH_SESSION: &str = "会话不存在或已过期";
    /// A newer registration took the name.
    pub const REPLACED: &str = "已在其他地方登录";
    /// A sensitive word.
    pub const SENSITIVE: &str = "包含敏感词";
    /// Above the rate limit.
    pub const TOO_FAST: &str = "发送过快";

    /// Some receivers of a list do not exist; the others got the message. The
    /// list has at most [`MAX_RECIPIENTS`](crate::wg::MAX_RECIPIENTS) ids.
    #[must_use]
    pub fn unknown_recipients<'a>(ids: impl IntoIterator<Item = &'a str>) -> Cow<'static, str> {
        named("部分接收人不存在:", ids)
    }

    /// Some receivers of a list may not be written to; the others got the message.
    #[must_use]
    pub fn failed_recipients<'a>(ids: impl IntoIterator<Item = &'a str>) -> Cow<'static, str> {
        named("部分接收人发送失败:", ids)
    }

    fn named<'a>(what: &str, ids: impl IntoIterator<Item = &'a str>) -> Cow<'static, str> {
        let mut text = String::from(what);
        for (at, id) in ids.into_iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(id);
        }
        Cow::Owned(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_names_and_texts_are_those_of_the_document() {
        let table: Vec<_> = Status::ALL
            .map(|status| (status.code(), status.name(), status.text()))
            .into();
        assert_eq!(
            table,
            [
                (200, "SUCCESS", "成功"),
                (400, "FAILED", "失败"),
                (401, "MESSAGE_ERROR", "消息错误"),
                (402, "SESSION_ERROR", "会话错误"),
                (403, "TYPE_ERROR", "类型编码错误"),
                (404, "BODY_ERROR", "消息体错误"),
                (405, "FROM_ERROR", "来源错误"),
                (406, "TO_ERROR", "接收人错误"),
                (407, "RECEIVE_ERROR", "接收错误"),
            ]
        );
    }

    #[test]
    fn a_status_is_found_by_name_or_code() {
        for status in Status::ALL {
            assert_eq!(Status::of_code(status.code()), Some(status));
            assert_eq!(Status::of_name(status.name()), Some(status));
            assert_eq!(Status::of_name(&status.name().to_lowercase()), Some(status));
            assert_eq!(Status::of_name(&status.code().to_string()), Some(status));
        }
        for name in ["", "OK", "SUCCES", "201", "-200"] {
            assert_eq!(Status::of_name(name), None, "{name}");
        }
    }

    #[test]
    fn unknown_recipients_are_named() {
        assert_eq!(
            texts::unknown_recipients(["u9", "u10"]),
            "部分接收人不存在:u9,u10"
        );
    }
}
