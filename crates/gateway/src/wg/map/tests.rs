//! What a payload means, and what content from elsewhere looks like.

use crosstalk_core::content::{Reply, SubApp};
use crosstalk_core::message::Origin;
use crosstalk_wire::wg::Content as _;
use serde_json::{Value, json};

use super::super::ORIGIN;
use super::*;

fn body(tag: &str, payload: &str) -> Body {
    Body {
        origin: ORIGIN,
        tag: tag.into(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        ..Body::default()
    }
}

/// Type and body, the body as the receiver's parser has it.
fn seen(content: &Content) -> Option<(i64, Value)> {
    let shown = shown(content, |code| code == 4005)?;
    let text = shown.body().text().into_owned();
    let value = serde_json::from_str(&text).ok().filter(Value::is_object);
    Some((shown.kind().code(), value.unwrap_or(Value::String(text))))
}

fn notice_of(title: &str, msg: &str, target: Option<&str>, id: Option<&str>) -> Value {
    json!({"title": title, "msg": msg, "target": target, "serviceId": id})
}

#[test]
fn what_is_said_here_means_what_it_says() {
    let text = body("2001", r#""你\u597d\n""#);
    assert_eq!(content(&text), Content::text("你好\n"));
    let notice = r#""{\"title\":\"t\",\"msg\":\"m\",\"target\":\"/x\",\"serviceId\":7}""#;
    let expected = Content::Notice {
        title: "t".into(),
        msg: "m".into(),
        target: Some("/x".into()),
        service_id: Some("7".into()),
    };
    for tag in ["3001", "3003"] {
        assert_eq!(content(&body(tag, notice)), expected, "{tag}");
    }
    let object = body("3001", r#"{"title":"t","msg":"m"}"#);
    assert!(matches!(
        content(&object),
        Content::Notice { target: None, .. }
    ));
    let custom = body("4001", r#""{\"a\":1}""#);
    let expected = Content::Custom {
        tag: "4001".into(),
        data: json!({"a": 1}),
    };
    assert_eq!(content(&custom), expected);
}

#[test]
fn what_makes_no_sense_is_unknown_and_nothing_panics() {
    for (tag, payload) in [
        ("", "\"x\""),
        ("2001", ""),
        ("2001", "{"),
        ("3001", "\"no object\""),
        ("3001", r#""{\"msg\":\"m\"}""#),
        ("1000", "\"{}\""),
        ("9001", "\"{}\""),
        ("abc", "\"x\""),
    ] {
        let unknown = content(&body(tag, payload));
        assert!(
            matches!(unknown, Content::Unknown { .. }),
            "{tag} {payload}"
        );
    }
    let binary = Body {
        payload: Bytes::from_static(b"\xff\xfe"),
        ..body("2001", "")
    };
    assert!(matches!(content(&binary), Content::Unknown { .. }));
    assert_eq!(own(&binary), None);
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn each_kind_of_content_is_shown_as_the_specification_has_it() {
    let said = |text: &str| Some((2001, Value::String(text.to_owned())));
    let url = || "http://f/1".to_owned();
    let reply = Content::Text {
        text: "ok".into(),
        mentions: vec!["u2".into()],
        mention_all: false,
        reply: Some(Box::new(Reply {
            id: "1".into(),
            from: "u2".into(),
            text: "原文".into(),
        })),
    };
    let call = |action: &str, duration_s| Content::Call {
        action: action.into(),
        media: "video".into(),
        room: "r1".into(),
        caller: "u2".into(),
        duration_s,
        signal: Value::Null,
    };
    let custom = |tag: &str| Content::Custom {
        tag: tag.into(),
        data: json!({"a": 1}),
    };
    let table = [
        (Content::text("你好\n\"😀"), said("你好\n\"😀")),
        (reply, said("「原文」\n— —\nok")),
        (
            Content::Image {
                url: url(),
                width: 1,
                height: 2,
                size: 3,
                thumb: None,
            },
            said("[图片] http://f/1"),
        ),
        (
            Content::Audio {
                url: url(),
                duration_s: 3,
                size: 0,
            },
            said("[语音] 3秒 http://f/1"),
        ),
        (
            Content::Video {
                url: url(),
                cover: None,
                duration_s: 3,
                width: 0,
                height: 0,
                size: 0,
                name: None,
            },
            said("[视频] http://f/1"),
        ),
        (
            Content::File {
                url: url(),
                name: "a.pdf".into(),
                size: 1,
                mime: None,
            },
            said("[文件] a.pdf http://f/1"),
        ),
        (
            Content::Location {
                lat: 1.0,
                lng: 2.0,
                title: "塔".into(),
                address: "路".into(),
            },
            said("[位置] 塔 路"),
        ),
        (
            Content::Link {
                title: "t".into(),
                text: "m".into(),
                url: url(),
                image: None,
                app: None,
            },
            Some((3003, notice_of("t", "m", Some("http://f/1"), None))),
        ),
        (
            Content::Link {
                title: "t".into(),
                text: "m".into(),
                url: url(),
                image: None,
                app: Some(Box::new(SubApp {
                    id: "rx".into(),
                    ..SubApp::default()
                })),
            },
            Some((3003, notice_of("t", "m", Some("http://f/1"), Some("rx")))),
        ),
        (
            Content::Card {
                uid: "u3".into(),
                name: "三".into(),
            },
            said("[名片] 三"),
        ),
        (
            Content::Notice {
                title: "t".into(),
                msg: "m".into(),
                target: None,
                service_id: Some("s".into()),
            },
            Some((3001, notice_of("t", "m", None, Some("s")))),
        ),
        (
            Content::Notice {
                title: "t".into(),
                msg: "m".into(),
                target: Some("/x".into()),
                service_id: None,
            },
            Some((3003, notice_of("t", "m", Some("/x"), None))),
        ),
        (
            call("invite", 0),
            Some((
                3003,
                notice_of("视频通话", "邀请你通话", Some("call:r1"), Some("r1")),
            )),
        ),
        (
            call("timeout", 0),
            Some((3001, notice_of("视频通话", "未接来电", None, Some("r1")))),
        ),
        (call("signal", 0), None),
        (call("hangup", 192), said("[视频通话] 03:12")),
        (custom("sticker"), said("[自定义消息]")),
        (custom("4005"), Some((4005, json!({"a": 1})))),
        (
            Content::Command {
                cmd: "typing".into(),
                param: Value::Null,
            },
            None,
        ),
        (
            Content::Tip {
                text: "u2 加入".into(),
            },
            Some((3001, notice_of("系统消息", "u2 加入", None, None))),
        ),
        (Content::Unknown { raw: "?".into() }, said("[不支持的消息]")),
    ];
    for (content, expected) in table {
        assert_eq!(seen(&content), expected, "{content:?}");
    }
}

#[test]
fn notices_survive_the_way_there_and_back() {
    let there = Content::Notice {
        title: "审批".into(),
        msg: "请处理".into(),
        target: Some("/page?id=7".into()),
        service_id: Some("ap-7".into()),
    };
    let shown = shown(&there, |_| false).expect("a notice");
    let back = Body {
        tag: shown.kind().code().to_string().into(),
        payload: shown.body().bytes(),
        origin: ORIGIN,
        ..Body::default()
    };
    assert_eq!(content(&back), there);
    assert_eq!(
        own(&back),
        Some(shown),
        "and here it stays as it was written"
    );
}

#[test]
fn only_texts_can_say_something_else() {
    let text = body("2001", "\"坏\"");
    let masked = reworded(&text, "*\"").expect("a text");
    assert_eq!(&masked[..], br#""*\"""#);
    assert_eq!(reworded(&body("3001", "\"{}\""), "*"), None);
    assert_eq!(
        reworded(
            &Body {
                origin: Origin::REST,
                ..body("", "")
            },
            "*"
        ),
        None
    );
}
