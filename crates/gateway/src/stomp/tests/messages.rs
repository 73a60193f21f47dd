//! `/app/chat.send`, `chat.revoke` and `chat.read`.

use crosstalk_core::change::{Change, ChannelName, MessageName};
use crosstalk_core::conversation::{ConversationRow, Kept};
use crosstalk_core::deliver::TakenBack;
use crosstalk_core::message::{OnReuse, Origin, Revocation};
use serde_json::json;

use super::*;
use crate::protocol::Target;

const DOCUMENTED: &str = r#"{"appId":"ak","messageId":"m-7","toId":"bob","chatType":"SINGLE","msgType":"TEXT","content":"Hello"}"#;

fn own(id: i64) -> Arc<Message> {
    Arc::new(message(id, user("alice", 1), direct(), "Hello"))
}

#[test]
fn a_send_is_a_draft_and_its_echo_comes_before_the_receipt() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.send("chat.send", DOCUMENTED);
    step.none();
    let (ticket, draft) = step.draft();
    assert_eq!(ticket, 0);
    assert_eq!((draft.to.kind, &*draft.to.id), (ChannelKind::DIRECT, "bob"));
    assert_eq!(&*draft.body.client_no, "m-7");
    assert_eq!(
        (&*draft.body.tag, &draft.body.payload[..]),
        ("TEXT", &b"Hello"[..])
    );
    assert!(draft.body.flags.counts && !draft.body.flags.receipt && draft.require_peer);
    assert_eq!(draft.on_reuse, OnReuse::Refuse);
    wire.reply(0, Ok(accepted(7, true))).none();
    let step = wire.deliver(&[own(7)]);
    let [echo, receipt] = &step.frames[..] else {
        panic!("{:?}", step.frames)
    };
    let (destination, subscription, body) = read(echo);
    assert_eq!((destination, subscription), ("/user/queue/messages", "s"));
    let expected = json!({
        "id": "m-7", "messageId": "m-7", "appId": "ak", "fromId": "alice", "toId": "bob",
        "chatType": "SINGLE", "msgType": "TEXT", "content": "Hello", "status": "SENT",
        "createdAt": START.wall_ms, "seq": 7, "revoked": false, "editedAt": null,
        "mentionedUserIds": [], "extra": {},
    });
    assert_eq!(body, expected);
    assert_eq!(receipt.header("receipt-id"), Some("r"));
    assert_eq!(step.acknowledged(), [7]);
}

#[test]
fn an_echo_may_come_before_its_answer() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    wire.send("chat.send", DOCUMENTED);
    wire.send("chat.send", DOCUMENTED);
    // The second one's channel was faster than the first one's.
    assert_eq!(wire.deliver(&[own(8)]).frames.len(), 1);
    wire.reply(0, Ok(accepted(7, true))).none();
    let step = wire.reply(1, Ok(accepted(8, true)));
    assert_eq!(step.one().header("receipt-id"), Some("r"));
    assert_eq!(wire.deliver(&[own(7)]).frames.len(), 2);
}

#[test]
fn a_retry_is_echoed_as_it_was_stored_and_nobody_else_sees_it() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    wire.send("chat.send", DOCUMENTED);
    let step = wire.reply(0, Ok(accepted(7, false)));
    step.none();
    let (id, Ask::Find { name, .. }) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    assert_eq!(name, "7");
    let step = wire.answer(id, Answer::Message(Ok(Message::clone(&own(7)))));
    assert_eq!(read(&step.frames[0]).2["seq"], 7);
    assert_eq!(step.frames[1].header("receipt-id"), Some("r"));
    // The store may fail meanwhile.
    wire.send("chat.send", DOCUMENTED);
    let step = wire.reply(1, Ok(accepted(7, false)));
    let (id, _) = step.ask();
    let step = wire.answer(id, Answer::Message(Err(Refusal::Unavailable)));
    let (_, _, body) = read(&step.frames[0]);
    assert_eq!(
        (&body["id"], &body["status"]),
        (&json!("m-7"), &json!("SENT"))
    );
    assert_eq!(
        (&body["content"], &body["seq"]),
        (&json!("Hello"), &json!(7))
    );
}

#[test]
fn a_refusal_gives_the_message_back_and_no_receipt() {
    let mut wire = Wire::subscribed(&[MESSAGES, ERRORS]);
    wire.send("chat.send", DOCUMENTED);
    let step = wire.reply(0, Err(Refusal::NoSuchUser));
    let [failed, error] = &bodies(&step.frames)[..] else {
        panic!("{:?}", step.frames)
    };
    let expected = json!({
        "id": "m-7", "messageId": "m-7", "appId": "ak", "fromId": "alice", "toId": "bob",
        "chatType": "SINGLE", "msgType": "TEXT", "content": "Hello", "status": "FAILED",
        "createdAt": START.wall_ms, "seq": null, "revoked": false, "editedAt": null,
        "mentionedUserIds": [], "extra": {}, "errorCode": 404, "errorMessage": "User not found",
    });
    assert_eq!(*failed, expected);
    assert_eq!(*error, json!({"code": 404, "message": "User not found"}));
    assert!(step.turn.close.is_none());
}

#[test]
fn members_that_are_missing_or_wrong_are_named() {
    let mut wire = Wire::subscribed(&[MESSAGES, ERRORS]);
    let cases = [
        (
            r#"{"messageId":"m","chatType":"SINGLE","msgType":"TEXT","content":"x"}"#,
            "toId",
        ),
        (
            r#"{"messageId":"m","toId":"bob","msgType":"TEXT","content":"x"}"#,
            "chatType",
        ),
        (
            r#"{"messageId":"m","toId":"bob","chatType":"XXX","msgType":"TEXT","content":"x"}"#,
            "chatType",
        ),
        (
            r#"{"messageId":"m","toId":"bob","chatType":"SINGLE","content":"x"}"#,
            "msgType",
        ),
        (
            r#"{"messageId":"m","toId":"bob","chatType":"SINGLE","msgType":"TEXT"}"#,
            "content",
        ),
        (
            r#"{"messageId":"m","toId":"bob","chatType":"SINGLE","msgType":"TEXT","content":5}"#,
            "content",
        ),
    ];
    for (body, member) in cases {
        let step = wire.send("chat.send", body);
        let failed = &bodies(&step.frames)[0];
        assert_eq!(
            (&failed["status"], &failed["errorCode"]),
            (&json!("FAILED"), &json!(400))
        );
        assert_eq!(failed["id"], "m");
        let why = failed["errorMessage"].as_str().expect("a reason");
        assert!(why.contains(member), "{body}: {why}");
        assert!(step.turn.commands.is_empty());
    }
    let step = wire.send("chat.send", "{");
    assert_eq!(read(step.one()).0, "/user/queue/errors");
    assert_eq!(
        read(step.one()).2,
        json!({"code": 400, "message": "Invalid JSON"})
    );
}

#[test]
fn too_large_a_body_fails_and_the_connection_stays() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let content = "x".repeat(64 * 1024);
    let body = json!({"messageId": "m", "toId": "bob", "chatType": "SINGLE", "msgType": "TEXT", "content": content});
    let step = wire.send("chat.send", &body.to_string());
    let (_, _, failed) = read(step.one());
    assert_eq!(
        (&failed["id"], &failed["errorCode"]),
        (&json!("m"), &json!(413))
    );
    assert!(step.turn.close.is_none() && step.turn.commands.is_empty());
}

#[test]
fn the_app_is_the_tokens() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let send = |app: &str| {
        format!(r#"{{{app}"toId":"bob","chatType":"SINGLE","msgType":"TEXT","content":"x"}}"#)
    };
    for app in [
        "",
        r#""appKey":"ak","#,
        r#""appId":"ak","#,
        r#""appId":"","#,
    ] {
        let step = wire.send("chat.send", &send(app));
        assert!(
            matches!(step.turn.commands[..], [Command::Send(..)]),
            "{app}"
        );
    }
    let step = wire.send("chat.send", &send(r#""appId":"other","#));
    assert!(
        matches!(
            step.turn.commands[..],
            [Command::Refuse(_, Refusal::Forbidden)]
        ),
        "{:?}",
        step.turn.commands
    );
}

#[test]
fn flags_and_own_members_are_kept() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let body = r#"{"toId":"g","chatType":"group","msgType":"POKE","content":{"a":1},"mentionedUserIds":["bob"],"extra":{"readReceipt":true,"unread":false,"x":[1]}}"#;
    let step = wire.send("chat.send", body);
    let (_, draft) = step.draft();
    assert_eq!((draft.to.kind, &*draft.to.id), (ChannelKind::GROUP, "g"));
    assert!(draft.body.flags.receipt && !draft.body.flags.counts);
    assert_eq!(&draft.body.payload[..], br#"{"a":1}"#);
    assert!(draft.body.client_no.is_empty());
    let mut stored = message(7, user("alice", 1), group(), "");
    stored.body = Arc::new(draft.body.clone());
    wire.reply(0, Ok(accepted(7, true)));
    let step = wire.deliver(&[Arc::new(stored)]);
    let (_, _, echo) = read(&step.frames[0]);
    assert_eq!(
        (&echo["id"], &echo["messageId"]),
        (&json!("7"), &json!("7"))
    );
    assert_eq!(
        (&echo["groupId"], &echo["chatType"]),
        (&json!("g"), &json!("GROUP"))
    );
    assert_eq!(
        (&echo["msgType"], &echo["content"]),
        (&json!("POKE"), &json!(r#"{"a":1}"#))
    );
    assert_eq!(echo["mentionedUserIds"], json!(["bob"]));
    assert_eq!(
        echo["extra"],
        json!({"readReceipt": true, "unread": false, "x": [1]})
    );
}

#[test]
fn an_id_that_cannot_be_the_messages_is_given_back_all_the_same() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let long = "x".repeat(129);
    let body = json!({"messageId": long, "toId": "bob", "chatType": "SINGLE", "msgType": "TEXT", "content": "x"});
    let step = wire.send("chat.send", &body.to_string());
    let (_, draft) = step.draft();
    let mut stored = Message::clone(&own(7));
    stored.body = Arc::new(draft.body.clone());
    let step = wire.deliver(&[Arc::new(stored)]);
    let (_, _, echo) = read(&step.frames[0]);
    assert_eq!(
        (&echo["id"], &echo["messageId"]),
        (&json!("7"), &json!(long))
    );
}

#[test]
fn a_group_that_never_was_is_told_from_one_that_keeps_others_out() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let body = r#"{"messageId":"m","toId":"g","chatType":"GROUP","msgType":"TEXT","content":"x"}"#;
    for (ticket, answer, code) in [(0, Ok(false), 403), (1, Err(Refusal::NoSuchChannel), 404)] {
        wire.send("chat.send", body);
        let step = wire.reply(ticket, Err(Refusal::NotAMember));
        step.none();
        let (id, _) = step.ask();
        let step = wire.answer(id, Answer::Membership(answer));
        assert_eq!(read(step.one()).2["errorCode"], code);
    }
}

/// The entry of the command log for a revoked message.
fn revocation(of: &Message, entry: i64) -> Arc<Message> {
    let change = Change::Revoked {
        message: MessageName::of(of),
        by: Some("alice".to_owned()),
        at_ms: START.wall_ms + 60_000,
    };
    let log = channel(ChannelKind::DIRECT, "alice|bob", LogKind::Command);
    let mut message = message(entry, user("alice", 1), log, "");
    message.body = Arc::new(Body {
        origin: Origin::CHANGE,
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        payload: serde_json::to_vec(&change).expect("JSON").into(),
        ..Body::default()
    });
    Arc::new(message)
}

#[test]
fn a_revoked_message_is_shown_with_its_id_and_without_content() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.send("chat.revoke", r#"{"appId":"ak","messageId":"m-7"}"#);
    let (id, Ask::Revoke { name, within: None }) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    assert_eq!(name, "m-7");
    let message = own(7).tombstone(Revocation {
        by: Some(user("alice", 1)),
        at_ms: START.wall_ms + 60_000,
        ..Revocation::default()
    });
    let taken = TakenBack {
        message: message.clone(),
        is_new: true,
    };
    wire.answer(id, Answer::Revoked(Ok(taken))).none();
    let step = wire.deliver(&[revocation(&own(7), 8)]);
    let (_, _, body) = read(&step.frames[0]);
    let expected = json!({
        "id": "m-7", "messageId": "m-7", "appId": "ak", "fromId": "alice", "toId": "bob",
        "chatType": "SINGLE", "msgType": "REVOKED", "content": "", "status": "REVOKED",
        "createdAt": START.wall_ms, "seq": 7, "revoked": true, "editedAt": null,
        "mentionedUserIds": [], "extra": {}, "operatorId": "alice",
        "revokedAt": START.wall_ms + 60_000,
    });
    assert_eq!(body, expected);
    assert_eq!(step.frames[1].header("receipt-id"), Some("r"));
    assert_eq!(step.acknowledged(), [8]);
    // Once more: nothing changes, and the client is told what is.
    let step = wire.send("chat.revoke", r#"{"messageId":"m-7"}"#);
    let (id, _) = step.ask();
    let taken = TakenBack {
        message,
        is_new: false,
    };
    let step = wire.answer(id, Answer::Revoked(Ok(taken)));
    assert_eq!(read(&step.frames[0]).2, expected);
    assert_eq!(step.frames[1].header("receipt-id"), Some("r"));
}

#[test]
fn a_revocation_may_be_shown_before_its_answer() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.send("chat.revoke", r#"{"messageId":"m-7"}"#);
    let (id, _) = step.ask();
    assert_eq!(wire.deliver(&[revocation(&own(7), 8)]).frames.len(), 1);
    let taken = TakenBack {
        message: Message::clone(&own(7)),
        is_new: true,
    };
    let step = wire.answer(id, Answer::Revoked(Ok(taken)));
    assert_eq!(step.one().header("receipt-id"), Some("r"));
}

#[test]
fn a_refused_revocation_fails_with_its_id() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    for (why, code) in [
        (Refusal::Forbidden, 403),
        (Refusal::NoSuchMessage, 404),
        (Refusal::TooLate, 409),
        (Refusal::Ambiguous, 409),
    ] {
        let step = wire.send("chat.revoke", r#"{"messageId":"m-7"}"#);
        let (id, _) = step.ask();
        let step = wire.answer(id, Answer::Revoked(Err(why)));
        let (_, _, body) = read(step.one());
        assert_eq!(
            (&body["id"], &body["status"]),
            (&json!("m-7"), &json!("FAILED"))
        );
        assert_eq!(body["errorCode"], code);
    }
}

#[test]
fn requests_wait_for_the_sends_before_them_and_for_each_other() {
    let mut wire = Wire::subscribed(&[MESSAGES, ERRORS]);
    wire.send("chat.send", DOCUMENTED);
    let step = wire.send("chat.revoke", r#"{"messageId":"m-7"}"#);
    assert!(step.turn.commands.is_empty());
    wire.send("chat.read", r#"{"messageId":"m-1"}"#);
    let step = wire.reply(0, Ok(accepted(7, true)));
    let (id, Ask::Revoke { .. }) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    let step = wire.answer(id, Answer::Revoked(Err(Refusal::NoSuchMessage)));
    assert!(matches!(step.ask(), (_, Ask::ReadMessage { .. })));
}

#[test]
fn reading_is_asked_by_message_or_conversation() {
    let mut wire = Wire::subscribed(&[ERRORS]);
    let step = wire.send("chat.read", r#"{"conversationId":"GROUP:g"}"#);
    let (id, Ask::ReadConversation(Target::Address(address), None)) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    assert_eq!((address.kind, &*address.id), (ChannelKind::GROUP, "g"));
    let step = wire.answer(id, Answer::Read(Err(Refusal::NotAMember)));
    assert_eq!(
        read(step.one()).2,
        json!({"code": 403, "message": "Not a member"})
    );
    let step = wire.send("chat.read", r#"{"conversationId":"nonsense"}"#);
    assert_eq!(read(step.one()).2["code"], 400);
    let step = wire.send("chat.read", r#"{"appId":"other","messageId":"m"}"#);
    assert_eq!(read(step.one()).2["code"], 403);
}

/// The entry of the user's own command log for a reading.
fn reading(id: i64, seq: u64) -> Arc<Message> {
    let change = Change::Unread {
        channel: ChannelName::of(&direct().key),
        read_seq: seq,
        unread: row(seq).unread(),
        at_ms: 99,
    };
    let log = channel(ChannelKind::DIRECT, "alice|alice", LogKind::Command);
    let mut message = message(id, user("alice", 1), log, "");
    message.body = Arc::new(Body {
        origin: Origin::CHANGE,
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        payload: serde_json::to_vec(&change).expect("JSON").into(),
        ..Body::default()
    });
    Arc::new(message)
}

fn row(seq: u64) -> ConversationRow {
    ConversationRow {
        channel: direct(),
        head_seq: 9,
        head_ordinal: 9,
        head: None,
        read_seq: seq,
        badge_seq: seq,
        badge_ordinal: seq,
        uncounted: 0,
        directed: 0,
        begins_after: 0,
        hidden_seq: None,
        pinned_at_ms: 0,
        kept: Kept::default(),
        version: 1,
    }
}

#[test]
fn a_session_is_told_of_readings_elsewhere_and_not_of_its_own() {
    let mut wire = Wire::subscribed(&[MESSAGES, EVENTS]);
    let read = |wire: &mut Wire| {
        let step = wire.send("chat.read", r#"{"messageId":"m-1"}"#);
        step.ask().0
    };
    // Told after the answer.
    let id = read(&mut wire);
    wire.answer(id, Answer::Read(Ok((row(3), None))));
    let step = wire.deliver(&[reading(20, 3), reading(21, 4)]);
    assert_eq!(read_seqs(&step), [4]);
    // Told before it.
    let id = read(&mut wire);
    wire.deliver(&[reading(22, 5), reading(23, 6)]).none();
    let step = wire.answer(id, Answer::Read(Ok((row(6), None))));
    assert_eq!(read_seqs(&step), [5]);
}

fn read_seqs(step: &Step) -> Vec<u64> {
    let events = step
        .frames
        .iter()
        .filter(|it| it.header("subscription") == Some("v"));
    events
        .map(|event| super::read(event).2["seq"].as_u64().expect("a seq"))
        .collect()
}
