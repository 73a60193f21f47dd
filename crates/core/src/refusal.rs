//! Why the core says no. Each dialect maps these in one exhaustive table of its own.

use serde::Serialize;

/// A reason for refusing what was asked. The snake-case name is the stable `code` in REST.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Credentials are missing, wrong, expired or revoked.
    NotAuthenticated,
    /// Too many failed logins from this address or for this user.
    LoginThrottled,
    /// The caller may not do this.
    Forbidden,
    /// The user is banned from the service.
    UserBanned,
    /// The peer does not exist.
    NoSuchUser,
    /// The channel does not exist.
    NoSuchChannel,
    /// The message does not exist, or not for the caller.
    NoSuchMessage,
    /// Several messages are called so: only an id says which is meant.
    Ambiguous,
    /// The time within which it could be done is over.
    TooLate,
    /// The app does not exist.
    NoSuchApp,
    /// The sender is not a member of the channel.
    NotAMember,
    /// The receiver or the channel blocks the sender.
    Blocked,
    /// An allow list is in force and the sender is not on it.
    NotAllowListed,
    /// The channel is banned.
    ChannelBanned,
    /// The channel is dissolved.
    ChannelDisbanded,
    /// Sending is banned: for this user everywhere.
    SendBanned,
    /// Sending is banned in this channel, or for this member of it.
    Muted,
    /// The channel kind does not exist.
    UnsupportedChannelKind,
    /// The channel id cannot be one of its kind.
    InvalidChannelId,
    /// A uid is not of the alphabet, or reserved.
    InvalidUid,
    /// The content could not be decoded or decrypted.
    UndecodableContent,
    /// A field is missing or wrong.
    InvalidArgument,
    /// It has a word that may not be said.
    SensitiveWord,
    /// The message is too large.
    TooLarge,
    /// Too many requests.
    RateLimited,
    /// The same client number was used with other content.
    IdempotencyConflict,
    /// There is no such request or invitation, or not for the caller.
    NoSuchRequest,
    /// There is no such file, or not for the caller.
    NoSuchFile,
    /// What is named does not exist, or not for the caller.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// It is not in a state in which this could be done.
    WrongState,
    /// There may not be more of these.
    TooMany,
    /// The device is banned from the service.
    DeviceBanned,
    /// The application's own check does not let it pass.
    HookRefused,
    /// It waits for a moderator, and is sent once they let it pass.
    HeldForReview,
    /// The server is stopping or cannot store now; nothing was accepted.
    Unavailable,
    /// The server failed; nothing was accepted.
    Internal,
}

impl Refusal {
    /// Every refusal: tables are tested against it.
    pub const ALL: [Self; 37] = [
        Self::NotAuthenticated,
        Self::LoginThrottled,
        Self::Forbidden,
        Self::UserBanned,
        Self::NoSuchUser,
        Self::NoSuchChannel,
        Self::NoSuchMessage,
        Self::Ambiguous,
        Self::TooLate,
        Self::NoSuchApp,
        Self::NotAMember,
        Self::Blocked,
        Self::NotAllowListed,
        Self::ChannelBanned,
        Self::ChannelDisbanded,
        Self::SendBanned,
        Self::Muted,
        Self::UnsupportedChannelKind,
        Self::InvalidChannelId,
        Self::InvalidUid,
        Self::UndecodableContent,
        Self::InvalidArgument,
        Self::SensitiveWord,
        Self::TooLarge,
        Self::RateLimited,
        Self::IdempotencyConflict,
        Self::NoSuchRequest,
        Self::NoSuchFile,
        Self::NotFound,
        Self::AlreadyExists,
        Self::WrongState,
        Self::TooMany,
        Self::DeviceBanned,
        Self::HookRefused,
        Self::HeldForReview,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The stable code shown in REST.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAuthenticated => "not_authenticated",
            Self::LoginThrottled => "login_throttled",
            Self::Forbidden => "forbidden",
            Self::UserBanned => "user_banned",
            Self::NoSuchUser => "no_such_user",
            Self::NoSuchChannel => "no_such_channel",
            Self::NoSuchMessage => "no_such_message",
            Self::Ambiguous => "ambiguous",
            Self::TooLate => "too_late",
            Self::NoSuchApp => "no_such_app",
            Self::NotAMember => "not_a_member",
            Self::Blocked => "blocked",
            Self::NotAllowListed => "not_allow_listed",
            Self::ChannelBanned => "channel_banned",
            Self::ChannelDisbanded => "channel_disbanded",
            Self::SendBanned => "send_banned",
            Self::Muted => "muted",
            Self::UnsupportedChannelKind => "unsupported_channel_kind",
            Self::InvalidChannelId => "invalid_channel_id",
            Self::InvalidUid => "invalid_uid",
            Self::UndecodableContent => "undecodable_content",
            Self::InvalidArgument => "invalid_argument",
            Self::SensitiveWord => "sensitive_word",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::NoSuchRequest => "no_such_request",
            Self::NoSuchFile => "no_such_file",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::WrongState => "wrong_state",
            Self::TooMany => "too_many",
            Self::DeviceBanned => "device_banned",
            Self::HookRefused => "hook_refused",
            Self::HeldForReview => "held_for_review",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refusal {}

/// A storage failure reaches a client as "unavailable"; the cause is logged where it is turned.
impl From<crate::store::StoreError> for Refusal {
    fn from(error: crate::store::StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        match error.kind {
            crate::store::StoreErrorKind::Unavailable => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_match_serde() {
        let codes: HashSet<_> = Refusal::ALL.iter().map(|r| r.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        for refusal in Refusal::ALL {
            let json = serde_json::to_string(&refusal).expect("a unit variant");
            assert_eq!(json, format!("\"{}\"", refusal.code()));
        }
    }
}
