//! Who comes and goes.

use crosstalk_core::session::Notice;
use serde_json::{Value, json};

use super::*;

fn presence(is_online: bool, is_turn: bool) -> Event {
    Event::Notice(Arc::new(Notice::Presence {
        user: user("bob", 2),
        is_online,
        is_turn,
        status: if is_online { "busy" } else { "" }.into(),
        device_flag: 2,
        id: MessageId(77),
        at_ms: START.wall_ms,
    }))
}

#[test]
fn a_session_is_asked_for_that_hears_who_comes_and_goes() {
    let mut wire = Wire::new(5);
    let turn = wire.say(&wire.connect_packet("alice"));
    let [Command::Open(request)] = &turn.commands[..] else {
        panic!("{turn:?}")
    };
    assert!(request.delivery.presence && !request.delivery.receipts);
}

#[test]
fn who_comes_and_goes_is_told_as_a_command_that_is_not_stored() {
    let mut wire = Wire::open(5);
    for (is_online, is_turn) in [(true, true), (true, false), (false, true)] {
        let mut turn = Turn::default();
        let rejected = Notice::Rejected {
            message: message(&user("alice", 1), 3, "{}"),
            by: user("bob", 2),
            why: "no".into(),
        };
        let others = Event::Notice(Arc::new(rejected));
        let mut events = [others, presence(is_online, is_turn)].into();
        wire.machine.deliver(&mut events, START, &mut turn);
        let [Packet::Recv(recv)] = &wire.heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        let flags = recv.flags;
        assert!(flags.no_persist && flags.sync_once && !flags.red_dot);
        assert_eq!(
            (recv.message_id, recv.message_seq, recv.from_uid.as_str()),
            (77, 0, "bob")
        );
        assert_eq!((recv.channel_id.as_str(), recv.channel_type), ("bob", 1));
        assert!(!recv.client_msg_no.is_empty());
        let cipher = wire.cipher.as_ref().expect("an open session");
        let plain = cipher.decrypt(&recv.payload).expect("our key");
        let payload: Value = serde_json::from_slice(&plain).expect("JSON");
        let mut param = json!({
            "uid": "bob", "online": u8::from(is_online), "device_flag": 2,
            "main_device_flag": 2, "status": if is_online { "busy" } else { "" },
        });
        if !is_online {
            param["all_offline"] = json!(1);
        }
        let expected = json!({"type": 99, "cmd": "onlineStatus", "param": param});
        assert_eq!(payload, expected);
    }
    // Nothing of it is written again.
    let mut turn = Turn::default();
    wire.machine.tick(after(61_000), &mut turn);
    assert!(turn.out.is_empty());
}
