//! Kinds of content: how each dialect writes them, and what readers of another must be shown.
//!
//! This restates interop.md G.3 (with stomp.md Q2-18, gyyx.md Q4-9, mqtt.md S3-17 to S3-23 and
//! wukong.md §7.3 for the members). Expectations name what the specification fixes; a reader may
//! be shown more. Beside plain JSON they may hold `{"$has": text}` (the text is in there
//! somewhere), `{"$min": n}` and `{"$in": […]}`.

mod written;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crosstalk_gateway::Dialect;
use serde_json::{Value, json};

pub use written::written;

/// A text that is hard on everything between two clients.
pub const TEXT: &str = "你好，“世界” 👨‍👩‍👧‍👦🎉 \u{20BB7}\u{1D518} naïve\n'single' \"double\" \\back/ \t<b>&amp;</b> \
                        {\"type\":1} \u{1F1E8}\u{1F1F3}\n";
/// What a reply replies to.
const QUOTED: &str = "原文";

/// A kind of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text.
    Text,
    /// Text that replies to something and mentions somebody.
    Reply,
    /// A picture.
    Image,
    /// Recorded sound.
    Audio,
    /// A film.
    Video,
    /// A file.
    File,
    /// A place.
    Location,
    /// A link.
    Link,
    /// A person's card.
    Card,
    /// A message of a sub-application.
    App,
    /// A notice without a target.
    Notice,
    /// A notice that leads somewhere.
    Target,
    /// The application's own type.
    Custom,
    /// A type that nobody here knows.
    Strange,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 14] = [
        Kind::Text,
        Kind::Reply,
        Kind::Image,
        Kind::Audio,
        Kind::Video,
        Kind::File,
        Kind::Location,
        Kind::Link,
        Kind::Card,
        Kind::App,
        Kind::Notice,
        Kind::Target,
        Kind::Custom,
        Kind::Strange,
    ];
}

/// Where something with a label is.
fn url(label: &str) -> String {
    format!("https://files.example.org/{label}.bin?a=1&b=2")
}

/// What a reader must be shown of a kind that an author of another dialect has written with
/// [`written`] under the same label.
#[must_use]
pub fn shown(kind: Kind, author: Dialect, reader: Dialect, label: &str) -> Value {
    match reader {
        Dialect::Wukong => for_wukong(kind, author, label),
        Dialect::Stomp => for_stomp(kind, author, label),
        Dialect::Mqtt => for_mqtt(kind, author, label),
        Dialect::Gyyx => for_gyyx(kind, author, label),
        Dialect::Wg => for_wg(kind, label),
    }
}

fn for_wukong(kind: Kind, author: Dialect, label: &str) -> Value {
    let url = url(label);
    match kind {
        Kind::Text => json!({"type": 1, "content": format!("{TEXT}{label}")}),
        Kind::Reply => json!({"type": 1, "content": label, "reply": {"$has": QUOTED}}),
        Kind::Image => known(
            author,
            json!({"type": 2, "url": url}),
            json!({"width": 640, "height": 480}),
        ),
        Kind::Audio => json!({"type": 4, "url": url, "timeTrad": 7}),
        Kind::Video => known(
            author,
            json!({"type": 5, "url": url, "cover": "https://files.example.org/cover", "second": 12}),
            json!({"width": 640, "height": 480, "size": 4096}),
        ),
        Kind::File => json!({"type": 8, "url": url, "name": "说明 书.pdf", "size": 4096}),
        Kind::Location => json!({"type": 6, "title": label, "address": "天安门"}),
        Kind::Link | Kind::App => json!({
            "type": 1, "content": format!("{label}\nwords\n{url}"),
            "entities": [{"type": "link"}],
        }),
        Kind::Card => json!({"type": 7, "uid": "bob", "name": label}),
        Kind::Notice => json!({
            "type": 1, "content": format!("【{label}】words"),
            "notice": {"title": label, "msg": "words"},
        }),
        Kind::Target => json!({
            "type": 1, "content": format!("【{label}】words"),
            "notice": {"title": label, "msg": "words", "target": url, "serviceId": "s-7"},
        }),
        Kind::Custom => both(json!({"type": {"$min": 100}}), label),
        Kind::Strange => both(json!({"type": {"$min": 100}}), label),
    }
}

/// The content members of stomp, which gyyx shares (gyyx.md Q4-9).
fn content(kind: Kind, author: Dialect, label: &str) -> Value {
    let url = url(label);
    let size = json!({"width": 640, "height": 480});
    match kind {
        Kind::Image => known(author, json!({"url": url}), size),
        Kind::Audio => json!({"url": url, "duration": 7}),
        Kind::Video => known(
            author,
            json!({"url": url, "coverUrl": "https://files.example.org/cover", "duration": 12}),
            json!({"width": 640, "height": 480, "size": 4096}),
        ),
        Kind::File => json!({"url": url, "name": "说明 书.pdf", "size": 4096}),
        Kind::Location => json!({
            "latitude": 39.9, "longitude": -116.25, "title": label, "address": "天安门",
        }),
        Kind::Link | Kind::App => json!({"title": label, "description": "words", "url": url}),
        Kind::Card => json!({"userId": "bob", "name": label}),
        Kind::Notice => json!({"title": label, "msg": "words"}),
        Kind::Target => {
            json!({"title": label, "msg": "words", "target": url, "serviceId": "s-7"})
        }
        Kind::Text | Kind::Reply | Kind::Custom | Kind::Strange => json!({"$has": label}),
    }
}

fn for_stomp(kind: Kind, author: Dialect, label: &str) -> Value {
    let (name, content) = match kind {
        Kind::Text => ("TEXT", json!(format!("{TEXT}{label}"))),
        Kind::Reply => ("TEXT", json!(label)),
        Kind::Image => ("IMAGE", content(kind, author, label)),
        Kind::Audio => ("AUDIO", content(kind, author, label)),
        Kind::Video => ("VIDEO", content(kind, author, label)),
        Kind::File => ("FILE", content(kind, author, label)),
        Kind::Location => ("LOCATION", content(kind, author, label)),
        Kind::Link | Kind::App => ("LINK", content(kind, author, label)),
        Kind::Card => ("CARD", content(kind, author, label)),
        Kind::Notice | Kind::Target => ("NOTIFY", content(kind, author, label)),
        Kind::Custom | Kind::Strange => ("CUSTOM", content(kind, author, label)),
    };
    json!({"msgType": name, "content": content})
}

fn for_mqtt(kind: Kind, author: Dialect, label: &str) -> Value {
    // There is no file store yet that could have a name of its own for it.
    let storage = url(label);
    let (number, content) = match kind {
        Kind::Text => (json!(0), json!({"text": format!("{TEXT}{label}")})),
        Kind::Reply => (
            json!(0),
            json!({"text": label, "ext": {"reply": {"$has": QUOTED}}}),
        ),
        Kind::Image => (json!(1), json!({"storageId": storage})),
        Kind::Audio => (json!(2), json!({"storageId": storage, "duration": 7})),
        Kind::Video => (
            json!(3),
            known(
                author,
                json!({"storageId": storage, "duration": 12}),
                json!({"fileSize": "4096"}),
            ),
        ),
        Kind::File => (
            json!(4),
            json!({
                "storageId": storage, "fileName": "说明 书.pdf", "fileSize": "4096", "duration": 0,
            }),
        ),
        Kind::Location => (
            json!(5),
            json!({"latitude": 39.9, "longitude": -116.25, "title": label, "address": "天安门"}),
        ),
        Kind::Link | Kind::App => (
            json!(9),
            json!({"title": label, "content": "words", "url": url(label)}),
        ),
        Kind::Card => (json!(9), json!({"$has": label})),
        Kind::Notice => (
            json!(6),
            json!({"title": label, "content": "words", "action": "", "appName": "", "appLogo": ""}),
        ),
        Kind::Target => (
            json!(6),
            json!({
                "title": label, "content": "words", "action": "", "appid": "s-7", "appName": "",
                "appLogo": "", "url": url(label),
            }),
        ),
        Kind::Custom => (json!(10), json!({"$has": label})),
        Kind::Strange => (json!({"$in": [10, -1]}), json!({"$has": label})),
    };
    json!({"type": number, "content": content})
}

fn for_gyyx(kind: Kind, author: Dialect, label: &str) -> Value {
    let (number, message) = match kind {
        Kind::Text => (1, json!(format!("{TEXT}{label}"))),
        Kind::Reply => (1, json!(format!("「{QUOTED}」\n— —\n{label}"))),
        Kind::Image => (2, content(kind, author, label)),
        Kind::Audio => (3, content(kind, author, label)),
        Kind::Video => (4, content(kind, author, label)),
        Kind::File => (5, content(kind, author, label)),
        Kind::Location => (6, content(kind, author, label)),
        Kind::Link | Kind::App | Kind::Card => (7, content(kind, author, label)),
        Kind::Notice | Kind::Target => (8, content(kind, author, label)),
        Kind::Custom | Kind::Strange => (99, content(kind, author, label)),
    };
    json!({"contentType": number, "message": message})
}

fn for_wg(kind: Kind, label: &str) -> Value {
    let url = url(label);
    let text = |body: String| json!({"type": 2001, "body": body});
    match kind {
        Kind::Text => text(format!("{TEXT}{label}")),
        Kind::Reply => text(format!("「{QUOTED}」\n— —\n{label}")),
        Kind::Image => text(format!("[图片] {url}")),
        Kind::Audio => text(format!("[语音] 7秒 {url}")),
        Kind::Video => text(format!("[视频] {url}")),
        Kind::File => text(format!("[文件] 说明 书.pdf {url}")),
        Kind::Location => text(format!("[位置] {label} 天安门")),
        Kind::Link => json!({
            "type": 3003, "body": {"title": label, "msg": "words", "target": url},
        }),
        Kind::App => json!({
            "type": 3003,
            "body": {"title": label, "msg": "words", "target": url, "serviceId": "rx"},
        }),
        Kind::Card => json!({"body": {"$has": label}}),
        Kind::Notice => json!({
            "type": 3001, "body": {"title": label, "msg": "words", "target": null},
        }),
        Kind::Target => json!({
            "type": 3003,
            "body": {"title": label, "msg": "words", "target": url, "serviceId": "s-7"},
        }),
        Kind::Custom => text("[自定义消息]".to_owned()),
        // G.3 has a row for each, and which of them a strange type is, is the author's dialect's.
        Kind::Strange => {
            json!({"type": 2001, "body": {"$in": ["[自定义消息]", "[不支持的消息]"]}})
        }
    }
}

/// What mqtt's media do not tell (their sizes are those of the thumbnail), others do.
fn known(author: Dialect, always: Value, from_others: Value) -> Value {
    let is_mqtt = author == Dialect::Mqtt;
    let mut all = always;
    if let (Value::Object(all), Value::Object(more), false) = (&mut all, from_others, is_mqtt) {
        all.extend(more);
    }
    all
}

/// Members, and a label anywhere.
fn both(members: Value, label: &str) -> Value {
    let mut all = members;
    all["$has"] = label.into();
    all
}

/// What is wrong with what is shown, if anything.
#[must_use]
pub fn differs(shown: &Value, expected: &Value) -> Option<String> {
    match expected {
        Value::Object(expected) => expected
            .iter()
            .find_map(|(key, expected)| match key.as_str() {
                "$has" => {
                    let text = expected.as_str().expect("$has takes a text");
                    let is_there = written_out(shown).contains(text);
                    (!is_there).then(|| format!("no {text:?} in {shown}"))
                }
                "$min" => {
                    let is_enough = shown.as_f64() >= expected.as_f64();
                    (!is_enough).then(|| format!("{shown} is below {expected}"))
                }
                "$in" => {
                    let choice = expected.as_array().expect("$in takes a list");
                    (!choice.contains(shown)).then(|| format!("{shown} is none of {expected}"))
                }
                // What is elsewhere is stored under an id that stands for its address.
                "storageId" => {
                    let stored = shown["storageId"].as_str().unwrap_or_default();
                    let is_it = expected.as_str() == Some(stored)
                        || address_of(stored).as_deref() == expected.as_str();
                    (!is_it).then(|| format!("{stored} instead of {expected}"))
                }
                key => {
                    let value = shown.get(key).unwrap_or(&Value::Null);
                    differs(value, expected).map(|why| format!("{key}: {why}"))
                }
            }),
        Value::Array(items) => {
            let shown_items = shown.as_array().filter(|shown| shown.len() == items.len());
            let Some(shown_items) = shown_items else {
                return Some(format!("{shown} instead of {expected}"));
            };
            let mut pairs = shown_items.iter().zip(items);
            pairs.find_map(|(shown, expected)| differs(shown, expected))
        }
        Value::Number(number) if shown.is_number() => {
            let is_same = shown.as_f64() == number.as_f64();
            (!is_same).then(|| format!("{shown} instead of {number}"))
        }
        _ => (shown != expected).then(|| format!("{shown} instead of {expected}")),
    }
}

/// All texts of a value, those of JSON inside texts included.
fn written_out(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(written_out).collect::<Vec<_>>().join(" "),
        Value::Object(members) => {
            let texts = members.values().map(written_out);
            texts.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

/// The address for which the id of something elsewhere stands.
fn address_of(storage_id: &str) -> Option<String> {
    let (_, encoded) = storage_id.strip_prefix('x')?.split_once('-')?;
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?;
    String::from_utf8(bytes).ok()
}
