//! Reason codes of CONNACK, SENDACK and DISCONNECT (wukong.md §1.5).
//!
//! Codes 0 to 25 are those of the v2 server and of every SDK; 26 to 29 come
//! from v3. A code's number is its contract: SDKs compare numbers, so a
//! variant never changes its value. The module does not know which refusal of
//! the messenger maps to which code.

/// Why a request succeeded or failed, as one byte on the wire
/// (wukong.md §1.5).
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// Unknown error.
    Unknown = 0,
    /// Success.
    Success = 1,
    /// Authentication failed.
    AuthFail = 2,
    /// The sender is not a subscriber of the channel.
    SubscriberNotExist = 3,
    /// The sender is on the channel's block list.
    InBlacklist = 4,
    /// The channel does not exist.
    ChannelNotExist = 5,
    /// The user is not on this node.
    UserNotOnNode = 6,
    /// The sender is offline, so the message failed.
    SenderOffline = 7,
    /// The message key is wrong. The reference server answers
    /// [`Reason::PayloadDecodeError`] instead (wukong.md §2.5).
    MsgKeyError = 8,
    /// The payload could not be decrypted, or its message key is wrong.
    PayloadDecodeError = 9,
    /// Forwarding the SEND to another node failed.
    ForwardSendPacketError = 10,
    /// Sending is not allowed.
    NotAllowSend = 11,
    /// The connection was replaced by another login of the same user.
    ConnectKick = 12,
    /// The sender is not on the channel's allow list.
    NotInWhitelist = 13,
    /// The user's token could not be looked up.
    QueryTokenError = 14,
    /// Internal error.
    SystemError = 15,
    /// The channel id is malformed.
    ChannelIdError = 16,
    /// Matching the node failed.
    NodeMatchError = 17,
    /// The node does not match.
    NodeNotMatch = 18,
    /// The channel (or, at login, the user) is banned.
    Ban = 19,
    /// The header is not supported.
    NotSupportHeader = 20,
    /// CONNECT carried no usable client key.
    ClientKeyIsEmpty = 21,
    /// The sender is above the rate limit.
    RateLimit = 22,
    /// The channel type is not supported.
    NotSupportChannelType = 23,
    /// The channel was disbanded.
    Disband = 24,
    /// Sending is banned; receiving still works.
    SendBan = 25,
    /// The channel is being deleted (v3).
    ChannelDeleting = 26,
    /// The client's protocol version is too old (v3).
    ProtocolUpgradeRequired = 27,
    /// The same client message number was used for another message (v3).
    IdempotencyConflict = 28,
    /// The channel's sequence no longer fits the client's version (v3).
    MessageSeqExhausted = 29,
}

impl Reason {
    /// Every reason; the element at index `n` is the one with code `n`.
    pub const ALL: [Reason; 30] = [
        Reason::Unknown,
        Reason::Success,
        Reason::AuthFail,
        Reason::SubscriberNotExist,
        Reason::InBlacklist,
        Reason::ChannelNotExist,
        Reason::UserNotOnNode,
        Reason::SenderOffline,
        Reason::MsgKeyError,
        Reason::PayloadDecodeError,
        Reason::ForwardSendPacketError,
        Reason::NotAllowSend,
        Reason::ConnectKick,
        Reason::NotInWhitelist,
        Reason::QueryTokenError,
        Reason::SystemError,
        Reason::ChannelIdError,
        Reason::NodeMatchError,
        Reason::NodeNotMatch,
        Reason::Ban,
        Reason::NotSupportHeader,
        Reason::ClientKeyIsEmpty,
        Reason::RateLimit,
        Reason::NotSupportChannelType,
        Reason::Disband,
        Reason::SendBan,
        Reason::ChannelDeleting,
        Reason::ProtocolUpgradeRequired,
        Reason::IdempotencyConflict,
        Reason::MessageSeqExhausted,
    ];

    /// The code on the wire.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Reason> for u8 {
    fn from(reason: Reason) -> u8 {
        reason.code()
    }
}

impl TryFrom<u8> for Reason {
    type Error = UnknownReason;

    fn try_from(code: u8) -> Result<Reason, UnknownReason> {
        // `ALL` is in code order, so the code is its own index.
        Reason::ALL
            .get(usize::from(code))
            .copied()
            .ok_or(UnknownReason(code))
    }
}

/// A byte that is no reason code of any known server version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason code {0}")]
pub struct UnknownReason(pub u8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_decodes_to_the_reason_that_encodes_to_it() {
        for code in 0..=29 {
            let reason = Reason::try_from(code).expect("codes 0 to 29 are known");
            assert_eq!(u8::from(reason), code);
            assert_eq!(Reason::ALL[usize::from(code)], reason);
        }
    }

    #[test]
    fn all_other_bytes_are_unknown() {
        for code in 30..=u8::MAX {
            assert_eq!(Reason::try_from(code), Err(UnknownReason(code)));
        }
    }

    #[test]
    fn codes_that_clients_switch_on_keep_their_numbers() {
        let pinned = [
            (Reason::Success, 1),
            (Reason::AuthFail, 2),
            (Reason::InBlacklist, 4),
            (Reason::PayloadDecodeError, 9),
            (Reason::ConnectKick, 12),
            (Reason::NotInWhitelist, 13),
            (Reason::Ban, 19),
            (Reason::ClientKeyIsEmpty, 21),
            (Reason::RateLimit, 22),
            (Reason::SendBan, 25),
            (Reason::MessageSeqExhausted, 29),
        ];
        for (reason, code) in pinned {
            assert_eq!(reason.code(), code);
        }
    }
}
