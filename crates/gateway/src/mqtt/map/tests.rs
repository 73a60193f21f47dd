//! Contents there and back.

use super::*;
use crosstalk_core::message::Body;

fn body(tag: &str, payload: &str) -> Body {
    Body {
        origin: crate::registry::Dialect::Mqtt.origin(),
        tag: tag.into(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        ..Body::default()
    }
}

fn back(content_in: &Content) -> Content {
    let (kind, json) = payload(content_in);
    content(&body(&kind.to_tag(), &json))
}

#[test]
fn every_kind_of_content_comes_back() {
    let kinds = [
        Content::text("你好 🎉 \"x\"\n"),
        Content::Text {
            text: "@all".into(),
            mentions: vec!["bob".into()],
            mention_all: true,
            reply: Some(Box::new(Reply {
                id: "7".into(),
                from: "bob".into(),
                text: "what".into(),
            })),
        },
        Content::Image {
            url: "https://x/y.png".into(),
            width: 3,
            height: 4,
            size: 0,
            thumb: Some("https://x/t.png".into()),
        },
        Content::Audio {
            url: "/im/v1/files/f-1".into(),
            duration_s: 9,
            size: 0,
        },
        Content::Video {
            url: "https://x/v.mp4".into(),
            cover: Some("https://x/c.png".into()),
            duration_s: 2,
            width: 1,
            height: 2,
            size: 77,
            name: Some("v.mp4".into()),
        },
        Content::File {
            url: "https://x/f".into(),
            name: "f".into(),
            size: 5,
            mime: Some("text/plain".into()),
        },
        Content::Location {
            lat: 1.5,
            lng: -2.5,
            title: "t".into(),
            address: "a".into(),
        },
        Content::Link {
            title: "t".into(),
            text: "x".into(),
            url: "https://x".into(),
            image: Some("https://i".into()),
            app: Some(Box::new(SubApp {
                id: "rx".into(),
                name: "n".into(),
                action: "read".into(),
            })),
        },
        Content::Notice {
            title: "t".into(),
            msg: "m".into(),
            target: Some("https://x".into()),
            service_id: Some("s".into()),
        },
        Content::Call {
            action: "invite".into(),
            media: "video".into(),
            room: "r".into(),
            caller: "u".into(),
            duration_s: 0,
            signal: json!({"sdp": "v=0"}),
        },
        Content::Command {
            cmd: "x".into(),
            param: json!({"a": 1}),
        },
    ];
    for kind in kinds {
        assert_eq!(back(&kind), kind);
    }
}

#[test]
fn what_has_no_form_of_its_own_is_still_said() {
    let tip = Content::Tip {
        text: "bob joined".into(),
    };
    let (kind, json) = payload(&tip);
    assert_eq!(kind, MsgType::Notice.into());
    assert!(json.contains("bob joined"), "{json}");
    let card = Content::Card {
        uid: "bob".into(),
        name: "Bob".into(),
    };
    let (kind, json) = payload(&card);
    assert_eq!(kind, MsgType::App.into());
    assert!(json.contains("\"title\":\"Bob\""), "{json}");
    let raw = Content::Unknown { raw: "??".into() };
    let (kind, json) = payload(&raw);
    assert_eq!(
        (kind, json.as_str()),
        (MsgType::Unknown.into(), r#"{"raw":"??"}"#)
    );
    let custom = Content::Custom {
        tag: "order".into(),
        data: json!({"n": 1}),
    };
    let (kind, json) = payload(&custom);
    assert_eq!(kind, MsgType::Custom.into());
    let Content::Custom { tag, data } = content(&body("10", &json)) else {
        panic!("{json}");
    };
    assert_eq!((tag.as_str(), &data["n"]), ("order", &json!(1)));
}

#[test]
fn a_type_that_nobody_knows_is_the_applications_own() {
    let Content::Custom { tag, data } = content(&body("#55", r#"{"x":1}"#)) else {
        panic!("not custom");
    };
    assert_eq!((tag.as_str(), data), ("55", json!({"x": 1})));
    assert!(matches!(content(&body("0", "[]")), Content::Unknown { .. }));
    assert!(matches!(
        content(&body("", "\u{0}")),
        Content::Unknown { .. }
    ));
}

#[test]
fn a_picture_in_the_store_has_an_address() {
    let stored = content(&body(
        "1",
        r#"{"storageId":"f-1","thumbnail":"f-1t","thumbnailWidth":100}"#,
    ));
    let Content::Image {
        url, thumb, width, ..
    } = &stored
    else {
        panic!("{stored:?}");
    };
    assert_eq!(url, "/im/v1/files/f-1");
    assert_eq!((thumb.as_deref(), *width), (Some("/im/v1/files/f-1t"), 100));
    assert!(payload(&stored).1.contains(r#""storageId":"f-1""#));
    // One without a small picture is its own.
    let whole = Content::Image {
        url: "/v1/files/f-2".into(),
        width: 800,
        height: 400,
        size: 5886,
        thumb: None,
    };
    let shown: serde_json::Value = serde_json::from_str(&payload(&whole).1).expect("JSON");
    assert_eq!(shown["thumbnail"], shown["storageId"]);
    assert_eq!(
        (&shown["thumbnailWidth"], &shown["thumbnailHeight"]),
        (&json!(800), &json!(400))
    );
}

#[test]
fn other_words_leave_all_else_as_it_was() {
    let said = reworded(&body("0", r#"{"text":"bad","ext":{"a":1}}"#), "***").expect("a text");
    let said: Value = serde_json::from_slice(&said).expect("JSON");
    assert_eq!(said, json!({"text": "***", "ext": {"a": 1}}));
    assert_eq!(reworded(&body("0", "7"), "x"), None);
}

#[test]
fn a_persons_card_comes_back() {
    let card = Content::Card {
        uid: "bob".into(),
        name: "Bob".into(),
    };
    assert_eq!(back(&card), card);
}

/// Accounts are noted when a message comes in; what was written stays as it was.
#[test]
fn the_users_behind_accounts_are_known_to_others() {
    let ann = crosstalk_core::directory::Aliases::default()
        .of(&crosstalk_core::id::Realm::default(), &uid("ann"));
    let account = ann.as_str();
    let nobody = "aaaaaaaaaaaaa";
    let cases = [
        (
            "0",
            json!({"text": "@", "ext": {"mention": {"uids": [account, "bob", nobody]}}}),
            json!({"type": "text", "text": "@", "mentions": ["ann", "bob", nobody]}),
        ),
        (
            "0",
            json!({"text": "x", "ext": {"reply": {"id": "7", "from": account, "text": "q"}}}),
            json!({"type": "text", "text": "x", "reply": {"id": "7", "from": "ann", "text": "q"}}),
        ),
        (
            "8",
            json!({"status": "invite", "uid": account}),
            json!({"type": "call", "action": "invite", "media": "", "room": "", "caller": "ann", "duration_s": 0}),
        ),
        (
            "7",
            json!({"type": "call", "content": {"status": "invite", "uid": account}}),
            json!({"type": "call", "action": "invite", "media": "", "room": "", "caller": "ann", "duration_s": 0}),
        ),
        (
            "9",
            json!({"title": "Ann", "action": "card", "appid": account}),
            json!({"type": "card", "uid": "ann", "name": "Ann"}),
        ),
    ];
    for (tag, written, meant) in cases {
        let mut body = body(tag, &written.to_string());
        body.extra = Some(Bytes::from_static(br#"{"target":"t"}"#));
        let named = users::named(&body);
        assert!(named.contains(&ann), "{written}");
        users::note(&mut body, &[(ann.clone(), uid("ann"))]);
        let said: Content = serde_json::from_value(meant.clone()).expect("a content");
        assert_eq!(content(&body), said, "{written}");
        let extra: Value = serde_json::from_slice(&body.extra.expect("extra")).expect("JSON");
        assert_eq!(extra["target"], "t");
    }
    let letter = |n: u8| char::from(b'a' + n % 26);
    let many: Vec<String> = (0..20)
        .flat_map(|n| (0..100).map(move |m| (n, m)))
        .map(|(n, m)| format!("a{}{}{}bbbbbbbbb", letter(n), letter(m), letter(m / 26)))
        .collect();
    let crowd = json!({"text": "@", "ext": {"mention": {"uids": many}}});
    assert_eq!(users::named(&body("0", &crowd.to_string())).len(), 500);
}

fn uid(text: &str) -> crosstalk_core::id::Uid {
    crosstalk_core::id::Uid::parse(text).expect("a uid")
}
