//! Between core and wire: drafts from SENDs, content from payloads and payloads from content
//! (interop.md G.3; payload types of wukong.md §7.3).

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::change::{Change, MessageName};
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::content::{Content, MAX_MERGED_ITEMS, MergedItem, Reply};
use crosstalk_core::message::{Body, Draft, Flags, Message, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::wukong::binary::{Send, Setting};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::changes;
use crate::content::{content as content_of_message, unknown};
use crate::mentions::is_set;
use crate::registry::WUKONG_ORIGIN;
use crate::reserved::is_forged;

/// From this length on names are left out of a system notice, bytes.
const MAX_TIP_BYTES: usize = 16 << 10;
/// The type of messages that were forwarded together.
const MERGED: u64 = 11;

/// Members of the envelope that must come back as they were sent.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Extra {
    /// The setting byte.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) setting: u8,
    /// The topic.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) topic: String,
    /// The syncOnce flag of a message that is in the chat log all the same.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) once: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_zero(number: &u8) -> bool {
    *number == 0
}

impl Extra {
    fn of(message: &Message) -> Self {
        let body = &message.body;
        let extra = body.extra.as_ref().filter(|_| body.origin == WUKONG_ORIGIN);
        extra
            .and_then(|json| serde_json::from_slice(json).ok())
            .unwrap_or_default()
    }

    fn encode(&self) -> Option<Bytes> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_vec(self).ok().map(Bytes::from)
    }
}

/// A draft from a SEND whose payload has been decrypted, or what was wrong with that.
///
/// # Errors
/// `UnsupportedChannelKind` or `InvalidChannelId`: there is no channel to judge it in.
pub(super) fn draft(
    send: &Send,
    payload: Result<Bytes, Refusal>,
    require_peer: bool,
) -> Result<Draft, Refusal> {
    let to = Address::parse(ChannelKind(send.channel_type), &send.channel_id)?;
    let extra = Extra {
        setting: send.setting.0,
        topic: send.topic.clone(),
        once: send.flags.sync_once,
    };
    let fault = payload.as_ref().err().copied();
    let flags = Flags {
        no_persist: send.flags.no_persist,
        counts: send.flags.red_dot,
        command: false,
        receipt: send.setting.has_receipt(),
        ..Flags::default()
    };
    let body = Body {
        client_no: send.client_msg_no.as_str().into(),
        origin: WUKONG_ORIGIN,
        tag: payload
            .as_ref()
            .map(|payload| tag(payload))
            .unwrap_or_default(),
        flags,
        expire_secs: send.expire_secs,
        payload: payload.unwrap_or_default(),
        extra: extra.encode(),
        name: None,
        audience: None,
        carried: None,
    };
    Ok(Draft {
        to,
        body,
        on_reuse: OnReuse::Store,
        require_peer,
        fault,
    })
}

/// The type of a wukong payload as a text, so that it outlives the payload; empty if it has
/// none.
#[must_use]
pub fn tag(payload: &[u8]) -> Arc<str> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: Value,
    }
    // Where the client SDKs put it.
    let first = payload.strip_prefix(br#"{"type":"#).and_then(|rest| {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let ends = matches!(rest.get(digits), Some(b',' | b'}'));
        (ends && (1..=9).contains(&digits)).then(|| &rest[..digits])
    });
    if let Some(digits) = first {
        return std::str::from_utf8(digits).unwrap_or_default().into();
    }
    match serde_json::from_slice(payload) {
        Ok(Typed {
            kind: Value::Number(kind),
        }) => kind.to_string().into(),
        Ok(Typed {
            kind: Value::String(kind),
        }) if kind.len() <= 9 => kind.into(),
        _ => Arc::default(),
    }
}

/// What wukong clients see of a message beside its payload.
#[derive(Debug, PartialEq, Eq)]
pub struct WukongEnvelope {
    /// The setting byte.
    pub setting: u8,
    /// The topic.
    pub topic: String,
    /// The syncOnce flag.
    pub sync_once: bool,
}

/// The envelope of a message for a wukong client.
#[must_use]
pub fn wukong_envelope(message: &Message) -> WukongEnvelope {
    let extra = Extra::of(message);
    let flags = message.body.flags;
    let receipt = if flags.receipt { Setting::RECEIPT } else { 0 };
    WukongEnvelope {
        // What it asked for it may not have been granted.
        setting: extra.setting & !Setting::RECEIPT | receipt,
        topic: extra.topic,
        sync_once: flags.command || extra.once,
    }
}

/// The client number of a message for a wukong client: never empty, as its SDKs key on it.
#[must_use]
pub fn wukong_client_no(message: &Message) -> Cow<'_, str> {
    if message.body.client_no.is_empty() || message.body.origin != WUKONG_ORIGIN {
        format!("x-{}", message.id).into()
    } else {
        (&*message.body.client_no).into()
    }
}

/// Whether wukong clients are told of a message at all: of most changes they are, of a user's
/// command that passes for the server's they are not.
#[must_use]
pub fn wukong_is_told(message: &Message) -> bool {
    match Change::of(message) {
        Some(change) => changes::is_told(&change),
        None => !(message.body.flags.command && is_forged(message)),
    }
}

/// The client number by which wukong clients know a message that a change names.
pub(super) fn client_no_of(message: &MessageName) -> String {
    if message.client_no.is_empty() || message.origin != WUKONG_ORIGIN.0 {
        format!("x-{}", message.id)
    } else {
        message.client_no.clone()
    }
}

/// A message's payload for a wukong client: the author's bytes if a wukong client wrote it.
/// Of one that was revoked, or is not for the viewer, the type is left (wukong-client.md
/// Q1-5): rows without one are not shown at all.
#[must_use]
pub fn wukong_payload<'m>(message: &'m Message, viewer: &str) -> Cow<'m, [u8]> {
    let body = &message.body;
    if message.revoked.is_some() || message.is_concealed {
        let kind = Some(body.origin).filter(|origin| *origin == WUKONG_ORIGIN);
        let kind = kind.and_then(|_| body.tag.parse().ok()).unwrap_or(1_u64);
        let json = json!({"type": kind.max(1), "content": ""});
        return serde_json::to_vec(&json).unwrap_or_default().into();
    }
    let shown = message.shown();
    if shown.origin == WUKONG_ORIGIN && !is_forged(message) {
        return Cow::Borrowed(&shown.payload);
    }
    if let Some(change) = Change::of(message) {
        let json = changes::payload(message, &change, viewer);
        return serde_json::to_vec(&json).unwrap_or_default().into();
    }
    let json = payload(&content_of_message(message));
    serde_json::to_vec(&json).unwrap_or_default().into()
}

/// Content as a wukong payload.
fn payload(content: &Content) -> Value {
    match content {
        Content::Text {
            text,
            mentions,
            mention_all,
            reply,
        } => words(text, mentions, *mention_all, reply.as_deref()),
        Content::Tip { text } => json!({"type": 1, "content": text}),
        Content::Image {
            url,
            width,
            height,
            size,
            ..
        } => {
            json!({"type": 2, "url": url, "width": width, "height": height, "size": size})
        }
        Content::Audio {
            url,
            duration_s,
            size,
        } => {
            json!({"type": 4, "url": url, "timeTrad": duration_s, "size": size})
        }
        Content::Video {
            url,
            cover,
            duration_s,
            width,
            height,
            size,
            name,
        } => json!({
            "type": 5, "url": url, "cover": cover.as_deref().unwrap_or_default(),
            "second": duration_s, "width": width, "height": height, "size": size,
            "name": name.as_deref().unwrap_or_default(),
        }),
        Content::File {
            url, name, size, ..
        } => {
            json!({"type": 8, "url": url, "name": name, "size": size})
        }
        Content::Location {
            lat,
            lng,
            title,
            address,
        } => json!({
            "type": 6, "lat": lat, "lng": lng, "latitude": lat, "longitude": lng,
            "title": title, "address": address,
        }),
        Content::Link {
            title, text, url, ..
        } => link(title, text, url),
        Content::Card { uid, name } => json!({"type": 7, "uid": uid, "name": name}),
        Content::Notice {
            title,
            msg,
            target,
            service_id,
        } => {
            let notice = json!({
                "title": title, "msg": msg, "target": target, "serviceId": service_id,
            });
            json!({"type": 1, "content": content.fallback_text(), "notice": notice})
        }
        Content::Custom {
            data: Value::Object(data),
            ..
        } if type_of(data) >= 100 => Value::Object(data.clone()),
        Content::Custom { tag, data } => json!({"type": 100, "tag": tag, "data": data}),
        Content::Call { .. } => json!({"type": 1, "content": content.fallback_text()}),
        Content::Command { cmd, param } => json!({"type": 99, "cmd": cmd, "param": param}),
        Content::Merged { title, items } => merged(content, title, items),
        Content::Unknown { raw } => json!({"type": 999, "raw": raw}),
    }
}

/// What the ecosystem's clients know as a merged forward.
fn merged(content: &Content, title: &str, items: &[MergedItem]) -> Value {
    let mut seen = HashSet::new();
    let users = items.iter().map(|item| (&item.from, &item.name));
    let users = users.filter(|user| seen.insert(*user));
    let users: Vec<Value> = users
        .map(|(uid, name)| json!({"uid": uid, "name": name}))
        .collect();
    let msgs = items.iter().map(|item| {
        let sent_at = item.sent_at / 1000;
        json!({"from_uid": item.from, "timestamp": sent_at, "payload": payload(&item.content)})
    });
    let msgs: Vec<Value> = msgs.collect();
    let text = content.fallback_text();
    json!({"type": MERGED, "title": title, "content": text, "users": users, "msgs": msgs})
}

fn read_merged(p: &Map<String, Value>) -> Option<Content> {
    let list = |key: &str| p.get(key).and_then(Value::as_array);
    let name = |uid: &str| {
        let named = list("users")?.iter().find(|user| user["uid"] == uid)?;
        named["name"].as_str()
    };
    let items = list("msgs")?
        .iter()
        .filter_map(Value::as_object)
        // One more, so that it is seen that there are too many.
        .take(MAX_MERGED_ITEMS + 1)
        .map(|item| {
            let from = string(item, "from_uid");
            let said = item.get("payload").and_then(Value::as_object);
            let seconds = i64::try_from(number(item, "timestamp")).unwrap_or(0);
            MergedItem {
                name: name(&from).unwrap_or_default().to_owned(),
                from,
                sent_at: seconds.saturating_mul(1000),
                content: said
                    .and_then(|said| content_of_object(said.clone()))
                    .unwrap_or_else(|| unknown(b"")),
            }
        });
    Some(Content::Merged {
        title: string(p, "title"),
        items: items.collect(),
    })
}

fn words(text: &str, mentions: &[String], mention_all: bool, reply: Option<&Reply>) -> Value {
    let mut payload = json!({"type": 1, "content": text});
    if !mentions.is_empty() || mention_all {
        payload["mention"] = json!({"all": u8::from(mention_all), "uids": mentions});
    }
    if let Some(reply) = reply {
        payload["reply"] = json!({
            "message_id": reply.id, "from_uid": reply.from, "from_name": reply.from,
            "payload": {"type": 1, "content": reply.text},
        });
    }
    payload
}

/// A link is text with an entity; offsets count UTF-16 units, as JavaScript does.
fn link(title: &str, text: &str, url: &str) -> Value {
    let before = format!("{title}\n{text}\n");
    let offset = before.encode_utf16().count();
    let length = url.encode_utf16().count();
    let entity = json!({"offset": offset, "length": length, "type": "link", "value": url});
    json!({"type": 1, "content": format!("{before}{url}"), "entities": [entity]})
}

fn type_of(payload: &Map<String, Value>) -> u64 {
    number(payload, "type")
}

fn number(payload: &Map<String, Value>, key: &str) -> u64 {
    match payload.get(key) {
        Some(Value::Number(n)) => n.as_u64().unwrap_or(0),
        Some(Value::String(s)) => s.trim().parse().unwrap_or(0),
        _ => 0,
    }
}

fn small(payload: &Map<String, Value>, key: &str) -> u32 {
    u32::try_from(number(payload, key)).unwrap_or(0)
}

fn string(payload: &Map<String, Value>, key: &str) -> String {
    payload
        .get(key)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn optional(payload: &Map<String, Value>, key: &str) -> Option<String> {
    Some(string(payload, key)).filter(|text| !text.is_empty())
}

/// A text payload that says something else; all other members stay.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    let mut payload: Value = serde_json::from_slice(&body.payload).ok()?;
    *payload.get_mut("content")? = text.into();
    serde_json::to_vec(&payload).ok().map(Bytes::from)
}

/// What the payload of a wukong message means.
pub(crate) fn content(body: &Body) -> Content {
    content_of_payload(&body.payload)
}

/// What a wukong payload means.
pub(super) fn content_of_payload(bytes: &[u8]) -> Content {
    let content = match serde_json::from_slice(bytes) {
        Ok(Value::Object(payload)) => content_of_object(payload),
        _ => None,
    };
    content.unwrap_or_else(|| unknown(bytes))
}

fn content_of_object(payload: Map<String, Value>) -> Option<Content> {
    let p = &payload;

    let degrees = |first: &str, second: &str| {
        let value = p.get(first).or_else(|| p.get(second));
        value.and_then(Value::as_f64).unwrap_or(0.0)
    };
    Some(match type_of(p) {
        1 => text(p),
        2 | 3 => Content::Image {
            url: string(p, "url"),
            width: small(p, "width"),
            height: small(p, "height"),
            size: number(p, "size"),
            thumb: None,
        },
        4 => Content::Audio {
            url: string(p, "url"),
            duration_s: small(p, "timeTrad"),
            size: number(p, "size"),
        },
        5 => Content::Video {
            url: string(p, "url"),
            cover: optional(p, "cover"),
            duration_s: small(p, "second"),
            width: small(p, "width"),
            height: small(p, "height"),
            size: number(p, "size"),
            name: optional(p, "name"),
        },
        6 => Content::Location {
            lat: degrees("lat", "latitude"),
            lng: degrees("lng", "longitude"),
            title: string(p, "title"),
            address: string(p, "address"),
        },
        7 => Content::Card {
            uid: string(p, "uid"),
            name: string(p, "name"),
        },
        8 => Content::File {
            url: string(p, "url"),
            name: string(p, "name"),
            size: number(p, "size"),
            mime: None,
        },
        99 => Content::Command {
            cmd: string(p, "cmd"),
            param: p.get("param").cloned().unwrap_or_default(),
        },
        kind if (100..1000).contains(&kind) && kind != 999 => Content::Custom {
            tag: kind.to_string(),
            data: Value::Object(payload),
        },
        1000..=1999 => Content::Tip { text: tip(p) },
        kind if kind >= 2000 => Content::Custom {
            tag: kind.to_string(),
            data: Value::Object(payload),
        },
        MERGED => return read_merged(p),
        _ => return None,
    })
}

fn text(p: &Map<String, Value>) -> Content {
    if let Some(Value::Object(notice)) = p.get("notice") {
        return Content::Notice {
            title: string(notice, "title"),
            msg: string(notice, "msg"),
            target: optional(notice, "target"),
            service_id: optional(notice, "serviceId"),
        };
    }
    let mention = p.get("mention");
    let uids = mention
        .and_then(|mention| mention.get("uids"))
        .and_then(Value::as_array);
    let uids = uids
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned);
    let all = mention.and_then(|mention| mention.get("all"));
    Content::Text {
        text: string(p, "content"),
        mentions: uids.collect(),
        mention_all: all.is_some_and(is_set),
        reply: reply(p),
    }
}

fn reply(p: &Map<String, Value>) -> Option<Box<Reply>> {
    let reply = p.get("reply")?.as_object()?;
    let replied = reply.get("payload").and_then(Value::as_object);
    let id = match reply.get("message_id") {
        Some(Value::Number(id)) => id.to_string(),
        _ => string(reply, "message_id"),
    };
    Some(Box::new(Reply {
        id,
        from: string(reply, "from_uid"),
        text: replied.map(|p| string(p, "content")).unwrap_or_default(),
    }))
}

/// A system notice is a template with {0}, {1}… and the names that go there. A name is no
/// template.
fn tip(p: &Map<String, Value>) -> String {
    let template = string(p, "content");
    let extra = p.get("extra").and_then(Value::as_array);
    let name_at = |at: usize| extra?.get(at)?.get("name")?.as_str();
    let mut text = String::new();
    let mut rest = template.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let hole = after.split_once('}');
        let named = hole.and_then(|(at, after)| Some((name_at(at.parse().ok()?)?, after)));
        text.push_str(before);
        match named {
            Some((name, after)) if text.len() < MAX_TIP_BYTES => {
                text.push_str(name);
                rest = after;
            }
            _ => {
                text.push('{');
                rest = after;
            }
        }
    }
    text + rest
}

#[cfg(test)]
mod tests;
