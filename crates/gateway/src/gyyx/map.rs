//! Between core and wire: drafts from messages, content from what is in `message`, and back
//! (interop.md G.3; contentType and the JSON of each: gyyx.md Q4-9, stomp.md Q2-18).
//!
//! A payload is the member `message` as its author wrote it: a JSON string, or other JSON. Its
//! type stands in the body's tag.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::channel::{Address, ChannelKind};
use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Draft, Flags, OnReuse};
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::gyyx::{Base, Chat, ContentType};
use crosstalk_wire::lenient::Json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::content::unknown;
use crate::registry::Dialect;

/// The longest text, bytes (protocols/README.md A12).
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// The largest `mark` and device that a message takes with it, bytes.
const MAX_EXTRA_BYTES: usize = 16 * 1024;
/// How deep JSON may be nested that others get to see.
const MAX_DEPTH: usize = 64;
/// Digits from which on a name could pass for an id of the server's.
const ID_DIGITS: usize = 17;
/// The longest name that a client can give a message (gyyx.md Q4-10).
const MAX_NAME_BYTES: usize = 64;

/// What of a sender's base receivers see.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Extra<'a> {
    /// The sender's device.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(super) device_id: Cow<'a, str>,
    /// The sender's version.
    #[serde(borrow, skip_serializing_if = "str::is_empty")]
    pub(super) version: Cow<'a, str>,
    /// The sender's mark, as it came.
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    pub(super) mark: Option<&'a RawValue>,
}

impl<'a> Extra<'a> {
    /// That of a message of this dialect's.
    pub(super) fn of(body: &'a Body) -> Self {
        let extra = body.extra.as_ref();
        extra
            .filter(|_| is_own(body))
            .and_then(|json| serde_json::from_slice(json).ok())
            .unwrap_or_default()
    }
}

/// Whether a client of this dialect wrote it.
pub(super) fn is_own(body: &Body) -> bool {
    body.origin == Dialect::Gyyx.origin()
}

/// A draft of a message that a client sends; its receiver is a name that the core resolves.
/// `has_right` is false if the chat signature does not count.
///
/// # Errors
/// `TooLarge` or `InvalidArgument`: it is not even a draft.
pub(super) fn draft(base: &Base, chat: &Chat, has_right: bool) -> Result<Draft, Refusal> {
    let is_text = chat.content_type == ContentType::TEXT;
    if is_text && chat.message.is_longer_than(MAX_TEXT_BYTES) {
        return Err(Refusal::TooLarge);
    }
    if chat.message.is_deeper_than(MAX_DEPTH) || base.mark.is_deeper_than(MAX_DEPTH) {
        return Err(Refusal::InvalidArgument);
    }
    let body = Body {
        client_no: base.unique.as_str().into(),
        origin: Dialect::Gyyx.origin(),
        tag: chat.content_type.0.to_string().into(),
        flags: Flags {
            counts: true,
            // Authors are told who has read, always (199).
            receipt: true,
            ..Flags::default()
        },
        // Not a part of the frame, all of which would stay in memory with it.
        payload: Bytes::copy_from_slice(chat.message.as_bytes()),
        extra: extra(base)?,
        name: name(&chat.message_id),
        ..Body::default()
    };
    Ok(Draft {
        to: Address {
            kind: ChannelKind::DIRECT,
            id: Arc::default(),
        },
        body,
        on_reuse: OnReuse::Store,
        require_peer: true,
        fault: (!has_right).then_some(Refusal::Forbidden),
    })
}

fn extra(base: &Base) -> Result<Option<Bytes>, Refusal> {
    let mark = std::str::from_utf8(base.mark.as_bytes()).unwrap_or("null");
    let mark: Option<&RawValue> = serde_json::from_str(mark).unwrap_or_default();
    let extra = Extra {
        device_id: base.device_id.as_str().into(),
        version: base.version.as_str().into(),
        mark,
    };
    let json = serde_json::to_vec(&extra).map_err(|_| Refusal::InvalidArgument)?;
    match json.len() {
        0..=2 => Ok(None),
        3..=MAX_EXTRA_BYTES => Ok(Some(json.into())),
        _ => Err(Refusal::TooLarge),
    }
}

/// The name that a client gives its message, if it can be one; otherwise the message is known
/// by the server's id (gyyx.md Q4-10).
fn name(id: &str) -> Option<Arc<str>> {
    let is_name = (1..=MAX_NAME_BYTES).contains(&id.len())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_like_ours = id.len() >= ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_digit());
    (is_name && !is_like_ours).then(|| id.into())
}

/// What a payload means.
pub(crate) fn content(body: &Body) -> Content {
    let Ok(json) = Json::parse(&body.payload) else {
        return unknown(&body.payload);
    };
    let text = json.text();
    let number: i64 = body.tag.parse().unwrap_or(ContentType::TEXT.0);
    let content_type = ContentType(number);
    if content_type == ContentType::TEXT {
        return Content::text(text);
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => of_object(content_type, object),
        Ok(data) if content_type == ContentType::CUSTOM => Content::Custom {
            tag: String::new(),
            data,
        },
        _ => of_text(content_type, &text),
    }
}

/// Clients that put no JSON there put what matters most.
fn of_text(content_type: ContentType, text: &str) -> Content {
    let mut object = Map::new();
    let key = match content_type {
        ContentType::IMAGE | ContentType::AUDIO | ContentType::VIDEO | ContentType::FILE => "url",
        ContentType::LINK => {
            object.insert("title".to_owned(), text.into());
            "url"
        }
        ContentType::LOCATION => "title",
        ContentType::NOTICE => "msg",
        ContentType::CUSTOM => {
            return Content::Custom {
                tag: String::new(),
                data: text.into(),
            };
        }
        ContentType::CALL => "action",
        ContentType(other) => {
            return Content::Custom {
                tag: other.to_string(),
                data: text.into(),
            };
        }
    };
    object.insert(key.to_owned(), text.into());
    of_object(content_type, object)
}

fn of_object(content_type: ContentType, mut object: Map<String, Value>) -> Content {
    let o = &object;
    match content_type {
        ContentType::IMAGE => Content::Image {
            url: string(o, "url"),
            width: small(o, "width"),
            height: small(o, "height"),
            size: number(o, "size"),
            thumb: optional(o, "thumbnailUrl"),
        },
        ContentType::AUDIO => Content::Audio {
            url: string(o, "url"),
            duration_s: small(o, "duration"),
            size: number(o, "size"),
        },
        ContentType::VIDEO => Content::Video {
            url: string(o, "url"),
            cover: optional(o, "coverUrl"),
            duration_s: small(o, "duration"),
            width: small(o, "width"),
            height: small(o, "height"),
            size: number(o, "size"),
            name: optional(o, "name"),
        },
        ContentType::FILE => Content::File {
            url: string(o, "url"),
            name: string(o, "name"),
            size: number(o, "size"),
            mime: optional(o, "mimeType"),
        },
        ContentType::LOCATION => Content::Location {
            lat: degrees(o, "latitude"),
            lng: degrees(o, "longitude"),
            title: string(o, "title"),
            address: string(o, "address"),
        },
        ContentType::LINK if o.contains_key("userId") => Content::Card {
            uid: string(o, "userId"),
            name: string(o, "name"),
        },
        ContentType::LINK => Content::Link {
            title: string(o, "title"),
            text: string(o, "description"),
            url: string(o, "url"),
            image: optional(o, "imageUrl"),
            app: None,
        },
        ContentType::NOTICE => Content::Notice {
            title: string(o, "title"),
            msg: string(o, "msg"),
            target: optional(o, "target"),
            service_id: optional(o, "serviceId"),
        },
        ContentType::CALL => call(object),
        ContentType::CUSTOM if o.contains_key("customType") => Content::Custom {
            tag: string(o, "customType"),
            data: object.remove("data").unwrap_or_default(),
        },
        ContentType::CUSTOM => Content::Custom {
            tag: String::new(),
            data: Value::Object(object),
        },
        ContentType(other) => Content::Custom {
            tag: other.to_string(),
            data: Value::Object(object),
        },
    }
}

/// What is not a field of its own is the parties' signal.
fn call(mut object: Map<String, Value>) -> Content {
    let mut take = |key: &str| {
        let text = string(&object, key);
        object.remove(key);
        text
    };
    let (action, media) = (take("action"), take("mediaType"));
    let (room, caller) = (take("roomId"), take("callerId"));
    let duration_s = small(&object, "durationSec");
    object.remove("durationSec");
    Content::Call {
        action,
        media,
        room,
        caller,
        duration_s,
        signal: match object.is_empty() {
            true => Value::Null,
            false => Value::Object(object),
        },
    }
}

/// Content as `contentType` and `message`; nothing for what clients of this dialect are not
/// told.
pub(super) fn outward(content: &Content) -> Option<(ContentType, Json)> {
    let (content_type, object) = match content {
        Content::Text { text, reply, .. } => {
            let text = match reply {
                Some(reply) => format!("「{}」\n— —\n{text}", reply.text),
                None => text.clone(),
            };
            return Some((ContentType::TEXT, Json::string(&text)));
        }
        Content::Merged { .. } => {
            return Some((ContentType::TEXT, Json::string(&content.fallback_text())));
        }
        Content::Command { .. } => return None,
        Content::Image {
            url,
            width,
            height,
            size,
            thumb,
        } => (
            ContentType::IMAGE,
            json!({
                "url": url, "width": width, "height": height, "size": size,
                "thumbnailUrl": thumb.as_deref().unwrap_or_default(),
            }),
        ),
        Content::Audio {
            url,
            duration_s,
            size,
        } => (
            ContentType::AUDIO,
            json!({"url": url, "duration": duration_s, "size": size}),
        ),
        Content::Video {
            url,
            cover,
            duration_s,
            width,
            height,
            size,
            name,
        } => (
            ContentType::VIDEO,
            json!({
                "url": url, "coverUrl": cover.as_deref().unwrap_or_default(),
                "duration": duration_s, "width": width, "height": height, "size": size,
                "name": name.as_deref().unwrap_or_default(),
            }),
        ),
        Content::File {
            url,
            name,
            size,
            mime,
        } => (
            ContentType::FILE,
            json!({
                "url": url, "name": name, "size": size,
                "mimeType": mime.as_deref().unwrap_or_default(),
            }),
        ),
        Content::Location {
            lat,
            lng,
            title,
            address,
        } => (
            ContentType::LOCATION,
            json!({"latitude": lat, "longitude": lng, "title": title, "address": address}),
        ),
        other => outward_rest(other)?,
    };
    Some((content_type, Json::string(&object.to_string())))
}

fn outward_rest(content: &Content) -> Option<(ContentType, Value)> {
    Some(match content {
        Content::Link {
            title,
            text,
            url,
            image,
            ..
        } => (
            ContentType::LINK,
            json!({
                "title": title, "description": text, "url": url,
                "imageUrl": image.as_deref().unwrap_or_default(),
            }),
        ),
        Content::Card { uid, name } => (ContentType::LINK, json!({"userId": uid, "name": name})),
        Content::Notice {
            title,
            msg,
            target,
            service_id,
        } => (
            ContentType::NOTICE,
            json!({
                "title": title, "msg": msg,
                "target": target.as_deref().unwrap_or_default(),
                "serviceId": service_id.as_deref().unwrap_or_default(),
            }),
        ),
        Content::Tip { text } => (
            ContentType::NOTICE,
            json!({"title": "", "msg": text, "target": "", "serviceId": ""}),
        ),
        Content::Call {
            action,
            media,
            room,
            caller,
            duration_s,
            signal,
        } => {
            let mut object = match signal {
                Value::Object(signal) => signal.clone(),
                _ => Map::new(),
            };
            for (key, value) in [
                ("action", action),
                ("mediaType", media),
                ("roomId", room),
                ("callerId", caller),
            ] {
                object.insert(key.to_owned(), value.as_str().into());
            }
            object.insert("durationSec".to_owned(), (*duration_s).into());
            (ContentType::CALL, Value::Object(object))
        }
        Content::Custom { tag, data } => (
            ContentType::CUSTOM,
            json!({"customType": tag, "data": data}),
        ),
        Content::Unknown { raw } => (
            ContentType::CUSTOM,
            json!({"customType": "unknown", "data": raw}),
        ),
        Content::Text { .. }
        | Content::Merged { .. }
        | Content::Command { .. }
        | Content::Image { .. }
        | Content::Audio { .. }
        | Content::Video { .. }
        | Content::File { .. }
        | Content::Location { .. } => return None,
    })
}

/// A text payload that says something else.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    let is_text = body.tag.is_empty() || *body.tag == *ContentType::TEXT.0.to_string();
    is_text.then(|| Json::string(text).bytes())
}

fn string(object: &Map<String, Value>, key: &str) -> String {
    match object.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn optional(object: &Map<String, Value>, key: &str) -> Option<String> {
    Some(string(object, key)).filter(|text| !text.is_empty())
}

fn number(object: &Map<String, Value>, key: &str) -> u64 {
    match object.get(key) {
        Some(Value::Number(number)) => number.as_u64().unwrap_or(0),
        Some(Value::String(text)) => text.trim().parse().unwrap_or(0),
        _ => 0,
    }
}

fn small(object: &Map<String, Value>, key: &str) -> u32 {
    u32::try_from(number(object, key)).unwrap_or(0)
}

fn degrees(object: &Map<String, Value>, key: &str) -> f64 {
    let value = match object.get(key) {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    value.filter(|value| value.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests;
