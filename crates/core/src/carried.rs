//! What a message carries beside its content: whom it mentions, what it replies to, and
//! whether it burns once it is read. Hardly any message has any of it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{MessageId, Uid, UserNum, UserRef};
use crate::message::{Message, Origin};

/// Users that a message may mention by name.
pub const MAX_MENTIONS: usize = 100;
/// The shortest life of a message, in ms.
pub const MIN_LIFE_MS: u64 = 1000;
/// The longest life of a message that may be asked for, in ms: a year.
pub const MAX_LIFE_MS: u64 = 365 * 24 * 3600 * 1000;

/// What a message carries beside its content.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Carried {
    /// Who is mentioned by name. Of a draft it is who is meant; who has nothing to do with the
    /// channel is left out when it is accepted.
    #[serde(rename = "m", with = "numbered", skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<UserRef>,
    /// Everybody in the channel is mentioned.
    #[serde(rename = "a", skip_serializing_if = "std::ops::Not::not")]
    pub mention_all: bool,
    /// The message of the same channel that it replies to.
    #[serde(rename = "r", with = "id", skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<MessageId>,
    /// How its author's client had called that message, if clients know it by that.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub reply_called: Option<Called>,
    /// How long it stays after its receiver has read it, in ms; 0 = it does not burn.
    #[serde(rename = "b", skip_serializing_if = "is_zero")]
    pub burn_after_ms: u64,
}

/// What clients of the dialect that wrote it call a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The dialect ([`Origin`](crate::message::Origin)).
    #[serde(rename = "o")]
    pub origin: u8,
    /// The client number.
    #[serde(rename = "n")]
    pub client_no: String,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Carried {
    /// What mentions these users, of whom only the names are known yet, or everybody.
    #[must_use]
    pub fn mentioning(uids: impl IntoIterator<Item = Uid>, all: bool) -> Self {
        let mut mentions: Vec<UserRef> = Vec::new();
        for uid in uids {
            if mentions.len() < MAX_MENTIONS && mentions.iter().all(|known| known.uid != uid) {
                let num = UserNum(0);
                mentions.push(UserRef { num, uid });
            }
        }
        Self {
            mentions,
            mention_all: all,
            ..Self::default()
        }
    }

    /// Notes to which message it replies.
    pub fn reply(&mut self, to: &Message) {
        let body = &to.body;
        self.reply_to = Some(to.id);
        let is_known_so = !body.client_no.is_empty() && !body.flags.number_taken;
        self.reply_called = is_known_so.then(|| Called {
            origin: body.origin.0,
            client_no: body.client_no.to_string(),
        });
    }

    /// What clients of a dialect call the message to which it replies, if that is known: by
    /// their own client number if theirs wrote it, else by the server's id.
    #[must_use]
    pub fn replied_as(&self, reader: Origin) -> Option<String> {
        let id = self.reply_to?;
        let called = self.reply_called.as_ref();
        let own = called.filter(|called| called.origin == reader.0);
        Some(own.map_or_else(|| id.to_string(), |called| called.client_no.clone()))
    }

    /// For a body; `None` if there is nothing in it.
    #[must_use]
    pub fn packed(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// Whether anybody is mentioned.
    #[must_use]
    pub fn has_mentions(&self) -> bool {
        self.mention_all || !self.mentions.is_empty()
    }
}

/// Users as pairs of number and uid.
mod numbered {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Uid, UserNum, UserRef};

    pub(super) fn serialize<S: Serializer>(users: &[UserRef], to: S) -> Result<S::Ok, S::Error> {
        let pairs: Vec<_> = users
            .iter()
            .map(|user| (user.num.0, user.uid.as_str()))
            .collect();
        pairs.serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<UserRef>, D::Error> {
        let pairs = Vec::<(i64, String)>::deserialize(from)?;
        let user = |(num, uid): (i64, String)| UserRef {
            num: UserNum(num),
            uid: Uid::from_store(&uid),
        };
        Ok(pairs.into_iter().map(user).collect())
    }
}

/// An id as its number.
mod id {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::MessageId;

    #[allow(clippy::ref_option)] // serde hands over a reference
    pub(super) fn serialize<S: Serializer>(
        id: &Option<MessageId>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        id.map(|id| id.0).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<MessageId>, D::Error> {
        Ok(Option::<i64>::deserialize(from)?.map(MessageId))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(text: &str) -> Uid {
        Uid::parse(text).expect("a uid")
    }

    #[test]
    fn it_survives_storage_and_nothing_is_nothing() {
        let mut carried = Carried::mentioning([uid("alice"), uid("bob"), uid("alice")], true);
        assert_eq!(carried.mentions.len(), 2, "each once");
        carried.reply_to = Some(MessageId(7));
        carried.reply_called = Some(Called {
            origin: 2,
            client_no: "SM-1".to_owned(),
        });
        assert_eq!(carried.replied_as(Origin(2)).as_deref(), Some("SM-1"));
        assert_eq!(carried.replied_as(Origin(3)).as_deref(), Some("7"));
        carried.burn_after_ms = 5000;
        for carried in [carried, Carried::default()] {
            let json = serde_json::to_string(&carried).expect("JSON");
            let read: Carried = serde_json::from_str(&json).expect("the same");
            assert_eq!(read, carried, "{json}");
        }
        assert_eq!(Carried::default().packed(), None);
        assert!(Carried::mentioning([], true).packed().is_some());
    }

    #[test]
    fn mentions_have_an_end() {
        let many = (0..500).map(|n| uid(&format!("u{n}")));
        assert_eq!(
            Carried::mentioning(many, false).mentions.len(),
            MAX_MENTIONS
        );
    }
}
