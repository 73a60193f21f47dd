//! Messages, notices, answers and contents in JSON (stomp.md D.c, Q2-8, Q2-18
//! to Q2-23, Q2-31).

use std::borrow::Cow;

use crosstalk_wire::stomp::im::{
    Answer, Audio, Call, CallAction, Card, ChatType, Code, Custom, File, ImMessage, Image, Link,
    Location, MediaType, Notify, Page, QueueError, ReceiptKind, ReceiptNotice, Status, SyncEnd,
    Video,
};
use serde::Serialize;
use serde_json::{Value, json};

#[track_caller]
fn check(written: impl Serialize, expected: &Value) {
    assert_eq!(&serde_json::to_value(written).expect("JSON"), expected);
}

fn hello() -> ImMessage<'static> {
    ImMessage {
        message_id: Some("m-001".into()),
        app_id: Some("ak_demo_chat".into()),
        from_id: "user_001".into(),
        to_id: "user_002".into(),
        chat_type: ChatType::Single.as_str().into(),
        msg_type: "TEXT".into(),
        content: "Hello".into(),
        seq: Some(1),
        ..ImMessage::new("m-001", Status::Sent, 1_715_000_000_000)
    }
}

/// The members in the order that the documentation has them.
#[test]
fn a_message() {
    let json = String::from_utf8(hello().to_json()).expect("JSON is UTF-8");
    assert_eq!(
        json,
        r#"{"id":"m-001","messageId":"m-001","appId":"ak_demo_chat","fromId":"user_001","toId":"user_002","chatType":"SINGLE","msgType":"TEXT","content":"Hello","status":"SENT","createdAt":1715000000000,"seq":1,"revoked":false,"editedAt":null,"mentionedUserIds":[],"extra":{}}"#
    );
}

#[test]
fn what_is_unknown_is_null() {
    let message = ImMessage {
        message_id: None,
        app_id: None,
        seq: None,
        ..hello()
    };
    let written: Value = serde_json::from_slice(&message.to_json()).expect("JSON");
    for member in ["messageId", "appId", "seq", "editedAt"] {
        assert_eq!(written.get(member), Some(&Value::Null), "{member}");
    }
    for member in [
        "groupId",
        "operatorId",
        "revokedAt",
        "errorCode",
        "errorMessage",
    ] {
        assert_eq!(written.get(member), None, "{member}");
    }
}

#[test]
fn a_group_message_with_everything() {
    let extra = serde_json::from_str::<Box<serde_json::value::RawValue>>(r#"{"quote": "m"}"#);
    let mentioned = ["u1".to_owned()];
    let message = ImMessage {
        group_id: Some("g_100".into()),
        chat_type: "GROUP".into(),
        content: "大家好".into(),
        mentioned_user_ids: Cow::Borrowed(&mentioned),
        extra: Some(Cow::Owned(extra.expect("JSON"))),
        edited_at: Some(1_715_000_000_001),
        ..hello()
    };
    let json = String::from_utf8(message.to_json()).expect("JSON is UTF-8");
    assert!(
        json.contains(r#""groupId":"g_100","chatType":"GROUP""#),
        "{json}"
    );
    assert!(json.contains(r#""content":"大家好""#), "{json}");
    assert!(json.contains(r#""editedAt":1715000000001"#), "{json}");
    assert!(
        json.ends_with(r#""mentionedUserIds":["u1"],"extra":{"quote": "m"}}"#),
        "{json}"
    );
    let read = ImMessage::read(json.as_bytes()).expect("a message");
    assert_eq!(String::from_utf8_lossy(&read.to_json()), json);
}

#[test]
fn a_revoked_message() {
    let revoked = hello().revoked("user_001", 1_715_000_060_000);
    let written: Value = serde_json::from_slice(&revoked.to_json()).expect("JSON");
    let expected = json!({
        "id": "m-001", "fromId": "user_001", "toId": "user_002", "chatType": "SINGLE",
        "msgType": "REVOKED", "content": "", "status": "REVOKED", "revoked": true,
        "createdAt": 1_715_000_000_000_i64, "operatorId": "user_001",
        "revokedAt": 1_715_000_060_000_i64,
    });
    for (member, value) in expected.as_object().expect("an object") {
        assert_eq!(written.get(member), Some(value), "{member}");
    }
    let read = ImMessage::read(&revoked.to_json()).expect("a message");
    assert_eq!(read.to_json(), revoked.to_json());
}

/// The body of the dialect's own document is a message to a client.
#[test]
fn a_message_is_read_by_its_eight_members() {
    let body = json!({
        "id": "m", "fromId": "user_002", "toId": "user_001", "chatType": "SINGLE",
        "msgType": "TEXT", "content": "Hello", "status": "SENT",
        "createdAt": 1_715_000_000_000_i64,
    });
    let read = ImMessage::read(body.to_string().as_bytes()).expect("a message");
    assert_eq!((read.id.as_ref(), read.status), ("m", Status::Sent));
    assert_eq!((read.seq, read.message_id), (None, None));
    for member in body.as_object().expect("an object").keys() {
        let mut less = body.clone();
        less[member] = Value::Null;
        let refused = ImMessage::read(less.to_string().as_bytes()).expect_err("it lacks one");
        assert_eq!(refused.to_string(), format!("Missing {member}"));
    }
    let mut odd = body.clone();
    odd["errorCode"] = json!(418);
    let refused = ImMessage::read(odd.to_string().as_bytes()).expect_err("no such code");
    assert_eq!(refused.to_string(), "Invalid errorCode");
    let mut odd = body;
    odd["status"] = json!("SENDING");
    let refused = ImMessage::read(odd.to_string().as_bytes()).expect_err("no such status");
    assert_eq!(refused.to_string(), "Invalid status");
}

#[test]
fn notices() {
    check(
        QueueError::not_a_member("/topic/group/g_200"),
        &json!({"code": 403, "message": "Not a member", "destination": "/topic/group/g_200"}),
    );
    check(
        QueueError::INVALID_JSON,
        &json!({"code": 400, "message": "Invalid JSON"}),
    );
    check(
        QueueError::UNKNOWN_DESTINATION,
        &json!({"code": 404, "message": "Unknown destination"}),
    );
    let receipt = |kind| ReceiptNotice {
        kind,
        message_id: "m-001",
        user_id: "user_002",
        at: 1_715_000_090_000,
    };
    check(
        receipt(ReceiptKind::Read),
        &json!({"type": "READ", "messageId": "m-001", "userId": "user_002",
            "at": 1_715_000_090_000_i64}),
    );
    let delivered = serde_json::to_value(receipt(ReceiptKind::Delivered)).expect("JSON");
    assert_eq!(delivered["type"], "DELIVERED");
    let end = |cursor| SyncEnd {
        count: 3,
        has_more: false,
        cursor,
    };
    check(
        end(Some("741200000000000009")),
        &json!({"count": 3, "hasMore": false, "cursor": "741200000000000009"}),
    );
    check(
        end(None),
        &json!({"count": 3, "hasMore": false, "cursor": null}),
    );
}

#[test]
fn rest_answers() {
    let login = json!({"token": "eyJ", "userId": "user_001", "expiresAt": 1_715_086_400_000_i64,
        "wsUrl": "wss://host/ws/im"});
    let ok = Answer::ok(&login);
    assert_eq!(ok.http_status(), 200);
    check(
        &ok,
        &json!({"code": 200, "status": "0", "data": login, "message": "success"}),
    );
    let failed = Answer::failed(Code::Unauthorized, Code::Unauthorized.text());
    assert_eq!(failed.http_status(), 401);
    let text = serde_json::to_string(&failed).expect("JSON");
    assert_eq!(
        text,
        r#"{"code":401,"status":"1","data":null,"message":"Unauthorized"}"#
    );
    let page = Page {
        list: vec![1, 2],
        has_more: false,
        cursor: None,
    };
    check(
        page,
        &json!({"list": [1, 2], "hasMore": false, "cursor": null}),
    );
}

#[test]
fn contents_have_their_members() {
    let url = || "https://x/y".to_owned();
    check(
        Image {
            url: url(),
            ..Image::default()
        },
        &json!({"url": url(), "width": 0, "height": 0, "size": 0, "thumbnailUrl": null}),
    );
    check(
        Audio {
            url: url(),
            duration: 3,
            size: 4,
        },
        &json!({"url": url(), "duration": 3, "size": 4}),
    );
    check(
        Video::default(),
        &json!({"url": "", "coverUrl": null, "duration": 0, "width": 0, "height": 0, "size": 0}),
    );
    check(
        File::default(),
        &json!({"url": "", "name": "", "size": 0, "mimeType": null}),
    );
    check(
        Location::default(),
        &json!({"latitude": 0.0, "longitude": 0.0, "title": "", "address": ""}),
    );
    check(Card::default(), &json!({"userId": "", "name": ""}));
    check(
        Link::default(),
        &json!({"title": "", "description": "", "url": "", "imageUrl": null}),
    );
    check(
        Notify::default(),
        &json!({"title": "", "msg": "", "target": null, "serviceId": null}),
    );
}

#[test]
fn contents_are_read_tolerantly() {
    let image = r#"{"url":"u","width":"640","height":480.0,"size":-1,"thumbnailUrl":"t","x":1}"#;
    assert_eq!(
        Image::read(image),
        Some(Image {
            url: "u".into(),
            width: 640,
            height: 480,
            size: 0,
            thumbnail_url: Some("t".into()),
        })
    );
    assert_eq!(Image::read(r#"{"width":1}"#), None);
    assert_eq!(Image::read("https://x/y.png"), None);
    let audio = Audio::read(r#"{"url":"u","duration":2.7,"size":99999999999}"#);
    assert_eq!(
        audio.map(|it| (it.duration, it.size)),
        Some((2, 99_999_999_999))
    );
    let video = Video::read(r#"{"url":"u","coverUrl":"c","duration":99999999999}"#);
    assert_eq!(video.map(|it| it.duration), Some(u32::MAX));
    let file = File::read(r#"{"url":"u","name":"a.txt","mimeType":"text/plain"}"#);
    assert_eq!(file.map(|it| it.name), Some("a.txt".into()));
    let place = Location::read(r#"{"latitude":"31.2","longitude":121}"#);
    assert_eq!(
        place.map(|it| (it.latitude, it.longitude)),
        Some((31.2, 121.0))
    );
    assert_eq!(Location::read(r#"{"latitude":1}"#), None);
    assert_eq!(
        Card::read(r#"{"userId":7}"#).map(|it| it.user_id),
        Some("7".into())
    );
    assert_eq!(
        Link::read(r#"{"url":"u"}"#).map(|it| it.title),
        Some(String::new())
    );
    assert_eq!(Link::read(r#"{"title":"t"}"#), None);
    assert_eq!(
        Notify::read(r#"{"msg":"m"}"#).map(|it| it.msg),
        Some("m".into())
    );
}

#[test]
fn calls_and_custom_contents_keep_their_json() {
    let text = r#"{"action":"INVITE","callId":"c","roomId":"r","mediaType":"video","callerId":"u","sdp":{"type": "offer"},"durationSec":62}"#;
    let call = Call::read(text).expect("a call");
    assert_eq!(call.action, CallAction::Invite);
    assert_eq!(call.media_type, MediaType::Video);
    assert_eq!(call.duration_sec, Some(62));
    assert_eq!(serde_json::to_string(&call).expect("JSON"), text);
    assert!(Call::read(r#"{"action":"SING","callId":"c"}"#).is_none());
    assert!(Call::read(r#"{"action":"HANGUP"}"#).is_none());

    let text = r#"{"customType":"poll","data":[1, {"a":2}]}"#;
    let custom = Custom::read(text).expect("a custom content");
    assert_eq!(serde_json::to_string(&custom).expect("JSON"), text);
    assert!(Custom::read("{}").is_none());
}
