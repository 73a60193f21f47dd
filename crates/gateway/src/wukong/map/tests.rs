//! The mapping is total: every payload means something, every meaning has a payload.

use super::*;

fn payload_of(content: &Content) -> Value {
    payload(content)
}

fn meaning(json: &Value) -> Content {
    content_of_payload(json.to_string().as_bytes())
}

#[test]
fn what_has_a_payload_type_of_its_own_comes_back_as_it_was() {
    let same = [
        Content::text("你好 👋\n\"quoted\""),
        Content::Text {
            text: "@all".into(),
            mentions: vec!["bob".into()],
            mention_all: true,
            reply: None,
        },
        Content::Image {
            url: "http://x/i.png".into(),
            width: 3,
            height: 4,
            size: 5,
            thumb: None,
        },
        Content::Audio {
            url: "u".into(),
            duration_s: 7,
            size: 9,
        },
        Content::Video {
            url: "u".into(),
            cover: Some("c".into()),
            duration_s: 1,
            width: 2,
            height: 3,
            size: 4,
            name: Some("n".into()),
        },
        Content::File {
            url: "u".into(),
            name: "n".into(),
            size: 1,
            mime: None,
        },
        Content::Location {
            lat: 1.5,
            lng: -2.5,
            title: "t".into(),
            address: "a".into(),
        },
        Content::Card {
            uid: "bob".into(),
            name: "Bob".into(),
        },
        Content::Notice {
            title: "t".into(),
            msg: "m".into(),
            target: Some("http://x".into()),
            service_id: None,
        },
        Content::Command {
            cmd: "c".into(),
            param: json!({"a": 1}),
        },
        Content::Custom {
            tag: "101".into(),
            data: json!({"type": 101, "x": [1, 2]}),
        },
    ];
    for content in same {
        assert_eq!(meaning(&payload_of(&content)), content);
    }
}

#[test]
fn what_has_none_is_readable_text() {
    let link = Content::Link {
        title: "标题".into(),
        text: "words".into(),
        url: "http://x".into(),
        image: None,
        app: None,
    };
    let json = payload_of(&link);
    assert_eq!(json["type"], 1);
    assert_eq!(json["content"], "标题\nwords\nhttp://x");
    assert_eq!(json["entities"][0]["offset"], 9);
    assert_eq!(json["entities"][0]["length"], 8);
    assert_eq!(payload_of(&Content::Tip { text: "t".into() })["type"], 1);
}

#[test]
fn every_payload_means_something() {
    type Case = (&'static [u8], fn(&Content) -> bool);
    let cases: [Case; 8] = [
        (b"", |c| matches!(c, Content::Unknown { .. })),
        (
            b"\xff\xfe",
            |c| matches!(c, Content::Unknown { raw } if raw == "//4="),
        ),
        (b"[1]", |c| matches!(c, Content::Unknown { .. })),
        (b"{}", |c| matches!(c, Content::Unknown { .. })),
        (b"{\"type\":\"1\",\"content\":\"x\"}", |c| {
            *c == Content::text("x")
        }),
        (b"{\"type\":2,\"url\":5,\"width\":-1}", |c| {
            matches!(c, Content::Image { .. })
        }),
        (
            b"{\"type\":1002,\"content\":\"{0} in\",\"extra\":[{\"name\":\"A\"}]}",
            |c| {
                *c == Content::Tip {
                    text: "A in".into(),
                }
            },
        ),
        (b"{\"type\":99}", |c| matches!(c, Content::Command { .. })),
    ];
    for (bytes, holds) in cases {
        let content = content_of_payload(bytes);
        assert!(holds(&content), "{bytes:?} means {content:?}");
    }
}

#[test]
fn envelope_members_survive() {
    let extra = Extra {
        setting: 0x88,
        topic: "t".into(),
        once: true,
    };
    let bytes = extra.encode().expect("something to keep");
    assert_eq!(
        serde_json::from_slice::<Extra>(&bytes).expect("our own JSON"),
        extra
    );
    assert_eq!(
        Extra::default().encode(),
        None,
        "most messages keep nothing"
    );
}
