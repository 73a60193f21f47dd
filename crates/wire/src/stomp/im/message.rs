//! The body of a MESSAGE: a message as this dialect shows it
//! (stomp.md Q2-8, Q2-9, Q2-11, Q2-20).

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{BadMember, ChatType, Code, Members, MsgType, RefusedRequest, Status, Submitted};

/// The most characters of an id that a client gives.
const MAX_ID_CHARS: usize = 128;

/// Whether a client's `messageId` can be the message's `id`: 1 to 128
/// characters without control characters (stomp.md Q2-9).
#[must_use]
pub fn is_message_id(text: &str) -> bool {
    !text.is_empty()
        && !text.chars().any(char::is_control)
        && text.chars().take(MAX_ID_CHARS + 1).count() <= MAX_ID_CHARS
}

/// A message. The members that the documentation of the dialect names are
/// always written, unknown ones as `null`; a member that belongs to one kind
/// of message is left out of the others.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImMessage<'a> {
    /// The id in this dialect: the client's if it may be one, else the
    /// server's as decimal digits.
    pub id: Cow<'a, str>,
    /// The client's id.
    pub message_id: Option<Cow<'a, str>>,
    /// The app of the sender.
    pub app_id: Option<Cow<'a, str>>,
    /// The sender.
    pub from_id: Cow<'a, str>,
    /// The receiver or the group.
    pub to_id: Cow<'a, str>,
    /// The group; only in groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<Cow<'a, str>>,
    /// A [`ChatType`]; in a FAILED message what the client wrote.
    pub chat_type: Cow<'a, str>,
    /// A [`MsgType`], or one of the client's own.
    pub msg_type: Cow<'a, str>,
    /// The text, or for other types JSON as a text; empty if revoked.
    pub content: Cow<'a, str>,
    /// How far the message has come.
    pub status: Status,
    /// When it was accepted, in ms since 1970; of a FAILED one, refused.
    pub created_at: i64,
    /// Its place in the conversation; `null` if it has none.
    pub seq: Option<u64>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was edited, in ms since 1970.
    pub edited_at: Option<i64>,
    /// Who is mentioned.
    pub mentioned_user_ids: Cow<'a, [String]>,
    /// Further members of the author's, as written; `None` is `{}`.
    #[serde(serialize_with = "object_or_empty")]
    pub extra: Option<Cow<'a, RawValue>>,
    /// Who revoked it; only if revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator_id: Option<Cow<'a, str>>,
    /// When it was revoked, in ms since 1970; only if revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<i64>,
    /// Why it was refused; only if FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<Code>,
    /// Why it was refused, in words; only if FAILED.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<Cow<'a, str>>,
}

const EMPTY: &str = "{}";

fn object_or_empty<S: Serializer>(
    extra: &Option<Cow<'_, RawValue>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match extra {
        Some(extra) => extra.serialize(serializer),
        None => serde_json::from_str::<&RawValue>(EMPTY)
            .expect("an empty object is JSON")
            .serialize(serializer),
    }
}

impl<'a> ImMessage<'a> {
    /// A message without any of the members that may be unknown.
    #[must_use]
    pub fn new(id: impl Into<Cow<'a, str>>, status: Status, created_at_ms: i64) -> ImMessage<'a> {
        ImMessage {
            id: id.into(),
            message_id: None,
            app_id: None,
            from_id: Cow::default(),
            to_id: Cow::default(),
            group_id: None,
            chat_type: Cow::default(),
            msg_type: Cow::default(),
            content: Cow::default(),
            status,
            created_at: created_at_ms,
            seq: None,
            revoked: false,
            edited_at: None,
            mentioned_user_ids: Cow::default(),
            extra: None,
            operator_id: None,
            revoked_at: None,
            error_code: None,
            error_message: None,
        }
    }

    /// The same message after it was revoked (stomp.md Q2-20).
    #[must_use]
    pub fn revoked(self, operator_id: impl Into<Cow<'a, str>>, at_ms: i64) -> ImMessage<'a> {
        ImMessage {
            msg_type: Cow::Borrowed(MsgType::Revoked.as_str()),
            content: Cow::default(),
            status: Status::Revoked,
            revoked: true,
            operator_id: Some(operator_id.into()),
            revoked_at: Some(at_ms),
            mentioned_user_ids: Cow::default(),
            extra: None,
            ..self
        }
    }

    /// The message as JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings, numbers and JSON become JSON")
    }
}

/// The members of a message.
const NAMES: [&str; 20] = [
    "id",
    "messageId",
    "appId",
    "fromId",
    "toId",
    "groupId",
    "chatType",
    "msgType",
    "content",
    "status",
    "createdAt",
    "seq",
    "revoked",
    "editedAt",
    "mentionedUserIds",
    "extra",
    "operatorId",
    "revokedAt",
    "errorCode",
    "errorMessage",
];

impl ImMessage<'static> {
    /// Reads a message as a client does: the eight members of the dialect's
    /// documentation are required.
    ///
    /// # Errors
    ///
    /// When it is no JSON object, or a member is missing or wrong.
    pub fn read(json: &[u8]) -> Result<ImMessage<'static>, RefusedRequest> {
        let members = Members::read(json, &NAMES)?;
        let need = |name, value: Option<String>| value.ok_or(BadMember::missing(name));
        let id = |name| members.id(name).map(|it| it.map(Cow::Owned));
        let status = need("status", members.text("status")?)?;
        let code = members.integer("errorCode")?;
        let code = code.map(|number| u16::try_from(number).ok().and_then(Code::from_number));
        let created_at = members.integer("createdAt")?;
        Ok(ImMessage {
            message_id: id("messageId")?,
            app_id: id("appId")?,
            from_id: need("fromId", members.id("fromId")?)?.into(),
            to_id: need("toId", members.id("toId")?)?.into(),
            group_id: id("groupId")?,
            chat_type: need("chatType", members.text("chatType")?)?.into(),
            msg_type: need("msgType", members.text("msgType")?)?.into(),
            content: need("content", members.text("content")?)?.into(),
            seq: members.unsigned("seq")?,
            revoked: members.flag("revoked")?.unwrap_or(false),
            edited_at: members.integer("editedAt")?,
            mentioned_user_ids: Cow::Owned(
                members
                    .ids("mentionedUserIds", usize::MAX)?
                    .unwrap_or_default(),
            ),
            extra: members.object("extra")?.map(|it| Cow::Owned(it.to_owned())),
            operator_id: id("operatorId")?,
            revoked_at: members.integer("revokedAt")?,
            error_code: match code {
                Some(None) => return Err(BadMember::invalid("errorCode").into()),
                known => known.flatten(),
            },
            error_message: members.text("errorMessage")?.map(Cow::Owned),
            ..ImMessage::new(
                need("id", members.id("id")?)?,
                Status::parse(&status).ok_or(BadMember::invalid("status"))?,
                created_at.ok_or(BadMember::missing("createdAt"))?,
            )
        })
    }
}

/// A message that was refused, for the session that sent it
/// (stomp.md Q2-11).
#[derive(Debug, Clone, Copy)]
pub struct FailedSend<'a> {
    /// What the client wrote; what could not be read is empty.
    pub submitted: &'a Submitted,
    /// The client's app.
    pub app_id: &'a str,
    /// The client's user.
    pub from_id: &'a str,
    /// When it was refused, in ms since 1970.
    pub at_ms: i64,
    /// Why.
    pub code: Code,
    /// Why, in words.
    pub reason: &'a str,
}

impl<'a> FailedSend<'a> {
    /// The FAILED message.
    #[must_use]
    pub fn message(&self) -> ImMessage<'a> {
        let submitted = self.submitted;
        let is_group = ChatType::parse(&submitted.chat_type) == Some(ChatType::Group);
        let mut message = ImMessage::new(submitted.message_id.as_str(), Status::Failed, self.at_ms);
        message.message_id = Some(submitted.message_id.as_str().into());
        message.app_id = Some(self.app_id.into());
        message.from_id = self.from_id.into();
        message.to_id = submitted.to_id.as_str().into();
        message.group_id = is_group.then(|| submitted.to_id.as_str().into());
        message.chat_type = submitted.chat_type.as_str().into();
        message.msg_type = submitted.msg_type.as_str().into();
        message.content = submitted.content.as_str().into();
        message.error_code = Some(self.code);
        message.error_message = Some(self.reason.into());
        message
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_short_and_printable() {
        for good in ["m", "m-001", "消息", &"x".repeat(128), &"中".repeat(128)] {
            assert!(is_message_id(good), "{good}");
        }
        for bad in [
            "",
            "a\nb",
            "\u{7f}",
            "\u{85}",
            &"x".repeat(129),
            &"中".repeat(129),
        ] {
            assert!(!is_message_id(bad), "{bad}");
        }
    }
}
