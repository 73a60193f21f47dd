//! BACKGROUND: what programs tell each other (`mqtt.md` S3-24, Q3-10 to Q3-12).
//!
//! The container is `{"type","content"}`. What the server says in it is an
//! [`Event`], what a client asks for a [`Request`]; anything else is the
//! clients' own and relayed.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::call::{Call, CallStatus};
use super::pull::Pull;
use super::{ReadError, read, read_part, tolerant};

/// The container, whatever it holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Background {
    /// What it holds.
    #[serde(rename = "type", default, deserialize_with = "tolerant::text")]
    pub kind: String,
    /// It.
    #[serde(default)]
    pub content: Value,
}

impl Background {
    /// Reads a content.
    ///
    /// # Errors
    ///
    /// If it is no JSON object, or `type` is no text.
    pub fn read(content: &str) -> Result<Background, ReadError> {
        read(content.as_bytes())
    }

    /// The call that the container hides (`mqtt.md` Q3-24): its type is
    /// `call`, `avchat` or a step of a call, or its content has both `status`
    /// and `roomId`.
    #[must_use]
    pub fn as_call(&self) -> Option<Call> {
        let step = CallStatus::from_name(&self.kind);
        let is_named = step.is_some() || matches!(self.kind.as_str(), "call" | "avchat");
        let has = |name| self.content.get(name).is_some();
        let is_call = is_named || has("status") && has("roomId");
        if !is_call {
            return None;
        }
        let mut call = read_part::<Call>(&self.content).ok()?;
        if let Some(step) = step.filter(|_| call.status.is_empty()) {
            step.name().clone_into(&mut call.status);
        }
        Some(call)
    }

    /// What the client asks of the server, if this is a request.
    ///
    /// # Errors
    ///
    /// If it is one and its content is not of the form.
    pub fn request(&self) -> Result<Option<Request>, ReadError> {
        let content = &self.content;
        Ok(Some(match self.kind.as_str() {
            "revoke" => Request::Revoke(of(content)?),
            "read" => Request::Read(of(content)?),
            "pull" => Request::Pull(of(content)?),
            "pushOff" => Request::PushOff(of(content)?),
            "logout" => Request::Logout(of(content)?),
            "edit" => Request::Edit(of(content)?),
            "reaction" => Request::React(of(content)?),
            "typing" => Request::Typing,
            _ => return Ok(None),
        }))
    }
}

/// A content; one that is not there has no members.
fn of<'a, T: Deserialize<'a> + Default>(content: &'a Value) -> Result<T, ReadError> {
    if content.is_null() {
        Ok(T::default())
    } else {
        read_part(content)
    }
}

/// What a client asks for (`mqtt.md` Q3-12).
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Take a message back.
    Revoke(Revoke),
    /// Messages were read.
    Read(Read),
    /// Send history or what was missed.
    Pull(Pull),
    /// No more vendor pushes to this device.
    PushOff(PushOff),
    /// Log the device out.
    Logout(Logout),
    /// Have a message say something else.
    Edit(Edit),
    /// Put a reaction to a message, or take it away.
    React(React),
    /// The user writes to whom the request is for.
    Typing,
}

/// Which message is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Revoke {
    /// The message.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: String,
}

/// What a message is to say.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Edit {
    /// The message.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: String,
    /// A content of the message's type.
    #[serde(default)]
    pub content: Value,
}

/// Which reaction a message gets, or loses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct React {
    /// The message.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub id: String,
    /// The reaction.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub emoji: String,
    /// It is taken away.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub removed: bool,
}

/// Which messages were read: one or several.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Read {
    /// The message.
    #[serde(
        default,
        deserialize_with = "tolerant::optional_text",
        skip_serializing_if = "Option::is_none"
    )]
    pub id: Option<String>,
    /// The messages.
    #[serde(
        default,
        deserialize_with = "tolerant::texts",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub ids: Vec<String>,
}

impl Read {
    /// All messages that are named.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.id.iter().chain(&self.ids).map(String::as_str)
    }
}

/// How vendor pushes end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PushOff {
    /// Whether the token is forgotten, too.
    #[serde(default, deserialize_with = "tolerant::flag")]
    pub delete_token: bool,
}

/// Who is logged out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logout {
    /// The device's unique code; empty is this one.
    #[serde(default, deserialize_with = "tolerant::text")]
    pub device_id: String,
}

/// What the server tells a client (`mqtt.md` Q3-10, Q3-11). Its JSON form is
/// the whole container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "content", rename_all = "camelCase")]
pub enum Event {
    /// A message was taken back.
    Revoke {
        /// The message.
        #[serde(deserialize_with = "tolerant::text")]
        id: String,
        /// All of them, if there are several.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
        /// The account that did it.
        #[serde(default, deserialize_with = "tolerant::text")]
        operator: String,
    },
    /// Messages were read.
    Read {
        /// Which, in the form of the reader's request.
        #[serde(flatten)]
        messages: Read,
        /// The account that read them.
        #[serde(default, deserialize_with = "tolerant::text")]
        reader: String,
        /// In milliseconds since the Unix epoch.
        #[serde(rename = "time", default, deserialize_with = "tolerant::integer")]
        time_ms: i64,
    },
    /// A message arrived at a device.
    Received {
        /// The message.
        #[serde(deserialize_with = "tolerant::text")]
        id: String,
        /// Whose device.
        #[serde(default, deserialize_with = "tolerant::text")]
        reader: String,
    },
    /// A message has a new content.
    Edit {
        /// The message.
        #[serde(deserialize_with = "tolerant::text")]
        id: String,
        /// A content of the message's type.
        content: Value,
    },
    /// Somebody came or went.
    Presence {
        /// Who.
        #[serde(deserialize_with = "tolerant::text")]
        account: String,
        /// Whether they are there now.
        #[serde(default, deserialize_with = "tolerant::flag")]
        online: bool,
        /// With which system; see [`OsType`](super::register::OsType).
        #[serde(default, deserialize_with = "tolerant::integer")]
        os: i64,
    },
    /// A group changed.
    Group {
        /// How.
        #[serde(deserialize_with = "tolerant::text")]
        event: String,
        /// The rest, as the event has it.
        #[serde(flatten)]
        details: Map<String, Value>,
    },
    /// A message has a new reaction, or lost one.
    Reaction(Map<String, Value>),
    /// A message was pinned, or unpinned.
    Pin(Map<String, Value>),
    /// The user has deleted messages for themselves on another device.
    Delete(Map<String, Value>),
    /// Somebody is writing.
    Typing(Map<String, Value>),
    /// The user keeps a conversation differently, or has read it elsewhere.
    Conversation(Map<String, Value>),
    /// A friendship changed.
    Friend(Map<String, Value>),
    /// This session ends.
    Kick(Map<String, Value>),
    /// A publication was refused.
    Error {
        /// The message that was refused; empty if it had no id.
        #[serde(default, deserialize_with = "tolerant::text")]
        id: String,
        /// As in HTTP.
        #[serde(deserialize_with = "tolerant::integer")]
        code: i64,
        /// The reason in words.
        #[serde(default, deserialize_with = "tolerant::text")]
        msg: String,
    },
    /// A pull is through.
    Sync {
        /// How many messages were sent.
        #[serde(deserialize_with = "tolerant::integer")]
        count: i64,
        /// Whether there are more.
        #[serde(default, deserialize_with = "tolerant::flag")]
        more: bool,
        /// Where to go on, if there are.
        #[serde(
            default,
            deserialize_with = "tolerant::optional_text",
            skip_serializing_if = "Option::is_none"
        )]
        cursor: Option<String>,
    },
    /// Data of the organisation changed.
    Org(Map<String, Value>),
}

impl Event {
    /// The event as the content of a BACKGROUND message.
    #[must_use]
    pub fn to_content(&self) -> String {
        serde_json::to_string(self).expect("an event has only strings as keys")
    }
}
