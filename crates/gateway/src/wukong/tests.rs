//! The machine by transcripts: bytes in, bytes and commands out, without sockets or clocks.

mod presence;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crosstalk_core::channel::{ChannelKey, ChannelRef, LogKind};
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::Credential;
use crosstalk_core::message::{Accepted, Body, Draft, Flags, Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Displacement, Ending, Event, Refused, Session, Ticket};
use crosstalk_wire::wukong::binary::crypto::{Cipher, KeyPair, msg_key_text};
use crosstalk_wire::wukong::binary::{
    Connect, Decoder, Flags as WireFlags, Packet, Recvack, Send, Setting, encode,
};

use super::machine::Machine;
use super::settings::WukongSettings;
use crate::protocol::{Command, Now, Protocol, Turn};
use crate::registry::WUKONG_ORIGIN;

const START: Now = Now {
    wall_ms: 1_700_000_000_000,
    mono_ms: 1_000,
};

fn after(ms: u64) -> Now {
    Now {
        wall_ms: START.wall_ms + ms.cast_signed(),
        mono_ms: START.mono_ms + ms,
    }
}

fn user(uid: &str, num: i64) -> UserRef {
    UserRef {
        num: UserNum(num),
        uid: Uid::parse(uid).expect("a uid"),
    }
}

/// A machine and the client side of its connection.
struct Wire {
    machine: Machine,
    version: u8,
    cipher: Option<Cipher>,
}

impl Wire {
    fn new(version: u8) -> Self {
        let settings = WukongSettings {
            realm: Realm::default(),
            node_id: 1001,
            token_auth: true,
            strict_users: false,
            allowed_origins: ["*".to_owned()].into(),
        };
        let peer = std::net::IpAddr::from([127, 0, 0, 1]);
        let machine = Machine::new(settings, peer, &[7; 48], START);
        Self {
            machine,
            version,
            cipher: None,
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Turn {
        let mut turn = Turn::default();
        let mut input = BytesMut::from(bytes);
        self.machine.receive(&mut input, START, &mut turn);
        turn
    }

    fn say(&mut self, packet: &Packet) -> Turn {
        let mut bytes = BytesMut::new();
        encode(packet, self.version, &mut bytes).expect("a client's packet");
        self.receive(&bytes)
    }

    fn heard(&self, turn: &Turn) -> Vec<Packet> {
        let mut bytes = BytesMut::from(turn.out.bytes());
        let decoder = Decoder::new(self.version);
        let mut decoder = decoder;
        let mut packets = Vec::new();
        while let Some(packet) = decoder.decode(&mut bytes).expect("a server's packet") {
            packets.push(packet);
        }
        assert!(bytes.is_empty());
        assert_eq!(packets.len(), turn.out.frames());
        packets
    }

    fn connect_packet(&self, uid: &str) -> Packet {
        Packet::Connect(Connect {
            version: self.version,
            device_flag: 1,
            device_id: "d1".into(),
            uid: uid.into(),
            token: "tok".into(),
            client_timestamp_ms: START.wall_ms - 5,
            client_key: client_keys().public_base64(),
        })
    }

    /// An open session of alice's.
    fn open(version: u8) -> Self {
        let mut wire = Self::new(version);
        let turn = wire.say(&wire.connect_packet("alice"));
        assert!(matches!(turn.commands[..], [Command::Open(_)]), "{turn:?}");
        let mut turn = Turn::default();
        let session = Session::detached(user("alice", 1));
        wire.machine.opened(Ok(&session), START, &mut turn);
        let [Packet::Connack(connack)] = &wire.heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(connack.reason, 1);
        assert_eq!(connack.time_diff_ms, 5);
        assert_eq!(
            connack.server_version,
            (version > 3).then_some(version.min(5))
        );
        assert_eq!(connack.node_id, (version >= 4).then_some(1001));
        assert_eq!(connack.salt.len(), 16);
        let shared = client_keys().agree(&connack.server_key).expect("a key");
        wire.cipher = Some(Cipher::new(&shared, &connack.salt).expect("a salt"));
        wire
    }

    fn send_packet(&self, seq: u32, to: (&str, u8), text: &str) -> Send {
        let cipher = self.cipher.as_ref().expect("an open session");
        let no = format!("no-{seq}");
        let mut payload = Vec::new();
        cipher.encrypt_into(text.as_bytes(), &mut payload);
        let key = cipher.send_msg_key(seq, &no, to.0, to.1, &payload);
        Send {
            flags: WireFlags {
                red_dot: true,
                ..WireFlags::default()
            },
            setting: Setting(0),
            client_seq: seq,
            client_msg_no: no,
            stream_no: String::new(),
            channel_id: to.0.into(),
            channel_type: to.1,
            expire_secs: 0,
            msg_key: msg_key_text(&key).into(),
            topic: String::new(),
            payload: payload.into(),
        }
    }
}

fn client_keys() -> KeyPair {
    KeyPair::from_secret([9; 32])
}

fn only_draft(turn: &Turn) -> &Draft {
    match &turn.commands[..] {
        [Command::Send(_, draft)] => draft,
        other => panic!("no draft: {other:?}"),
    }
}

fn message(from: &UserRef, seq: u64, payload: &'static str) -> Arc<Message> {
    let (alice, bob) = (user("alice", 1), user("bob", 2));
    let key = ChannelKey::direct(&Realm::default(), &alice.uid, &bob.uid);
    Arc::new(Message {
        id: MessageId(1_234_567_890_123_456_789),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key,
            log: LogKind::Chat,
        }),
        seq,
        ordinal: seq,
        sender: from.clone(),
        sent_at_ms: 1_700_000_000_999,
        body: Arc::new(Body {
            client_no: "c0ffee".into(),
            origin: WUKONG_ORIGIN,
            tag: "".into(),
            flags: Flags {
                counts: true,
                no_persist: seq == 0,
                ..Flags::default()
            },
            expire_secs: 0,
            payload: Bytes::from_static(payload.as_bytes()),
            extra: None,
            name: None,
            audience: None,
            carried: None,
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    })
}

fn deliver(wire: &mut Wire, message: &Arc<Message>, now: Now) -> Turn {
    let mut turn = Turn::default();
    wire.machine.deliver(
        &mut [Event::Message(Arc::clone(message))].into(),
        now,
        &mut turn,
    );
    turn
}

#[test]
fn connect_asks_for_a_session_with_what_the_client_said() {
    let mut wire = Wire::new(4);
    let turn = wire.say(&wire.connect_packet("alice"));
    let [Command::Open(request)] = &turn.commands[..] else {
        panic!("{turn:?}")
    };
    assert_eq!(&*request.device_id, "d1");
    assert_eq!(request.device_flag, 1);
    let Credential::Token { uid, token, .. } = &request.credential else {
        panic!("{request:?}")
    };
    assert_eq!((uid.as_str(), token.as_str()), ("alice", "tok"));
    assert!(turn.out.is_empty(), "no answer before the core's word");
}

#[test]
fn every_version_gets_its_connack() {
    for version in 1..=5 {
        Wire::open(version);
    }
    Wire::open(9);
}

#[test]
fn failures_are_told_at_once_and_with_the_node_where_the_version_has_one() {
    let table = [
        (Refusal::NotAuthenticated, 2),
        (Refusal::UserBanned, 19),
        (Refusal::LoginThrottled, 22),
        (Refusal::Unavailable, 14),
    ];
    for version in [2, 4, 5] {
        for (why, reason) in table {
            let mut wire = Wire::new(version);
            let _ = wire.say(&wire.connect_packet("alice"));
            let mut turn = Turn::default();
            wire.machine.opened(Err(why), START, &mut turn);
            let [Packet::Connack(connack)] = &wire.heard(&turn)[..] else {
                panic!("{turn:?}")
            };
            assert_eq!(connack.reason, reason);
            assert_eq!(connack.node_id.is_some(), version >= 4);
            assert!(turn.close.is_some());
        }
    }
}

#[test]
fn a_client_without_a_key_is_told() {
    for key in [
        "",
        "nonsense",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    ] {
        let mut wire = Wire::new(5);
        let Packet::Connect(mut connect) = wire.connect_packet("alice") else {
            unreachable!()
        };
        connect.client_key = key.into();
        let turn = wire.say(&Packet::Connect(connect));
        assert!(turn.commands.is_empty());
        let [Packet::Connack(connack)] = &wire.heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(connack.reason, 21, "{key:?}");
        assert!(turn.close.is_some());
    }
}

#[test]
fn what_is_no_connect_is_closed_without_a_word() {
    for uid in ["", "a@b", "a#", "a&b", "____system", " "] {
        let mut wire = Wire::new(5);
        let turn = wire.say(&wire.connect_packet(uid));
        assert!(turn.close.is_some() && turn.out.is_empty(), "{uid:?}");
    }
    for bytes in [
        &b"\x70"[..],
        b"\x62\x01\x00",
        b"\x00\x01\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        b"{}",
    ] {
        let turn = Wire::new(5).receive(bytes);
        assert!(turn.close.is_some() && turn.out.is_empty(), "{bytes:?}");
    }
}

#[test]
fn what_follows_connect_in_the_same_breath_waits() {
    let mut wire = Wire::new(5);
    let mut input = BytesMut::new();
    encode(&wire.connect_packet("alice"), 5, &mut input).expect("a packet");
    input.extend_from_slice(b"\x70");
    let mut turn = Turn::default();
    wire.machine.receive(&mut input, START, &mut turn);
    assert_eq!(&input[..], b"\x70");
    wire.machine
        .opened(Ok(&Session::detached(user("alice", 1))), START, &mut turn);
    wire.machine.receive(&mut input, START, &mut turn);
    assert_eq!(turn.out.bytes().last(), Some(&0x80));
}

#[test]
fn a_send_becomes_a_draft_and_its_answer_echoes_seq_and_flags() {
    for version in [1, 2, 3, 4, 5] {
        let mut wire = Wire::open(version);
        let mut send = wire.send_packet(7, ("bob", 1), "{\"type\":1,\"content\":\"你好\"}");
        send.flags = WireFlags {
            red_dot: true,
            sync_once: true,
            ..WireFlags::default()
        };
        send.setting = Setting(Setting::RECEIPT | Setting::TOPIC);
        send.topic = "t".into();
        send.expire_secs = 60;
        let turn = wire.say(&Packet::Send(send));
        let draft = only_draft(&turn);
        assert_eq!(&*draft.to.id, "bob");
        assert_eq!(
            &draft.body.payload[..],
            "{\"type\":1,\"content\":\"你好\"}".as_bytes()
        );
        assert_eq!(&*draft.body.client_no, "no-7");
        assert!(draft.body.flags.counts && draft.body.flags.receipt && !draft.body.flags.command);
        assert_eq!(draft.body.expire_secs, if version >= 3 { 60 } else { 0 });
        assert_eq!(draft.fault, None);

        let mut turn = Turn::default();
        let accepted = Accepted {
            id: MessageId(1_234_567_890_123_456_789),
            seq: 7,
            sent_at_ms: 0,
            is_new: true,
        };
        wire.machine
            .reply(Ticket(0), Ok(accepted), START, &mut turn);
        let expected = "4611112210f47de98115000000070000000701";
        let hex: String = turn
            .out
            .bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        assert_eq!(hex, expected);
    }
}

#[test]
fn a_tampered_send_is_judged_in_its_place_and_answered_with_nine() {
    let mut wire = Wire::open(5);
    let mut send = wire.send_packet(1, ("bob", 1), "x");
    send.channel_id = "eve".into();
    let turn = wire.say(&Packet::Send(send));
    assert_eq!(only_draft(&turn).fault, Some(Refusal::UndecodableContent));
    assert!(only_draft(&turn).body.payload.is_empty());
    let mut turn = Turn::default();
    let refused = Refused {
        id: MessageId(5),
        why: Refusal::UndecodableContent,
    };
    wire.machine
        .reply(Ticket(0), Err(refused), START, &mut turn);
    let [Packet::Sendack(ack)] = &wire.heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert_eq!((ack.reason, ack.message_id, ack.message_seq), (9, 5, 0));
}

#[test]
fn a_send_to_nowhere_is_refused_in_its_turn() {
    let mut wire = Wire::open(5);
    let cases = [
        (("x", 77), Refusal::UnsupportedChannelKind),
        (("a b", 2), Refusal::InvalidChannelId),
    ];
    for (to, why) in cases {
        let send = wire.send_packet(1, to, "x");
        let turn = wire.say(&Packet::Send(send));
        let [Command::Refuse(_, refused)] = &turn.commands[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(*refused, why);
    }
}

#[test]
fn a_message_is_encrypted_for_this_connection() {
    for version in [2, 4, 5] {
        let mut wire = Wire::open(version);
        let bob = user("bob", 2);
        let turn = deliver(&mut wire, &message(&bob, 8, "{\"type\":1}"), START);
        let [Packet::Recv(recv)] = &wire.heard(&turn)[..] else {
            panic!("{turn:?}")
        };
        assert_eq!(
            (recv.from_uid.as_str(), recv.channel_id.as_str()),
            ("bob", "bob")
        );
        assert_eq!((recv.message_seq, recv.timestamp_secs), (8, 1_700_000_000));
        assert!(recv.flags.red_dot);
        let cipher = wire.cipher.as_ref().expect("an open session");
        assert_eq!(
            cipher.decrypt(&recv.payload).expect("our key"),
            b"{\"type\":1}"
        );
        let key = cipher.recv_msg_key(
            recv.message_id,
            8,
            "c0ffee",
            1_700_000_000,
            "bob",
            "bob",
            1,
            &recv.payload,
        );
        assert_eq!(recv.msg_key, msg_key_text(&key));
    }
}

/// Several at once are what they would be one by one.
#[test]
fn messages_are_sealed_together_and_stay_in_order() {
    let (bob, alice) = (user("bob", 2), user("alice", 1));
    let large = Message {
        body: Arc::new(Body {
            payload: Bytes::from(vec![b'x'; 1 << 20]),
            ..Body::clone(&message(&bob, 3, "").body)
        }),
        ..Message::clone(&message(&bob, 3, ""))
    };
    let messages = [
        message(&bob, 1, "{}"),
        message(
            &alice,
            2,
            "a message of another length, which takes more blocks",
        ),
        Arc::new(large),
        message(&bob, 0, "not stored"),
        message(&bob, 5, ""),
        message(&bob, 6, "the second of the second few"),
    ];
    for count in [0, 1, 3, 6] {
        let messages = &messages[..count];
        let (mut together, mut apart) = (Wire::open(5), Wire::open(5));
        let mut turn = Turn::default();
        let mut events = messages.iter().cloned().map(Event::Message).collect();
        together.machine.deliver(&mut events, START, &mut turn);
        assert!(events.is_empty());
        let single = messages.iter().map(|one| deliver(&mut apart, one, START));
        let single: Vec<u8> = single.flat_map(|turn| turn.out.bytes().to_vec()).collect();
        assert_eq!(turn.out.bytes(), single, "{count}");
        // The one that fits no frame is left out, and what is not stored is not resent.
        let again = messages
            .iter()
            .filter(|one| ![0, 3].contains(&one.seq))
            .count();
        for wire in [&mut together, &mut apart] {
            let mut turn = Turn::default();
            wire.machine.tick(after(61_000), &mut turn);
            assert_eq!(turn.out.frames(), again);
        }
    }
}

#[test]
fn own_messages_from_elsewhere_show_no_red_dot_and_keep_the_peer() {
    let mut wire = Wire::open(5);
    let turn = deliver(&mut wire, &message(&user("alice", 1), 8, "{}"), START);
    let [Packet::Recv(recv)] = &wire.heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    assert!(!recv.flags.red_dot);
    assert_eq!(
        (recv.from_uid.as_str(), recv.channel_id.as_str()),
        ("alice", "bob")
    );
}

#[test]
fn foreign_messages_are_mapped_and_have_a_client_number() {
    let mut wire = Wire::open(5);
    let mut foreign = Message::clone(&message(&user("bob", 2), 8, ""));
    foreign.body = Arc::new(Body {
        origin: Origin::REST,
        client_no: "".into(),
        payload: Bytes::from_static("{\"type\":\"text\",\"text\":\"你好\"}".as_bytes()),
        ..Body::clone(&foreign.body)
    });
    let turn = deliver(&mut wire, &Arc::new(foreign), START);
    let [Packet::Recv(recv)] = &wire.heard(&turn)[..] else {
        panic!("{turn:?}")
    };
    let plain = wire
        .cipher
        .as_ref()
        .expect("open")
        .decrypt(&recv.payload)
        .expect("our key");
    let json: serde_json::Value = serde_json::from_slice(&plain).expect("JSON");
    assert_eq!(json, serde_json::json!({"type": 1, "content": "你好"}));
    assert_eq!(recv.client_msg_no, "x-1234567890123456789");
}

#[test]
fn unacknowledged_messages_come_again_five_times() {
    let mut wire = Wire::open(5);
    let stored = message(&user("bob", 2), 8, "{}");
    let first = deliver(&mut wire, &stored, START);
    let mut copies = 0;
    for minute in 1..=8u64 {
        let now = after(minute * 60_000);
        wire.machine
            .receive(&mut BytesMut::from(&b"\x70"[..]), now, &mut Turn::default());
        let mut turn = Turn::default();
        wire.machine.tick(now, &mut turn);
        assert!(turn.close.is_none());
        if !turn.out.is_empty() {
            assert_eq!(turn.out.bytes(), first.out.bytes(), "the same RECV");
            copies += 1;
        }
    }
    assert_eq!(copies, 5);
}

#[test]
fn acknowledged_and_unstored_messages_do_not_come_again() {
    let mut wire = Wire::open(5);
    let stored = message(&user("bob", 2), 8, "{}");
    let _ = deliver(&mut wire, &stored, START);
    let _ = deliver(&mut wire, &message(&user("bob", 2), 0, "{}"), START);
    let ack = Recvack {
        flags: WireFlags::default(),
        message_id: stored.id.0,
        message_seq: stored.seq,
    };
    let turn = wire.say(&Packet::Recvack(ack));
    assert!(turn.out.is_empty() && turn.close.is_none());
    let mut turn = Turn::default();
    wire.machine.tick(after(61_000), &mut turn);
    assert!(turn.out.is_empty());
}

#[test]
fn a_client_that_acknowledges_nothing_is_given_a_thousand() {
    let mut wire = Wire::open(5);
    let stored = message(&user("bob", 2), 8, "{}");
    for _ in 0..1000 {
        assert!(wire.machine.has_room());
        let _ = deliver(&mut wire, &stored, START);
    }
    assert!(!wire.machine.has_room());
}

#[test]
fn only_kicks_are_told_by_disconnect() {
    let table = [
        (Ending::Displaced(Displacement::Kicked), true, 2_000),
        (Ending::Kicked, true, 2_000),
        (Ending::Displaced(Displacement::Replaced), false, 2_000),
        (Ending::ShuttingDown, false, 0),
        (Ending::TooSlow, false, 0),
    ];
    for (why, told, wait) in table {
        let mut wire = Wire::open(4);
        let mut turn = Turn::default();
        wire.machine.ending(why, START, &mut turn);
        let heard = wire.heard(&turn);
        match &heard[..] {
            [Packet::Disconnect(bye)] => {
                assert!(told, "{why:?}");
                assert_eq!(bye.reason, 12);
            }
            [] => assert!(!told, "{why:?}"),
            other => panic!("{other:?}"),
        }
        let close = turn.close.expect("a close");
        assert_eq!(close.at_mono_ms, START.mono_ms + wait);
        assert!(
            wire.receive(b"\x70").out.is_empty(),
            "nothing is said after goodbye"
        );
    }
}

#[test]
fn silence_ends_every_phase() {
    let mut greeting = Wire::new(5);
    assert_eq!(greeting.machine.next_deadline(), START.mono_ms + 2_000);
    // Trickling bytes buys no time before CONNECT.
    let mut turn = Turn::default();
    greeting
        .machine
        .receive(&mut BytesMut::from(&b"\x10"[..]), after(1_900), &mut turn);
    greeting.machine.tick(after(2_000), &mut turn);
    assert!(turn.close.is_some());

    let mut live = Wire::open(5);
    assert_eq!(live.machine.next_deadline(), START.mono_ms + 180_000);
    let mut turn = Turn::default();
    live.machine
        .receive(&mut BytesMut::from(&b"\x70"[..]), after(100_000), &mut turn);
    assert_eq!(live.machine.next_deadline(), START.mono_ms + 280_000);
    live.machine.tick(after(280_000), &mut turn);
    assert!(turn.close.is_some());
}

#[test]
fn packets_that_only_a_server_sends_end_the_connection() {
    let mut wire = Wire::open(5);
    let turn = wire.say(&wire.connect_packet("alice"));
    assert!(turn.close.is_some(), "a second CONNECT");
    let mut wire = Wire::open(5);
    let turn = wire.receive(b"\x90\x03\x0c\x00\x00");
    assert!(turn.close.is_some(), "DISCONNECT from a client");
    let mut wire = Wire::open(5);
    let turn = wire.receive(b"\x30\xff\xff\xff\x7f");
    assert!(turn.close.is_some(), "an oversized SEND");
}
