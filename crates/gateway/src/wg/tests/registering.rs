//! From the first byte to the registration, and the end of a channel.

use crosstalk_core::im::Credential;
use crosstalk_core::session::{Displacement, Ending, Offline};

use super::*;

#[test]
fn a_registration_opens_a_session_of_the_login() {
    let mut wire = Wire::new();
    let session_id = wire.login("u1", 1);
    let turn = wire.register(&session_id, "u1");
    let [Command::Open(open)] = &turn.commands[..] else {
        panic!("{turn:?}")
    };
    assert!(
        matches!(&open.credential, Credential::Proven(login) if login.user.uid.as_str() == "u1")
    );
    assert_eq!(&*open.device_id, "web");
    assert!(open.delivery.stable_device && open.delivery.acks && open.delivery.receipts);
    assert_eq!(open.delivery.offline, Offline::Push);
    assert!(!open.sync_own);
    let turn = wire.session_opened();
    let [answer] = &said(&turn)[..] else {
        panic!("{turn:?}")
    };
    let body = r#"{"code":200,"status":"SUCCESS","msg":"注册成功"}"#;
    assert_eq!(
        *answer,
        json!({
            "id": "r", "type": 9001, "isSystem": true, "from": "SYSTEM", "to": "u1",
            "body": body, "timestamp": START.wall_ms,
        })
    );
}

#[test]
fn the_checks_of_a_registration_have_their_order() {
    let mut wire = Wire::new();
    let session_id = wire.login("u1", 1);
    let good = json!({"sessionId": session_id}).to_string();
    let cases = [
        (json!({"type": 1000}), 401),
        (
            json!({"id": "x", "type": 1000, "from": "u7", "body": "abc"}),
            406,
        ),
        (
            json!({"id": "x", "type": 1000, "from": "u7", "to": "", "body": "abc"}),
            404,
        ),
        (
            json!({"id": "x", "type": 1000, "from": "u7", "to": "", "body": "{}"}),
            404,
        ),
        (
            json!({"id": "x", "type": 1000, "from": "u7", "to": "", "body": "{\"sessionId\":\"z\"}"}),
            402,
        ),
        (
            json!({"id": "x", "type": 1000, "from": "u7", "to": "", "body": good}),
            405,
        ),
    ];
    for (message, code) in cases {
        let turn = wire.say(&message);
        assert_eq!(only_status(&turn).1, code, "{message}");
        assert!(turn.commands.is_empty() && turn.close.is_none());
    }
    // As an object, and posing as whoever in `to`.
    let object = json!({
        "id": "x", "type": "1000", "from": "u1", "to": "SYSTEM",
        "body": {"sessionId": session_id},
    });
    assert!(matches!(wire.say(&object).commands[..], [Command::Open(_)]));
}

#[test]
fn three_wrong_sessions_are_answered_and_closed() {
    let mut wire = Wire::new();
    for at in 1..=3 {
        let turn = wire.register("zzz", "u1");
        assert_eq!(only_status(&turn).1, 402);
        assert_eq!(
            turn.close.map(|close| close.code),
            (at == 3).then_some(4001)
        );
    }
    assert!(
        wire.text("ping").out.is_empty(),
        "nothing is heard any more"
    );
}

#[test]
fn nothing_else_works_before() {
    let mut wire = Wire::new();
    let send = json!({"id": "x", "type": 2001, "from": "u1", "to": "u2", "body": "hi"});
    let turn = wire.say(&send);
    assert_eq!(only_status(&turn), ("x".into(), 402));
    assert_eq!(only_msg(&turn), "未注册会话");
    assert_eq!(said(&turn)[0]["to"], "u1");
    // The type is looked at first.
    for kind in [json!(2999), json!("abc"), json!(null), json!(9001)] {
        let turn = wire.say(&json!({"id": "x", "type": kind, "from": "u1"}));
        assert_eq!(only_status(&turn), ("x".into(), 403), "{kind}");
    }
    let claimed = wire.say(&json!({"id": "x", "type": 4001}));
    assert_eq!(only_status(&claimed), ("x".into(), 402));
}

#[test]
fn what_is_no_message_is_401_under_a_fresh_id() {
    let mut wire = Wire::new();
    let mut ids = std::collections::HashSet::new();
    for text in [
        "hello",
        "[1]",
        "{",
        "\"x\"",
        "{\"id\":null,\"type\":2001}",
        "PING",
    ] {
        let (id, code) = only_status(&wire.text(text));
        assert_eq!(code, 401, "{text}");
        assert!(!id.is_empty() && ids.insert(id), "{text}");
    }
    let binary = wire.hear(MessageKind::Binary, b"{}", START);
    assert_eq!(only_status(&binary).1, 401);
    assert_eq!(wire.text("ping").out.bytes(), b"pong");
    assert!(wire.hear(MessageKind::Pong, b"", START).out.is_empty());
}

#[test]
fn nobody_waits_for_ever() {
    let mut wire = Wire::new();
    assert_eq!(wire.machine.next_deadline(), START.mono_ms + 30_000);
    let mut turn = Turn::default();
    wire.text("ping");
    wire.machine.tick(after(29_999), &mut turn);
    assert!(turn.close.is_none());
    wire.machine.tick(after(30_000), &mut turn);
    assert_eq!(turn.close.map(|close| close.code), Some(4001));
}

#[test]
fn a_refused_session_is_answered_and_closed() {
    for (why, code) in [(Refusal::NotAuthenticated, 402), (Refusal::UserBanned, 400)] {
        let mut wire = Wire::new();
        let session_id = wire.login("u1", 1);
        wire.register(&session_id, "u1");
        let mut turn = Turn::default();
        wire.machine.opened(Err(why), START, &mut turn);
        assert_eq!(only_status(&turn), ("r".into(), code));
        assert_eq!(turn.close.map(|close| close.code), Some(4001));
    }
    // Logged out while the session was opened.
    let mut wire = Wire::new();
    let session_id = wire.login("u1", 1);
    wire.register(&session_id, "u1");
    let name = ClientName::parse("web").expect("a name");
    wire.logins.end(UserNum(1), &name);
    let turn = wire.session_opened();
    assert_eq!(only_status(&turn), ("r".into(), 402));
    assert_eq!(turn.close.map(|close| close.code), Some(4001));
}

#[test]
fn what_follows_in_the_same_breath_waits_for_the_session() {
    let mut wire = Wire::new();
    let session_id = wire.login("u1", 1);
    wire.register(&session_id, "u1");
    let mut input = BytesMut::new();
    put_message(MessageKind::Text, b"ping", &mut input);
    let mut turn = Turn::default();
    wire.machine.receive(&mut input, START, &mut turn);
    assert!(turn.out.is_empty() && !input.is_empty());
    wire.session_opened();
    wire.machine.receive(&mut input, START, &mut turn);
    assert_eq!(turn.out.bytes(), b"pong");
}

#[test]
fn registering_again_is_a_success_with_the_same_session_only() {
    let mut wire = Wire::new();
    let session_id = wire.login("u1", 1);
    wire.register(&session_id, "u1");
    wire.session_opened();
    let again = wire.register(&session_id, "u1");
    assert_eq!(only_status(&again).1, 200);
    assert!(again.commands.is_empty());
    let other = wire.login("u1", 1);
    for (session_id, from, code) in [
        (other.as_str(), "u1", 402),
        ("zzz", "u1", 402),
        (session_id.as_str(), "u2", 405),
    ] {
        let turn = wire.register(session_id, from);
        assert_eq!(only_status(&turn).1, code);
        assert!(turn.close.is_none());
    }
}

#[test]
fn silence_is_asked_about_and_then_closed() {
    let mut wire = Wire::open();
    let tick = |wire: &mut Wire, ms| {
        let mut turn = Turn::default();
        wire.machine.tick(after(ms), &mut turn);
        turn
    };
    for at in [30_000, 60_000] {
        assert_eq!(wire.machine.next_deadline(), START.mono_ms + at);
        let turn = tick(&mut wire, at);
        assert_eq!(turn.out.each().collect::<Vec<_>>(), [b""], "a ping");
    }
    // A pong is a sign of life.
    wire.hear(MessageKind::Pong, b"", after(60_001));
    assert!(tick(&mut wire, 90_000).close.is_none());
    assert!(tick(&mut wire, 150_000).close.is_none());
    let turn = tick(&mut wire, 150_001);
    assert_eq!(turn.close.map(|close| close.code), Some(1000));
}

#[test]
fn each_end_has_its_words_and_code() {
    for (why, status, code) in [
        (
            Ending::Displaced(Displacement::Replaced),
            Some("已在其他地方登录"),
            4002,
        ),
        (
            Ending::Displaced(Displacement::Kicked),
            Some("已在其他地方登录"),
            4002,
        ),
        (Ending::Kicked, Some("会话不存在或已过期"), 4002),
        (Ending::ShuttingDown, None, 1001),
        (Ending::TooSlow, None, 1008),
    ] {
        let mut wire = Wire::open();
        let mut turn = Turn::default();
        wire.machine.ending(why, START, &mut turn);
        assert_eq!(turn.close.map(|close| close.code), Some(code), "{why:?}");
        match status {
            Some(msg) => {
                assert_eq!(only_msg(&turn), msg);
                assert_eq!(only_status(&turn).1, 402);
                assert_eq!(said(&turn)[0]["to"], "u1");
            }
            None => assert!(turn.out.is_empty()),
        }
    }
}
