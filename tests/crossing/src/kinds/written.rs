//! How authors write each kind in their own dialect.

use crosstalk_gateway::Dialect;
use serde_json::{Value, json};

use super::{Kind, QUOTED, TEXT, url};

const COVER: &str = "https://files.example.org/cover";
const FILE_NAME: &str = "说明 书.pdf";

/// A kind as an author's client writes it, in the form that its driver takes; none if clients
/// of the dialect cannot say it.
#[must_use]
pub fn written(kind: Kind, author: Dialect, label: &str) -> Option<Value> {
    match author {
        Dialect::Wukong => by_wukong(kind, label),
        Dialect::Stomp => by_stomp(kind, label),
        Dialect::Mqtt => by_mqtt(kind, label),
        Dialect::Gyyx => by_gyyx(kind, label),
        Dialect::Wg => by_wg(kind, label),
    }
}

fn by_wukong(kind: Kind, label: &str) -> Option<Value> {
    let url = url(label);
    Some(match kind {
        Kind::Text => json!({"type": 1, "content": format!("{TEXT}{label}")}),
        Kind::Reply => json!({
            "type": 1, "content": label, "mention": {"all": 1},
            "reply": {
                "message_id": "1", "from_uid": "bob", "from_name": "Bob",
                "payload": {"type": 1, "content": QUOTED},
            },
        }),
        Kind::Image => json!({"type": 2, "url": url, "width": 640, "height": 480}),
        Kind::Audio => json!({"type": 4, "url": url, "timeTrad": 7, "waveform": "AAAA"}),
        Kind::Video => json!({
            "type": 5, "url": url, "cover": COVER, "second": 12, "width": 640, "height": 480,
            "size": 4096,
        }),
        Kind::File => json!({"type": 8, "url": url, "name": FILE_NAME, "size": 4096}),
        Kind::Location => json!({
            "type": 6, "latitude": 39.9, "longitude": -116.25, "title": label, "address": "天安门",
        }),
        Kind::Card => json!({"type": 7, "uid": "bob", "name": label}),
        Kind::Custom => json!({"type": 101, "label": label, "n": {"deep": [1, 2.5, null]}}),
        Kind::Strange => json!({"type": 96, "label": label}),
        Kind::Link | Kind::App | Kind::Notice | Kind::Target => return None,
    })
}

/// The content members of stomp, which gyyx shares.
fn content(kind: Kind, label: &str) -> Value {
    let url = url(label);
    match kind {
        Kind::Image => json!({
            "url": url, "width": 640, "height": 480, "size": 4096, "thumbnailUrl": COVER,
        }),
        Kind::Audio => json!({"url": url, "duration": 7, "size": 4096}),
        Kind::Video => json!({
            "url": url, "coverUrl": COVER, "duration": 12, "width": 640, "height": 480,
            "size": 4096,
        }),
        Kind::File => json!({
            "url": url, "name": FILE_NAME, "size": 4096, "mimeType": "application/pdf",
        }),
        Kind::Location => json!({
            "latitude": 39.9, "longitude": -116.25, "title": label, "address": "天安门",
        }),
        Kind::Link => json!({
            "title": label, "description": "words", "url": url, "imageUrl": COVER,
        }),
        Kind::Card => json!({"userId": "bob", "name": label}),
        Kind::Notice => json!({"title": label, "msg": "words", "target": null, "serviceId": null}),
        Kind::Target => {
            json!({"title": label, "msg": "words", "target": url, "serviceId": "s-7"})
        }
        Kind::Custom => json!({"customType": "poll", "data": {"label": label}}),
        Kind::Text | Kind::Reply | Kind::App | Kind::Strange => json!(label),
    }
}

fn by_stomp(kind: Kind, label: &str) -> Option<Value> {
    let (name, content) = match kind {
        Kind::Text => ("TEXT", json!(format!("{TEXT}{label}"))),
        Kind::Image => ("IMAGE", content(kind, label)),
        Kind::Audio => ("AUDIO", content(kind, label)),
        Kind::Video => ("VIDEO", content(kind, label)),
        Kind::File => ("FILE", content(kind, label)),
        Kind::Location => ("LOCATION", content(kind, label)),
        Kind::Link => ("LINK", content(kind, label)),
        Kind::Card => ("CARD", content(kind, label)),
        Kind::Notice | Kind::Target => ("NOTIFY", content(kind, label)),
        Kind::Custom => ("CUSTOM", content(kind, label)),
        Kind::Strange => ("FANCY", content(kind, label)),
        Kind::Reply | Kind::App => return None,
    };
    Some(json!({"msgType": name, "content": content}))
}

fn by_mqtt(kind: Kind, label: &str) -> Option<Value> {
    let storage = url(label);
    let (number, content) = match kind {
        Kind::Text => (0, json!({"text": format!("{TEXT}{label}")})),
        Kind::Image => (
            1,
            json!({
                "storageId": storage, "thumbnail": COVER, "thumbnailWidth": 100,
                "thumbnailHeight": 100,
            }),
        ),
        Kind::Audio => (2, json!({"storageId": storage, "duration": 7})),
        Kind::Video => (
            3,
            json!({
                "storageId": storage, "fileName": "a.mp4", "fileSize": "4096", "duration": 12,
                "thumbnail": COVER, "thumbnailWidth": 100, "thumbnailHeight": 100,
            }),
        ),
        Kind::File => (
            4,
            json!({
                "storageId": storage, "fileName": FILE_NAME, "fileSize": "4096", "duration": 0,
                "mimeType": "application/pdf",
            }),
        ),
        Kind::Location => (
            5,
            json!({"latitude": 39.9, "longitude": -116.25, "title": label, "address": "天安门"}),
        ),
        Kind::App => (
            9,
            json!({
                "title": label, "content": "words", "action": "open", "appid": "rx",
                "appName": "处方", "appLogo": COVER, "url": storage,
            }),
        ),
        Kind::Notice => (
            6,
            json!({
                "title": label, "content": "words", "action": "", "appid": "", "appName": "",
                "appLogo": "", "url": "",
            }),
        ),
        Kind::Target => (
            6,
            json!({
                "title": label, "content": "words", "action": "", "appid": "s-7", "appName": "",
                "appLogo": "", "url": storage,
            }),
        ),
        Kind::Custom => (10, json!({"label": label, "n": [1, null]})),
        Kind::Strange => (55, json!({"label": label})),
        Kind::Reply | Kind::Link | Kind::Card => return None,
    };
    Some(json!({"type": number, "content": content}))
}

fn by_gyyx(kind: Kind, label: &str) -> Option<Value> {
    let (number, message) = match kind {
        Kind::Text => (1, json!(format!("{TEXT}{label}"))),
        Kind::Image => (2, content(kind, label)),
        Kind::Audio => (3, content(kind, label)),
        Kind::Video => (4, content(kind, label)),
        Kind::File => (5, content(kind, label)),
        Kind::Location => (6, content(kind, label)),
        Kind::Link | Kind::Card => (7, content(kind, label)),
        Kind::Notice | Kind::Target => (8, content(kind, label)),
        Kind::Custom => (99, content(kind, label)),
        Kind::Strange => (42, content(kind, label)),
        Kind::Reply | Kind::App => return None,
    };
    Some(json!({"contentType": number, "message": message}))
}

fn by_wg(kind: Kind, label: &str) -> Option<Value> {
    let notice = |target: Value, service: Value| json!({"title": label, "msg": "words", "target": target, "serviceId": service});
    Some(match kind {
        Kind::Text => json!({"type": 2001, "body": format!("{TEXT}{label}")}),
        Kind::Notice => json!({"type": 3001, "body": notice(Value::Null, Value::Null)}),
        Kind::Target => json!({"type": 3003, "body": notice(json!(url(label)), json!("s-7"))}),
        _ => return None,
    })
}
