//! What a registered client is given, and what it says to that.

use crosstalk_core::change::{Change, EditedBody, MessageName};
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::message::{Edited, Gone, Origin, Revocation};
use crosstalk_core::session::Notice;

use super::super::deliver::Extra;
use crate::protocol::{Answer, Ask};

use super::*;

fn ids(messages: &[Arc<Message>]) -> Vec<i64> {
    messages.iter().map(|message| message.id.0).collect()
}

/// Names of the commands, with the ids of their messages.
fn done(turn: &Turn) -> Vec<(&'static str, Vec<i64>)> {
    let each = turn.commands.iter().map(|command| match command {
        Command::Acknowledge(messages) => ("acknowledge", ids(messages)),
        Command::Settle(messages) => ("settle", ids(messages)),
        Command::Presume(true) => ("presume", Vec::new()),
        Command::Presume(false) => ("doubt", Vec::new()),
        Command::Reject(message, _) => ("reject", vec![message.id.0]),
        Command::Ask(..) => ("ask", Vec::new()),
        other => panic!("{other:?}"),
    });
    each.collect()
}

fn with(message: &Arc<Message>, change: impl FnOnce(&mut Message)) -> Arc<Message> {
    let mut message = Message::clone(message);
    change(&mut message);
    Arc::new(message)
}

fn with_body(message: &Arc<Message>, change: impl FnOnce(&mut Body)) -> Arc<Message> {
    with(message, |message| {
        let mut body = Body::clone(&message.body);
        change(&mut body);
        message.body = Arc::new(body);
    })
}

#[test]
fn a_message_comes_as_it_was_written() {
    let mut wire = Wire::open();
    let turn = wire.deliver(&[message(5, "c-2", "你好\n😀")]);
    assert_eq!(
        said(&turn),
        [json!({
            "id": "c-2", "type": 2001, "isSystem": false, "from": "u2", "to": "u1",
            "body": "你好\n😀", "timestamp": START.wall_ms + 5,
        })]
    );
    assert_eq!(done(&turn), [("presume", vec![])]);
    let object = with_body(&message(6, "c-3", ""), |body| {
        body.tag = "3001".into();
        body.payload = Bytes::from_static(b"{\"title\":\"t\", \"msg\":\"m\"}");
    });
    let shown = said(&wire.deliver(&[object]));
    assert_eq!(shown[0]["type"], 3001);
    assert_eq!(shown[0]["body"], "{\"title\":\"t\", \"msg\":\"m\"}");
}

#[test]
fn groups_and_foreign_dialects_have_their_envelopes() {
    let mut wire = Wire::open();
    let group = with(&message(5, "c", "x"), |message| {
        message.channel = Arc::new(ChannelRef {
            num: ChannelNum(2),
            key: ChannelKey {
                realm: Realm::default(),
                kind: ChannelKind::GROUP,
                id: "g1".into(),
            },
            log: LogKind::Chat,
        });
    });
    assert_eq!(said(&wire.deliver(&[group]))[0]["to"], "group:g1");
    let foreign = with_body(&message(6, "theirs", ""), |body| {
        body.origin = Origin::REST;
        body.payload = Bytes::from_static(br#"{"type":"image","url":"http://x/1"}"#);
    });
    let shown = said(&wire.deliver(&[foreign]));
    assert_eq!(shown[0]["id"], "6");
    assert_eq!(shown[0]["body"], "[图片] http://x/1");
    let system = with(&message(7, "", "x"), |message| {
        message.sender.uid = Uid::system();
    });
    let tip = with_body(&message(8, "", ""), |body| {
        body.origin = Origin::REST;
        body.payload = Bytes::from_static(br#"{"type":"tip","text":"u3 joined"}"#);
    });
    let shown = said(&wire.deliver(&[system]));
    assert_eq!(shown[0]["from"], "SYSTEM");
    assert_eq!(shown[0]["isSystem"], true);
    // What a user makes look like the system's is still that user's.
    let shown = said(&wire.deliver(&[tip]));
    assert_eq!(
        (&shown[0]["type"], &shown[0]["from"], &shown[0]["isSystem"]),
        (&json!(2001), &json!("u2"), &json!(false))
    );
}

#[test]
fn the_same_message_is_encoded_once_for_each_receiver() {
    let one = message(5, "c", "x");
    let mut u1 = Wire::open();
    let turns = [
        u1.deliver(&[Arc::clone(&one)]),
        Wire::open().deliver(&[one]),
    ];
    assert_eq!(turns[0].out.bytes(), turns[1].out.bytes());
}

#[test]
fn a_list_is_shown_where_that_is_set() {
    let listed = with_body(&message(5, "c", "x"), |body| {
        let extra = Extra {
            to: Some("u1,u3".into()),
            ..Extra::default()
        };
        body.extra = extra.encode();
    });
    let mut own = Wire::open();
    assert_eq!(said(&own.deliver(&[Arc::clone(&listed)]))[0]["to"], "u1");
    let mut as_sent = Wire::opened(Wire::listing(WgListTo::AsSent));
    let another = with(&listed, |message| message.id = MessageId(6));
    assert_eq!(said(&as_sent.deliver(&[another]))[0]["to"], "u1,u3");
}

#[test]
fn what_is_gone_or_not_for_these_clients_is_settled_in_silence() {
    let mut wire = Wire::open();
    let revoked = with(&message(5, "a", ""), |message| {
        let revocation = Revocation {
            by: None,
            at_ms: 0,
            ..Revocation::default()
        };
        *message = message.tombstone(revocation);
    });
    let concealed = with(&message(6, "b", "secret"), |message| {
        *message = message.concealed();
    });
    let command = with_body(&message(7, "c", ""), |body| {
        body.origin = Origin::REST;
        body.payload = Bytes::from_static(br#"{"type":"command","cmd":"typing"}"#);
    });
    let turn = wire.deliver(&[revoked, concealed, command]);
    assert!(turn.out.is_empty(), "{:?}", said(&turn));
    assert_eq!(done(&turn), [("settle", vec![5, 6, 7])]);
}

fn recalled(id: i64, original: &Message, by: Option<&str>) -> Arc<Message> {
    let change = Change::Revoked {
        message: MessageName::of(original),
        by: by.map(str::to_owned),
        at_ms: 0,
    };
    with_body(&message(id, "", ""), |body| {
        body.origin = Origin::CHANGE;
        body.flags.command = true;
        body.payload = Bytes::from(serde_json::to_vec(&change).expect("JSON"));
    })
}

#[test]
fn a_recall_is_a_notice_with_the_id_of_what_was_recalled() {
    let mut wire = Wire::open();
    let original = message(5, "c-5", "x");
    wire.deliver(&[Arc::clone(&original)]);
    let turn = wire.deliver(&[recalled(9, &original, Some("u2"))]);
    let shown = said(&turn);
    assert_eq!(
        (&shown[0]["type"], &shown[0]["from"], &shown[0]["isSystem"]),
        (&json!(3001), &json!("SYSTEM"), &json!(true))
    );
    assert_eq!(
        (&shown[0]["id"], &shown[0]["to"]),
        (&json!("9"), &json!("u1"))
    );
    let body: Value =
        serde_json::from_str(shown[0]["body"].as_str().expect("a string")).expect("JSON");
    assert_eq!(
        body,
        json!({"title": "消息撤回", "msg": "u2撤回了一条消息", "target": null, "serviceId": "c-5"})
    );
    let foreign = with_body(&message(6, "theirs", "x"), |body| body.origin = Origin(1));
    let shown = said(&wire.deliver(&[recalled(10, &foreign, None)]));
    assert!(
        shown[0]["body"]
            .as_str()
            .expect("a string")
            .contains("\"serviceId\":\"6\"")
    );
}

#[test]
fn whoever_never_got_a_message_is_not_told_of_its_recall() {
    let mut wire = Wire::open();
    let original = message(5, "c-5", "x");
    let revocation = Revocation {
        by: None,
        at_ms: 0,
        ..Revocation::default()
    };
    let tombstone = Arc::new(original.tombstone(revocation));
    let turn = wire.deliver(&[tombstone, recalled(9, &original, Some("u2"))]);
    assert!(turn.out.is_empty());
    assert_eq!(done(&turn), [("settle", vec![5, 9])]);
    // Nor of what was sent from the user's phone in another dialect.
    let own = with(
        &with_body(&message(6, "", ""), |body| body.origin = Origin(1)),
        |it| {
            it.sender = user("u1", 1);
        },
    );
    assert!(
        wire.deliver(&[recalled(10, &own, Some("u1"))])
            .out
            .is_empty()
    );
}

fn entry(id: i64, change: &Change) -> Arc<Message> {
    with_body(&message(id, "", ""), |body| {
        body.origin = Origin::CHANGE;
        body.flags.command = true;
        body.payload = Bytes::from(serde_json::to_vec(change).expect("JSON"));
    })
}

#[test]
fn of_edits_that_a_message_came_with_nothing_is_told() {
    let mut wire = Wire::open();
    let original = message(5, "c-5", "x");
    let edit = |n: u32, text: &str| Change::Edited {
        message: MessageName::of(&original),
        by: Some("u2".to_owned()),
        n,
        body: EditedBody {
            origin: ORIGIN.0,
            tag: "2001".to_owned(),
            payload: Bytes::from(json!(text).to_string()),
            ..EditedBody::default()
        },
        at_ms: 0,
    };
    let edited = with(&original, |message| {
        message.edited = Some(Box::new(Edited {
            n: 2,
            by: None,
            at_ms: 0,
            body: Arc::clone(&message.body),
        }));
    });
    let turn = wire.deliver(&[edited, entry(9, &edit(1, "1")), entry(10, &edit(2, "2"))]);
    assert_eq!(said(&turn).len(), 1, "{:?}", said(&turn));
    let turn = wire.deliver(&[entry(11, &edit(3, "3"))]);
    let body = said(&turn)[0]["body"].to_string();
    assert!(body.contains("编辑了一条消息：3"), "{body}");
}

#[test]
fn what_is_over_before_it_came_is_not_told_to_be() {
    let mut wire = Wire::open();
    for how in [Gone::Deleted, Gone::Expired] {
        let original = message(5, "c-5", "x");
        let tombstone = Arc::new(original.tombstone(Revocation {
            by: None,
            at_ms: 0,
            how,
        }));
        let name = MessageName::of(&original);
        let change = match how {
            Gone::Expired => Change::Expired {
                messages: vec![name],
                at_ms: 0,
            },
            _ => Change::Deleted {
                message: name,
                by: None,
                at_ms: 0,
            },
        };
        let turn = wire.deliver(&[tombstone, entry(9, &change)]);
        assert!(turn.out.is_empty(), "{how:?}");
    }
}

#[test]
fn a_receipt_acknowledges_and_makes_the_client_one_that_does() {
    let mut wire = Wire::open();
    wire.deliver(&[
        message(1, "a", "x"),
        message(2, "b", "x"),
        message(3, "c", "x"),
    ]);
    let turn = wire.receipt("b", "u2", 200);
    assert!(turn.out.is_empty(), "a valid 9101 has no answer");
    assert_eq!(done(&turn), [("doubt", vec![]), ("acknowledge", vec![2])]);
    assert_eq!(
        done(&wire.receipt("a", "u2", 200)),
        [("acknowledge", vec![1])]
    );
    let again = wire.receipt("a", "u2", 200);
    assert!(
        again.out.is_empty() && again.commands.is_empty(),
        "once is enough"
    );
    assert_eq!(
        done(&wire.deliver(&[message(4, "d", "x")])),
        [],
        "no more presuming"
    );
}

#[test]
fn a_rejection_is_told_in_the_clients_words_and_is_an_acknowledgement_too() {
    let mut wire = Wire::open();
    wire.deliver(&[message(1, "a", "x")]);
    let turn = wire.receipt("a", "u2", 407);
    assert_eq!(
        done(&turn),
        [("doubt", vec![]), ("settle", vec![1]), ("reject", vec![1])]
    );
    assert!(matches!(&turn.commands[2], Command::Reject(_, why) if why == "解析失败"));
    assert_eq!(
        only_status(&wire.receipt("a", "u2", 400)),
        ("a".into(), 404)
    );
}

#[test]
fn a_receipt_for_what_was_not_given_here_is_looked_up() {
    let mut wire = Wire::open();
    let find = |wire: &mut Wire, found: Result<Message, Refusal>| {
        let turn = wire.receipt("zz", "u2", 200);
        let Some(Command::Ask(id, Ask::Find { name, within: None })) = turn.commands.last() else {
            panic!("{turn:?}")
        };
        assert_eq!(name, "zz");
        let mut turn = Turn::default();
        wire.machine
            .answer(*id, Answer::Message(found), START, &mut turn);
        turn
    };
    let turn = find(&mut wire, Err(Refusal::NoSuchMessage));
    assert_eq!(only_status(&turn), ("zz".into(), 407));
    let found = Message::clone(&message(3, "zz", "x"));
    let turn = find(&mut wire, Ok(found.clone()));
    assert_eq!(done(&turn), [("acknowledge", vec![3])]);
    let own = Message {
        sender: user("u1", 1),
        ..found
    };
    assert_eq!(only_status(&find(&mut wire, Ok(own))), ("zz".into(), 407));
    let turn = find(&mut wire, Err(Refusal::Ambiguous));
    assert!(turn.out.is_empty() && turn.commands.is_empty());
}

#[test]
fn who_never_acknowledges_is_presumed_to_have_what_was_written_for_long() {
    let mut wire = Wire::open();
    wire.deliver(&[message(1, "a", "x"), message(2, "b", "x")]);
    let mut turn = Turn::default();
    wire.machine.tick(after(30_000), &mut turn);
    assert_eq!(done(&turn), [("acknowledge", vec![1, 2])]);
    let late = wire.receipt("a", "u2", 200);
    assert!(late.out.is_empty(), "it is still known");
    let mut many = Wire::open();
    let messages: Vec<_> = (1..=300).map(|id| message(id, "", "x")).collect();
    let turn = many.deliver(&messages);
    assert!(many.machine.has_room());
    let first: Vec<i64> = (1..=44).collect();
    assert_eq!(done(&turn), [("acknowledge", first), ("presume", vec![])]);
}

#[test]
fn who_acknowledges_is_given_no_more_than_a_window() {
    let mut wire = Wire::open();
    wire.deliver(&[message(1, "a", "x")]);
    wire.receipt("a", "u2", 200);
    let messages: Vec<_> = (2..=1001).map(|id| message(id, "", "x")).collect();
    wire.deliver(&messages);
    assert!(!wire.machine.has_room());
    wire.receipt("2", "u2", 200);
    assert!(wire.machine.has_room());
}

#[test]
fn passing_messages_are_acknowledged_but_never_waited_for() {
    let mut wire = Wire::open();
    let passing = with(&message(5, "p", "x"), |message| message.seq = 0);
    assert_eq!(done(&wire.deliver(&[passing])), []);
    let turn = wire.receipt("p", "u2", 200);
    assert_eq!(done(&turn), [("doubt", vec![]), ("acknowledge", vec![5])]);
}

#[test]
fn senders_are_told_who_has_their_messages() {
    let mut wire = Wire::open();
    let own = with(&message(5, "c-2", "x"), |message| {
        message.sender = user("u1", 1);
    });
    let foreign = with_body(&own, |body| body.origin = Origin(1));
    let by = user("u2", 2);
    let delivered = |message: &Arc<Message>| Notice::Delivered {
        message: Arc::clone(message),
        by: by.clone(),
        at_ms: START.wall_ms,
    };
    let rejected = Notice::Rejected {
        message: Arc::clone(&own),
        by: by.clone(),
        why: "解析失败".into(),
    };
    let presence = Notice::Presence {
        user: by.clone(),
        is_online: true,
        is_turn: true,
        status: "".into(),
        device_flag: 0,
        id: MessageId(9),
        at_ms: 0,
    };
    let notices = [delivered(&own), delivered(&foreign), rejected, presence];
    let mut events = notices.map(|notice| Event::Notice(Arc::new(notice))).into();
    let mut turn = Turn::default();
    wire.machine.deliver(&mut events, START, &mut turn);
    let shown = said(&turn);
    assert_eq!(shown.len(), 2, "what is from elsewhere has no id here");
    for (shown, body) in shown.iter().zip([
        r#"{"code":200,"status":"SUCCESS","msg":"已接收"}"#,
        r#"{"code":407,"status":"RECEIVE_ERROR","msg":"解析失败"}"#,
    ]) {
        assert_eq!(
            *shown,
            json!({
                "id": "c-2", "type": 9101, "isSystem": false, "from": "u2", "to": "u1",
                "body": body, "timestamp": START.wall_ms,
            })
        );
    }
}
