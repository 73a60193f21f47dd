//! How a change names a message and a channel: never by a surrogate.

use serde::{Deserialize, Serialize};

use crate::channel::{ChannelKey, ChannelKind};
use crate::id::MessageId;
use crate::message::Message;

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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
