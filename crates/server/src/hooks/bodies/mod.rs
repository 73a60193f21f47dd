//! The `data` of each event: members as in `/v1`, channels by kind and id, messages by what
//! their clients know them by, times in ms since 1970. They are written as they stand here, and
//! the interface's document describes them from here.

mod groups;
mod messages;
mod people;

use crosstalk_core::change::{ChannelName, MessageName};
use crosstalk_core::channel::ChannelKind;
use serde::Serialize;
use utoipa::ToSchema;

pub(super) use self::groups::{
    ChannelData, ChannelInfo, DissolvedData, JoinRequestData, MemberChangedData, MembersData,
};
pub(super) use self::messages::{
    Action, BeforeSendAnswer, BeforeSendData, Destination, EditedData, ExpiredData, GoneData,
    HiddenData, OfflineData, ReactedData, ReadData, StoredData,
};
pub(super) use self::people::{
    BlockedData, ConversationData, ConversationReadData, FriendData, FriendRequestData, KeptBody,
    ProfileData, SessionData, TestData,
};

/// A channel as events name it, for whoever hears of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookChannel)]
pub(super) struct Channel {
    /// The kind, by name.
    kind: &'static str,
    /// Its id; of a direct one both users.
    id: String,
    /// Of a direct one: its two users.
    #[serde(skip_serializing_if = "Option::is_none")]
    users: Option<[String; 2]>,
}

impl Channel {
    pub(super) fn of(name: &ChannelName) -> Self {
        let pair = name.id.split_once('|');
        let pair = pair.filter(|_| name.kind == ChannelKind::DIRECT.0);
        Self {
            kind: ChannelKind(name.kind).name(),
            id: name.id.clone(),
            users: pair.map(|(one, other)| [one.to_owned(), other.to_owned()]),
        }
    }
}

/// A message as events name it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookMessage)]
pub(super) struct Named {
    /// The server's id, a decimal number.
    id: String,
    /// Its place in the channel.
    seq: u64,
    /// The sender's own number for it; null = none.
    client_no: Option<String>,
    /// Who sent it.
    from: String,
    /// When, ms since 1970.
    sent_at: i64,
}

impl Named {
    pub(super) fn of(message: &MessageName) -> Self {
        Self {
            id: message.id.to_string(),
            seq: message.seq,
            client_no: filled(&message.client_no),
            from: message.sender.clone(),
            sent_at: message.sent_at_ms,
        }
    }

    pub(super) fn all(messages: &[MessageName]) -> Vec<Self> {
        messages.iter().map(Self::of).collect()
    }
}

/// A text that is not empty.
fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Whether a time until which something is muted was still to come at another, and which it is
/// if that is not for good.
fn muting(until_ms: i64, at_ms: i64) -> (bool, Option<i64>) {
    let muted = until_ms > at_ms;
    (muted, Some(until_ms).filter(|at| muted && *at != i64::MAX))
}
