//! Contents both ways.

use super::*;
use crate::stomp::render::ORIGIN;

fn body(tag: &str, content: &str, extra: Option<Value>) -> Body {
    Body {
        origin: ORIGIN,
        tag: tag.into(),
        payload: Bytes::copy_from_slice(content.as_bytes()),
        extra: extra.map(|extra| Bytes::from(extra.to_string())),
        ..Body::default()
    }
}

/// What a said content means again.
fn back(said: &Said) -> Content {
    let extra = json!({"mentionedUserIds": said.mentions, "extra": said.extra});
    content(&body(said.msg_type, &said.content, Some(extra)))
}

#[test]
fn every_kind_survives_the_way_out_and_back() {
    let kinds = [
        Content::text("你好 👋 \"quoted\"\n2nd line"),
        Content::Text {
            text: "@bob look".into(),
            mentions: vec!["bob".into()],
            mention_all: true,
            reply: Some(Box::new(Reply {
                id: "m-1".into(),
                from: "carol".into(),
                text: "what?".into(),
            })),
        },
        Content::Image {
            url: "https://x/i.png".into(),
            width: 3,
            height: 4,
            size: 5,
            thumb: Some("https://x/t.png".into()),
        },
        Content::Audio {
            url: "https://x/a.amr".into(),
            duration_s: 7,
            size: 8,
        },
        Content::Video {
            url: "https://x/v.mp4".into(),
            cover: Some("https://x/c.png".into()),
            duration_s: 9,
            width: 10,
            height: 11,
            size: 12,
            name: None,
        },
        Content::File {
            url: "https://x/f.pdf".into(),
            name: "f.pdf".into(),
            size: 13,
            mime: Some("application/pdf".into()),
        },
        Content::Location {
            lat: 31.25,
            lng: -121.5,
            title: "t".into(),
            address: "a".into(),
        },
        Content::Link {
            title: "t".into(),
            text: "d".into(),
            url: "https://x".into(),
            image: Some("https://x/i.png".into()),
            app: None,
        },
        Content::Card {
            uid: "bob".into(),
            name: "Bob".into(),
        },
        Content::Notice {
            title: "t".into(),
            msg: "m".into(),
            target: Some("app://x".into()),
            service_id: Some("s".into()),
        },
        Content::Call {
            action: "invite".into(),
            media: "video".into(),
            room: "r".into(),
            caller: "alice".into(),
            duration_s: 3,
            signal: json!({"callId": "c", "sdp": {"type": "offer"}, "agoraKey": "k"}),
        },
        Content::Custom {
            tag: "poke".into(),
            data: json!({"n": [1, null]}),
        },
    ];
    for kind in kinds {
        assert_eq!(back(&said(&kind)), kind);
    }
}

#[test]
fn kinds_without_a_word_of_their_own_are_said_in_others() {
    let tip = said(&Content::Tip { text: "x".into() });
    assert_eq!(tip.msg_type, "NOTIFY");
    let tip: Value = serde_json::from_str(&tip.content).expect("JSON");
    assert_eq!(
        tip,
        json!({"title": "", "msg": "x", "target": null, "serviceId": null})
    );
    let unknown = said(&Content::Unknown { raw: "??".into() });
    assert_eq!(unknown.msg_type, "CUSTOM");
    let unknown: Value = serde_json::from_str(&unknown.content).expect("JSON");
    assert_eq!(unknown, json!({"customType": "unknown", "data": "??"}));
    let command = said(&Content::Command {
        cmd: "c".into(),
        param: json!(1),
    });
    assert_eq!(command.content, r#"{"customType":"c","data":1}"#);
    let elsewhere = said(&Content::Call {
        action: "other_answer".into(),
        media: String::new(),
        room: "r".into(),
        caller: String::new(),
        duration_s: 0,
        signal: Value::Null,
    });
    let elsewhere: Value = serde_json::from_str(&elsewhere.content).expect("JSON");
    assert_eq!(elsewhere["action"], "CANCEL");
    assert_eq!(elsewhere["reason"], "other_answer");
    assert_eq!(elsewhere["callId"], "r");
}

#[test]
fn types_of_the_clients_own_are_custom_contents() {
    let poke = content(&body("POKE", r#"{"hard":true}"#, None));
    let expected = Content::Custom {
        tag: "POKE".into(),
        data: json!({"hard": true}),
    };
    assert_eq!(poke, expected);
    let plain = content(&body("POKE", "hey", None));
    let expected = Content::Custom {
        tag: "POKE".into(),
        data: json!("hey"),
    };
    assert_eq!(plain, expected);
}

#[test]
fn formatted_and_quoting_texts_are_texts() {
    let extra = json!({"extra": {"quote": {"messageId": "m-1", "from": "bob", "text": "q"}}});
    let quote = content(&body("QUOTE", "yes", Some(extra)));
    let Content::Text {
        text,
        reply: Some(reply),
        ..
    } = quote
    else {
        panic!("{quote:?}")
    };
    assert_eq!((&*text, &*reply.id, &*reply.from), ("yes", "m-1", "bob"));
    assert_eq!(
        content(&body("RICH_TEXT", "<b>x</b>", None)),
        Content::text("<b>x</b>")
    );
}

#[test]
fn what_is_not_what_its_type_says_is_unknown_and_kept() {
    for tag in [
        "IMAGE", "VIDEO", "AUDIO", "FILE", "LOCATION", "CARD", "LINK", "NOTIFY", "CALL",
    ] {
        let expected = Content::Unknown { raw: "nope".into() };
        assert_eq!(content(&body(tag, "nope", None)), expected, "{tag}");
    }
    let mut binary = body("TEXT", "", None);
    binary.payload = Bytes::from_static(&[0xff, 0xfe]);
    assert!(matches!(content(&binary), Content::Unknown { .. }));
    // An envelope that is damaged costs its own members only.
    let mut damaged = body("TEXT", "x", None);
    damaged.extra = Some(Bytes::from_static(b"{"));
    assert_eq!(content(&damaged), Content::text("x"));
}

#[test]
fn only_texts_can_be_reworded() {
    let reworded = |tag| reworded(&body(tag, "bad", None), "***");
    assert_eq!(reworded("TEXT"), Some(Bytes::from_static(b"***")));
    assert_eq!(reworded("QUOTE"), Some(Bytes::from_static(b"***")));
    assert_eq!(reworded("IMAGE"), None);
    assert_eq!(reworded("POKE"), None);
}
