//! Messages in this dialect's words: the JSON of MESSAGE frames (stomp.md Q2-8, Q2-9, Q2-20,
//! interop.md G.2).

use std::borrow::Cow;

use crosstalk_core::change::MessageName;
use crosstalk_core::channel::{ChannelKey, ChannelKind};
use crosstalk_core::content::Content;
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::message::{Body, Message, Origin};
use crosstalk_wire::stomp::im::{ChatType, ConversationId, ImMessage, Status};
use serde_json::value::RawValue;

use super::map::{Envelope, said};
use crate::content::{content_for, meaning_for};
use crate::registry::Dialect;

/// Who speaks for the system.
pub(super) const SYSTEM: &str = "SYSTEM";

/// Members of `extra` that belong to what is said.
const OF_THE_WORDS: [&str; 2] = ["mentionAll", "quote"];

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
    view.edited_at = message.edited.as_deref().map(|edit| edit.at_ms);
    say(&mut view, body, message.shown(), || {
        content_for(message, ORIGIN)
    });
    view
}

/// Puts into a view what a message says now, and what stands beside that: `sent` is its body as
/// its author wrote it, `content` what that of another dialect means.
fn say<'a>(
    view: &mut ImMessage<'a>,
    sent: &'a Body,
    now: &'a Body,
    content: impl FnOnce() -> Content,
) {
    let mut envelope = Envelope::default();
    if sent.origin == ORIGIN {
        envelope = Envelope::of(sent);
        if let Some(app) = envelope.app_id.take() {
            view.app_id = Some(app.into());
        }
        if !sent.client_no.is_empty() {
            view.message_id = Some(Cow::Borrowed(&*sent.client_no));
        } else if let Some(id) = envelope.message_id.take() {
            view.message_id = Some(id.into());
        }
    }
    let mut mentions = std::mem::take(&mut envelope.mentioned_user_ids);
    if now.origin == ORIGIN {
        view.msg_type = Cow::Borrowed(&*now.tag);
        view.content = String::from_utf8_lossy(&now.payload);
        view.extra = envelope.extra.map(Cow::Owned);
    } else {
        let said = said(&content());
        view.msg_type = said.msg_type.into();
        view.content = said.content.into();
        if !said.mentions.is_empty() {
            mentions = said.mentions;
        }
        let mut extra = envelope.members();
        OF_THE_WORDS
            .iter()
            .for_each(|name| drop(extra.remove(*name)));
        extra.extend(said.extra);
        if !sent.flags.counts {
            extra.insert("unread".to_owned(), false.into());
        }
        if !extra.is_empty() {
            let extra = serde_json::to_string(&extra).ok();
            let extra = extra.and_then(|extra| RawValue::from_string(extra).ok());
            view.extra = extra.map(Cow::Owned);
        }
    }
    if mentions.is_empty()
        && let Some(carried) = sent.carried.as_deref()
    {
        let uids = carried
            .mentions
            .iter()
            .map(|user| user.uid.as_str().to_owned());
        mentions = uids.collect();
    }
    view.mentioned_user_ids = Cow::Owned(mentions);
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

/// A message of a channel as it is after an edit: its bodies as it was sent, and now.
pub(super) fn edited<'a>(
    name: &'a MessageName,
    key: &'a ChannelKey,
    app: &'a str,
    (sent, now): (&'a Body, &'a Body),
    at_ms: i64,
) -> ImMessage<'a> {
    let id = named_id(name);
    let mut view = ImMessage::new(id.clone(), Status::Sent, name.sent_at_ms);
    place(&mut view, key, &name.sender);
    view.message_id = Some(id);
    view.app_id = Some(app.into());
    view.seq = Some(name.seq);
    view.edited_at = Some(at_ms);
    say(&mut view, sent, now, || meaning_for(now, ORIGIN));
    view
}
