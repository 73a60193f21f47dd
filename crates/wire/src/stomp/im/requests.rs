//! The bodies of `/app/chat.revoke`, `chat.edit`, `chat.read` and
//! `chat.sync` (stomp.md S2-31, S2-32, Q2-21 to Q2-23, Q2-25).

use serde::Serialize;

use super::{BadMember, BrokenJson, ChatType, ConversationId, Members};

/// Messages that a sync gives if the client names no limit.
const DEFAULT_SYNC: u64 = 200;
/// Messages that a sync gives at most.
const MAX_SYNC: u64 = 1_000;

/// Why a body is not what its destination wants. Its text is what the client
/// is told, with code 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedRequest {
    /// It is no JSON object.
    #[error("Invalid JSON")]
    InvalidJson,
    /// A member is missing or wrong.
    #[error("{0}")]
    Member(#[from] BadMember),
}

impl From<BrokenJson<'_>> for RefusedRequest {
    fn from(_: BrokenJson<'_>) -> RefusedRequest {
        RefusedRequest::InvalidJson
    }
}

/// `chat.revoke`: take a message back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatRevoke {
    /// The client's app, also read from `appKey`; `None` means the token's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// The message, by the client's id or the server's.
    pub message_id: String,
}

/// `chat.edit`: replace a message's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatEdit {
    /// As [`ChatRevoke::app_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// As [`ChatRevoke::message_id`].
    pub message_id: String,
    /// The new content; a client that wrote an object gets its JSON as text.
    pub content: String,
}

/// `chat.read`: one message, or a conversation to its end, was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatRead {
    /// As [`ChatRevoke::app_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// What was read.
    #[serde(flatten)]
    pub target: ReadTarget,
}

/// What was read. A body that names both means the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum ReadTarget {
    /// A message, as [`ChatRevoke::message_id`].
    #[serde(rename = "messageId")]
    Message(String),
    /// A conversation.
    #[serde(rename = "conversationId")]
    Conversation(ConversationId),
}

/// `chat.typing`: the user is writing in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatTyping {
    /// As [`ChatRevoke::app_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Where.
    pub conversation_id: ConversationId,
}

/// `chat.sync`: give what was missed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatSync {
    /// As [`ChatRevoke::app_id`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Nothing older, in ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Where an earlier sync ended, as the server said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Messages at most: 1 to 1,000.
    pub limit: u64,
}

impl ChatRevoke {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// See [`RefusedRequest`].
    pub fn read(body: &[u8]) -> Result<ChatRevoke, RefusedRequest> {
        let members = Members::read(body, &["appId", "appKey", "messageId"])?;
        Ok(ChatRevoke {
            app_id: app_id(&members)?,
            message_id: message_id(&members)?.ok_or(BadMember::missing("messageId"))?,
        })
    }
}

impl ChatEdit {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// See [`RefusedRequest`].
    pub fn read(body: &[u8]) -> Result<ChatEdit, RefusedRequest> {
        let members = Members::read(body, &["appId", "appKey", "messageId", "content"])?;
        let content = members.text_or_object("content")?;
        Ok(ChatEdit {
            app_id: app_id(&members)?,
            message_id: message_id(&members)?.ok_or(BadMember::missing("messageId"))?,
            content: content.ok_or(BadMember::missing("content"))?,
        })
    }
}

impl ChatRead {
    /// Reads a body.
    ///
    /// # Errors
    ///
    /// See [`RefusedRequest`].
    pub fn read(body: &[u8]) -> Result<ChatRead, RefusedRequest> {
        let names = ["appId", "appKey", "messageId", "conversationId"];
        let members = Members::read(body, &names)?;
        let app_id = app_id(&members)?;
        let target = if let Some(message_id) = message_id(&members)? {
            ReadTarget::Message(message_id)
        } else {
            let text = members.text("conversationId")?;
            let text = text.ok_or(BadMember::missing("messageId"))?;
            let id = ConversationId::parse(&text);
            ReadTarget::Conversation(id.ok_or(BadMember::invalid("conversationId"))?)
        };
        Ok(ChatRead { app_id, target })
    }
}

impl ChatTyping {
    /// Reads a body: `conversationId`, or `toId` and `chatType` as a send has them.
    ///
    /// # Errors
    ///
    /// See [`RefusedRequest`].
    pub fn read(body: &[u8]) -> Result<ChatTyping, RefusedRequest> {
        let names = ["appId", "appKey", "conversationId", "toId", "chatType"];
        let members = Members::read(body, &names)?;
        let app_id = app_id(&members)?;
        let conversation_id = match members.text("conversationId")? {
            Some(text) => {
                ConversationId::parse(&text).ok_or(BadMember::invalid("conversationId"))?
            }
            None => {
                let to = members.id("toId")?.filter(|it| !it.is_empty());
                let kind = members.text("chatType")?.unwrap_or_else(|| "SINGLE".into());
                ConversationId {
                    chat_type: ChatType::parse(&kind).ok_or(BadMember::invalid("chatType"))?,
                    target_id: to.ok_or(BadMember::missing("conversationId"))?,
                }
            }
        };
        Ok(ChatTyping {
            app_id,
            conversation_id,
        })
    }
}

impl ChatSync {
    /// Reads a body. An empty one asks for everything.
    ///
    /// # Errors
    ///
    /// See [`RefusedRequest`].
    pub fn read(body: &[u8]) -> Result<ChatSync, RefusedRequest> {
        let body = if body.trim_ascii().is_empty() {
            b"{}"
        } else {
            body
        };
        let members = Members::read(body, &["appId", "appKey", "since", "cursor", "limit"])?;
        let limit = members.unsigned("limit")?;
        Ok(ChatSync {
            app_id: app_id(&members)?,
            since: members.integer("since")?,
            cursor: members.id("cursor")?.filter(|it| !it.is_empty()),
            limit: limit.unwrap_or(DEFAULT_SYNC).clamp(1, MAX_SYNC),
        })
    }
}

/// The app, by its later name or its earlier one (stomp.md Q2-25).
pub(super) fn app_id(members: &Members<'_>) -> Result<Option<String>, BadMember> {
    match members.id("appId")? {
        None => members.id("appKey"),
        named => Ok(named),
    }
}

fn message_id(members: &Members<'_>) -> Result<Option<String>, BadMember> {
    Ok(members.id("messageId")?.filter(|it| !it.is_empty()))
}
