//! What a change shows of the thing that has changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ChannelName, MessageName};
use crate::carried::Carried;
use crate::channel::{ChannelKey, ChannelSettings};
use crate::message::{Body, Flags, Message, Origin};

/// What an edited message says now, as its author wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EditedBody {
    /// Who wrote the payload ([`Origin`]).
    pub origin: u8,
    /// What its envelope said of the payload's type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// The payload.
    #[serde(with = "as_text")]
    pub payload: Bytes,
    /// What is stored beside the payload of the message as it was sent; empty = nothing.
    #[serde(default, with = "as_text", skip_serializing_if = "Bytes::is_empty")]
    pub extra: Bytes,
    /// What the message carries beside its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried: Option<Carried>,
    /// The message does not count as unread.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
}

impl EditedBody {
    /// What is told of a message that was edited; `shown` is its body as it is now.
    #[must_use]
    pub fn of(message: &Message, shown: &Body) -> Self {
        let sent = &message.body;
        Self {
            origin: shown.origin.0,
            tag: shown.tag.to_string(),
            payload: shown.payload.clone(),
            extra: sent.extra.clone().unwrap_or_default(),
            carried: sent.carried.as_deref().cloned(),
            silent: !sent.flags.counts,
        }
    }

    /// Who wrote the payload.
    #[must_use]
    pub fn origin(&self) -> Origin {
        Origin(self.origin)
    }

    /// What the message that is called so was sent as, of which only what stands beside the
    /// payload is known.
    #[must_use]
    pub fn sent(&self, name: &MessageName) -> Body {
        Body {
            client_no: name.client_no.as_str().into(),
            origin: Origin(name.origin),
            tag: name.tag.as_str().into(),
            flags: Flags {
                counts: !self.silent,
                number_taken: name.number_taken,
                receipt: name.receipt,
                ..Flags::default()
            },
            extra: Some(self.extra.clone()).filter(|extra| !extra.is_empty()),
            carried: self.carried.clone().and_then(Carried::packed),
            ..Body::default()
        }
    }

    /// The body of the message that is called so as it is shown now.
    #[must_use]
    pub fn shown(&self, name: &MessageName) -> Body {
        let tag = self.tag.as_str().into();
        self.sent(name)
            .edited(self.origin(), tag, self.payload.clone())
    }
}

/// Bytes as text: `t` and the text, or `b` and base64 of what is none.
mod as_text {
    use super::{Bytes, Deserialize, Deserializer, Engine, STANDARD, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => to.serialize_str(&format!("t{text}")),
            Err(_) => to.serialize_str(&format!("b{}", STANDARD.encode(bytes))),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        if let Some(text) = text.strip_prefix('t') {
            return Ok(Bytes::copy_from_slice(text.as_bytes()));
        }
        let coded = text.strip_prefix('b').unwrap_or_default();
        let bytes = STANDARD.decode(coded).map_err(serde::de::Error::custom)?;
        Ok(bytes.into())
    }
}

/// How a user keeps a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConversationView {
    /// Pinned since, ms since 1970; 0 = not pinned.
    pub pinned_at_ms: i64,
    /// No notifications until, ms since 1970; 0 = not muted, `i64::MAX` = for good.
    pub muted_until_ms: i64,
    /// Marked by the user, for example as unread.
    #[serde(default)]
    pub marked: bool,
    /// What was begun to be written there; empty = nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub draft: String,
    /// Not in the list until a newer message comes.
    #[serde(default)]
    pub hidden: bool,
    /// It was deleted, with its history.
    #[serde(default)]
    pub deleted: bool,
    /// The history begins after this seq.
    pub begins_after: u64,
    /// Read up to this seq.
    pub read_seq: u64,
    /// How many messages are unread.
    pub unread: u64,
    /// How many unread messages mention the user and are not done with. Only said when the user
    /// has done with some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentions: Option<u64>,
}

/// What a channel is to those who belong to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelView {
    /// Which.
    pub name: ChannelName,
    /// What people call it; empty = nothing.
    pub title: String,
    /// Address of its picture; empty = none.
    #[serde(default)]
    pub avatar: String,
    /// Its owner; empty = none.
    #[serde(default)]
    pub owner: String,
    /// What its members should know; empty = nothing.
    #[serde(default)]
    pub announcement: String,
    /// How many members it has.
    pub member_count: u32,
    /// How one joins: `free`, `approval`, `invite`.
    #[serde(default)]
    pub join_mode: String,
    /// Who may invite: `all`, `administrators`.
    #[serde(default)]
    pub invite_by: String,
    /// Who may change what it is called and says: `all`, `administrators`.
    #[serde(default)]
    pub edit_by: String,
    /// Who may mention all: `all`, `administrators`.
    #[serde(default)]
    pub mention_all_by: String,
    /// Who may speak: `all`, `administrators`.
    #[serde(default)]
    pub speak: String,
    /// Who may pin messages: `all`, `administrators`.
    #[serde(default)]
    pub pin_by: String,
    /// All are muted until, ms since 1970; 0 = not, `i64::MAX` = for good.
    #[serde(default)]
    pub muted_until_ms: i64,
    /// Nobody sends or joins any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dissolved: bool,
    /// When it was made, ms since 1970; 0 = not known.
    #[serde(default)]
    pub created_at_ms: i64,
    /// Which of these have changed with this, by their names here; all if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
}

impl ChannelView {
    /// A channel with its settings, whose owner (empty = none) and number of members are known.
    #[must_use]
    pub fn of(
        key: &ChannelKey,
        settings: &ChannelSettings,
        owner: &str,
        member_count: u32,
        changed: Vec<String>,
    ) -> Self {
        Self {
            name: ChannelName::of(key),
            title: settings.name.clone().unwrap_or_default(),
            avatar: settings.avatar.clone(),
            owner: owner.to_owned(),
            announcement: settings.announcement.text.clone(),
            member_count,
            join_mode: settings.join_mode.name().to_owned(),
            invite_by: settings.invite_by.name().to_owned(),
            edit_by: settings.edit_by.name().to_owned(),
            mention_all_by: settings.mention_all_by.name().to_owned(),
            speak: settings.speak.name().to_owned(),
            pin_by: settings.pin_by.name().to_owned(),
            muted_until_ms: settings.muted_until_ms,
            dissolved: settings.disband,
            created_at_ms: settings.created_at_ms,
            changed,
        }
    }
}

/// Somebody's wish to join a channel, or an invitation to it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JoinRequestView {
    /// Its id.
    pub id: String,
    /// The channel.
    pub channel: ChannelName,
    /// Who would join.
    pub user: String,
    /// Who has invited them; empty = they ask by themselves.
    #[serde(default)]
    pub inviter: String,
    /// Who answers: `moderators`, or the `user` who was invited.
    #[serde(default)]
    pub decider: String,
    /// What they say.
    #[serde(default)]
    pub message: String,
    /// `pending`, `accepted`, `rejected`, `expired`, `cancelled`.
    pub status: String,
    /// Who has decided; empty = nobody yet.
    #[serde(default)]
    pub by: String,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
}

/// Somebody's wish to be a friend of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FriendRequestView {
    /// Its id.
    pub id: String,
    /// Who asks.
    pub from: String,
    /// Who is asked.
    pub to: String,
    /// What they say.
    #[serde(default)]
    pub message: String,
    /// `pending`, `accepted`, `rejected`, `expired`, `cancelled`.
    pub status: String,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_survives_as_text_and_as_bytes() {
        for payload in [&b"{\"text\":\"hi\"}"[..], b"", b"t", &[0xff, 0, 1]] {
            let body = EditedBody {
                origin: 3,
                tag: "TEXT".to_owned(),
                payload: Bytes::copy_from_slice(payload),
                ..EditedBody::default()
            };
            let json = serde_json::to_string(&body).expect("JSON");
            assert_eq!(
                serde_json::from_str::<EditedBody>(&json).expect("the same"),
                body
            );
        }
    }
}
