//! What a session is told: where it goes, in which form, and what counts as delivered.

use crosstalk_core::change::{Change, ChannelName, MessageName};
use crosstalk_core::message::{Origin, Revocation};
use crosstalk_core::session::Notice;
use serde_json::json;

use super::*;
use crate::protocol::Target;

fn of_group(id: i64) -> Arc<Message> {
    Arc::new(message(id, user("bob", 2), group(), "hi all"))
}

#[test]
fn the_first_seconds_wait_for_a_subscription() {
    let mut wire = Wire::open();
    assert!(!wire.machine.has_room());
    let step = wire.subscribe(MESSAGES);
    step.none();
    assert!(wire.machine.has_room());
    let step = wire.deliver(&[from_bob(1)]);
    assert_eq!(read(step.one()).1, "s");
    assert_eq!(step.acknowledged(), [1]);
}

#[test]
fn who_never_subscribes_gets_messages_all_the_same() {
    let mut wire = Wire::open();
    assert!(wire.machine.next_deadline() <= after(5_000).mono_ms);
    wire.tick_at(5_000).none();
    assert!(wire.machine.has_room());
    let step = wire.deliver(&[from_bob(1)]);
    let (destination, subscription, _) = read(step.one());
    assert_eq!(
        (destination, subscription),
        ("/user/queue/messages", "auto")
    );
    assert!(step.one().header("ack").is_none());
    assert!(
        step.acknowledged().is_empty(),
        "it does not count as delivered"
    );
}

#[test]
fn an_explicit_subscription_gets_the_implicit_ones_messages_once_more() {
    let mut wire = Wire::open();
    wire.tick_at(5_000);
    wire.deliver(&[from_bob(1)]);
    wire.now = after(8_000);
    wire.deliver(&[from_bob(2)]);
    wire.now = after(66_000);
    let step = wire.subscribe(MESSAGES);
    let (_, subscription, body) = read(step.one());
    assert_eq!(
        (subscription, &body["id"]),
        ("s", &json!("m-2")),
        "the first is too old"
    );
    assert_eq!(step.acknowledged(), [2]);
    let step = wire.deliver(&[from_bob(3)]);
    assert_eq!(read(step.one()).1, "s");
}

#[test]
fn what_was_revoked_meanwhile_does_not_come_again() {
    let mut wire = Wire::open();
    wire.tick_at(5_000);
    wire.deliver(&[from_bob(1)]);
    let change = Change::Revoked {
        message: MessageName::of(&from_bob(1)),
        by: None,
        at_ms: 5,
    };
    wire.deliver(&[entry(2, &change)]);
    let step = wire.subscribe(MESSAGES);
    let bodies = bodies(&step.frames);
    let [revoked] = &bodies[..] else {
        panic!("{bodies:?}")
    };
    assert_eq!(
        (&revoked["id"], &revoked["status"]),
        (&json!("m-1"), &json!("REVOKED"))
    );
    assert_eq!(revoked["operatorId"], "SYSTEM");
    assert_eq!(step.acknowledged(), [2]);
}

#[test]
fn refusals_before_the_first_subscription_come_with_it() {
    let mut wire = Wire::open();
    wire.send("chat.send", r#"{"messageId":"m","toId":"bob"}"#)
        .none();
    let step = wire.subscribe(MESSAGES);
    assert_eq!(read(step.one()).2["status"], "FAILED");
}

#[test]
fn a_group_speaks_by_its_topic_or_the_personal_queue_never_both() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let step = wire.deliver(&[of_group(1)]);
    let (destination, subscription, body) = read(step.one());
    assert_eq!((destination, subscription), ("/user/queue/messages", "s"));
    assert_eq!(
        (&body["groupId"], &body["toId"]),
        (&json!("g"), &json!("g"))
    );
    wire.subscribe("g /topic/group/g");
    let step = wire.deliver(&[of_group(2), from_bob(3)]);
    let places: Vec<_> = step.frames.iter().map(|frame| read(frame).0).collect();
    assert_eq!(places, ["/topic/group/g", "/user/queue/messages"]);
    assert_eq!(step.acknowledged(), [2, 3]);
}

#[test]
fn message_ids_are_unique_in_the_connection() {
    let mut wire = Wire::subscribed(&[MESSAGES, "g /topic/group/g", ERRORS]);
    let mut step = wire.deliver(&[from_bob(1), of_group(2), from_bob(1)]);
    step.frames.extend(wire.send("chat.nope", "{}").frames);
    let mut ids: Vec<_> = step
        .frames
        .iter()
        .map(|it| it.header("message-id"))
        .collect();
    assert_eq!(ids.len(), 4);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn messages_of_other_dialects_are_said_in_this_ones_words() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let mut foreign = Message::clone(&from_bob(1));
    foreign.body = Arc::new(Body {
        client_no: "theirs".into(),
        origin: Origin::REST,
        payload: Bytes::from_static(
            br#"{"type":"image","url":"https://x/i.png","width":3,"height":4}"#,
        ),
        ..Body::default()
    });
    let step = wire.deliver(&[Arc::new(foreign)]);
    let (_, _, body) = read(step.one());
    assert_eq!(
        (&body["id"], &body["messageId"]),
        (&json!("1"), &json!("1"))
    );
    assert_eq!(
        (&body["msgType"], &body["appId"]),
        (&json!("IMAGE"), &json!("ak"))
    );
    assert_eq!(body["extra"], json!({"unread": false}));
    let content: Value =
        serde_json::from_str(body["content"].as_str().expect("a text")).expect("JSON in a text");
    let expected = json!({
        "url": "https://x/i.png", "width": 3, "height": 4, "size": 0, "thumbnailUrl": null,
    });
    assert_eq!(content, expected);
}

#[test]
fn the_system_has_a_name_of_its_own() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let system = UserRef {
        num: UserNum(9),
        uid: Uid::system(),
    };
    let step = wire.deliver(&[Arc::new(message(1, system, group(), "welcome"))]);
    assert_eq!(read(step.one()).2["fromId"], "SYSTEM");
}

#[test]
fn what_is_not_for_the_reader_and_what_is_gone_has_no_content() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let concealed = Arc::new(from_bob(1).concealed());
    let revoked = from_bob(2).tombstone(Revocation {
        by: Some(user("bob", 2)),
        at_ms: 7,
        ..Revocation::default()
    });
    let step = wire.deliver(&[concealed, Arc::new(revoked)]);
    let (_, _, body) = read(step.one());
    assert_eq!(
        (&body["id"], &body["status"]),
        (&json!("m-2"), &json!("REVOKED"))
    );
    assert_eq!(
        (&body["content"], &body["operatorId"]),
        (&json!(""), &json!("bob"))
    );
    assert_eq!(step.acknowledged(), [1, 2]);
}

#[test]
fn a_number_that_another_had_used_is_not_the_messages_id() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let mut taken = Message::clone(&from_bob(1));
    let mut body = Body::clone(&taken.body);
    body.flags.number_taken = true;
    taken.body = Arc::new(body);
    let step = wire.deliver(&[Arc::new(taken)]);
    let (_, _, body) = read(step.one());
    assert_eq!(
        (&body["id"], &body["messageId"]),
        (&json!("1"), &json!("m-1"))
    );
}

/// An entry of a command log.
fn entry(id: i64, change: &Change) -> Arc<Message> {
    let log = channel(ChannelKind::DIRECT, "alice|alice", LogKind::Command);
    let log = match change {
        Change::Revoked { .. } => channel(ChannelKind::DIRECT, "alice|bob", LogKind::Command),
        _ => log,
    };
    let mut message = message(id, user("bob", 2), log, "");
    message.body = Arc::new(Body {
        origin: Origin::CHANGE,
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        payload: serde_json::to_vec(change).expect("JSON").into(),
        ..Body::default()
    });
    Arc::new(message)
}

#[test]
fn authors_learn_that_they_were_read() {
    let mut wire = Wire::subscribed(&[MESSAGES, RECEIPTS]);
    let plain = message(4, user("alice", 1), direct(), "x");
    let mut asking = message(5, user("alice", 1), direct(), "y");
    let mut body = Body::clone(&asking.body);
    body.flags.receipt = true;
    asking.body = Arc::new(body);
    let change = Change::Read {
        channel: ChannelName::of(&direct().key),
        reader: "bob".to_owned(),
        up_to: 5,
        messages: vec![MessageName::of(&asking), MessageName::of(&plain)],
        at_ms: 99,
    };
    let step = wire.deliver(&[entry(6, &change)]);
    let receipt = |id: &str| json!({"type": "READ", "messageId": id, "userId": "bob", "at": 99});
    assert_eq!(bodies(&step.frames), [receipt("m-4"), receipt("m-5")]);
    assert_eq!(step.acknowledged(), [6]);
    let (id, Ask::History(Target::Address(address), query)) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    assert_eq!((&*address.id, query.from, query.to), ("bob", 5, 5));
    let step = wire.answer(id, Answer::Messages(Ok(vec![asking])));
    let (destination, _, body) = read(step.one());
    assert_eq!(destination, "/user/queue/messages");
    assert_eq!(
        (&body["id"], &body["status"]),
        (&json!("m-5"), &json!("READ"))
    );
    assert_eq!(body["content"], "y");
}

#[test]
fn own_reading_elsewhere_is_an_event() {
    let mut wire = Wire::subscribed(&[EVENTS]);
    wire.tick_at(5_000);
    let change = Change::Unread {
        channel: ChannelName::of(&direct().key),
        read_seq: 12,
        unread: 2,
        at_ms: 99,
    };
    let step = wire.deliver(&[entry(6, &change)]);
    let expected = json!({
        "event": "READ", "at": 99, "conversationId": "SINGLE:bob", "seq": 12, "unread": 2,
    });
    assert_eq!(read(step.one()).2, expected);
    assert_eq!(step.acknowledged(), [6]);
}

#[test]
fn deliveries_and_presence_are_told_to_who_listens() {
    let mut wire = Wire::subscribed(&[MESSAGES, RECEIPTS, EVENTS]);
    let mut asking = message(5, user("alice", 1), direct(), "y");
    let mut body = Body::clone(&asking.body);
    body.flags.receipt = true;
    asking.body = Arc::new(body);
    let delivered = |message| {
        Event::Notice(Arc::new(Notice::Delivered {
            message: Arc::new(message),
            by: user("bob", 2),
            at_ms: 99,
        }))
    };
    let plain = message(4, user("alice", 1), direct(), "x");
    let step = wire.events([delivered(plain), delivered(asking)].into());
    let bodies = bodies(&step.frames);
    let receipt =
        |id: &str| json!({"type": "DELIVERED", "messageId": id, "userId": "bob", "at": 99});
    assert_eq!(bodies[..2], [receipt("m-4"), receipt("m-5")]);
    assert_eq!(bodies[2]["status"], "DELIVERED");
    assert_eq!(bodies.len(), 3);
    for (is_online, event) in [(true, "ONLINE"), (false, "OFFLINE")] {
        let notice = Event::Notice(Arc::new(Notice::Presence {
            user: user("bob", 2),
            is_online,
            is_turn: true,
            status: "busy".into(),
            device_flag: 0,
            id: MessageId(9),
            at_ms: 7,
        }));
        let step = wire.events([notice].into());
        let mut expected = json!({"event": event, "at": 7, "userId": "bob"});
        if is_online {
            expected["status"] = "busy".into();
        }
        assert_eq!(read(step.one()).2, expected);
    }
}
