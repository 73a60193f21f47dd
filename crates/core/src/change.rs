//! What becomes of a channel or of somebody's view of one, as entries of a command log
//! (architecture.md §2): what changes for everybody stands in the channel's own, what concerns
//! one user in that of the user's notes to themselves. So devices that were away get it, too.
//! Each dialect renders an entry in its own way, or not at all.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::channel::{Address, ChannelKey, ChannelKind};
use crate::id::MessageId;
use crate::message::{Body, Draft, Flags, Message, OnReuse, Origin};

/// What somebody needs to recognise a message that they were given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageName {
    /// Its id.
    #[serde(with = "id_as_text")]
    pub id: MessageId,
    /// Its place in the chat log.
    pub seq: u64,
    /// Its client number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub client_no: String,
    /// The name that its author gave it beside that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Another sender had used that client number before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub number_taken: bool,
    /// Its author asks for receipts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub receipt: bool,
    /// Who wrote its payload ([`Origin`]).
    pub origin: u8,
    /// What its envelope said of the payload's type.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tag: String,
    /// Who sent it.
    pub sender: String,
    /// When it was sent, ms since 1970.
    pub sent_at_ms: i64,
}

impl MessageName {
    /// The name of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let body = &message.body;
        Self {
            id: message.id,
            seq: message.seq,
            client_no: body.client_no.to_string(),
            name: body.name.as_deref().map(str::to_owned),
            number_taken: body.flags.number_taken,
            receipt: body.flags.receipt,
            origin: body.origin.0,
            tag: body.tag.to_string(),
            sender: message.sender.uid.as_str().to_owned(),
            sent_at_ms: message.sent_at_ms,
        }
    }
}

mod id_as_text {
    use super::MessageId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(id: &MessageId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<MessageId, D::Error> {
        let text = String::deserialize(from)?;
        text.parse()
            .map(MessageId)
            .map_err(serde::de::Error::custom)
    }
}

/// A channel as a change names it: never by its surrogate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelName {
    /// Its kind.
    pub kind: u8,
    /// Its id; of a direct channel both users.
    pub id: String,
}

impl ChannelName {
    /// The name of a channel.
    #[must_use]
    pub fn of(key: &ChannelKey) -> Self {
        Self {
            kind: key.kind.0,
            id: key.id.to_string(),
        }
    }

    /// The channel in the realm of the log that names it.
    #[must_use]
    pub fn key(&self, beside: &ChannelKey) -> ChannelKey {
        ChannelKey {
            realm: beside.realm.clone(),
            kind: ChannelKind(self.kind),
            id: self.id.as_str().into(),
        }
    }
}

/// What has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A message of the channel was revoked. In the channel's command log.
    Revoked {
        /// Which.
        message: MessageName,
        /// By whom; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// Somebody has read what the user sent. In the author's own command log.
    Read {
        /// Where.
        channel: ChannelName,
        /// Who has read.
        reader: String,
        /// Everything up to this seq is read.
        up_to: u64,
        /// The author's messages that are newly read, newest first; not all if they are many.
        messages: Vec<MessageName>,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user has read, or set to unread, a conversation. In the user's own command log.
    Unread {
        /// Which.
        channel: ChannelName,
        /// Read up to this seq.
        read_seq: u64,
        /// How many messages are unread now.
        unread: u64,
        /// When, ms since 1970.
        at_ms: i64,
    },
    /// The user is no member of a channel any more. In the user's own command log.
    Left {
        /// Which.
        channel: ChannelName,
        /// Who removed the user; the user itself if it left; `None` = the application.
        by: Option<String>,
        /// When, ms since 1970.
        at_ms: i64,
    },
}

impl Change {
    /// What a message of a command log says has changed, if the core wrote it.
    #[must_use]
    pub fn of(message: &Message) -> Option<Self> {
        (message.body.origin == Origin::CHANGE)
            .then(|| serde_json::from_slice(&message.body.payload).ok())
            .flatten()
    }

    /// Its name, as it is stored beside it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Revoked { .. } => "revoked",
            Self::Read { .. } => "read",
            Self::Unread { .. } => "unread",
            Self::Left { .. } => "left",
        }
    }

    /// The entry of a command log that says it.
    pub(crate) fn draft(&self, to: Address) -> Draft {
        Draft {
            to,
            body: Body {
                origin: Origin::CHANGE,
                tag: Arc::from(self.name()),
                flags: Flags {
                    command: true,
                    ..Flags::default()
                },
                payload: serde_json::to_vec(self)
                    .map(Bytes::from)
                    .unwrap_or_default(),
                ..Body::default()
            },
            on_reuse: OnReuse::Store,
            require_peer: false,
            fault: None,
        }
    }
}
