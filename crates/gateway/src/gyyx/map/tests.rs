//! The mapping is total: every payload means something, every meaning has a payload.

use crosstalk_core::content::Reply;
use crosstalk_wire::gyyx::Unique;

use super::*;

fn body(content_type: i64, payload: &str) -> Body {
    Body {
        origin: Dialect::Gyyx.origin(),
        tag: content_type.to_string().into(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        ..Body::default()
    }
}

fn meaning(content_type: i64, payload: &str) -> Content {
    content(&body(content_type, payload))
}

/// What comes back if a client sends what it was given.
fn there_and_back(given: &Content) -> (i64, Content) {
    let (content_type, message) = outward(given).expect("a message");
    let text = std::str::from_utf8(message.as_bytes()).expect("UTF-8");
    (content_type.0, meaning(content_type.0, text))
}

fn media() -> [(i64, Content); 4] {
    [
        (
            2,
            Content::Image {
                url: "http://x/i.png".into(),
                width: 3,
                height: 4,
                size: 5,
                thumb: Some("t".into()),
            },
        ),
        (
            3,
            Content::Audio {
                url: "u".into(),
                duration_s: 7,
                size: 9,
            },
        ),
        (
            4,
            Content::Video {
                url: "u".into(),
                cover: Some("c".into()),
                duration_s: 1,
                width: 2,
                height: 3,
                size: 4,
                name: Some("n".into()),
            },
        ),
        (
            5,
            Content::File {
                url: "u".into(),
                name: "a b.pdf".into(),
                size: u64::MAX,
                mime: Some("application/pdf".into()),
            },
        ),
    ]
}

fn others() -> [(i64, Content); 7] {
    [
        (
            6,
            Content::Location {
                lat: 39.9,
                lng: -116.25,
                title: "t".into(),
                address: "a".into(),
            },
        ),
        (
            7,
            Content::Link {
                title: "t".into(),
                text: "d".into(),
                url: "u".into(),
                image: None,
                app: None,
            },
        ),
        (
            7,
            Content::Card {
                uid: "bob".into(),
                name: "Bob".into(),
            },
        ),
        (
            8,
            Content::Notice {
                title: "t".into(),
                msg: "m".into(),
                target: Some("http://x".into()),
                service_id: None,
            },
        ),
        (
            9,
            Content::Call {
                action: "hangup".into(),
                media: "video".into(),
                room: "r".into(),
                caller: "alice".into(),
                duration_s: 192,
                signal: json!({"sdp": "v=0"}),
            },
        ),
        (
            99,
            Content::Custom {
                tag: "dice".into(),
                data: json!({"eyes": 6}),
            },
        ),
        (1, Content::text("你好 👋\n\"quoted\" \u{10348}")),
    ]
}

#[test]
fn each_kind_has_its_number_and_comes_back_as_it_was() {
    for (number, content) in media().into_iter().chain(others()) {
        assert_eq!(there_and_back(&content), (number, content));
    }
}

#[test]
fn what_the_dialect_has_not_is_said_in_another_way() {
    let reply = Content::Text {
        text: "yes".into(),
        mentions: vec!["bob".into()],
        mention_all: false,
        reply: Some(Box::new(Reply {
            id: "1".into(),
            from: "bob".into(),
            text: "coming?".into(),
        })),
    };
    let expected = Content::text("「coming?」\n— —\nyes");
    assert_eq!(there_and_back(&reply), (1, expected));
    let tip = Content::Tip {
        text: "bob joined".into(),
    };
    let notice = Content::Notice {
        title: String::new(),
        msg: "bob joined".into(),
        target: None,
        service_id: None,
    };
    assert_eq!(there_and_back(&tip), (8, notice));
    let unknown = Content::Unknown { raw: "?!".into() };
    let custom = Content::Custom {
        tag: "unknown".into(),
        data: "?!".into(),
    };
    assert_eq!(there_and_back(&unknown), (99, custom));
    let command = Content::Command {
        cmd: "typing".into(),
        param: Value::Null,
    };
    assert_eq!(outward(&command), None);
}

#[test]
fn whatever_a_client_writes_means_something() {
    for content_type in [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 42, 99, i64::MAX] {
        for payload in [
            "\"\"",
            "\"text\"",
            "\"{\\\"url\\\":[]}\"",
            "{}",
            "[1]",
            "null",
            "3",
            "not json",
            "",
            "\"\\ud800\"",
            "{\"url\":7,\"width\":-1,\"size\":1e99,\"latitude\":\"1.5\",\"longitude\":\"x\"}",
        ] {
            let _ = meaning(content_type, payload);
        }
    }
    let bare = Content::Image {
        url: "http://x/i.png".into(),
        width: 0,
        height: 0,
        size: 0,
        thumb: None,
    };
    assert_eq!(meaning(2, "\"http://x/i.png\""), bare);
    // An object in place of its text means the same.
    assert_eq!(meaning(2, "{\"url\":\"http://x/i.png\"}"), bare);
    let custom = Content::Custom {
        tag: "42".into(),
        data: json!({"a": 1}),
    };
    assert_eq!(meaning(42, "\"{\\\"a\\\":1}\""), custom);
}

#[test]
fn only_a_text_can_say_something_else() {
    let masked = reworded(&body(1, "\"bad\""), "*\"*").expect("a text");
    assert_eq!(masked, "\"*\\\"*\"");
    assert_eq!(reworded(&body(2, "\"bad\""), "***"), None);
}

fn base(unique: &str) -> Base {
    Base {
        unique: Unique::from(unique),
        ..Base::default()
    }
}

fn chat(message: &str, message_id: &str) -> Chat {
    Chat {
        message: Json::parse(&Bytes::copy_from_slice(message.as_bytes())).expect("JSON"),
        message_id: message_id.into(),
        receive_user_id: "bob".into(),
        ..Chat::default()
    }
}

#[test]
fn drafts_keep_what_their_author_wrote() {
    let base = Base {
        device_id: "d-1".into(),
        version: "1.10".into(),
        mark: Json::parse(&Bytes::from_static(b"{\"k\": [1,\"x\"]}")).expect("JSON"),
        ..base("s1")
    };
    let draft = draft(&base, &chat("{\"a\" : 1}", "m-1"), true).expect("a draft");
    assert_eq!(draft.body.payload, "{\"a\" : 1}");
    assert_eq!(&*draft.body.client_no, "s1");
    assert_eq!(&*draft.body.tag, "1");
    assert_eq!(draft.body.name.as_deref(), Some("m-1"));
    assert!(draft.body.flags.counts && draft.require_peer);
    assert_eq!(draft.fault, None);
    let extra = Extra::of(&draft.body);
    assert_eq!((&*extra.device_id, &*extra.version), ("d-1", "1.10"));
    let mark = extra.mark.expect("a mark");
    assert_eq!(mark.get(), "{\"k\": [1,\"x\"]}");
}

#[test]
fn a_mark_of_any_sort_survives() {
    for mark in ["1", "\"a \\\" b\"", "true", "[]", "{}", "-1.5e3"] {
        let base = Base {
            mark: Json::parse(&Bytes::copy_from_slice(mark.as_bytes())).expect("JSON"),
            ..base("s1")
        };
        let draft = draft(&base, &chat("\"x\"", ""), true).expect("a draft");
        let kept = Extra::of(&draft.body).mark.expect("a mark");
        assert_eq!(kept.get(), mark);
    }
    let none = draft(&base("s1"), &chat("\"x\"", ""), true).expect("a draft");
    assert_eq!(none.body.extra, None);
}

#[test]
fn what_may_not_be_a_name_is_left_to_the_server() {
    for id in ["", "a b", "ä", "1234567890123456789", &"x".repeat(65)] {
        assert_eq!(name(id), None, "{id}");
    }
    for id in ["m-1_A", "1708742794846", &"x".repeat(64)] {
        assert_eq!(name(id).as_deref(), Some(id));
    }
}

#[test]
fn what_is_too_large_is_no_draft() {
    let long = format!("\"{}\"", "x".repeat(MAX_TEXT_BYTES + 1));
    let refused = draft(&base("s"), &chat(&long, ""), true);
    assert_eq!(refused.map(drop), Err(Refusal::TooLarge));
    let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let refused = draft(&base("s"), &chat(&deep, ""), true);
    assert_eq!(refused.map(drop), Err(Refusal::InvalidArgument));
    let marked = Base {
        mark: Json::string(&"x".repeat(MAX_EXTRA_BYTES)),
        ..base("s")
    };
    let refused = draft(&marked, &chat("\"x\"", ""), true);
    assert_eq!(refused.map(drop), Err(Refusal::TooLarge));
}

#[test]
fn a_missing_right_is_judged_in_its_place() {
    let draft = draft(&base("s"), &chat("\"x\"", ""), false).expect("a draft");
    assert_eq!(draft.fault, Some(Refusal::Forbidden));
}
