//! What is asked of the core, in order, and lists.

use super::*;

fn own(messages: &[(i64, &str, &'static str)]) -> Vec<Message> {
    let messages = messages.iter();
    messages
        .map(|(id, from, payload)| Message::clone(&message(*id, from, payload)))
        .collect()
}

fn named(peer: &str) -> Target {
    Target::Named(peer.into())
}

fn row() -> ConversationRow {
    ConversationRow {
        channel: Arc::clone(&message(1, "bob", "\"x\"").channel),
        head_seq: 2,
        head_ordinal: 2,
        head: None,
        read_seq: 2,
        badge_seq: 2,
        badge_ordinal: 2,
        uncounted: 0,
        directed: 0,
        begins_after: 0,
        hidden_seq: None,
        pinned_at_ms: 0,
        kept: crosstalk_core::conversation::Kept::default(),
        version: 1,
    }
}

#[test]
fn unread_messages_come_with_the_requests_unique_and_30_is_the_end() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(102, "q1", json!({"receiveUserId": "48057"})));
    let (id, ask) = only_ask(&turn);
    let all = Ask::Unread {
        of: None,
        limit: 10_000,
    };
    assert_eq!(*ask, all);
    let unread = own(&[
        (1, "bob", "\"a\""),
        (2, "bob", "\"b\""),
        (3, "carol", "\"c\""),
    ]);
    let turn = wire.answer(id, Answer::Messages(Ok(unread)));
    assert_eq!(codes(&turn), [140, 140, 140, 30]);
    let frames = heard(&turn);
    assert!(frames.iter().all(|frame| frame["unique"] == "q1"));
    assert_eq!(frames[3]["receiveMsgType"], 102);
    assert_eq!(frames[2]["message"], "c");
    // They are to be acknowledged like all others.
    let turn = wire.say(&frame(141, "a", json!({"messageId": "2"})));
    assert_eq!(acknowledged(&turn), [2]);
    let turn = wire.say(&frame(31, "q1", json!({"receiveMsgType": 140})));
    assert_eq!(acknowledged(&turn), [1, 3]);
}

#[test]
fn an_empty_list_is_just_30() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(102, "q1", json!({})));
    let (id, _) = only_ask(&turn);
    assert_eq!(
        codes(&wire.answer(id, Answer::Messages(Ok(Vec::new())))),
        [30]
    );
}

#[test]
fn long_lists_leave_in_portions() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(161, "q1", json!({"sender": "bob", "pageSize": 100})));
    let (id, _) = only_ask(&turn);
    let text: &'static str = Box::leak(format!("\"{}\"", "x".repeat(30_000)).into_boxed_str());
    let page: Vec<_> = (0..100).map(|id| (id, "bob", text)).collect();
    let mut turn = wire.answer(id, Answer::Messages(Ok(own(&page))));
    let mut all = codes(&turn);
    assert!((5..20).contains(&all.len()), "{}", all.len());
    while all.last() != Some(&30) {
        assert_eq!(wire.machine.next_deadline(), 0);
        // What is asked meanwhile waits.
        assert!(turn.commands.is_empty());
        turn = wire.tick(START);
        all.extend(codes(&turn));
    }
    assert_eq!(all.len(), 101);
    assert!(wire.machine.next_deadline() > START.mono_ms);
}

#[test]
fn lists_can_come_as_arrays() {
    let behaviour = GyyxBehaviour {
        list_as_array: true,
        ..GyyxBehaviour::default()
    };
    let (mut wire, _) = Wire::open_as(admitted(), behaviour);
    let turn = wire.say(&frame(102, "q1", json!({})));
    let (id, _) = only_ask(&turn);
    let unread = own(&[(1, "bob", "\"a\""), (2, "carol", "\"b\"")]);
    let turn = wire.answer(id, Answer::Messages(Ok(unread)));
    assert_eq!(codes(&turn), [140, 30]);
    let array = heard(&turn)[0]["message"]
        .as_str()
        .expect("a text")
        .to_owned();
    let array: Vec<Value> = serde_json::from_str(&array).expect("an array");
    let said: Vec<_> = array.iter().map(|frame| frame["message"].clone()).collect();
    assert_eq!(said, ["a", "b"]);
    let turn = wire.say(&frame(102, "q2", json!({})));
    let (id, _) = only_ask(&turn);
    assert_eq!(
        codes(&wire.answer(id, Answer::Messages(Ok(Vec::new())))),
        [30]
    );
}

#[test]
fn history_pages_name_their_place() {
    let mut wire = Wire::open();
    for (more, of, skip, limit) in [
        (
            json!({"sender": "bob"}),
            Scope::Channel(named("bob")),
            0,
            20,
        ),
        (
            json!({"sender": "group:g", "pageIndex": 3, "pageSize": 10}),
            Scope::Channel(named("group:g")),
            20,
            10,
        ),
        (
            json!({"sender": "48057", "pageSize": 1000}),
            Scope::Own,
            0,
            100,
        ),
        (json!({"pageSize": 0}), Scope::All, 0, 20),
    ] {
        let turn = wire.say(&frame(161, "q", more));
        let (id, ask) = only_ask(&turn);
        assert_eq!(*ask, Ask::Page { of, skip, limit });
        let page = own(&[(2, "bob", "\"b\""), (1, "48057", "\"a\"")]);
        let turn = wire.answer(id, Answer::Messages(Ok(page)));
        assert_eq!(codes(&turn), [162, 162, 30]);
        let frames = heard(&turn);
        assert_eq!(
            (&frames[0]["userId"], &frames[0]["receiveUserId"]),
            (&json!("bob"), &json!("48057"))
        );
        assert_eq!(
            (&frames[1]["userId"], &frames[1]["receiveUserId"]),
            (&json!("48057"), &json!("bob"))
        );
        assert_eq!(frames[2]["receiveMsgType"], 161);
    }
    assert_eq!(
        codes(&wire.say(&frame(161, "q", json!({"pageSize": "abc"})))),
        [10]
    );
    let turn = wire.say(&frame(161, "q", json!({"sender": "nobody"})));
    let (id, _) = only_ask(&turn);
    let refused = Answer::Messages(Err(Refusal::NoSuchUser));
    assert_eq!(codes(&wire.answer(id, refused)), [10]);
}

#[test]
fn history_does_not_show_what_was_taken_back() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(161, "q", json!({"sender": "bob"})));
    let (id, _) = only_ask(&turn);
    let mut page = own(&[(2, "bob", "\"b\""), (1, "bob", "\"a\"")]);
    let revocation = Revocation {
        by: None,
        at_ms: START.wall_ms,
        ..Revocation::default()
    };
    page[0] = page[0].tombstone(revocation);
    let turn = wire.answer(id, Answer::Messages(Ok(page)));
    assert_eq!(codes(&turn), [162, 30]);
    assert_eq!(heard(&turn)[0]["message"], "a");
}

#[test]
fn viewing_reads_and_then_shows() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(160, "q", json!({"receiveUserId": "bob"})));
    let (id, ask) = only_ask(&turn);
    assert_eq!(*ask, Ask::ReadConversation(named("bob"), None));
    let turn = wire.answer(id, Answer::Read(Ok((row(), None))));
    let (id, ask) = only_ask(&turn);
    let newest = Ask::Page {
        of: Scope::Channel(named("bob")),
        skip: 0,
        limit: 20,
    };
    assert_eq!(*ask, newest);
    let page = own(&[(1, "bob", "\"a\"")]);
    let turn = wire.answer(id, Answer::Messages(Ok(page)));
    assert_eq!(codes(&turn), [162, 30]);
    assert_eq!(heard(&turn)[1]["receiveMsgType"], 160);
}

#[test]
fn viewing_where_nothing_was_said_shows_nothing() {
    for (peer, why, code) in [
        ("bob", Refusal::NoSuchChannel, 30),
        ("group:g", Refusal::NoSuchChannel, 10),
        ("bob", Refusal::NoSuchUser, 10),
        ("g", Refusal::NotAMember, 10),
    ] {
        let mut wire = Wire::open();
        let turn = wire.say(&frame(160, "q", json!({"receiveUserId": peer})));
        let (id, _) = only_ask(&turn);
        assert_eq!(
            codes(&wire.answer(id, Answer::Read(Err(why)))),
            [code],
            "{peer} {why}"
        );
    }
    let behaviour = GyyxBehaviour {
        view_reply: false,
        ..GyyxBehaviour::default()
    };
    let (mut wire, _) = Wire::open_as(admitted(), behaviour);
    let turn = wire.say(&frame(160, "q", json!({"receiveUserId": "bob"})));
    let (id, _) = only_ask(&turn);
    let turn = wire.answer(id, Answer::Read(Ok((row(), None))));
    assert_eq!(codes(&turn), [30]);
    assert!(turn.commands.is_empty());
}

#[test]
fn totals_are_a_number_in_a_180() {
    let mut wire = Wire::open();
    for (more, of) in [
        (json!({}), None),
        (json!({"receiveUserId": "48057"}), None),
        (json!({"receiveUserId": "bob"}), Some(named("bob"))),
    ] {
        let turn = wire.say(&frame(180, "q", more));
        let (id, ask) = only_ask(&turn);
        assert_eq!(*ask, Ask::CountUnread(of));
        let turn = wire.answer(id, Answer::Count(Ok(3)));
        let [total] = &heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(
            (&total["msgType"], &total["message"]),
            (&json!(180), &json!("3"))
        );
        assert_eq!(total["unique"], "q");
    }
    let turn = wire.say(&frame(180, "q", json!({"receiveUserId": "no"})));
    let (id, _) = only_ask(&turn);
    assert_eq!(
        codes(&wire.answer(id, Answer::Count(Err(Refusal::NoSuchUser)))),
        [10]
    );
}

#[test]
fn recalls_are_answered_with_30_and_191() {
    let mut wire = Wire::open();
    let more = json!({"messageId": "m-1", "receiveUserId": "bob"});
    let turn = wire.say(&frame(190, "r1", more));
    let (id, ask) = only_ask(&turn);
    let revoke = Ask::Revoke {
        name: "m-1".into(),
        within: Some(named("bob")),
    };
    assert_eq!(*ask, revoke);
    let revocation = Revocation {
        by: Some(alice()),
        at_ms: START.wall_ms + 3,
        ..Revocation::default()
    };
    let taken = TakenBack {
        message: message(1, "48057", "\"x\"").tombstone(revocation),
        is_new: true,
    };
    let turn = wire.answer(id, Answer::Revoked(Ok(taken)));
    assert_eq!(codes(&turn), [30, 191]);
    let done = &heard(&turn)[1];
    assert_eq!(
        (&done["messageId"], &done["message"]),
        (&json!("1"), &json!(""))
    );
    assert_eq!(
        (&done["unique"], &done["receiveUserId"]),
        (&json!("r1"), &json!("bob"))
    );
    for why in [Refusal::TooLate, Refusal::Forbidden, Refusal::NoSuchMessage] {
        let turn = wire.say(&frame(190, "r2", json!({"messageId": "1"})));
        let (id, _) = only_ask(&turn);
        let turn = wire.answer(id, Answer::Revoked(Err(why)));
        assert_eq!(codes(&turn), [10], "{why}");
        assert_eq!(heard(&turn)[0]["unique"], "r2");
    }
}

#[test]
fn reading_is_answered_with_30_and_199() {
    let mut wire = Wire::open();
    // Clients that give back the fields of the 140 name themselves.
    let more = json!({"messageId": "1", "receiveUserId": "48057"});
    let turn = wire.say(&frame(198, "d1", more));
    let (id, ask) = only_ask(&turn);
    let one = Ask::ReadMessage {
        name: "1".into(),
        within: None,
    };
    assert_eq!(*ask, one);
    let read = Message::clone(&message(1, "bob", "\"x\""));
    let turn = wire.answer(id, Answer::Read(Ok((row(), Some(read)))));
    assert_eq!(codes(&turn), [30, 199]);
    let done = &heard(&turn)[1];
    assert_eq!(
        (&done["unique"], &done["messageId"]),
        (&json!("d1"), &json!("1"))
    );
    assert_eq!(done["userId"], "48057");
    let turn = wire.say(&frame(198, "d2", json!({"receiveUserId": "bob"})));
    let (id, ask) = only_ask(&turn);
    assert_eq!(*ask, Ask::ReadConversation(named("bob"), None));
    let turn = wire.answer(id, Answer::Read(Err(Refusal::NoSuchChannel)));
    assert_eq!(codes(&turn), [30, 199], "there is nothing that is not read");
    let turn = wire.say(&frame(198, "d3", json!({"messageId": "no"})));
    let (id, _) = only_ask(&turn);
    let refused = Answer::Read(Err(Refusal::NoSuchMessage));
    assert_eq!(codes(&wire.answer(id, refused)), [10]);
}

#[test]
fn requests_are_answered_in_their_order() {
    let mut wire = Wire::open();
    let turn = wire.say(&frame(160, "q1", json!({"receiveUserId": "bob"})));
    let (first, _) = only_ask(&turn);
    let turn = wire.say(&frame(180, "q2", json!({})));
    assert!(turn.commands.is_empty(), "it waits");
    let turn = wire.answer(first, Answer::Read(Ok((row(), None))));
    let (page, _) = only_ask(&turn);
    let turn = wire.answer(page, Answer::Messages(Ok(Vec::new())));
    assert_eq!(codes(&turn), [30]);
    assert!(matches!(only_ask(&turn).1, Ask::CountUnread(None)));
}

#[test]
fn too_many_requests_at_once_are_refused() {
    let mut wire = Wire::open();
    let mut refused = 0;
    for _ in 0..300 {
        let turn = wire.say(&frame(180, "q", json!({})));
        refused += codes(&turn).len();
    }
    assert_eq!(refused, 300 - 256 - 1);
}

#[test]
fn a_new_device_is_told_the_newest_of_each_conversation_once() {
    let mut wire = Wire::open();
    let asked = frame(20, "h1", json!({"deviceId": "d-1"}));
    let turn = wire.say(&asked);
    assert_eq!(codes(&turn), [21]);
    let (id, ask) = only_ask(&turn);
    assert_eq!(*ask, Ask::MeetDevice("d-1".into()));
    let turn = wire.answer(id, Answer::Device(Ok(true)));
    assert!(turn.out.is_empty());
    let (id, ask) = only_ask(&turn);
    assert_eq!(*ask, Ask::Newest { limit: 1_000 });
    let newest = own(&[(2, "bob", "\"b\""), (1, "carol", "\"a\"")]);
    let turn = wire.answer(id, Answer::Messages(Ok(newest)));
    assert_eq!(codes(&turn), [1170, 1170]);
    assert_eq!(heard(&turn)[0]["unique"], "h1");
    let turn = wire.say(&asked);
    assert!(turn.commands.is_empty(), "it is known now");
}

#[test]
fn a_known_device_is_told_nothing() {
    let mut wire = Wire::open();
    wire.say(&frame(20, "h0", json!({})));
    let turn = wire.say(&frame(20, "h1", json!({"deviceId": "d-1"})));
    let (id, _) = only_ask(&turn);
    let turn = wire.answer(id, Answer::Device(Ok(false)));
    assert!(turn.out.is_empty() && turn.commands.is_empty());
}

#[test]
fn who_asks_in_the_url_is_told_at_once_and_not_again() {
    let mut app = admitted();
    app.first = true;
    let (mut wire, turn) = Wire::open_as(app, GyyxBehaviour::default());
    assert_eq!(codes(&turn), [101]);
    let (id, ask) = only_ask(&turn);
    assert_eq!(*ask, Ask::Newest { limit: 1_000 });
    let newest = own(&[(2, "bob", "\"b\"")]);
    let turn = wire.answer(id, Answer::Messages(Ok(newest)));
    assert_eq!(codes(&turn), [1170]);
    let turn = wire.say(&frame(20, "h1", json!({"deviceId": "d-1"})));
    let (id, _) = only_ask(&turn);
    let turn = wire.answer(id, Answer::Device(Ok(true)));
    assert!(turn.out.is_empty() && turn.commands.is_empty());
}

#[test]
fn what_the_server_says_is_a_conversation_like_others() {
    let within = Some(Target::System);
    let peer = json!({"receiveUserId": "SYSTEM"});
    let message = json!({"receiveUserId": "SYSTEM", "messageId": "7"});
    let name = || "7".to_owned();
    for (code, more, expected) in [
        (160, &peer, Ask::ReadConversation(Target::System, None)),
        (180, &peer, Ask::CountUnread(within.clone())),
        (198, &peer, Ask::ReadConversation(Target::System, None)),
        (
            198,
            &message,
            Ask::ReadMessage {
                name: name(),
                within: within.clone(),
            },
        ),
        (
            161,
            &json!({"sender": "SYSTEM"}),
            Ask::Page {
                of: Scope::Channel(Target::System),
                skip: 0,
                limit: 20,
            },
        ),
    ] {
        let turn = Wire::open().say(&frame(code, "q", more.clone()));
        assert_eq!(only_ask(&turn).1, &expected, "{code}");
    }
}

#[test]
fn who_names_only_a_message_is_told_whose_conversation_it_is_in() {
    let mut wire = Wire::open();
    let only = json!({"messageId": "1"});
    let turn = wire.say(&frame(190, "r1", only.clone()));
    let (id, _) = only_ask(&turn);
    let taken = TakenBack {
        message: Message::clone(&message(1, "48057", "\"x\"")),
        is_new: true,
    };
    let turn = wire.answer(id, Answer::Revoked(Ok(taken)));
    assert_eq!(heard(&turn)[1]["receiveUserId"], "bob");
    let turn = wire.say(&frame(198, "d1", only));
    let (id, _) = only_ask(&turn);
    let read = Message::clone(&message(1, "bob", "\"x\""));
    let turn = wire.answer(id, Answer::Read(Ok((row(), Some(read)))));
    assert_eq!(heard(&turn)[1]["receiveUserId"], "bob");
}
