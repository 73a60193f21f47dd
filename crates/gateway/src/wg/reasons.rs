//! Refusals as status codes and words: one exhaustive table (interop.md G.5).

use crosstalk_core::refusal::Refusal;
use crosstalk_wire::wg::{Status, texts};

/// The status of a 9001, and what a person is told.
pub(crate) const fn reason(refusal: Refusal) -> (Status, &'static str) {
    match refusal {
        Refusal::NotAuthenticated => (Status::SessionError, texts::NO_SUCH_SESSION),
        Refusal::LoginThrottled | Refusal::RateLimited => (Status::Failed, texts::TOO_FAST),
        Refusal::Forbidden => (Status::Failed, "没有权限"),
        Refusal::UserBanned => (Status::Failed, "账号已被封禁"),
        Refusal::NoSuchUser | Refusal::InvalidUid | Refusal::NoSuchApp => {
            (Status::ToError, "接收人不存在")
        }
        Refusal::NoSuchChannel | Refusal::InvalidChannelId | Refusal::UnsupportedChannelKind => {
            (Status::ToError, "群组不存在")
        }
        Refusal::NotAMember => (Status::ToError, "不是群组成员"),
        Refusal::ChannelDisbanded => (Status::ToError, "群组已解散"),
        Refusal::NoSuchMessage | Refusal::Ambiguous => (Status::ReceiveError, "消息不存在"),
        Refusal::TooLate => (Status::Failed, "已超过时限"),
        Refusal::Blocked => (Status::Failed, "已被对方拉黑"),
        Refusal::NotAllowListed => (Status::Failed, "对方只接收好友消息"),
        Refusal::ChannelBanned => (Status::Failed, "群组已被封禁"),
        Refusal::SendBanned => (Status::Failed, "已被禁止发送消息"),
        Refusal::Muted => (Status::Failed, "已被禁言"),
        Refusal::UndecodableContent => (Status::BodyError, Status::BodyError.text()),
        // Nothing but an id that is too long.
        Refusal::InvalidArgument => (Status::MessageError, texts::MALFORMED),
        Refusal::SensitiveWord => (Status::Failed, texts::SENSITIVE),
        Refusal::TooLarge => (Status::MessageError, texts::TOO_LARGE),
        Refusal::IdempotencyConflict => (Status::Failed, "消息id重复"),
        Refusal::NoSuchRequest => (Status::Failed, "申请不存在"),
        Refusal::NoSuchFile => (Status::Failed, "文件不存在"),
        Refusal::NotFound => (Status::Failed, "不存在"),
        Refusal::AlreadyExists => (Status::Failed, "已存在"),
        Refusal::WrongState => (Status::Failed, "当前状态不允许"),
        Refusal::TooMany => (Status::Failed, "数量超出限制"),
        Refusal::DeviceBanned => (Status::Failed, "设备已被封禁"),
        Refusal::HookRefused => (Status::Failed, "消息被拒绝"),
        Refusal::HeldForReview => (Status::Failed, "消息等待审核"),
        Refusal::Unavailable => (Status::Failed, "服务暂不可用"),
        Refusal::Internal => (Status::Failed, "系统错误"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_refusal_looks_like_success_or_has_no_words() {
        for refusal in Refusal::ALL {
            let (status, msg) = reason(refusal);
            assert_ne!(status, Status::Success, "{refusal}");
            assert!(!msg.is_empty(), "{refusal}");
        }
    }

    #[test]
    fn the_codes_of_the_specification() {
        let table = [
            (Refusal::NotAuthenticated, 402),
            (Refusal::UndecodableContent, 404),
            (Refusal::NoSuchUser, 406),
            (Refusal::NoSuchChannel, 406),
            (Refusal::NotAMember, 406),
            (Refusal::ChannelDisbanded, 406),
            (Refusal::Blocked, 400),
            (Refusal::NotAllowListed, 400),
            (Refusal::Muted, 400),
            (Refusal::SendBanned, 400),
            (Refusal::SensitiveWord, 400),
            (Refusal::RateLimited, 400),
            (Refusal::TooLarge, 401),
            (Refusal::NoSuchMessage, 407),
            (Refusal::Internal, 400),
        ];
        for (refusal, code) in table {
            assert_eq!(reason(refusal).0.code(), code, "{refusal}");
        }
        assert_eq!(reason(Refusal::SensitiveWord).1, "包含敏感词");
        assert_eq!(reason(Refusal::RateLimited).1, "发送过快");
    }
}
