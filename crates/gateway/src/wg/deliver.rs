//! What messages look like to wg clients (wg.md Q0-16 to Q0-18, interop.md G.2).

use std::borrow::Cow;
use std::cell::RefCell;

use bytes::{Bytes, BytesMut};
use crosstalk_core::change::{EditedBody, MessageName};
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::id::{MessageId, Uid};
use crosstalk_core::message::Message;
use crosstalk_wire::wg::{
    Message as WireMessage, SYSTEM, Shared, Status, StatusBody, ToClient, Written, texts,
};
use serde::{Deserialize, Serialize};

use super::settings::{WgListTo, WgSettings};
use super::{ORIGIN, map};
use crate::content::{content, meaning};

/// Members of the envelope that must come back as they were sent.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Extra {
    /// The list in `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<String>,
    /// The sender that the application names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// Whether the application says that the server itself says it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) system: bool,
}

impl Extra {
    pub(super) fn of(message: &Message) -> Self {
        let body = &message.body;
        let extra = body.extra.as_ref().filter(|_| body.origin == ORIGIN);
        extra
            .and_then(|json| serde_json::from_slice(json).ok())
            .unwrap_or_default()
    }

    pub(super) fn encode(&self) -> Option<Bytes> {
        serde_json::to_vec(self).ok().map(Bytes::from)
    }
}

/// The id that wg clients know a message by.
pub(super) fn id_of(message: &Message) -> Cow<'_, str> {
    if message.body.origin == ORIGIN && !message.body.client_no.is_empty() {
        (&*message.body.client_no).into()
    } else {
        message.id.to_string().into()
    }
}

/// Whether wg clients know a message by this id.
pub(super) fn is_called(message: &Message, id: &str) -> bool {
    if message.body.origin == ORIGIN && !message.body.client_no.is_empty() {
        return *message.body.client_no == *id;
    }
    id.parse() == Ok(message.id.0)
}

/// Whom wg clients know as the sender.
pub(super) fn sender_of(message: &Message) -> &str {
    if message.sender.uid.is_system() {
        SYSTEM
    } else {
        message.sender.uid.as_str()
    }
}

/// What `to` is for a receiver.
pub(super) fn to_of<'a>(message: &'a Message, own: &'a str) -> Cow<'a, str> {
    let key = &message.channel.key;
    if key.kind == ChannelKind::DIRECT {
        own.into()
    } else {
        format!("group:{}", key.id).into()
    }
}

thread_local! {
    /// The message encoded last, and how often it was edited: its next receiver is often on the
    /// same thread.
    static LAST: RefCell<Option<(MessageId, u32, Shared)>> = const { RefCell::new(None) };
}

/// Appends a message for a receiver; false if these clients are not shown it.
pub(super) fn put(message: &Message, own: &str, settings: &WgSettings, out: &mut BytesMut) -> bool {
    let to = to_of(message, own);
    LAST.with_borrow_mut(|last| {
        let edits = message.edited.as_ref().map_or(0, |edited| edited.n);
        if let Some((id, n, shared)) = last
            && (*id, *n) == (message.id, edits)
        {
            shared.put(&to, out);
            return true;
        }
        let Some((shown, listed)) = envelope(message, settings) else {
            return false;
        };
        let shared = Shared::new(&shown);
        shared.put(listed.as_deref().unwrap_or(&to), out);
        // What all receivers see alike has no place for what each sees by itself.
        *last = listed.is_none().then_some((message.id, edits, shared));
        true
    })
}

/// A message without its receiver, and the list that is shown in the receiver's place.
fn envelope(
    message: &Message,
    settings: &WgSettings,
) -> Option<(WireMessage<ToClient>, Option<String>)> {
    let extra = Extra::of(message);
    let said = message.shown();
    let content = if said.origin == ORIGIN {
        map::own(said)?
    } else {
        let is_claimed = |code| settings.handler(code).is_some();
        map::shown(&content(message), is_claimed)?
    };
    // Whatever the content looks like: anybody can write what looks like the system's.
    let is_system = match &extra.from {
        Some(_) => extra.system,
        None => message.sender.uid.is_system(),
    };
    let from = match extra.from {
        Some(from) => from,
        None => sender_of(message).to_owned(),
    };
    let shown = WireMessage {
        id: id_of(message).into_owned(),
        is_system,
        from,
        to: String::new(),
        timestamp_ms: Some(message.sent_at_ms),
        content,
    };
    let listed = extra.to.filter(|_| settings.list_to == WgListTo::AsSent);
    Some((shown, listed))
}

/// The id by which clients know a message.
fn known_as(name: &MessageName) -> String {
    let is_own = name.origin == ORIGIN.0 && !name.client_no.is_empty();
    if is_own {
        name.client_no.clone()
    } else {
        name.id.to_string()
    }
}

/// That messages are over; nothing if there are none. `serviceId` has all of their ids.
pub(super) fn expiry(names: &[&MessageName]) -> Option<ToClient> {
    if names.is_empty() {
        return None;
    }
    let ids: Vec<String> = names.iter().map(|name| known_as(name)).collect();
    let msg = format!("{}条消息已过期", names.len());
    Some(map::notice("消息过期", &msg, None, Some(&ids.join(","))))
}

/// What a message says now (interop.md G.2); nothing if it is gone.
pub(super) fn edit(name: &MessageName, by: Option<&str>, body: &EditedBody) -> Option<ToClient> {
    if body.payload.is_empty() {
        return None;
    }
    let said = meaning(&body.shown(name));
    let who = by.unwrap_or("系统");
    let msg = format!("{who}编辑了一条消息：{}", said.fallback_text());
    let id = known_as(name);
    Some(map::notice("消息编辑", &msg, None, Some(&id)))
}

/// That a message was taken back (interop.md G.5): `serviceId` is the id by which clients
/// know it.
pub(super) fn recall(name: &MessageName, by: Option<&str>) -> ToClient {
    let id = known_as(name);
    let who = by.unwrap_or("系统");
    map::notice("消息撤回", &format!("{who}撤回了一条消息"), None, Some(&id))
}

/// That somebody has a message, or could do nothing with it.
pub(super) fn receipt(
    message: &Message,
    by: &Uid,
    to: &str,
    rejected: Option<&str>,
    now_ms: i64,
) -> WireMessage<ToClient> {
    let body = match rejected {
        None => StatusBody::new(Status::Success, texts::RECEIVED),
        Some(why) => StatusBody::new(Status::ReceiveError, why.to_owned()),
    };
    WireMessage {
        id: id_of(message).into_owned(),
        is_system: false,
        from: by.as_str().to_owned(),
        to: to.to_owned(),
        timestamp_ms: Some(now_ms),
        content: ToClient::ReceiveStatus(Written::new(body)),
    }
}
