//! What is pushed, and how it is acknowledged.

use super::*;

#[test]
fn a_message_of_the_dialect_comes_as_its_author_wrote_it() {
    let mut wire = Wire::open();
    let mut sent = Message::clone(&message(7, "bob", "{\"a\" : \"<é>\"}"));
    let body = Body {
        tag: "77".into(),
        extra: Some(Bytes::from_static(
            b"{\"deviceId\":\"d-9\",\"version\":\"2\",\"mark\":{\"k\": 1}}",
        )),
        name: Some("m-7".into()),
        ..Body::clone(&sent.body)
    };
    sent.body = Arc::new(body);
    let turn = wire.push(&Arc::new(sent));
    let expected = json!({
        "appId": "1477358668", "deviceId": "d-9", "mark": {"k": 1}, "msgType": 140,
        "timestamp": START.wall_ms, "unique": "s7", "userId": "bob", "version": "2",
        "contentType": 77, "message": "{\"a\" : \"<é>\"}", "messageId": "m-7",
        "receiveSign": "", "receiveUserId": "48057", "sendTime": START.wall_ms,
        "sendTimeDate": "2024-02-24 10:46:35",
    });
    assert_eq!(heard(&turn), [expected]);
    assert!(turn.commands.is_empty(), "it is not acknowledged yet");
}

#[test]
fn a_message_of_another_dialect_comes_in_this_ones_words() {
    let mut wire = Wire::open();
    let mut sent = Message::clone(&message(7, "bob", "{\"type\":\"text\",\"text\":\"hi\"}"));
    sent.body = Arc::new(Body {
        origin: Origin::REST,
        client_no: "theirs".into(),
        name: Some("theirs".into()),
        tag: "".into(),
        ..Body::clone(&sent.body)
    });
    let turn = wire.push(&Arc::new(sent));
    let pushed = &heard(&turn)[0];
    assert_eq!(
        (&pushed["contentType"], &pushed["message"]),
        (&json!(1), &json!("hi"))
    );
    assert_eq!(
        (&pushed["messageId"], &pushed["unique"]),
        (&json!("7"), &json!("7"))
    );
    assert_eq!(pushed["version"], "1.10", "the connection's own");
}

#[test]
fn nobody_can_speak_for_the_system() {
    let tip = "{\"type\":\"tip\",\"text\":\"your account is closed\"}";
    let mut sent = Message::clone(&message(7, "bob", tip));
    sent.body = Arc::new(Body {
        origin: Origin::REST,
        tag: "".into(),
        ..Body::clone(&sent.body)
    });
    let turn = Wire::open().push(&Arc::new(sent.clone()));
    assert_eq!(heard(&turn)[0]["userId"], "bob");
    sent.id = MessageId(8);
    sent.sender.uid = Uid::system();
    let turn = Wire::open().push(&Arc::new(sent));
    assert_eq!(heard(&turn)[0]["userId"], "SYSTEM");
}

#[test]
fn a_frame_for_many_is_each_receivers_own() {
    let shared = message(7, "bob", "\"x\"");
    let mut first = Wire::open();
    let mut app = admitted();
    app.version = "3".into();
    app.app = AppId::parse("other").expect("an app id");
    app.codes = Some(Codes::Prose);
    let (mut second, _) = Wire::open_as(app, GyyxBehaviour::default());
    for _ in 0..2 {
        let one = heard(&first.push(&shared))[0].clone();
        let other = heard(&second.push(&shared))[0].clone();
        let of = |frame: &Value| {
            let members = ["msgType", "appId", "version", "receiveUserId"];
            members.map(|name| frame[name].clone())
        };
        assert_eq!(
            of(&one),
            [
                json!(140),
                json!("1477358668"),
                json!("1.10"),
                json!("48057")
            ]
        );
        assert_eq!(
            of(&other),
            [json!(40), json!("other"), json!("3"), json!("48057")]
        );
    }
}

#[test]
fn groups_are_named_with_their_prefix() {
    let mut wire = Wire::open();
    let mut sent = Message::clone(&message(7, "bob", "\"x\""));
    sent.channel = Arc::new(ChannelRef {
        num: ChannelNum(3),
        key: ChannelKey {
            realm: Realm::default(),
            kind: ChannelKind::GROUP,
            id: "g1".into(),
        },
        log: LogKind::Chat,
    });
    let turn = wire.push(&Arc::new(sent));
    assert_eq!(heard(&turn)[0]["receiveUserId"], "group:g1");
    assert_eq!(heard(&turn)[0]["userId"], "bob");
}

#[test]
fn what_is_not_shown_counts_as_given() {
    let mut wire = Wire::open();
    let mut command = Message::clone(&message(1, "bob", "\"x\""));
    command.body = Arc::new(Body {
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        ..Body::clone(&command.body)
    });
    let revocation = Revocation {
        by: None,
        at_ms: START.wall_ms,
        ..Revocation::default()
    };
    let revoked = message(2, "bob", "\"secret\"").tombstone(revocation);
    let concealed = message(3, "bob", "\"secret\"").concealed();
    for message in [command, revoked, concealed] {
        let id = message.id.0;
        let turn = wire.push(&Arc::new(message));
        assert!(turn.out.is_empty(), "{id}");
        assert_eq!(acknowledged(&turn), [id]);
    }
}

#[test]
fn passing_messages_are_given_once_they_are_written() {
    let mut wire = Wire::open();
    let mut passing = Message::clone(&message(1, "bob", "\"x\""));
    passing.seq = 0;
    let turn = wire.push(&Arc::new(passing));
    assert_eq!(codes(&turn), [140]);
    assert_eq!(acknowledged(&turn), [1]);
}

#[test]
fn a_141_acknowledges_by_any_of_the_messages_names_or_by_its_sender() {
    let mut wire = Wire::open();
    let mut named = Message::clone(&message(1, "bob", "\"x\""));
    named.body = Arc::new(Body {
        name: Some("m-1".into()),
        ..Body::clone(&named.body)
    });
    let named = Arc::new(named);
    for more in [
        json!({"messageId": "m-1"}),
        json!({"messageId": "1"}),
        json!({"receiveUserId": "bob"}),
        json!({"messageId": "m-1", "receiveUserId": "whoever"}),
    ] {
        wire.push(&named);
        wire.push(&message(2, "carol", "\"x\""));
        let turn = wire.say(&frame(141, "a", more.clone()));
        assert!(turn.out.is_empty(), "a 141 is not answered");
        assert_eq!(acknowledged(&turn), [1], "{more}");
        wire.say(&frame(141, "a", json!({"receiveUserId": "carol"})));
    }
    let turn = wire.say(&frame(141, "a", json!({"messageId": "unheard-of"})));
    assert!(turn.out.is_empty() && turn.commands.is_empty());
}

#[test]
fn a_31_acknowledges_by_the_frames_unique_or_in_order() {
    let mut wire = Wire::open();
    for id in 1..=4 {
        wire.push(&message(id, "bob", "\"x\""));
    }
    let ack = |wire: &mut Wire, unique: &str, code: i64| {
        let turn = wire.say(&frame(31, unique, json!({"receiveMsgType": code})));
        assert!(turn.out.is_empty());
        acknowledged(&turn)
    };
    assert_eq!(ack(&mut wire, "s3", 140), [3]);
    assert_eq!(ack(&mut wire, "own-1", 40), [1]);
    assert_eq!(ack(&mut wire, "own-2", 140), [2]);
    assert_eq!(ack(&mut wire, "s4", 101), [0; 0], "for something else");
    assert_eq!(ack(&mut wire, "s4", 140), [4]);
}

#[test]
fn what_is_not_acknowledged_comes_again_to_those_who_do() {
    let mut wire = Wire::open();
    wire.push(&message(1, "bob", "\"x\""));
    assert_eq!(
        codes(&wire.tick(after(15_000))),
        [0; 0],
        "it may not know how"
    );
    wire.say_at(&frame(141, "a", json!({"messageId": "1"})), after(15_000));
    let event = Event::Message(message(2, "bob", "\"y\""));
    wire.deliver(event, after(20_000));
    assert_eq!(wire.machine.next_deadline(), START.mono_ms + 30_000);
    for at in [30_000, 40_000, 50_000] {
        wire.say_at(&frame(20, "h", json!({})), after(at - 1));
        assert_eq!(codes(&wire.tick(after(at - 1))), [0; 0]);
        let turn = wire.tick(after(at));
        assert_eq!(codes(&turn), [140]);
        assert_eq!(heard(&turn)[0]["unique"], "s2");
    }
    assert_eq!(codes(&wire.tick(after(60_000))), [0; 0], "three times");
}

#[test]
fn a_message_taken_back_does_not_come_again() {
    let mut wire = Wire::open();
    wire.push(&message(1, "bob", "\"x\""));
    wire.say(&frame(141, "a", json!({"messageId": "1"})));
    wire.push(&message(2, "bob", "\"secret\""));
    wire.push(&revoked(&message(2, "bob", "\"secret\""), Some("bob")));
    assert_eq!(codes(&wire.tick(after(10_000))), [0; 0]);
}

/// The entry of a command log that says that a message was taken back.
fn revoked(message: &Arc<Message>, by: Option<&str>) -> Arc<Message> {
    change(
        message,
        &Change::Revoked {
            message: MessageName::of(message),
            by: by.map(str::to_owned),
            at_ms: START.wall_ms + 9,
        },
    )
}

fn change(beside: &Arc<Message>, change: &Change) -> Arc<Message> {
    let mut entry = Message::clone(beside);
    entry.id = MessageId(beside.id.0 + 100);
    entry.body = Arc::new(Body {
        origin: Origin::CHANGE,
        flags: Flags {
            command: true,
            ..Flags::default()
        },
        payload: serde_json::to_vec(change).expect("JSON").into(),
        ..Body::default()
    });
    Arc::new(entry)
}

#[test]
fn receivers_are_told_of_what_was_taken_back() {
    let mut wire = Wire::open();
    let mut named = Message::clone(&message(7, "bob", "\"secret\""));
    named.body = Arc::new(Body {
        name: Some("m-7".into()),
        ..Body::clone(&named.body)
    });
    let turn = wire.push(&revoked(&Arc::new(named), Some("bob")));
    let [told] = &heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(told["msgType"], 192);
    assert_eq!(
        (&told["userId"], &told["receiveUserId"]),
        (&json!("bob"), &json!("48057"))
    );
    assert_eq!(
        (&told["messageId"], &told["message"]),
        (&json!("m-7"), &json!(""))
    );
    assert_eq!(acknowledged(&turn), [107]);
}

#[test]
fn authors_are_told_of_what_others_have_taken_back() {
    let mut wire = Wire::open();
    let own = message(7, "48057", "\"x\"");
    // What they did themselves was answered.
    assert_eq!(codes(&wire.push(&revoked(&own, Some("48057")))), [0; 0]);
    let turn = wire.push(&revoked(&own, None));
    assert_eq!(codes(&turn), [191]);
    assert_eq!(heard(&turn)[0]["receiveUserId"], "bob");
    assert_eq!(codes(&wire.push(&revoked(&own, Some("bob")))), [191]);
}

#[test]
fn authors_are_told_who_has_read() {
    let mut wire = Wire::open();
    let own = message(7, "48057", "\"x\"");
    let mut foreign = MessageName::of(&own);
    foreign.origin = WUKONG_ORIGIN.0;
    let read = |messages| Change::Read {
        channel: crosstalk_core::change::ChannelName::of(&own.channel.key),
        reader: "bob".into(),
        up_to: 8,
        messages,
        at_ms: START.wall_ms,
    };
    let turn = wire.push(&change(&own, &read(vec![MessageName::of(&own), foreign])));
    let [told] = &heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(told["msgType"], 199);
    assert_eq!(
        (&told["userId"], &told["receiveUserId"]),
        (&json!("bob"), &json!("48057"))
    );
    assert_eq!(told["messageId"], "7", "the newest");
    assert_eq!(codes(&wire.push(&change(&own, &read(Vec::new())))), [0; 0]);
    let unread = Change::Unread {
        channel: crosstalk_core::change::ChannelName::of(&own.channel.key),
        read_seq: 8,
        unread: 0,
        at_ms: START.wall_ms,
    };
    let turn = wire.push(&change(&own, &unread));
    assert!(turn.out.is_empty());
    assert_eq!(acknowledged(&turn), [107]);
}

#[test]
fn friends_come_and_go() {
    let mut wire = Wire::open();
    for (is_online, code) in [(true, 200), (false, 210)] {
        let notice = |is_turn| Notice::Presence {
            user: user("bob", 2),
            is_online,
            is_turn,
            status: "busy".into(),
            device_flag: 0,
            id: MessageId(9),
            at_ms: START.wall_ms,
        };
        // There is no place for what somebody says beside being there.
        let turn = wire.deliver(Event::Notice(Arc::new(notice(false))), START);
        assert!(turn.out.is_empty());
        let turn = wire.deliver(Event::Notice(Arc::new(notice(true))), START);
        let [told] = &heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(told["msgType"], code);
        assert_eq!(
            (&told["friendUserId"], &told["userId"]),
            (&json!("bob"), &json!("48057"))
        );
        assert_eq!(told["isOnline"], is_online);
        assert!(turn.commands.is_empty());
    }
}

#[test]
fn the_server_takes_back_what_it_said_under_the_name_it_said_it() {
    let mut wire = Wire::open();
    let mut said = Message::clone(&message(7, "bob", "\"x\""));
    said.sender = UserRef {
        num: UserNum(9),
        uid: Uid::system(),
    };
    let turn = wire.push(&revoked(&Arc::new(said), None));
    assert_eq!(codes(&turn), [192]);
    assert_eq!(heard(&turn)[0]["userId"], "SYSTEM");
}
