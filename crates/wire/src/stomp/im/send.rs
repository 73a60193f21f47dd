//! The body of `/app/chat.send` (stomp.md S2-30, Q2-9, Q2-11, Q2-16 to
//! Q2-18, Q2-25).
//!
//! A body that is refused still says what it was: the client gets it back as
//! a FAILED message, so what could be read is kept beside the reason.

use serde::Serialize;
use serde_json::value::RawValue;

use super::requests::app_id;
use super::{BadMember, BrokenJson, ChatType, Members, MsgType, RefusedRequest, is_message_id};

/// Mentioned users at most.
pub const MAX_MENTIONS: usize = 1_000;

/// The most characters of a type, known or not.
const MAX_TYPE_CHARS: usize = 64;

/// What a client wants said. Who says it is the session's user: a `fromId` is
/// not read (stomp.md Q2-26).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatSend {
    /// The client's app, also read from `appKey`; `None` means the token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The client's id, as written; see [`ChatSend::client_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// The receiver or the group.
    pub to_id: String,
    /// Which of the two.
    pub chat_type: ChatType,
    /// A [`MsgType`], or one of the client's own.
    pub msg_type: String,
    /// A text; a client that wrote an object gets its JSON as text.
    pub content: String,
    /// Who is mentioned; [`MAX_MENTIONS`] at most.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentioned_user_ids: Vec<String>,
    /// An object of the client's own, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Box<RawValue>>,
}

/// What a client wrote, for a FAILED message. What is missing or cannot be
/// read is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Submitted {
    /// The client's id.
    pub message_id: String,
    /// The receiver or the group.
    pub to_id: String,
    /// As written.
    pub chat_type: String,
    /// As written.
    pub msg_type: String,
    /// The content.
    pub content: String,
}

/// Why a body is no [`ChatSend`]. The answer is a FAILED message with code
/// 400, or, where nothing names the message, an error on
/// `/user/queue/errors`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefusedSend {
    /// It is no JSON object.
    #[error("Invalid JSON")]
    InvalidJson {
        /// What was whole before it broke, if the `messageId` was.
        submitted: Option<Box<Submitted>>,
    },
    /// A member is missing or wrong.
    #[error("{bad}")]
    Member {
        /// The member.
        bad: BadMember,
        /// What the client wrote.
        submitted: Box<Submitted>,
    },
}

const NAMES: [&str; 9] = [
    "appId",
    "appKey",
    "messageId",
    "toId",
    "chatType",
    "msgType",
    "content",
    "mentionedUserIds",
    "extra",
];

impl ChatSend {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// See [`RefusedSend`]; its text is what the client is told.
    pub fn read(body: &[u8]) -> Result<ChatSend, RefusedSend> {
        let members = Members::read(body, &NAMES).map_err(|BrokenJson { before }| {
            let submitted = Submitted::of(&before);
            RefusedSend::InvalidJson {
                submitted: Some(Box::new(submitted)).filter(|it| !it.message_id.is_empty()),
            }
        })?;
        ChatSend::check(&members).map_err(|bad| RefusedSend::Member {
            bad,
            submitted: Box::new(Submitted::of(&members)),
        })
    }

    fn check(members: &Members<'_>) -> Result<ChatSend, BadMember> {
        let to_id = members.id("toId")?.filter(|it| !it.is_empty());
        let to_id = to_id.ok_or(BadMember::missing("toId"))?;
        let chat_type = members.text("chatType")?;
        let chat_type = chat_type.ok_or(BadMember::missing("chatType"))?;
        let msg_type = members.text("msgType")?.filter(|it| !it.is_empty());
        let msg_type = msg_type.ok_or(BadMember::missing("msgType"))?;
        if !may_be_sent(&msg_type) {
            return Err(BadMember::invalid("msgType"));
        }
        let content = members.text_or_object("content")?;
        Ok(ChatSend {
            app_id: app_id(members)?,
            message_id: members.id("messageId")?,
            to_id,
            chat_type: ChatType::parse(&chat_type).ok_or(BadMember::invalid("chatType"))?,
            msg_type,
            content: content.ok_or(BadMember::missing("content"))?,
            mentioned_user_ids: members
                .ids("mentionedUserIds", MAX_MENTIONS)?
                .unwrap_or_default(),
            extra: members.object("extra")?.map(ToOwned::to_owned),
        })
    }

    /// The client's id if it may be the message's; else the server's is.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.message_id.as_deref().filter(|it| is_message_id(it))
    }

    /// A flag in `extra`, for example `readReceipt` (stomp.md Q2-22); `None`
    /// if it is not there or is no flag.
    #[must_use]
    pub fn extra_flag(&self, member: &'static str) -> Option<bool> {
        let extra = self.extra.as_deref()?.get();
        let members = Members::read(extra.as_bytes(), &[member]).ok()?;
        members.flag(member).ok().flatten()
    }

    /// What the client wrote, for when it is refused later.
    #[must_use]
    pub fn submitted(&self) -> Submitted {
        Submitted {
            message_id: self.message_id.clone().unwrap_or_default(),
            to_id: self.to_id.clone(),
            chat_type: self.chat_type.as_str().to_owned(),
            msg_type: self.msg_type.clone(),
            content: self.content.clone(),
        }
    }
}

/// A type of the client's own is relayed as it is; only the server revokes.
fn may_be_sent(msg_type: &str) -> bool {
    !msg_type.chars().any(char::is_control)
        && msg_type.chars().take(MAX_TYPE_CHARS + 1).count() <= MAX_TYPE_CHARS
        && msg_type != MsgType::Revoked.as_str()
}

impl Submitted {
    /// A message of which nothing but the id is known.
    #[must_use]
    pub fn id(message_id: &str) -> Submitted {
        Submitted {
            message_id: message_id.to_owned(),
            ..Submitted::default()
        }
    }

    fn of(members: &Members<'_>) -> Submitted {
        let or_empty = |read: Result<Option<String>, BadMember>| read.ok().flatten();
        let id = |name| or_empty(members.id(name)).unwrap_or_default();
        let text = |name| or_empty(members.text(name)).unwrap_or_default();
        Submitted {
            message_id: id("messageId"),
            to_id: id("toId"),
            chat_type: text("chatType"),
            msg_type: text("msgType"),
            content: or_empty(members.text_or_object("content")).unwrap_or_default(),
        }
    }
}

impl RefusedSend {
    /// What the client wrote, if there is an id to give it back under.
    #[must_use]
    pub fn submitted(&self) -> Option<&Submitted> {
        match self {
            RefusedSend::InvalidJson { submitted } => submitted.as_deref(),
            RefusedSend::Member { submitted, .. } => Some(submitted),
        }
    }
}

impl From<RefusedSend> for RefusedRequest {
    fn from(refused: RefusedSend) -> RefusedRequest {
        match refused {
            RefusedSend::InvalidJson { .. } => RefusedRequest::InvalidJson,
            RefusedSend::Member { bad, .. } => RefusedRequest::Member(bad),
        }
    }
}
