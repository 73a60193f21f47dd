//! The messages of the transcripts, byte for byte.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::lenient::Json;
use crosstalk_wire::wg::{
    Incoming, Kind, Limits, Message, NoticeBody, PING, PONG, Recipient, RegisterBody, Shared,
    Status, StatusBody, ToClient, ToServer, Written, decode_to_client, texts,
};

use crate::{encoded, envelope, json, read};

const REGISTER: &str = r#"{"id":"c-1","type":1000,"isSystem":false,"from":"u1","to":"u1","body":"{\"sessionId\":\"9f2c7e5a1b\"}","timestamp":1715000000000}"#;
const REGISTERED: &str = r#"{"id":"c-1","type":9001,"isSystem":true,"from":"SYSTEM","to":"u1","body":"{\"code\":200,\"status\":\"SUCCESS\",\"msg\":\"注册成功\"}","timestamp":1715000000012}"#;
const TEXT: &str = r#"{"id":"c-2","type":2001,"isSystem":false,"from":"u1","to":"u2","body":"你好","timestamp":null}"#;
const TEXT_PUSHED: &str = r#"{"id":"c-2","type":2001,"isSystem":false,"from":"u1","to":"u2","body":"你好","timestamp":1715000001003}"#;
const ACK: &str = r#"{"id":"c-2","type":9101,"isSystem":false,"from":"u2","to":"u1","body":"{\"code\":200,\"status\":\"SUCCESS\",\"msg\":\"已接收\"}"}"#;
const ACK_PUSHED: &str = r#"{"id":"c-2","type":9101,"isSystem":false,"from":"u2","to":"u1","body":"{\"code\":200,\"status\":\"SUCCESS\",\"msg\":\"已接收\"}","timestamp":1715000001090}"#;

/// A message that goes from one user to another.
fn pushed<C>(id: &str, from: &str, to: &str, content: C, ms: i64) -> Message<C> {
    Message {
        id: id.into(),
        is_system: false,
        from: from.into(),
        to: to.into(),
        timestamp_ms: Some(ms),
        content,
    }
}

#[track_caller]
fn decoded(text: &str) -> Message<ToClient> {
    let text = Bytes::copy_from_slice(text.as_bytes());
    decode_to_client(&text, &Limits::default()).expect("a well-formed message")
}

#[test]
fn registration() {
    let message = envelope(REGISTER);
    assert_eq!(message.kind, Kind::Register);
    let body = RegisterBody {
        session_id: "9f2c7e5a1b".into(),
    };
    assert_eq!(message.content(), Ok(ToServer::Register(body.clone())));
    assert_eq!(message.check_addressed(), Ok(()));
    assert_eq!(message.check_sender("u1"), Ok(()));
    let mine = pushed(
        "c-1",
        "u1",
        "u1",
        ToServer::Register(body),
        1_715_000_000_000,
    );
    assert_eq!(encoded(&mine), REGISTER);

    let status = StatusBody::new(Status::Success, texts::REGISTERED);
    let answer = Message::status(&message.id, "u1", status, 1_715_000_000_012);
    assert_eq!(encoded(&answer), REGISTERED);
    assert_eq!(decoded(REGISTERED), answer);
}

#[test]
fn a_text_goes_from_one_to_another() {
    let message = envelope(TEXT);
    assert_eq!(message.check_sender("u1"), Ok(()));
    assert_eq!(message.recipients(), Ok(vec![Recipient::User("u2")]));
    assert_eq!(message.content(), Ok(ToServer::Text(json("\"你好\""))));
    assert_eq!(message.timestamp_ms, None);
    let mine = Message {
        timestamp_ms: None,
        ..pushed("c-2", "u1", "u2", ToServer::Text(Json::string("你好")), 0)
    };
    assert_eq!(encoded(&mine), TEXT);

    let push = pushed(
        "c-2",
        "u1",
        "u2",
        ToClient::Text(Json::string("你好")),
        1_715_000_001_003,
    );
    assert_eq!(encoded(&push), TEXT_PUSHED);
    assert_eq!(decoded(TEXT_PUSHED), push);

    for (msg, text) in [
        (texts::SENT, "发送成功"),
        (texts::SENT_OFFLINE, "接收人不在线,已转离线"),
    ] {
        let status = StatusBody::new(Status::Success, msg);
        let answer = Message::status("c-2", "u1", status, 1_715_000_001_005);
        assert_eq!(
            encoded(&answer),
            format!(
                r#"{{"id":"c-2","type":9001,"isSystem":true,"from":"SYSTEM","to":"u1","body":"{{\"code\":200,\"status\":\"SUCCESS\",\"msg\":\"{text}\"}}","timestamp":1715000001005}}"#
            )
        );
    }
}

#[test]
fn an_acknowledgement_goes_back_unchanged() {
    let message = envelope(ACK);
    assert_eq!(message.recipients(), Ok(vec![Recipient::User("u1")]));
    let Ok(ToServer::ReceiveStatus(body)) = message.content() else {
        panic!("not a 9101");
    };
    assert_eq!(
        *body.body(),
        StatusBody::new(Status::Success, texts::RECEIVED)
    );
    let relayed = pushed(
        "c-2",
        "u2",
        "u1",
        ToClient::ReceiveStatus(body),
        1_715_000_001_090,
    );
    assert_eq!(encoded(&relayed), ACK_PUSHED);
    assert_eq!(decoded(ACK_PUSHED), relayed);

    // One of our own, for receivers that speak another dialect.
    let own = Written::new(StatusBody::new(Status::Success, texts::RECEIVED));
    let own = pushed(
        "c-2",
        "u2",
        "u1",
        ToClient::ReceiveStatus(own),
        1_715_000_001_090,
    );
    assert_eq!(encoded(&own), ACK_PUSHED);

    // Whatever else is in it, and however it is written.
    let odd =
        r#""{ \"code\":\"407\" , \"status\":\"receive_error\",\"msg\":\"\u89e3析失败\",\"x\":1}""#;
    let text = ACK.replace(
        r#""{\"code\":200,\"status\":\"SUCCESS\",\"msg\":\"已接收\"}""#,
        odd,
    );
    let Ok(ToServer::ReceiveStatus(body)) = envelope(&text).content() else {
        panic!("not a 9101");
    };
    assert_eq!(
        *body.body(),
        StatusBody {
            code: 407,
            status: Status::ReceiveError,
            msg: "解析失败".into()
        }
    );
    let relayed = pushed("c-2", "u2", "u1", ToClient::ReceiveStatus(body), 1);
    assert!(encoded(&relayed).contains(odd));
}

#[test]
fn a_list_is_many_messages() {
    let message = envelope(
        r#"{"id":"c-3","type":2001,"isSystem":false,"from":"u1","to":"u2,u3,u9","body":"开会"}"#,
    );
    let list = ["u2", "u3", "u9"].map(Recipient::User).to_vec();
    assert_eq!(message.recipients(), Ok(list));
    let shared = Shared::new(&pushed(
        "c-3",
        "u1",
        "nobody",
        ToClient::Text(json("\"开会\"")),
        5,
    ));
    for to in ["u2", "u3", "group:g1", "a\"b\n", ""] {
        let mut out = BytesMut::from(&b"before"[..]);
        shared.put(to, &mut out);
        let each = pushed("c-3", "u1", to, ToClient::Text(json("\"开会\"")), 5);
        assert_eq!(out, format!("before{}", encoded(&each)));
    }
    let status = StatusBody::new(Status::Success, texts::unknown_recipients(["u9"]));
    assert_eq!(status.msg, "部分接收人不存在:u9");
}

#[test]
fn notices_keep_their_body() {
    let body = r#""{\"title\":\"审批\",\"msg\":\"请处理\",\"target\":\"/page/approve?id=7\",\"serviceId\":\"ap-7\"}""#;
    let message = envelope(&format!(
        r#"{{"id":"c-4","type":3003,"isSystem":false,"from":"u1","to":"u2","body":{body}}}"#
    ));
    let Ok(ToServer::TargetNotice(notice)) = message.content() else {
        panic!("not a 3003");
    };
    let expected = NoticeBody {
        title: "审批".into(),
        msg: "请处理".into(),
        target: Some("/page/approve?id=7".into()),
        service_id: Some("ap-7".into()),
    };
    assert_eq!(*notice.body(), expected);
    assert_eq!(*Written::new(expected).raw(), json(body));
    let push = pushed("c-4", "u1", "u2", ToClient::TargetNotice(notice), 6);
    let text = format!(
        r#"{{"id":"c-4","type":3003,"isSystem":false,"from":"u1","to":"u2","body":{body},"timestamp":6}}"#
    );
    assert_eq!(encoded(&push), text);
    assert_eq!(decoded(&text), push);

    let notice = NoticeBody {
        title: "维护".into(),
        msg: "今晚 22:00".into(),
        target: None,
        service_id: None,
    };
    let content = ToClient::Notice(Written::new(notice));
    let system = Message::of_system("7412", "u2", content, 7);
    let text = r#"{"id":"7412","type":3001,"isSystem":true,"from":"SYSTEM","to":"u2","body":"{\"title\":\"维护\",\"msg\":\"今晚 22:00\",\"target\":null,\"serviceId\":null}","timestamp":7}"#;
    assert_eq!(encoded(&system), text);
    assert_eq!(decoded(text), system);
}

#[test]
fn groups_and_types_of_an_application() {
    let message =
        envelope(r#"{"id":"c-5","type":4001,"from":"u1","to":"group:g1","body":{"a":[1, 2]}}"#);
    assert_eq!(message.kind, Kind::Custom(4001));
    assert_eq!(message.recipients(), Ok(vec![Recipient::Group("g1")]));
    let Ok(ToServer::Custom(4001, body)) = message.content() else {
        panic!("not the application's own");
    };
    let push = pushed("c-5", "u1", "group:g1", ToClient::Custom(4001, body), 8);
    assert_eq!(
        encoded(&push),
        r#"{"id":"c-5","type":4001,"isSystem":false,"from":"u1","to":"group:g1","body":"{\"a\":[1, 2]}","timestamp":8}"#
    );
}

#[test]
fn a_refusal_echoes_the_id() {
    let message = envelope(r#"{"id":"x","type":2001,"from":"u1","to":"u2","body":"b"}"#);
    let fault = message.fault(Status::SessionError, texts::NOT_REGISTERED);
    let answer = fault.answer("unused", &fault.claimed_from, 9);
    let text = r#"{"id":"x","type":9001,"isSystem":true,"from":"SYSTEM","to":"u1","body":"{\"code\":402,\"status\":\"SESSION_ERROR\",\"msg\":\"未注册会话\"}","timestamp":9}"#;
    assert_eq!(encoded(&answer), text);

    let fault = read("hello").expect_err("not a message");
    let answer = fault.answer("7412", "u1", 9);
    let text = r#"{"id":"7412","type":9001,"isSystem":true,"from":"SYSTEM","to":"u1","body":"{\"code\":401,\"status\":\"MESSAGE_ERROR\",\"msg\":\"消息格式错误\"}","timestamp":9}"#;
    assert_eq!(encoded(&answer), text);
}

#[test]
fn a_ping_is_no_message() {
    assert_eq!(PING, b"ping");
    assert_eq!(PONG, b"pong");
    assert_eq!(read("ping"), Ok(Incoming::Ping));
    for text in ["Ping", " ping", "ping\n", "\"ping\"", "pong"] {
        assert!(read(text).is_err(), "{text}");
    }
}
