//! Messages in this dialect's words: the JSON of MESSAGE frames (stomp.md Q2-8, Q2-9, Q2-20,
//! interop.md G.2).

use std::borrow::Cow;

use crosstalk_core::change::{EditedBody, MessageName};
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::message::{Body, Message, Origin};
use crosstalk_wire::stomp::im::{ChatType, ConversationId, ImMessage, Status};
use serde_json::value::RawValue;

use super::map::{Envelope, said};
use crate::content::{content, meaning};
use crate::registry::Dialect;

/// Who speaks for the system.
pub(super) const SYSTEM: &str = "SYSTEM";

/// This dialect's number in stored messages.
pub(super) const ORIGIN: Origin = Dialect::Stomp.origin();

/// What the dialect calls a message: the client's id if it was written in this dialect and
/// no other sender had used it, else the server's.
fn id_of(origin: Origin, client_no: &str, number_taken: bool, id: MessageId) -> Cow<'_, str> {
    if origin == ORIGIN && !client_no.is_empty() && !number_taken {
        Cow::Borrowed(client_no)
    } else {
        Cow::Owned(id.to_string())
    }
}

/// The dialect's id of a message.
pub(super) fn message_id(message: &Message) -> Cow<'_, str> {
    let body = &message.body;
    id_of(
        body.origin,
        &body.client_no,
        body.flags.number_taken,
        message.id,
    )
}

/// The dialect's id of a message that is only named.
pub(super) fn named_id(name: &MessageName) -> Cow<'_, str> {
    id_of(
        Origin(name.origin),
        &name.client_no,
        name.number_taken,
        name.id,
    )
}

/// How the dialect shows a user: the system has a name of its own.
pub(super) fn shown(uid: &str) -> &str {
    if Uid::from_store(uid).is_system() {
        SYSTEM
    } else {
        uid
    }
}

/// Sets where a message is.
fn place<'a>(message: &mut ImMessage<'a>, key: &'a ChannelKey, sender: &'a str) {
    if key.kind == ChannelKind::DIRECT {
        message.to_id = key.peer_of(sender).map_or(sender, shown).into();
        message.chat_type = ChatType::Single.as_str().into();
    } else {
        message.to_id = Cow::Borrowed(&*key.id);
        message.group_id = Some(Cow::Borrowed(&*key.id));
        message.chat_type = ChatType::Group.as_str().into();
    }
    message.from_id = shown(sender).into();
}

/// A conversation as one user sees it.
#[must_use]
pub fn conversation(key: &ChannelKey, user: &Uid) -> ConversationId {
    match key.peer_of(user.as_str()) {
        Some(peer) => ConversationId {
            chat_type: ChatType::Single,
            target_id: shown(peer).to_owned(),
        },
        None => ConversationId {
            chat_type: ChatType::Group,
            target_id: key.id.to_string(),
        },
    }
}

/// A message as the dialect shows it; `app` is the app of those who do not say theirs.
#[must_use]
pub fn view<'a>(message: &'a Message, app: &'a str) -> ImMessage<'a> {
    let body = &message.body;
    let id = message_id(message);
    let mut view = ImMessage::new(id.clone(), Status::Sent, message.sent_at_ms);
    place(&mut view, &message.channel.key, message.sender.uid.as_str());
    view.seq = (message.seq > 0).then_some(message.seq);
    view.app_id = Some(app.into());
    view.message_id = Some(id);
    if let Some(revocation) = &message.revoked {
        let by = revocation.by.as_ref().map(|by| by.uid.as_str());
        return view.revoked(by.map_or(SYSTEM, shown), revocation.at_ms);
    }
    let now = message.shown();
    view.edited_at = message.edited.as_deref().map(|edit| edit.at_ms);
    if body.origin == ORIGIN {
        let envelope = Envelope::of(body);
        if let Some(app) = envelope.app_id {
            view.app_id = Some(app.into());
        }
        if !body.client_no.is_empty() {
            view.message_id = Some(Cow::Borrowed(&*body.client_no));
        } else if let Some(id) = envelope.message_id {
            view.message_id = Some(id.into());
        }
        view.mentioned_user_ids = Cow::Owned(envelope.mentioned_user_ids);
        view.extra = envelope.extra.map(Cow::Owned);
    }
    if now.origin == ORIGIN {
        view.msg_type = Cow::Borrowed(&*now.tag);
        view.content = String::from_utf8_lossy(&now.payload);
        return view;
    }
    let mut said = said(&content(message));
    if !body.flags.counts {
        said.extra.insert("unread".to_owned(), false.into());
    }
    view.msg_type = said.msg_type.into();
    view.content = said.content.into();
    if said.mentions.is_empty()
        && let Some(carried) = body.carried.as_deref()
    {
        let uids = carried
            .mentions
            .iter()
            .map(|user| user.uid.as_str().to_owned());
        said.mentions = uids.collect();
    }
    view.mentioned_user_ids = Cow::Owned(said.mentions);
    if !said.extra.is_empty() {
        let extra = serde_json::to_string(&said.extra).ok();
        let extra = extra.and_then(|extra| RawValue::from_string(extra).ok());
        view.extra = extra.map(Cow::Owned);
    }
    view
}

/// What is left of a revoked message of a channel.
pub(super) fn revoked<'a>(
    name: &'a MessageName,
    key: &'a ChannelKey,
    app: &'a str,
    by: Option<&'a str>,
    at_ms: i64,
) -> ImMessage<'a> {
    let id = named_id(name);
    let mut view = ImMessage::new(id.clone(), Status::Sent, name.sent_at_ms);
    place(&mut view, key, &name.sender);
    view.message_id = Some(id);
    view.app_id = Some(app.into());
    view.seq = Some(name.seq);
    view.revoked(by.map_or(SYSTEM, shown), at_ms)
}

/// A message of a channel as it is after an edit.
pub(super) fn edited<'a>(
    name: &'a MessageName,
    key: &'a ChannelKey,
    app: &'a str,
    body: EditedBody,
    at_ms: i64,
) -> ImMessage<'a> {
    let id = named_id(name);
    let mut view = ImMessage::new(id.clone(), Status::Sent, name.sent_at_ms);
    place(&mut view, key, &name.sender);
    view.message_id = Some(id);
    view.app_id = Some(app.into());
    view.seq = Some(name.seq);
    view.edited_at = Some(at_ms);
    let origin = body.origin();
    if origin == ORIGIN {
        view.msg_type = body.tag.into();
        view.content = String::from_utf8_lossy(&body.payload).into_owned().into();
        return view;
    }
    let said = said(&meaning(&Body {
        origin,
        tag: body.tag.into(),
        payload: body.payload,
        ..Body::default()
    }));
    view.msg_type = said.msg_type.into();
    view.content = said.content.into();
    view.mentioned_user_ids = Cow::Owned(said.mentions);
    view
}
