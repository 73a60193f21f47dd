//! Between core and wire: what the contents of this dialect mean, and how what others have
//! written is said in it (interop.md G.3).
//!
//! The payload of a message is the text of `content`, as its author wrote it; its tag is
//! `type`. Where what is stored is, [`super::storage`] knows.

use bytes::Bytes;
use crosstalk_core::content::{Content, Reply, SubApp};
use crosstalk_core::message::Body;
use crosstalk_wire::mqtt::im::background::Background;
use crosstalk_wire::mqtt::im::call::{Call, CallExt};
use crosstalk_wire::mqtt::im::content::{Audio, Ext, File, Image, Location, Notice, Text, Video};
use crosstalk_wire::mqtt::im::{MsgType, TypeValue, read};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::storage::{storage_id, url};
use super::users;
use crate::content::unknown;
use crate::mentions::is_set;

/// What is to be done with a person's card; its `appid` is the person.
const CARD: &str = "card";
/// The member of a custom content that says of which type it is.
const CUSTOM_TYPE: &str = "customType";

/// What a payload means, with uids for the users that it names.
pub(crate) fn content(body: &Body) -> Content {
    users::by_uid(written(body), body)
}

/// What a payload means, with the names that its author gave.
pub(super) fn written(body: &Body) -> Content {
    let payload = &body.payload[..];
    let kind = TypeValue::from_tag(&body.tag);
    let read = match kind.meaning() {
        MsgType::Text => read(payload).map(text),
        MsgType::Image => read(payload).map(|it| image(&it)),
        MsgType::Audio => read(payload).map(|it| audio(&it)),
        MsgType::Video => read(payload).map(video),
        MsgType::File => read(payload).map(file),
        MsgType::Location => read(payload).map(location),
        MsgType::Notice => read(payload).map(notice),
        MsgType::App => read(payload).map(app),
        MsgType::Call => read(payload).map(call),
        MsgType::Background => read(payload).map(background),
        MsgType::Unknown | MsgType::Custom | MsgType::Exception => {
            read(payload).map(|data| custom(&kind, data))
        }
    };
    read.unwrap_or_else(|_| unknown(payload))
}

fn text(text: Text) -> Content {
    let ext = text.ext.unwrap_or_default();
    let mention = ext.get("mention");
    let all = mention.and_then(|mention| mention.get("all"));
    let uids = mention.and_then(|mention| mention.get("uids").unwrap_or(mention).as_array());
    let uids = uids.into_iter().flatten().filter_map(Value::as_str);
    let of = |reply: &Map<String, Value>, key: &str| {
        let value = reply.get(key).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let reply = ext.get("reply").and_then(Value::as_object).map(|reply| {
        Box::new(Reply {
            id: of(reply, "id"),
            from: of(reply, "from"),
            text: of(reply, "text"),
        })
    });
    Content::Text {
        text: text.text,
        mentions: uids.map(str::to_owned).collect(),
        mention_all: all.is_some_and(is_set),
        reply,
    }
}

fn image(image: &Image) -> Content {
    Content::Image {
        url: url(&image.storage_id),
        width: small(image.thumbnail_width),
        height: small(image.thumbnail_height),
        size: 0,
        thumb: address(&image.thumbnail),
    }
}

fn audio(audio: &Audio) -> Content {
    Content::Audio {
        url: url(&audio.storage_id),
        duration_s: small(audio.duration_secs),
        size: 0,
    }
}

fn video(video: Video) -> Content {
    Content::Video {
        url: url(&video.storage_id),
        cover: address(&video.thumbnail),
        duration_s: small(video.duration_secs),
        width: small(video.thumbnail_width),
        height: small(video.thumbnail_height),
        size: video.file_size.trim().parse().unwrap_or(0),
        name: given(video.file_name),
    }
}

fn file(file: File) -> Content {
    Content::File {
        url: url(&file.storage_id),
        name: file.file_name,
        size: file.file_size.trim().parse().unwrap_or(0),
        mime: file.mime_type.and_then(given),
    }
}

fn location(place: Location) -> Content {
    Content::Location {
        lat: place.latitude,
        lng: place.longitude,
        title: place.title,
        address: place.address,
    }
}

fn notice(notice: Notice) -> Content {
    Content::Notice {
        title: notice.title,
        msg: notice.content,
        target: given(notice.url),
        service_id: given(notice.appid),
    }
}

fn app(app: Notice) -> Content {
    if app.action == CARD && app.url.is_empty() {
        return Content::Card {
            uid: app.appid,
            name: app.title,
        };
    }
    Content::Link {
        title: app.title,
        text: app.content,
        url: app.url,
        image: given(app.app_logo),
        app: Some(Box::new(SubApp {
            id: app.appid,
            name: app.app_name,
            action: app.action,
        })),
    }
}

fn call(call: Call) -> Content {
    let ext = call.ext.unwrap_or_default();
    let mut signal = serde_json::to_value(&ext).unwrap_or_default();
    if let Value::Object(signal) = &mut signal
        && !call.agora_key.is_null()
    {
        signal.insert("agoraKey".to_owned(), call.agora_key);
    }
    if signal.as_object().is_some_and(Map::is_empty) {
        signal = Value::Null;
    }
    Content::Call {
        action: call.status,
        media: call.av_type,
        room: call.room_id,
        caller: call.uid,
        duration_s: small(call.use_time_secs),
        signal,
    }
}

fn background(background: Background) -> Content {
    match background.as_call() {
        Some(step) => call(step),
        None => Content::Command {
            cmd: background.kind,
            param: background.content,
        },
    }
}

fn custom(kind: &TypeValue, data: Map<String, Value>) -> Content {
    let named = data.get(CUSTOM_TYPE).and_then(Value::as_str);
    let tag = match (named, kind) {
        (Some(named), _) => named.to_owned(),
        (None, TypeValue::Code(code)) => code.to_string(),
        (None, TypeValue::Name(name)) => name.clone(),
        (None, TypeValue::Known(kind)) => kind.code().to_string(),
    };
    Content::Custom {
        tag,
        data: Value::Object(data),
    }
}

/// A text payload that says something else; all other members stay.
pub(crate) fn reworded(body: &Body, text: &str) -> Option<Bytes> {
    let mut payload: Value = serde_json::from_slice(&body.payload).ok()?;
    *payload.get_mut("text")? = text.into();
    serde_json::to_vec(&payload).ok().map(Bytes::from)
}

/// Content as `type` and `content`.
pub(super) fn payload(content: &Content) -> (TypeValue, String) {
    let (kind, json) = match content {
        Content::Text {
            text,
            mentions,
            mention_all,
            reply,
        } => {
            let ext = text_ext(mentions, *mention_all, reply.as_deref());
            let text = text.clone();
            (MsgType::Text, json_of(&Text { text, ext }))
        }
        Content::Merged { .. } => {
            let text = content.fallback_text();
            (MsgType::Text, json_of(&Text { text, ext: None }))
        }
        Content::Tip { text } => (MsgType::Notice, json_of(&tip(text))),
        Content::Image { .. }
        | Content::Audio { .. }
        | Content::Video { .. }
        | Content::File { .. } => media(content),
        Content::Location {
            lat,
            lng,
            title,
            address,
        } => {
            let place = Location {
                latitude: *lat,
                longitude: *lng,
                title: title.clone(),
                address: address.clone(),
                ext: None,
            };
            (MsgType::Location, json_of(&place))
        }
        Content::Link { .. } | Content::Card { .. } => (MsgType::App, json_of(&card(content))),
        Content::Notice {
            title,
            msg,
            target,
            service_id,
        } => {
            let notice = Notice {
                title: title.clone(),
                content: msg.clone(),
                appid: service_id.clone().unwrap_or_default(),
                url: target.clone().unwrap_or_default(),
                ..Notice::default()
            };
            (MsgType::Notice, json_of(&notice))
        }
        Content::Call { .. } => (MsgType::Call, json_of(&step(content))),
        Content::Custom { tag, data } => (MsgType::Custom, custom_json(tag, data)),
        Content::Command { cmd, param } => {
            let background = Background {
                kind: cmd.clone(),
                content: param.clone(),
            };
            (MsgType::Background, json_of(&background))
        }
        Content::Unknown { raw } => (MsgType::Unknown, json!({"raw": raw}).to_string()),
    };
    (kind.into(), json)
}

/// What is in the file store, as `type` and `content`.
fn media(content: &Content) -> (MsgType, String) {
    match content {
        Content::Image {
            url,
            width,
            height,
            thumb,
            ..
        } => {
            let image = Image {
                storage_id: storage_id(url),
                // Without a small picture it is its own, of the size that is said.
                thumbnail: storage_id(thumb.as_deref().unwrap_or(url)),
                thumbnail_width: i64::from(*width),
                thumbnail_height: i64::from(*height),
                ext: None,
            };
            (MsgType::Image, json_of(&image))
        }
        Content::Audio {
            url, duration_s, ..
        } => {
            let audio = Audio {
                storage_id: storage_id(url),
                duration_secs: i64::from(*duration_s),
                ext: None,
            };
            (MsgType::Audio, json_of(&audio))
        }
        Content::Video {
            url,
            cover,
            duration_s,
            width,
            height,
            size,
            name,
        } => {
            let video = Video {
                storage_id: storage_id(url),
                file_name: name.clone().unwrap_or_default(),
                file_size: size.to_string(),
                duration_secs: i64::from(*duration_s),
                thumbnail: cover.as_deref().map(storage_id).unwrap_or_default(),
                thumbnail_width: i64::from(*width),
                thumbnail_height: i64::from(*height),
                ext: None,
            };
            (MsgType::Video, json_of(&video))
        }
        Content::File {
            url,
            name,
            size,
            mime,
        } => {
            let file = File {
                storage_id: storage_id(url),
                file_name: name.clone(),
                file_size: size.to_string(),
                duration_secs: 0,
                mime_type: mime.clone(),
                ext: None,
            };
            (MsgType::File, json_of(&file))
        }
        other => (MsgType::Notice, json_of(&tip(&other.fallback_text()))),
    }
}

fn text_ext(mentions: &[String], all: bool, reply: Option<&Reply>) -> Option<Ext> {
    let mut ext = Ext::new();
    if let Some(reply) = reply {
        let reply = json!({"id": reply.id, "from": reply.from, "text": reply.text});
        ext.insert("reply".to_owned(), reply);
    }
    if all || !mentions.is_empty() {
        let mention = json!({"all": all, "uids": mentions});
        ext.insert("mention".to_owned(), mention);
    }
    (!ext.is_empty()).then_some(ext)
}

fn tip(text: &str) -> Notice {
    Notice {
        content: text.to_owned(),
        ..Notice::default()
    }
}

fn card(content: &Content) -> Notice {
    match content {
        Content::Link {
            title,
            text,
            url,
            image,
            app,
        } => {
            let app = app.as_deref().cloned().unwrap_or_else(|| SubApp {
                action: "open".to_owned(),
                ..SubApp::default()
            });
            Notice {
                title: title.clone(),
                content: text.clone(),
                action: app.action,
                appid: app.id,
                app_name: app.name,
                app_logo: image.clone().unwrap_or_default(),
                url: url.clone(),
                ..Notice::default()
            }
        }
        Content::Card { uid, name } => Notice {
            title: name.clone(),
            content: content.fallback_text(),
            action: CARD.to_owned(),
            appid: uid.clone(),
            ..Notice::default()
        },
        other => tip(&other.fallback_text()),
    }
}

fn step(content: &Content) -> Call {
    let Content::Call {
        action,
        media,
        room,
        caller,
        duration_s,
        signal,
    } = content
    else {
        return Call::default();
    };
    let mut ext = serde_json::from_value::<CallExt>(signal.clone()).unwrap_or_default();
    let agora_key = signal.get("agoraKey").cloned().unwrap_or_default();
    if ext == CallExt::default() && agora_key.is_null() && !signal.is_null() {
        ext.signal = Some(signal.clone());
    }
    Call {
        status: action.clone(),
        av_type: media.clone(),
        uid: caller.clone(),
        room_id: room.clone(),
        timestamp_ms: 0,
        use_time_secs: i64::from(*duration_s),
        agora_key,
        ext: (ext != CallExt::default()).then_some(ext),
    }
}

fn custom_json(tag: &str, data: &Value) -> String {
    let mut json = match data {
        Value::Object(data) => data.clone(),
        other => Map::from_iter([("data".to_owned(), other.clone())]),
    };
    if !tag.is_empty() {
        json.entry(CUSTOM_TYPE).or_insert_with(|| tag.into());
    }
    Value::Object(json).to_string()
}

/// Contents have only strings as keys; a number that JSON does not have is null.
fn json_of<T: Serialize>(content: &T) -> String {
    serde_json::to_string(content).unwrap_or_else(|_| "{}".to_owned())
}

fn address(storage_id: &str) -> Option<String> {
    (!storage_id.is_empty()).then(|| url(storage_id))
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn small(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
