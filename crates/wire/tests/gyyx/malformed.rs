//! Everything that is refused with a 10, and the limits.

use bytes::Bytes;
use crosstalk_wire::gyyx::{
    Code, Codes, Field, Limits, Reason, ToServer, decode_to_client, decode_to_server,
};

use crate::{OWN, TABLE, received, to_client};

/// Why a frame is refused, and what the 10 echoes.
#[track_caller]
fn refused(text: &str) -> (Reason, String) {
    let incoming = received(text);
    let reason = incoming.body.expect_err("a malformed frame");
    (reason, incoming.base.unique.as_str().to_owned())
}

#[test]
fn what_is_no_object_echoes_nothing() {
    for text in [
        "",
        "abc",
        "[]",
        "5",
        "null",
        "\"{}\"",
        "{",
        "{\"msgType\":20",
        "{\"msgType\":20}}",
        "{msgType:20}",
        "{'msgType':20}",
        "{\"msgType\":20,,}",
        "{\"msgType\":020}",
        ",}",
    ] {
        assert_eq!(refused(text), (Reason::NotJson, String::new()), "{text}");
    }
    let not_utf8 = Bytes::from_static(b"{\"msgType\":20,\"unique\":\"\xff\"}");
    let incoming = decode_to_server(&not_utf8, &Limits::default());
    assert_eq!(incoming.body, Err(Reason::NotJson));
}

#[test]
fn codes_must_be_integers() {
    for code in [
        "null",
        "\"\"",
        "\"abc\"",
        "20.5",
        "1e400",
        "true",
        "[20]",
        "{}",
        "\"协议编号\"",
        "99999999999999999999",
    ] {
        let text = format!("{{\"unique\":\"a\",\"msgType\":{code}}}");
        assert_eq!(refused(&text), (Reason::NoMsgType, "a".into()), "{code}");
    }
    assert_eq!(
        refused("{\"unique\":\"a\"}"),
        (Reason::NoMsgType, "a".into())
    );
}

#[test]
fn codes_that_no_client_sends_are_unknown() {
    for number in [
        -1, 0, 21, 40, 99, 101, 131, 140, 162, 170, 200, 321, 406, 551, 1170, 9999,
    ] {
        let incoming = received(&format!("{{\"msgType\":{number},\"unique\":\"a\"}}"));
        assert_eq!(incoming.body, Ok(ToServer::Unknown(number)));
        assert_eq!(incoming.base.unique.as_str(), "a");
    }
}

#[test]
fn fields_of_the_wrong_type_are_named() {
    let common = r#""unique":"a","receiveUserId":"b","message":"m","messageId":"i","role":1"#;
    for (number, field, value) in [
        (20, Field::AppId, "{}"),
        (20, Field::DeviceId, "[]"),
        (20, Field::UserId, "true"),
        (20, Field::Version, "1.5"),
        (20, Field::MessageId, "{}"),
        (130, Field::ReceiveUserId, "[\"b\"]"),
        (130, Field::ReceiveSign, "true"),
        (130, Field::ContentType, "\"sticker\""),
        (130, Field::ContentType, "1.5"),
        (130, Field::ContentType, "{}"),
        (31, Field::ReceiveMsgType, "\"x\""),
        (161, Field::PageSize, "\"abc\""),
        (161, Field::PageIndex, "1.5"),
        (161, Field::Sender, "{}"),
        (190, Field::MessageId, "true"),
        (300, Field::RequestUserId, "{}"),
        (400, Field::Role, "[]"),
        (400, Field::RoomId, "1.5"),
        (400, Field::Sign, "{}"),
        (550, Field::RoomId, "false"),
    ] {
        let name = field.name();
        let text = format!("{{\"msgType\":{number},{common},\"{name}\":{value}}}");
        assert_eq!(
            refused(&text),
            (Reason::Unreadable(field), "a".into()),
            "{text}"
        );
    }
    for unique in ["{}", "[]", "true", "1.5"] {
        let text = format!("{{\"msgType\":20,\"unique\":{unique}}}");
        let reason = Reason::Unreadable(Field::Unique);
        assert_eq!(refused(&text), (reason, String::new()));
    }
}

/// Every code of a client with the common part alone: an answer or a 10, and
/// which.
#[test]
fn frames_demand_what_they_need() {
    let missing = |number: i64| match received(&format!("{{\"msgType\":{number}}}")).body {
        Ok(_) => None,
        Err(Reason::Missing(field)) => Some(field),
        Err(reason) => panic!("{number}: {reason}"),
    };
    let demanded: Vec<(i64, Field)> = Code::ALL
        .map(Code::number)
        .into_iter()
        .filter_map(|number| Some((number, missing(number)?)))
        .collect();
    assert_eq!(
        demanded,
        [
            (30, Field::ReceiveUserId),
            (130, Field::ReceiveUserId),
            (141, Field::MessageId),
            (160, Field::ReceiveUserId),
            (190, Field::MessageId),
            (198, Field::MessageId),
            (400, Field::Role),
            (401, Field::Role),
        ]
    );
    // A message needs three things, empty ones do not count.
    for (rest, field) in [
        (r#""unique":1,"message":"m""#, Field::ReceiveUserId),
        (
            r#""unique":1,"message":"m","receiveUserId":"""#,
            Field::ReceiveUserId,
        ),
        (r#""unique":1,"receiveUserId":2"#, Field::Message),
        (
            r#""unique":1,"receiveUserId":2,"message":"""#,
            Field::Message,
        ),
        (
            r#""unique":1,"receiveUserId":2,"message":null"#,
            Field::Message,
        ),
        (r#""receiveUserId":2,"message":"m""#, Field::Unique),
        (
            r#""unique":"","receiveUserId":2,"message":"m""#,
            Field::Unique,
        ),
    ] {
        let (reason, _) = refused(&format!("{{\"msgType\":130,{rest}}}"));
        assert_eq!(reason, Reason::Missing(field), "{rest}");
    }
    // Of two things one is enough.
    for number in [141, 198] {
        for rest in [r#""messageId":1"#, r#""receiveUserId":1"#] {
            let incoming = received(&format!("{{\"msgType\":{number},{rest}}}"));
            assert!(incoming.body.is_ok(), "{number} {rest}");
        }
    }
}

#[test]
fn sizes_have_limits() {
    let limits = Limits {
        frame_bytes: 1000,
        message_bytes: 100,
        signal_bytes: 50,
    };
    let body = |number: i64, message: &str| {
        let text = format!(
            "{{\"msgType\":{number},\"unique\":\"a\",\"receiveUserId\":2,\"message\":{message}}}"
        );
        let incoming = decode_to_server(&Bytes::from(text), &limits);
        incoming
            .body
            .map(|_| incoming.base.unique.as_str().to_owned())
    };
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
    let escaped = |chars: usize| format!("\"{}\"", "\\u0078".repeat(chars));
    let too_long = Err(Reason::TooLong(Field::Message));
    let fine = Ok("a".to_owned());
    assert_eq!(body(130, &text(100)), fine);
    assert_eq!(body(130, &escaped(100)), fine, "escapes do not count");
    assert_eq!(body(130, &text(101)), too_long);
    assert_eq!(body(130, &escaped(101)), too_long);
    assert_eq!(body(130, &format!("[{}]", "1,".repeat(60) + "1")), too_long);
    assert_eq!(body(300, &text(50)), fine);
    assert_eq!(body(300, &text(51)), too_long);
    assert_eq!(body(330, &text(51)), too_long);

    let padded = |bytes: usize| {
        let text = format!("{:<bytes$}", "{\"msgType\":20}");
        decode_to_server(&Bytes::from(text), &limits)
    };
    assert!(padded(1000).body.is_ok());
    let incoming = padded(1001);
    assert_eq!(incoming.body, Err(Reason::TooLarge));
    assert_eq!(incoming.msg_type, None);

    // What is refused for its size is still told apart by its id.
    let text = format!(
        "{{\"msgType\":130,\"unique\":\"a\",\"message\":{}}}",
        text(101)
    );
    let incoming = decode_to_server(&Bytes::from(text), &limits);
    assert_eq!(incoming.base.unique.as_str(), "a");
}

#[test]
fn default_limits_are_those_of_the_decisions() {
    let limits = Limits::default();
    assert_eq!(limits.frame_bytes, 1 << 20);
    assert_eq!(limits.message_bytes, 128 << 10);
    assert_eq!(limits.signal_bytes, 64 << 10);
}

#[test]
fn depth_and_size_are_no_danger() {
    let deep = "[".repeat(300_000) + &"]".repeat(300_000);
    let frame = format!("{{\"msgType\":20,\"mark\":{deep},\"x\":{deep}}}");
    let limits = Limits {
        frame_bytes: usize::MAX,
        ..Limits::default()
    };
    let incoming = decode_to_server(&Bytes::from(frame), &limits);
    assert!(incoming.body.is_ok());
    let echoed = to_client(&incoming.base.refusal(OWN, 0, None), TABLE);
    assert!(echoed.contains(&deep));

    for text in [
        "{\"a\":".repeat(150_000),
        ",}".repeat(500_000),
        "{\"a\":[1,],".repeat(90_000),
    ] {
        assert_eq!(refused(&text).0, Reason::NotJson);
    }
    let huge = format!("{{\"msgType\":20,\"timestamp\":{}}}", "9".repeat(500_000));
    assert_eq!(received(&huge).base.timestamp_ms, 0);
}

#[test]
fn clients_refuse_too() {
    let limits = Limits::default();
    let read = |text: &'static str| {
        decode_to_client(&Bytes::from(text), Codes::Table, &limits).map(|_| ())
    };
    assert_eq!(read("abc"), Err(Reason::NotJson));
    assert_eq!(read("{}"), Err(Reason::NoMsgType));
    assert_eq!(
        read("{\"msgType\":140,\"userId\":{}}"),
        Err(Reason::Unreadable(Field::UserId))
    );
    for rooms in [
        "{}",
        "[5]",
        "[{\"members\":5}]",
        "[{\"members\":[{}]}]",
        "[{\"roomId\":{}}]",
    ] {
        let text = format!("{{\"msgType\":541,\"roomInfoMsgs\":{rooms}}}");
        let frame = decode_to_client(&Bytes::from(text), Codes::Table, &limits);
        let reason = Reason::Unreadable(Field::RoomInfoMsgs);
        assert_eq!(frame.map(|_| ()), Err(reason), "{rooms}");
    }
}
