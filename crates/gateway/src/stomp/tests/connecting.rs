//! From CONNECT to the close.

use crosstalk_core::im::Credential;
use crosstalk_core::session::{Displacement, Ending, Offline};

use super::*;

#[test]
fn connect_shows_its_tokens_and_connected_agrees_on_the_rest() {
    let mut wire = Wire::with(settings(), "token=of%2Equery");
    let step = wire.say(
        "CONNECT\naccept-version:1.2\nheart-beat:5000,0\nhost:h\nAuthorization: Bearer of.header\n\
         passcode:pass\ndeviceId:phone\n\n\0",
    );
    let [Command::Open(open)] = &step.turn.commands[..] else {
        panic!("{:?}", step.turn)
    };
    let Credential::Login(login) = &open.credential else {
        panic!("{open:?}")
    };
    assert_eq!(login.credentials, ["of.header", "pass", "of.query"]);
    assert_eq!(login.query, "token=of%2Equery");
    assert_eq!(&*open.device_id, "phone");
    assert!(open.delivery.stable_device && open.delivery.acks);
    assert_eq!(open.delivery.offline, Offline::Pull);
    assert_eq!(open.max_sessions, 10);
    let session = Session::detached(user("alice", 1));
    let step = wire.step(|machine, now, turn| machine.opened(Ok(&session), now, turn));
    let connected = step.one();
    assert_eq!(connected.command, Verb::Connected);
    assert_eq!(connected.header("version"), Some("1.2"));
    assert_eq!(connected.header("heart-beat"), Some("0,5000"));
    assert_eq!(connected.header("user-name"), Some("alice"));
    assert!(connected.header("session").is_some());
    assert!(
        connected
            .header("server")
            .is_some_and(|it| it.starts_with("crosstalk"))
    );
}

#[test]
fn devices_without_a_name_are_like_no_other() {
    let mut names = Vec::new();
    for seed in [[1; 48], [2; 48]] {
        let arrival = Arrival::tcp([127, 0, 0, 1].into());
        let mut machine = Machine::new(settings(), arrival, &seed, START);
        let mut turn = Turn::default();
        let mut input = BytesMut::from(&b"CONNECT\naccept-version:1.2\n\n\0"[..]);
        machine.receive(&mut input, START, &mut turn);
        let [Command::Open(open)] = &turn.commands[..] else {
            panic!("{turn:?}")
        };
        assert!(!open.delivery.stable_device);
        names.push(open.device_id.clone());
    }
    assert_ne!(names[0], names[1]);
}

#[test]
fn versions_are_agreed_on_and_none_is_an_error_that_lists_ours() {
    for (accept, version) in [
        ("accept-version:1.0,1.1", "1.1"),
        ("accept-version:1.1,1.2,9.9", "1.2"),
        ("x:y", "1.0"),
    ] {
        let wire = Wire::open_as(settings(), accept, None);
        drop(wire);
        let mut wire = Wire::new();
        wire.say(&format!("STOMP\n{accept}\n\n\0"));
        let session = Session::detached(user("alice", 1));
        let step = wire.step(|machine, now, turn| machine.opened(Ok(&session), now, turn));
        assert_eq!(step.one().header("version"), Some(version));
    }
    let step = Wire::new().say("CONNECT\naccept-version:9.9\n\n\0");
    assert_eq!(step.error(1002), "Unsupported version");
    assert_eq!(step.one().header("version"), Some("1.0,1.1,1.2"));
}

#[test]
fn who_is_not_let_in_hears_the_documented_error() {
    for why in [
        Refusal::NotAuthenticated,
        Refusal::UserBanned,
        Refusal::LoginThrottled,
    ] {
        let mut wire = Wire::new();
        wire.say("CONNECT\naccept-version:1.2\n\n\0");
        let step = wire.step(|machine, now, turn| machine.opened(Err(why), now, turn));
        assert_eq!(step.error(1008), "Unauthorized");
        assert_eq!(step.one().header("content-type"), Some("text/plain"));
        assert_eq!(&step.one().body[..], b"Unauthorized");
    }
    let mut wire = Wire::new();
    wire.say("CONNECT\naccept-version:1.2\n\n\0");
    let why = Refusal::Unavailable;
    let step = wire.step(|machine, now, turn| machine.opened(Err(why), now, turn));
    assert_eq!(step.error(1011), "Internal error");
}

#[test]
fn connect_comes_first_and_once() {
    let step = Wire::new().say("SEND\ndestination:/app/chat.send\nreceipt:7\n\n{}\0");
    assert_eq!(step.error(1002), "Not connected");
    assert_eq!(step.one().header("receipt-id"), Some("7"));
    let step = Wire::open().say("CONNECT\naccept-version:1.2\n\n\0");
    assert_eq!(step.error(1002), "Already connected");
    let step = Wire::new().tick_at(29_999);
    step.none();
    assert_eq!(Wire::new().tick_at(30_000).error(1002), "Not connected");
}

#[test]
fn what_follows_connect_in_the_same_breath_waits_for_the_session() {
    let mut wire = Wire::new();
    let mut input = BytesMut::from(
        &b"CONNECT\naccept-version:1.2\n\n\0SUBSCRIBE\nid:s\ndestination:/user/queue/errors\nreceipt:1\n\n\0"
            [..],
    );
    let step = wire.step(|machine, now, turn| machine.receive(&mut input, now, turn));
    assert!(step.frames.is_empty());
    assert!(!input.is_empty());
    let session = Session::detached(user("alice", 1));
    let step = wire.step(|machine, now, turn| {
        machine.opened(Ok(&session), now, turn);
        machine.receive(&mut input, now, turn);
    });
    let commands: Vec<_> = step.frames.iter().map(|frame| frame.command).collect();
    assert_eq!(commands, [Verb::Connected, Verb::Receipt]);
}

#[test]
fn heart_beats_are_sent_and_expected_as_agreed() {
    let headers = "accept-version:1.2\nheart-beat:5000,5000";
    let mut wire = Wire::open_as(settings(), headers, None);
    assert!(wire.machine.next_deadline() <= after(4_500).mono_ms);
    let step = wire.tick_at(4_500);
    assert_eq!(step.turn.out.bytes(), b"\n");
    let step = wire.tick_at(5_000);
    assert!(step.turn.out.is_empty());
    wire.now = after(6_000);
    wire.bytes(b"\n").none();
    // The client was heard at 6,000.
    assert!(wire.tick_at(15_999).turn.close.is_none());
    assert_eq!(wire.tick_at(16_000).error(1002), "Session closed.");
}

#[test]
fn without_heart_beats_nobody_is_cut_off_and_none_is_sent() {
    let mut wire = Wire::open();
    for ms in [5_000, 60_000, 200_000] {
        let step = wire.tick_at(ms);
        assert!(step.turn.out.is_empty(), "at {ms}");
        step.none();
    }
    // The transport's own sign of life, if it has one.
    let step = wire.tick_at(300_000);
    assert_eq!(
        (step.turn.out.frames(), step.turn.out.bytes().len()),
        (1, 0)
    );
}

#[test]
fn a_token_is_told_to_end_and_ends_the_session() {
    let ends = START.wall_ms + 360_000;
    let headers = "accept-version:1.2\nheart-beat:0,0";
    let mut wire = Wire::open_as(settings(), headers, Some(ends));
    wire.subscribe(EVENTS);
    wire.tick_at(59_999).none();
    assert!(wire.machine.next_deadline() <= after(60_000).mono_ms);
    let step = wire.tick_at(60_000);
    let (_, _, body) = read(step.one());
    let expected = serde_json::json!({
        "event": "TOKEN_EXPIRING", "at": START.wall_ms + 60_000, "expiresAt": ends,
    });
    assert_eq!(body, expected);
    wire.tick_at(60_001).none();
    wire.tick_at(340_000).none();
    assert_eq!(wire.tick_at(360_000).error(1008), "Token expired");
}

#[test]
fn who_subscribes_to_events_late_is_told_then() {
    let headers = "accept-version:1.2\nheart-beat:0,0";
    let mut wire = Wire::open_as(settings(), headers, Some(START.wall_ms + 10_000));
    wire.tick_at(6_000).none();
    let step = wire.subscribe(EVENTS);
    assert_eq!(read(step.one()).2["event"], "TOKEN_EXPIRING");
}

#[test]
fn sessions_may_outlive_their_tokens_if_that_is_wanted() {
    let lasting = StompSettings {
        close_on_expiry: false,
        ..settings()
    };
    let headers = "accept-version:1.2\nheart-beat:0,0";
    let mut wire = Wire::open_as(lasting, headers, Some(START.wall_ms + 10_000));
    wire.tick_at(200_000).none();
}

#[test]
fn a_token_that_has_ended_opens_nothing() {
    let mut wire = Wire::new();
    wire.say("CONNECT\naccept-version:1.2\n\n\0");
    let mut session = Session::detached(user("alice", 1));
    Arc::get_mut(&mut session)
        .expect("the only one")
        .expires_at_ms = Some(START.wall_ms);
    let step = wire.step(|machine, now, turn| machine.opened(Ok(&session), now, turn));
    assert_eq!(step.error(1008), "Unauthorized");
}

#[test]
fn who_has_to_go_is_told_why() {
    let end = |wire: &mut Wire, why| wire.step(|machine, now, turn| machine.ending(why, now, turn));
    let replaced = Ending::Displaced(Displacement::Replaced);
    let mut wire = Wire::subscribed(&[EVENTS]);
    let step = end(&mut wire, replaced);
    let (_, _, body) = read(step.one());
    assert_eq!(body["event"], "KICKED");
    assert!(body["reason"].as_str().is_some_and(|why| !why.is_empty()));
    assert_eq!(step.turn.close.map(|close| close.code), Some(1008));
    assert_eq!(
        end(&mut Wire::open(), replaced).error(1008),
        "Session replaced"
    );
    assert_eq!(
        end(&mut Wire::open(), Ending::Kicked).error(1008),
        "Unauthorized"
    );
    let step = end(&mut Wire::open(), Ending::ShuttingDown);
    assert!(step.frames.is_empty());
    assert_eq!(step.turn.close.map(|close| close.code), Some(1001));
}

#[test]
fn disconnect_is_answered_once_all_is_done() {
    let step = Wire::open().say("DISCONNECT\nreceipt:bye\n\n\0");
    assert_eq!(step.one().header("receipt-id"), Some("bye"));
    assert_eq!(step.turn.close.map(|close| close.code), Some(1000));

    let mut wire = Wire::subscribed(&[MESSAGES]);
    wire.send(
        "chat.send",
        r#"{"toId":"bob","chatType":"SINGLE","msgType":"TEXT","content":"x"}"#,
    );
    wire.say("DISCONNECT\nreceipt:bye\n\n\0SEND\ndestination:/topic/x\n\n\0")
        .none();
    wire.reply(0, Ok(accepted(7, true))).none();
    let own = Arc::new(message(7, user("alice", 1), direct(), "x"));
    let step = wire.deliver(&[own]);
    let receipts: Vec<_> = step
        .frames
        .iter()
        .filter_map(|it| it.header("receipt-id"))
        .collect();
    assert_eq!(receipts, ["r", "bye"]);
    assert_eq!(step.turn.close.map(|close| close.code), Some(1000));
}

#[test]
fn a_disconnect_does_not_wait_for_ever() {
    let mut wire = Wire::subscribed(&[MESSAGES]);
    wire.send(
        "chat.send",
        r#"{"toId":"bob","chatType":"SINGLE","msgType":"TEXT","content":"x"}"#,
    );
    wire.say("DISCONNECT\n\n\0").none();
    assert!(wire.machine.next_deadline() <= after(2_000).mono_ms);
    let step = wire.tick_at(2_000);
    assert_eq!(step.turn.close.map(|close| close.code), Some(1000));
}
