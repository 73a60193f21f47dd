//! The dialect's enumerations (stomp.md Q2-16, Q2-17, Q2-19, Q2-31).

use std::fmt;

use serde::{Serialize, Serializer};

/// Whom a message is for (stomp.md Q2-16).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatType {
    /// One user.
    Single,
    /// A group.
    Group,
}

impl ChatType {
    /// The value as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ChatType::Single => "SINGLE",
            ChatType::Group => "GROUP",
        }
    }

    /// Reads a value in any case; `C2C` and `PRIVATE` are older names of
    /// `SINGLE`.
    #[must_use]
    pub fn parse(text: &str) -> Option<ChatType> {
        let is = |name: &&str| text.eq_ignore_ascii_case(name);
        if ["SINGLE", "C2C", "PRIVATE"].iter().any(is) {
            Some(ChatType::Single)
        } else if is(&"GROUP") {
            Some(ChatType::Group)
        } else {
            None
        }
    }
}

impl Serialize for ChatType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// What a message's content is (stomp.md Q2-17). Types that are not here are
/// stored and relayed as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MsgType {
    /// Text; the only one whose content is not JSON.
    Text,
    /// [`Image`](super::Image).
    Image,
    /// [`Video`](super::Video).
    Video,
    /// [`Audio`](super::Audio).
    Audio,
    /// [`File`](super::File).
    File,
    /// [`Location`](super::Location).
    Location,
    /// [`Card`](super::Card).
    Card,
    /// [`Link`](super::Link).
    Link,
    /// Formatted text.
    RichText,
    /// A text about another message.
    Quote,
    /// Several messages passed on as one.
    Merge,
    /// [`Custom`](super::Custom).
    Custom,
    /// [`Notify`](super::Notify).
    Notify,
    /// [`Call`](super::Call).
    Call,
    /// A message that was revoked; its content is empty.
    Revoked,
}

impl MsgType {
    /// Every known type.
    pub const ALL: [MsgType; 15] = [
        MsgType::Text,
        MsgType::Image,
        MsgType::Video,
        MsgType::Audio,
        MsgType::File,
        MsgType::Location,
        MsgType::Card,
        MsgType::Link,
        MsgType::RichText,
        MsgType::Quote,
        MsgType::Merge,
        MsgType::Custom,
        MsgType::Notify,
        MsgType::Call,
        MsgType::Revoked,
    ];

    /// The value as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            MsgType::Text => "TEXT",
            MsgType::Image => "IMAGE",
            MsgType::Video => "VIDEO",
            MsgType::Audio => "AUDIO",
            MsgType::File => "FILE",
            MsgType::Location => "LOCATION",
            MsgType::Card => "CARD",
            MsgType::Link => "LINK",
            MsgType::RichText => "RICH_TEXT",
            MsgType::Quote => "QUOTE",
            MsgType::Merge => "MERGE",
            MsgType::Custom => "CUSTOM",
            MsgType::Notify => "NOTIFY",
            MsgType::Call => "CALL",
            MsgType::Revoked => "REVOKED",
        }
    }

    /// The known type that is written as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<MsgType> {
        MsgType::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// How far a message has come (stomp.md Q2-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Stored.
    Sent,
    /// Given to a receiver.
    Delivered,
    /// Read by a receiver.
    Read,
    /// Revoked.
    Revoked,
    /// Refused; it was not stored.
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 5] = [
        Status::Sent,
        Status::Delivered,
        Status::Read,
        Status::Revoked,
        Status::Failed,
    ];

    /// The value as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Sent => "SENT",
            Status::Delivered => "DELIVERED",
            Status::Read => "READ",
            Status::Revoked => "REVOKED",
            Status::Failed => "FAILED",
        }
    }

    /// The status that is written as `text`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The id of a conversation: `SINGLE:{uid}` or `GROUP:{gid}`, as the one user
/// sees it (stomp.md Q2-31).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ConversationId {
    /// With whom.
    pub chat_type: ChatType,
    /// The other user or the group.
    pub target_id: String,
}

impl ConversationId {
    /// Reads an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<ConversationId> {
        let (chat_type, target_id) = text.split_once(':')?;
        Some(ConversationId {
            chat_type: ChatType::parse(chat_type)?,
            target_id: Some(target_id.to_owned()).filter(|it| !it.is_empty())?,
        })
    }
}

impl fmt::Display for ConversationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.chat_type.as_str(), self.target_id)
    }
}

impl Serialize for ConversationId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chat_types_are_read_in_any_case_and_by_older_names() {
        for single in ["SINGLE", "single", "C2C", "c2c", "Private"] {
            assert_eq!(ChatType::parse(single), Some(ChatType::Single));
        }
        assert_eq!(ChatType::parse("Group"), Some(ChatType::Group));
        assert_eq!(ChatType::parse("XXX"), None);
        assert_eq!(ChatType::parse(""), None);
    }

    #[test]
    fn types_and_statuses_are_found_by_their_names() {
        for kind in MsgType::ALL {
            assert_eq!(MsgType::parse(kind.as_str()), Some(kind));
        }
        for status in Status::ALL {
            assert_eq!(Status::parse(status.as_str()), Some(status));
        }
        assert_eq!(MsgType::parse("POKE"), None);
        assert_eq!(Status::parse("SENDING"), None);
    }

    #[test]
    fn conversation_ids_name_their_kind() {
        for text in ["SINGLE:user_002", "GROUP:g:1"] {
            let id = ConversationId::parse(text).expect("an id");
            assert_eq!(id.to_string(), text);
        }
        for text in ["SINGLE:", "SINGLE", "X:1", ""] {
            assert_eq!(ConversationId::parse(text), None, "{text}");
        }
    }
}
