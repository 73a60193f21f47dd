//! Between core and wire: what a message of this dialect means, and how this dialect says
//! what another means (stomp.md Q2-17, Q2-18, interop.md G.3).

mod merge;

use bytes::Bytes;
use crosstalk_core::content::{Content, Reply};
use crosstalk_core::message::Body;
use crosstalk_wire::stomp::im::{
    Audio, Call, CallAction, Card, Custom, File, Image, Link, Location, MediaType, MsgType, Notify,
    Video,
};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::content::unknown;
use crate::mentions::is_set;

/// Members of the envelope that are stored beside a payload.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Envelope {
    /// The app of the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) app_id: Option<String>,
    /// The client's id, where it cannot be the message's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message_id: Option<String>,
    /// Who is mentioned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) mentioned_user_ids: Vec<String>,
    /// The author's own members, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) extra: Option<Box<RawValue>>,
}

impl Envelope {
    /// What is stored beside a payload of this dialect.
    pub(super) fn of(body: &Body) -> Self {
        let stored = body.extra.as_ref();
        stored
            .and_then(|extra| serde_json::from_slice(extra).ok())
            .unwrap_or_default()
    }

    /// The author's own members.
    pub(super) fn members(&self) -> serde_json::Map<String, Value> {
        let extra = self.extra.as_ref();
        let extra = extra.and_then(|extra| serde_json::from_str(extra.get()).ok());
        extra.unwrap_or_default()
    }

    fn extra_member(&self, name: &str) -> Option<Value> {
        let extra: Value = serde_json::from_str(self.extra.as_ref()?.get()).ok()?;
        extra.get(name).cloned()
    }
}

/// What a payload means.
pub(crate) fn content(body: &Body) -> Content {
    let Ok(text) = std::str::from_utf8(&body.payload) else {
        return unknown(&body.payload);
    };
    let read = match MsgType::parse(&body.tag) {
        Some(MsgType::Text | MsgType::RichText | MsgType::Quote) => {
            Some(words(text, &Envelope::of(body)))
        }
        Some(MsgType::Image) => Image::read(text).map(image),
        Some(MsgType::Video) => Video::read(text).map(video),
        Some(MsgType::Audio) => Audio::read(text).map(|it| Content::Audio {
            url: it.url,
            duration_s: it.duration,
            size: it.size,
        }),
        Some(MsgType::File) => File::read(text).map(|it| Content::File {
            url: it.url,
            name: it.name,
            size: it.size,
            mime: it.mime_type,
        }),
        Some(MsgType::Location) => Location::read(text).map(|it| Content::Location {
            lat: it.latitude,
            lng: it.longitude,
            title: it.title,
            address: it.address,
        }),
        Some(MsgType::Card) => Card::read(text).map(|it| Content::Card {
            uid: it.user_id,
            name: it.name,
        }),
        Some(MsgType::Link) => Link::read(text).map(|it| Content::Link {
            title: it.title,
            text: it.description,
            url: it.url,
            image: it.image_url,
            app: None,
        }),
        Some(MsgType::Notify) => Notify::read(text).map(|it| Content::Notice {
            title: it.title,
            msg: it.msg,
            target: it.target,
            service_id: it.service_id,
        }),
        Some(MsgType::Call) => Call::read(text).map(call),
        Some(MsgType::Custom) => Custom::read(text).map(|it| Content::Custom {
            tag: it.custom_type,
            data: it.data.map_or(Value::Null, |data| value(data.get())),
        }),
        Some(MsgType::Merge) => Some(merge::content(text).unwrap_or_else(|| Content::Custom {
            tag: body.tag.to_string(),
            data: value(text),
        })),
        Some(MsgType::Revoked) | None => Some(Content::Custom {
            tag: body.tag.to_string(),
            data: value(text),
        }),
    };
    read.unwrap_or_else(|| unknown(&body.payload))
}

/// JSON, or the text if it is none.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

fn words(text: &str, envelope: &Envelope) -> Content {
    let all = envelope.extra_member("mentionAll");
    let quote = envelope.extra_member("quote");
    Content::Text {
        text: text.to_owned(),
        mentions: envelope.mentioned_user_ids.clone(),
        mention_all: all.as_ref().is_some_and(is_set),
        reply: quote.filter(Value::is_object).map(|quote| {
            let member = |names: [&str; 2]| {
                let found = names.iter().find_map(|name| quote.get(name)?.as_str());
                found.unwrap_or_default().to_owned()
            };
            Box::new(Reply {
                id: member(["id", "messageId"]),
                from: member(["fromId", "from"]),
                text: member(["content", "text"]),
            })
        }),
    }
}

fn image(it: Image) -> Content {
    Content::Image {
        url: it.url,
        width: it.width,
        height: it.height,
        size: it.size,
        thumb: it.thumbnail_url,
    }
}

fn video(it: Video) -> Content {
    Content::Video {
        url: it.url,
        cover: it.cover_url,
        duration_s: it.duration,
        width: it.width,
        height: it.height,
        size: it.size,
        name: None,
    }
}

/// What a call carries beside its steps; the names are those of the bodies of G.4.
const SIGNALS: [&str; 5] = ["callId", "sdp", "candidate", "agoraKey", "reason"];

fn call(it: Call) -> Content {
    let raw = |raw: Option<Box<RawValue>>| raw.map_or(Value::Null, |raw| value(raw.get()));
    let members = [
        Value::from(it.call_id),
        raw(it.sdp),
        raw(it.candidate),
        it.agora_key.into(),
        it.reason.into(),
    ];
    let signal = SIGNALS.into_iter().map(str::to_owned).zip(members);
    Content::Call {
        action: match it.action {
            CallAction::Invite => "invite",
            CallAction::Answer => "answer",
            CallAction::Reject => "refuse",
            CallAction::Cancel => "cancel",
            CallAction::Busy => "busy",
            CallAction::Timeout => "timeout",
            CallAction::Hangup => "hangup",
            CallAction::Signal => "signal",
        }
        .to_owned(),
        media: match it.media_type {
            MediaType::Audio => "audio",
            MediaType::Video => "video",
        }
        .to_owned(),
        room: it.room_id,
        caller: it.caller_id,
        duration_s: it.duration_sec.unwrap_or(0),
        signal: Value::Object(signal.filter(|(_, value)| !value.is_null()).collect()),
    }
}

/// How this dialect says a content.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// The `msgType`.
    pub(super) msg_type: &'static str,
    /// The `content`.
    pub(super) content: String,
    /// `mentionedUserIds`.
    pub(super) mentions: Vec<String>,
    /// Members of `extra`.
    pub(super) extra: serde_json::Map<String, Value>,
}

/// How this dialect says what another means.
pub(super) fn said(content: &Content) -> Said {
    let (msg_type, text) = match content {
        Content::Image { .. }
        | Content::Audio { .. }
        | Content::Video { .. }
        | Content::File { .. }
        | Content::Location { .. } => said_media(content),
        Content::Text {
            text,
            mentions,
            mention_all,
            reply,
        } => return said_words(text, mentions, *mention_all, reply.as_deref()),
        Content::Link {
            title,
            text,
            url,
            image,
            ..
        } => {
            let link = Link {
                title: title.clone(),
                description: text.clone(),
                url: url.clone(),
                image_url: image.clone(),
            };
            (MsgType::Link, json(&link))
        }
        Content::Card { uid, name } => {
            let card = Card {
                user_id: uid.clone(),
                name: name.clone(),
            };
            (MsgType::Card, json(&card))
        }
        Content::Notice {
            title,
            msg,
            target,
            service_id,
        } => {
            let notify = Notify {
                title: title.clone(),
                msg: msg.clone(),
                target: target.clone(),
                service_id: service_id.clone(),
            };
            (MsgType::Notify, json(&notify))
        }
        Content::Tip { text } => {
            let notify = Notify {
                msg: text.clone(),
                ..Notify::default()
            };
            (MsgType::Notify, json(&notify))
        }
        Content::Call { .. } => (MsgType::Call, said_call(content)),
        Content::Custom { tag, data } => custom(tag, data),
        Content::Command { cmd, param } => custom(cmd, param),
        Content::Merged { title, items } => (MsgType::Merge, merge::said(title, items)),
        Content::Unknown { raw } => custom("unknown", &Value::from(raw.as_str())),
    };
    Said {
        msg_type: msg_type.as_str(),
        content: text,
        ..Said::default()
    }
}

/// What is to be seen or heard, or where.
fn said_media(content: &Content) -> (MsgType, String) {
    match content {
        Content::Image {
            url,
            width,
            height,
            size,
            thumb,
        } => {
            let image = Image {
                url: url.clone(),
                width: *width,
                height: *height,
                size: *size,
                thumbnail_url: thumb.clone(),
            };
            (MsgType::Image, json(&image))
        }
        Content::Audio {
            url,
            duration_s,
            size,
        } => {
            let audio = Audio {
                url: url.clone(),
                duration: *duration_s,
                size: *size,
            };
            (MsgType::Audio, json(&audio))
        }
        Content::Video {
            url,
            cover,
            duration_s,
            width,
            height,
            size,
            name: _,
        } => {
            let video = Video {
                url: url.clone(),
                cover_url: cover.clone(),
                duration: *duration_s,
                width: *width,
                height: *height,
                size: *size,
            };
            (MsgType::Video, json(&video))
        }
        Content::File {
            url,
            name,
            size,
            mime,
        } => {
            let file = File {
                url: url.clone(),
                name: name.clone(),
                size: *size,
                mime_type: mime.clone(),
            };
            (MsgType::File, json(&file))
        }
        Content::Location {
            lat,
            lng,
            title,
            address,
        } => {
            let location = Location {
                latitude: *lat,
                longitude: *lng,
                title: title.clone(),
                address: address.clone(),
            };
            (MsgType::Location, json(&location))
        }
        // The caller has picked out the rest.
        other => (MsgType::Text, other.fallback_text()),
    }
}

fn json<T: Serialize>(of: &T) -> String {
    // A number that JSON does not have (NaN) is the only way to fail.
    serde_json::to_string(of).unwrap_or_else(|_| "{}".to_owned())
}

fn custom(tag: &str, data: &Value) -> (MsgType, String) {
    let custom = Custom {
        custom_type: if tag.is_empty() { "custom" } else { tag }.to_owned(),
        data: to_raw_value(data).ok(),
    };
    (MsgType::Custom, json(&custom))
}

fn said_words(text: &str, mentions: &[String], all: bool, reply: Option<&Reply>) -> Said {
    let mut extra = serde_json::Map::new();
    if all {
        extra.insert("mentionAll".to_owned(), Value::Bool(true));
    }
    if let Some(reply) = reply {
        let quote = json!({"id": reply.id, "fromId": reply.from, "content": reply.text});
        extra.insert("quote".to_owned(), quote);
    }
    Said {
        msg_type: MsgType::Text.as_str(),
        content: text.to_owned(),
        mentions: mentions.to_vec(),
        extra,
    }
}

fn said_call(content: &Content) -> String {
    let Content::Call {
        action,
        media,
        room,
        caller,
        duration_s,
        signal,
    } = content
    else {
        return String::new();
    };
    let text = |name: &str| signal.get(name)?.as_str().map(str::to_owned);
    let raw = |name: &str| signal.get(name).and_then(|value| to_raw_value(value).ok());
    let (action, reason) = match action.as_str() {
        "invite" => (CallAction::Invite, None),
        "answer" => (CallAction::Answer, None),
        "refuse" => (CallAction::Reject, None),
        "busy" => (CallAction::Busy, None),
        "timeout" => (CallAction::Timeout, None),
        "hangup" => (CallAction::Hangup, None),
        "signal" => (CallAction::Signal, None),
        "cancel" => (CallAction::Cancel, None),
        // Another of the user's devices was faster.
        elsewhere => (CallAction::Cancel, Some(elsewhere.to_owned())),
    };
    json(&Call {
        action,
        // What has no id of its own is known by its room.
        call_id: text("callId").unwrap_or_else(|| room.clone()),
        room_id: room.clone(),
        media_type: if media == "video" {
            MediaType::Video
        } else {
            MediaType::Audio
        },
        caller_id: caller.clone(),
        sdp: raw("sdp"),
        candidate: raw("candidate"),
        agora_key: text("agoraKey"),
        duration_sec: (*duration_s > 0).then_some(*duration_s),
        reason: reason.or_else(|| text("reason")),
    })
}

/// A text payload that says something else; where a text is all of the content.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    let is_words = matches!(
        MsgType::parse(&body.tag),
        Some(MsgType::Text | MsgType::RichText | MsgType::Quote)
    );
    is_words.then(|| Bytes::copy_from_slice(text.as_bytes()))
}

#[cfg(test)]
mod tests;
