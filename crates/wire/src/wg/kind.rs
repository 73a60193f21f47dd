//! The codes of `type` (wg.md B.a, S0-23 to S0-28).

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// 1000: registers the session.
    Register,
    /// 2001: text.
    Text,
    /// 3001: a notice.
    Notice,
    /// 3003: a notice with a target.
    TargetNotice,
    /// 9001: what became of a message that was sent.
    SendStatus,
    /// 9101: what became of a message that was received.
    ReceiveStatus,
    /// Any other number: an application's own (wg.md Q0-27).
    Custom(i64),
}

impl Kind {
    /// The kind of a code.
    #[must_use]
    pub const fn of(code: i64) -> Kind {
        match code {
            1000 => Kind::Register,
            2001 => Kind::Text,
            3001 => Kind::Notice,
            3003 => Kind::TargetNotice,
            9001 => Kind::SendStatus,
            9101 => Kind::ReceiveStatus,
            other => Kind::Custom(other),
        }
    }

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> i64 {
        match self {
            Kind::Register => 1000,
            Kind::Text => 2001,
            Kind::Notice => 3001,
            Kind::TargetNotice => 3003,
            Kind::SendStatus => 9001,
            Kind::ReceiveStatus => 9101,
            Kind::Custom(code) => code,
        }
    }

    /// What the document calls it; nothing for an application's own.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Kind::Register => Some("注册消息"),
            Kind::Text => Some("文本消息"),
            Kind::Notice => Some("通知"),
            Kind::TargetNotice => Some("带目标的通知"),
            Kind::SendStatus => Some("消息发送状态"),
            Kind::ReceiveStatus => Some("消息接受状态"),
            Kind::Custom(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_document() {
        let named: Vec<i64> = (0..10_000)
            .filter(|code| Kind::of(*code).name().is_some())
            .collect();
        assert_eq!(named, [1000, 2001, 3001, 3003, 9001, 9101]);
        for code in [i64::MIN, -1000, 0, 1000, 2001, 2999, 9001, i64::MAX] {
            assert_eq!(Kind::of(code).code(), code);
        }
    }
}
