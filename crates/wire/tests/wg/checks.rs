//! Every refusal, and the order of the checks (wg.md Q0-13).

use bytes::Bytes;
use crosstalk_wire::wg::{
    Envelope, Fault, Incoming, Kind, Limits, MAX_RECIPIENTS, Status, ToServer, decode_to_client,
    decode_to_server, texts,
};

use crate::{envelope, read};

/// A client's message in which one member has another value; `None` leaves
/// it out.
fn with(name: &str, value: Option<&str>) -> String {
    let members = [
        ("id", "\"c-1\""),
        ("type", "2001"),
        ("isSystem", "false"),
        ("from", "\"u1\""),
        ("to", "\"u2\""),
        ("body", "\"text\""),
        ("timestamp", "null"),
    ];
    let members: Vec<String> = members
        .into_iter()
        .filter_map(|(member, usual)| {
            let value = if member == name { value? } else { usual };
            Some(format!("\"{member}\":{value}"))
        })
        .collect();
    format!("{{{}}}", members.join(","))
}

/// Code and id of the refusal before the session matters.
#[track_caller]
fn refused(text: &str) -> (i64, Option<String>) {
    let fault = read(text).expect_err("a message that is refused");
    (fault.status.code(), fault.id)
}

/// All checks of a message that is no registration, in their order, on u1's
/// channel.
fn all_checks(text: &str) -> Result<ToServer, Fault> {
    let message = match read(text)? {
        Incoming::Message(message) => message,
        Incoming::Ping => panic!("not a message"),
    };
    message.check_sender("u1")?;
    message.recipients()?;
    message.content()
}

#[track_caller]
fn code(text: &str) -> i64 {
    all_checks(text).map_or_else(|fault| fault.status.code(), |_| 200)
}

#[test]
fn what_is_no_message_has_no_id() {
    for text in [
        "",
        "hello",
        "[1]",
        "5",
        "null",
        "\"{}\"",
        "{",
        "{\"id\":\"a\",}",
        "{\"id\":\"a\"} x",
    ] {
        assert_eq!(refused(text), (401, None), "{text}");
    }
    let not_utf8 = Bytes::from_static(b"{\"id\":\"\xff\",\"type\":2001}");
    let fault = decode_to_server(&not_utf8, &Limits::default());
    assert_eq!(fault, Err(Fault::malformed()));
    assert_eq!(Fault::malformed().status, Status::MessageError);
    assert_eq!(Fault::malformed().msg, "消息格式错误");
}

#[test]
fn a_message_has_an_id() {
    for id in [
        None,
        Some("null"),
        Some("\"\""),
        Some("{}"),
        Some("true"),
        Some("1.5"),
    ] {
        let text = with("id", id);
        assert_eq!(refused(&text), (401, None), "{text}");
        let fault = read(&text).expect_err("no id");
        assert_eq!(fault.claimed_from, "u1");
    }
    assert_eq!(envelope(&with("id", Some("17"))).id, "17");
}

#[test]
fn is_system_is_a_flag_or_absent() {
    let echoed = Some("c-1".to_owned());
    for flag in ["\"yes\"", "2", "{}", "[]", "\"\""] {
        let text = with("isSystem", Some(flag));
        assert_eq!(refused(&text), (401, echoed.clone()), "{flag}");
    }
    for (flag, expected) in [
        (None, false),
        (Some("null"), false),
        (Some("false"), false),
        (Some("\"false\""), false),
        (Some("0"), false),
        (Some("\"0\""), false),
        (Some("true"), true),
        (Some("\"true\""), true),
        (Some("1"), true),
        (Some("\"1\""), true),
    ] {
        assert_eq!(envelope(&with("isSystem", flag)).is_system, expected);
    }
}

#[test]
fn types_must_be_integers() {
    let echoed = Some("c-1".to_owned());
    for kind in [
        None,
        Some("null"),
        Some("\"abc\""),
        Some("\"\""),
        Some("20.5"),
        Some("{}"),
    ] {
        assert_eq!(
            refused(&with("type", kind)),
            (403, echoed.clone()),
            "{kind:?}"
        );
    }
    assert_eq!(refused(&with("type", Some("9001"))), (403, echoed));
    for (kind, expected) in [
        ("\"2001\"", Kind::Text),
        ("2001.0", Kind::Text),
        ("2999", Kind::Custom(2999)),
        ("-1", Kind::Custom(-1)),
    ] {
        assert_eq!(envelope(&with("type", Some(kind))).kind, expected);
    }
}

#[test]
fn the_sender_is_the_session_s_user() {
    assert_eq!(code(&with("from", None)), 405);
    for from in ["null", "\"\"", "\"u7\"", "{}", "\"SYSTEM\"", "\"U1\""] {
        assert_eq!(code(&with("from", Some(from))), 405, "{from}");
    }
    assert_eq!(code(&with("isSystem", Some("true"))), 405);
    assert_eq!(code(&with("from", Some("\"u1\""))), 200);
    let numeric = envelope(&with("from", Some("17")));
    assert_eq!(numeric.check_sender("17"), Ok(()));
    let system = envelope(&with("from", Some("\"SYSTEM\"")));
    assert!(system.check_sender("SYSTEM").is_err());
}

#[test]
fn somebody_must_be_named() {
    for to in [
        None,
        Some("null"),
        Some("\"\""),
        Some("\" , \""),
        Some("[\"u2\"]"),
    ] {
        assert_eq!(code(&with("to", to)), 406, "{to:?}");
    }
    let many: Vec<String> = (0..=MAX_RECIPIENTS).map(|id| format!("u{id}")).collect();
    assert_eq!(
        code(&with("to", Some(&format!("\"{}\"", many.join(","))))),
        406
    );
    assert_eq!(
        code(&with("to", Some(&format!("\"{}\"", many[1..].join(","))))),
        200
    );
    assert_eq!(code(&with("to", Some("17"))), 200);
}

#[test]
fn registrations_only_need_to_be_addressed() {
    let register = |to| {
        let text = with("to", to).replace("2001", "1000");
        envelope(&text)
            .check_addressed()
            .map_err(|fault| fault.status.code())
    };
    assert_eq!(register(None), Err(406));
    assert_eq!(register(Some("null")), Err(406));
    for to in ["\"\"", "\"u1\"", "\"SYSTEM\"", "\"u7\""] {
        assert_eq!(register(Some(to)), Ok(()), "{to}");
    }
}

#[test]
fn bodies_fit_their_type() {
    let of_type = |kind: &str, body| {
        let text = with("body", body).replace("2001", kind);
        envelope(&text)
            .content()
            .map_or_else(|fault| fault.status.code(), |_| 200)
    };
    for kind in ["1000", "2001", "3001", "3003", "9101", "4001"] {
        for body in [None, Some("null"), Some("5"), Some("true"), Some("[]")] {
            assert_eq!(of_type(kind, body), 404, "{kind} {body:?}");
        }
    }
    for (kind, body, code) in [
        ("2001", r#""""#, 404),
        ("2001", r#"{"a":1}"#, 404),
        ("2001", r#"" ""#, 200),
        ("1000", r#""abc""#, 404),
        ("1000", r#""{}""#, 404),
        ("1000", r#""{\"sessionId\":null}""#, 404),
        ("1000", r#""{\"sessionId\":{}}""#, 404),
        ("1000", r#""[]""#, 404),
        ("1000", r#""{\"sessionId\":\"\"}""#, 200),
        ("1000", r#"{"sessionId":"a"}"#, 200),
        ("3001", r#""{\"msg\":\"x\"}""#, 404),
        ("3001", r#""{\"title\":\"x\"}""#, 404),
        ("3001", r#""{\"title\":5,\"msg\":\"x\"}""#, 404),
        (
            "3001",
            r#""{\"title\":\"x\",\"msg\":\"x\",\"target\":{}}""#,
            404,
        ),
        (
            "3001",
            r#""{\"title\":\"x\",\"msg\":\"x\",\"target\":null}""#,
            200,
        ),
        ("3003", r#""{\"title\":\"x\",\"msg\":\"x\"}""#, 200),
        ("3003", r#"{"title":"x","msg":"x","serviceId":7}"#, 200),
        ("9101", r#""{\"code\":200,\"msg\":\"x\"}""#, 404),
        (
            "9101",
            r#""{\"code\":200,\"status\":\"OK\",\"msg\":\"x\"}""#,
            404,
        ),
        (
            "9101",
            r#""{\"code\":\"x\",\"status\":\"SUCCESS\",\"msg\":\"x\"}""#,
            404,
        ),
        ("9101", r#""{\"code\":200,\"status\":\"SUCCESS\"}""#, 404),
        (
            "9101",
            r#""{\"code\":\"200\",\"status\":200,\"msg\":\"\"}""#,
            200,
        ),
        ("4001", r#""""#, 200),
        ("4001", "{}", 200),
    ] {
        assert_eq!(of_type(kind, Some(body)), code, "{kind} {body}");
    }
}

/// A message in which everything is wrong is refused for the first thing;
/// put right, for the next.
#[test]
fn the_order_of_checks() {
    let steps = [
        (r#""id":7"#, r#""id":"#, 401),
        (r#""isSystem":0"#, r#""isSystem":"x""#, 401),
        (r#""type":2001"#, r#""type":"x""#, 403),
        (r#""from":"u1""#, r#""from":"u7""#, 405),
        (r#""to":"u2""#, r#""to":"""#, 406),
        (r#""body":"b""#, r#""body":"""#, 404),
    ];
    for wrong_from in 0..=steps.len() {
        let members: Vec<&str> = steps
            .iter()
            .enumerate()
            .map(|(at, (right, wrong, _))| match at {
                _ if at < wrong_from => *right,
                0 => r#""id":null"#,
                _ => *wrong,
            })
            .collect();
        let text = format!("{{{}}}", members.join(","));
        let expected = steps.get(wrong_from).map_or(200, |(_, _, code)| *code);
        assert_eq!(code(&text), expected, "{text}");
    }
}

#[test]
fn texts_are_those_of_the_document() {
    for (name, value, text) in [
        ("type", "\"x\"", "类型编码错误"),
        ("from", "\"u7\"", "来源错误"),
        ("to", "\"\"", "接收人错误"),
        ("body", "\"\"", "消息体错误"),
    ] {
        let fault = all_checks(&with(name, Some(value))).expect_err("a refusal");
        assert_eq!(fault.msg, text);
        assert_eq!(fault.id.as_deref(), Some("c-1"));
    }
    let fault = all_checks(&with("type", Some("\"x\""))).expect_err("a refusal");
    assert_eq!(fault.to_string(), "TYPE_ERROR: 类型编码错误");
}

#[test]
fn times_do_not_matter() {
    for (timestamp, expected) in [
        (None, None),
        (Some("null"), None),
        (Some("\"x\""), None),
        (Some("{}"), None),
        (Some("1715000000000"), Some(1_715_000_000_000)),
        (Some("\"1715000000000\""), Some(1_715_000_000_000)),
    ] {
        let message = envelope(&with("timestamp", timestamp));
        assert_eq!(message.timestamp_ms, expected);
    }
}

#[test]
fn unknown_members_are_ignored_and_the_last_of_a_name_wins() {
    let text = r#"{"x":{},"id":"a","Id":"b","type":1,"from":"u1","to":"u2","body":"1","body":"2","type":2001}"#;
    let message = envelope(text);
    assert_eq!((message.id.as_str(), message.kind), ("a", Kind::Text));
    assert_eq!(
        message.body.map(|body| body.text().into_owned()).as_deref(),
        Some("2")
    );
}

#[test]
fn sizes_have_limits() {
    let limits = Limits::default();
    assert_eq!((limits.frame_bytes, limits.body_bytes), (1 << 20, 64 << 10));
    let body = |body: String| {
        let text = with("body", Some(&format!("\"{body}\"")));
        read(&text).map(|_| ()).map_err(|fault| {
            assert_eq!(fault.msg, texts::TOO_LARGE);
            (fault.status.code(), fault.id)
        })
    };
    let too_large = Err((401, Some("c-1".to_owned())));
    assert_eq!(body("x".repeat(64 << 10)), Ok(()));
    assert_eq!(
        body("\\u4f60".repeat(20 << 10)),
        Ok(()),
        "escapes do not count"
    );
    assert_eq!(body("x".repeat((64 << 10) + 1)), too_large);
    assert_eq!(body("x".repeat(100 << 10)), too_large);

    let small = Limits {
        frame_bytes: 200,
        ..limits
    };
    let padded = |bytes: usize| {
        let text = format!("{:<bytes$}", with("id", Some("\"c-1\"")));
        decode_to_server(&Bytes::from(text), &small)
            .map_err(|fault| (fault.status.code(), fault.id))
    };
    assert!(padded(200).is_ok());
    assert_eq!(padded(201), Err((401, None)));
}

#[test]
fn depth_and_size_are_no_danger() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let text = with("timestamp", Some(&deep));
    assert_eq!(code(&text), 200);
    let text = with(
        "body",
        Some(&format!("\"{}\"", "{\\\"a\\\":".repeat(5_000))),
    );
    assert_eq!(code(&text.replace("2001", "3001")), 404);
    assert_eq!(refused(&"{\"a\":".repeat(150_000)), (401, None));
}

/// The body is a part of what came in; nothing is copied.
#[test]
fn a_body_is_shared() {
    let input = Bytes::from(with("body", Some("\"text\"")));
    let Ok(Incoming::Message(Envelope {
        body: Some(body), ..
    })) = decode_to_server(&input, &Limits::default())
    else {
        panic!("no body");
    };
    assert!(input.as_ptr_range().contains(&body.bytes().as_ptr()));
}

#[test]
fn clients_refuse_too() {
    let refused = |name, value| {
        let text = Bytes::from(with(name, value));
        decode_to_client(&text, &Limits::default())
            .map_or_else(|fault| fault.status.code(), |_| 200)
    };
    assert_eq!(refused("id", Some("\"a\"")), 200);
    assert_eq!(refused("id", None), 401);
    assert_eq!(refused("type", Some("1000")), 403);
    assert_eq!(refused("body", Some("5")), 404);
    assert_eq!(refused("from", None), 405);
    assert_eq!(refused("to", None), 406);
}
