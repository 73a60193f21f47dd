//! Frames of an open session: subscriptions, acknowledgements, transactions, what is forbidden.

use super::*;

#[test]
fn frames_may_be_cut_and_joined_anywhere() {
    let mut wire = Wire::open();
    let frame = "\n\nSUBSCRIBE\r\nid:e\r\ndestination:/user/queue/errors\r\nreceipt:1\r\n\r\n\0\n";
    let mut input = BytesMut::new();
    let mut frames = Vec::new();
    for byte in frame.bytes() {
        input.extend_from_slice(&[byte]);
        let step = wire.step(|machine, now, turn| machine.receive(&mut input, now, turn));
        assert!(step.turn.close.is_none());
        frames.extend(step.frames);
    }
    assert_eq!((frames.len(), input.len()), (1, 0));
    let mut wire = Wire::open();
    let step = wire.say(&frame.repeat(3));
    assert_eq!(step.frames.len(), 3);
}

#[test]
fn what_is_no_frame_is_an_error_with_its_name() {
    for (bytes, message, code) in [
        ("garbage", "Illegal frame", 1002),
        ("NOPE\n\n\0", "Unknown command", 1002),
        ("SUBSCRIBE\nid:1\n\n\0", "Missing header destination", 1002),
        (
            "SUBSCRIBE\nid:1\ndestination:a\\tb\n\n\0",
            "Illegal escape sequence",
            1002,
        ),
        (
            "SEND\ndestination:/app/chat.send\n{\"a\":1}\0",
            "Illegal header",
            1002,
        ),
        (
            "SEND\ndestination:x\ncontent-length:1\n\nabc\0",
            "Wrong content-length",
            1002,
        ),
        (
            "SEND\ndestination:x\ncontent-length:99999999\n\n",
            "Frame too large",
            1009,
        ),
        ("ACK\n\n\0", "Missing header id", 1002),
    ] {
        let step = Wire::open().say(bytes);
        assert_eq!(step.error(code), message, "{bytes}");
    }
}

#[test]
fn clients_may_not_speak_for_the_broker() {
    for destination in [
        "/topic/group/g",
        "/topic/x",
        "/queue/x",
        "/user/bob/queue/messages",
        "/user/queue/messages",
    ] {
        let frame = format!("SEND\ndestination:{destination}\nreceipt:1\n\n{{}}\0");
        let step = Wire::open().say(&frame);
        assert_eq!(step.error(1008), "Forbidden", "{destination}");
        assert_eq!(step.one().header("receipt-id"), Some("1"));
        assert!(step.turn.commands.is_empty());
    }
}

#[test]
fn requests_that_nobody_serves_are_refused_and_not_fatal() {
    let mut wire = Wire::subscribed(&[ERRORS]);
    for destination in ["/app/chat.nope", "/app/chat.edit2", "/elsewhere"] {
        let step = wire.say(&format!(
            "SEND\ndestination:{destination}\nreceipt:1\n\n{{}}\0"
        ));
        let (destination, subscription, body) = read(step.one());
        assert_eq!((destination, subscription), ("/user/queue/errors", "e"));
        let expected = serde_json::json!({"code": 404, "message": "Unknown destination"});
        assert_eq!(body, expected);
        assert!(step.turn.close.is_none());
    }
}

#[test]
fn strangers_hear_nothing_of_a_group_and_are_told_so() {
    let mut wire = Wire::subscribed(&[ERRORS]);
    let step = wire.say("SUBSCRIBE\nid:g\ndestination:/topic/group/g\nreceipt:1\n\n\0");
    assert_eq!(step.one().header("receipt-id"), Some("1"));
    let (id, Ask::Membership(_)) = step.ask() else {
        panic!("{:?}", step.turn.commands)
    };
    let step = wire.answer(id, Answer::Membership(Ok(false)));
    let expected = serde_json::json!({
        "code": 403, "message": "Not a member", "destination": "/topic/group/g",
    });
    assert_eq!(read(step.one()).2, expected);
    assert!(step.turn.close.is_none());
}

#[test]
fn strict_servers_end_connections_of_strangers() {
    let strict = StompSettings {
        strict_subscribe: true,
        ..settings()
    };
    let headers = "accept-version:1.2\nheart-beat:0,0";
    let mut wire = Wire::open_as(strict.clone(), headers, None);
    let step = wire.say("SUBSCRIBE\nid:g\ndestination:/topic/group/g\nreceipt:1\n\n\0");
    step.none();
    let (id, _) = step.ask();
    let step = wire.answer(id, Answer::Membership(Ok(true)));
    assert_eq!(step.one().header("receipt-id"), Some("1"));
    let step = wire.subscribe("h /topic/group/h");
    let (id, _) = step.ask();
    let step = wire.answer(id, Answer::Membership(Err(Refusal::NoSuchChannel)));
    assert_eq!(step.error(1008), "Forbidden");
    let mut wire = Wire::open_as(strict, headers, None);
    assert_eq!(wire.subscribe("x /queue/x").error(1008), "Forbidden");
}

#[test]
fn acknowledged_is_what_the_client_says() {
    let mut wire = Wire::open();
    wire.say("SUBSCRIBE\nid:s\ndestination:/user/queue/messages\nack:client-individual\n\n\0");
    let step = wire.deliver(&[from_bob(1), from_bob(2), from_bob(3)]);
    assert!(step.acknowledged().is_empty());
    let acks: Vec<_> = step
        .frames
        .iter()
        .map(|it| it.header("ack").expect("an ack"))
        .collect();
    let ack = |id: &str| format!("ACK\nid:{id}\nreceipt:1\n\n\0");
    let step = wire.say(&ack(acks[1]));
    assert_eq!(step.acknowledged(), [2]);
    assert_eq!(step.one().header("receipt-id"), Some("1"));
    assert!(wire.say(&ack(acks[1])).acknowledged().is_empty());
    assert!(wire.say(&ack("nonsense")).acknowledged().is_empty());
    let step = wire.say(&format!("NACK\nid:{}\n\n\0", acks[0]));
    assert!(matches!(&step.turn.commands[..], [Command::Reject(it, _)] if it.id.0 == 1));
}

#[test]
fn an_ack_may_stand_for_all_before_it() {
    let mut wire = Wire::open();
    wire.say("SUBSCRIBE\nid:s\ndestination:/user/queue/messages\nack:client\n\n\0");
    wire.say("SUBSCRIBE\nid:g\ndestination:/topic/group/g\nack:client\n\n\0");
    let of_group = Arc::new(message(2, user("bob", 2), group(), "hi"));
    let step = wire.deliver(&[from_bob(1), of_group, from_bob(3), from_bob(4)]);
    let third = step.frames[2].header("ack").expect("an ack");
    assert_eq!(
        wire.say(&format!("ACK\nid:{third}\n\n\0")).acknowledged(),
        [1, 3]
    );
}

#[test]
fn older_versions_acknowledge_by_message_id() {
    let mut wire = Wire::open_as(settings(), "accept-version:1.1", None);
    wire.say("SUBSCRIBE\nid:s\ndestination:/user/queue/messages\nack:client\n\n\0");
    let step = wire.deliver(&[from_bob(1)]);
    let id = step.one().header("message-id").expect("an id").to_owned();
    let step = wire.say(&format!("ACK\nmessage-id:{id}\nsubscription:s\n\n\0"));
    assert_eq!(step.acknowledged(), [1]);
}

#[test]
fn too_much_that_is_not_acknowledged_stops_the_flow() {
    let mut wire = Wire::open();
    wire.say("SUBSCRIBE\nid:s\ndestination:/user/queue/messages\nack:client\n\n\0");
    let many: Vec<_> = (1..=1_000).map(from_bob).collect();
    let step = wire.deliver(&many);
    assert!(!wire.machine.has_room());
    let last = step.frames[999].header("ack").expect("an ack");
    assert_eq!(
        wire.say(&format!("ACK\nid:{last}\n\n\0"))
            .acknowledged()
            .len(),
        1_000
    );
    assert!(wire.machine.has_room());
}

#[test]
fn transactions_wait_for_their_commit() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    let send = "SEND\ndestination:/app/chat.send\ntransaction:t\n\n\
                {\"toId\":\"bob\",\"chatType\":\"SINGLE\",\"msgType\":\"TEXT\",\"content\":\"x\"}\0";
    let step = wire.say(&format!(
        "BEGIN\ntransaction:t\nreceipt:1\n\n\0{send}{send}"
    ));
    assert_eq!(step.one().header("receipt-id"), Some("1"));
    assert!(step.turn.commands.is_empty());
    let step = wire.say("COMMIT\ntransaction:t\nreceipt:2\n\n\0");
    step.none();
    assert_eq!(step.turn.commands.len(), 2);
    wire.reply(0, Err(Refusal::NoSuchUser));
    wire.reply(1, Ok(accepted(7, true))).none();
    let own = Arc::new(message(7, user("alice", 1), direct(), "x"));
    let step = wire.deliver(&[own]);
    assert_eq!(step.frames[1].header("receipt-id"), Some("2"));
    let step = wire.say(&format!(
        "BEGIN\ntransaction:t\n\n\0{send}ABORT\ntransaction:t\n\n\0"
    ));
    assert!(step.turn.commands.is_empty());
    assert_eq!(
        wire.say("COMMIT\ntransaction:t\n\n\0").error(1002),
        "Unknown transaction"
    );
}

#[test]
fn what_is_unsubscribed_is_silent() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    assert_eq!(wire.deliver(&[from_bob(1)]).acknowledged(), [1]);
    let step = wire.say("UNSUBSCRIBE\nid:s\nreceipt:1\n\n\0");
    assert_eq!(step.one().header("receipt-id"), Some("1"));
    let step = wire.deliver(&[from_bob(2)]);
    step.none();
    assert!(step.acknowledged().is_empty(), "it waits for a sync");
}

#[test]
fn no_byte_that_is_wrong_does_more_than_end_its_connection() {
    let transcript = "SUBSCRIBE\nid:s\ndestination:/user/queue/messages\nack:client\n\n\0\
        SUBSCRIBE\nid:g\ndestination:/topic/group/g\n\n\0\
        BEGIN\ntransaction:t\n\n\0\
        SEND\ndestination:/app/chat.send\ntransaction:t\nreceipt:1\n\n\
        {\"messageId\":\"m\",\"toId\":\"bob\",\"chatType\":\"SINGLE\",\"msgType\":\"TEXT\",\"content\":\"x\"}\0\
        COMMIT\ntransaction:t\nreceipt:2\n\n\0\
        SEND\ndestination:/app/chat.revoke\n\n{\"messageId\":\"m\"}\0\
        SEND\ndestination:/app/chat.sync\ncontent-length:12\n\n{\"limit\":200}\0\
        UNSUBSCRIBE\nid:g\n\n\0ACK\nid:s0-1-1\n\n\0DISCONNECT\nreceipt:3\n\n\0"
        .as_bytes();
    for at in 0..transcript.len() {
        for wrong in [0, b'\n', b':', b'\\', b'{', 0xff] {
            let mut bytes = transcript.to_vec();
            bytes[at] = wrong;
            let mut wire = Wire::open();
            let step = wire.bytes(&bytes);
            // Whatever was said is whole frames; a connection that goes on still answers.
            if step.turn.close.is_none() && !wire.machine.has_room() {
                wire.tick_at(2_000);
            }
        }
    }
}
