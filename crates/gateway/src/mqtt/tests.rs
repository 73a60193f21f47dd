//! The machine by transcripts: bytes in, bytes and commands out, without sockets or clocks.

use std::sync::{Arc, Weak};

use bytes::{Bytes, BytesMut};
use crosstalk_core::channel::{ChannelKey, ChannelRef, LogKind};
use crosstalk_core::directory::Aliases;
use crosstalk_core::id::{ChannelNum, MessageId, Realm, Uid, UserNum, UserRef};
use crosstalk_core::im::Credential;
use crosstalk_core::message::{Accepted, Body, Flags, Message};
use crosstalk_core::pubsub::{AttachmentEnd, Detach, Published, TopicError};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::{Beginning, Ending, Event, Offline, Refused, Session, Ticket};
use crosstalk_wire::mqtt::{
    Ack, Connect, ConnectProperties, Decoder, Delivery, Encoder, MessageProperties, Packet,
    PacketId, Publish, Qos, ReasonCode, Subscribe, Subscription, TopicFilter, TopicName,
    UserProperties, Version,
};
use serde_json::{Value, json};

use super::machine::Machine;
use super::settings::MqttSettings;
use crate::protocol::{Arrival, AskId, Command, Now, Protocol, TopicAnswer, TopicVerb, Turn};

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

fn account(uid: &str) -> String {
    let uid = Uid::parse(uid).expect("a uid");
    let alias = Aliases::default().of(&Realm::default(), &uid);
    alias.as_str().to_owned()
}

fn hello(version: Version) -> Connect {
    Connect {
        version,
        clean_start: true,
        keep_alive_secs: 60,
        client_id: "c1".into(),
        will: None,
        username: Some("ann".into()),
        password: Some("token".into()),
        properties: ConnectProperties::default(),
    }
}

/// A machine and the client side of its connection.
struct Wire {
    machine: Machine,
    version: Version,
}

impl Wire {
    fn new(version: Version) -> Self {
        let settings = MqttSettings::new(Weak::new(), Aliases::default(), Realm::default());
        let arrival = Arrival::tcp([127, 0, 0, 1].into());
        let machine = Machine::new(settings, arrival, &[7; 48], START);
        Self { machine, version }
    }

    fn receive(&mut self, bytes: &[u8]) -> Turn {
        let mut turn = Turn::default();
        let mut input = BytesMut::from(bytes);
        self.machine.receive(&mut input, START, &mut turn);
        turn
    }

    fn say(&mut self, packet: &Packet) -> Turn {
        let mut bytes = BytesMut::new();
        let encoder = Encoder::new(self.version);
        encoder
            .encode(packet, &mut bytes)
            .expect("a client's packet");
        self.receive(&bytes)
    }

    fn heard(&self, turn: &Turn) -> Vec<Packet> {
        let mut bytes = BytesMut::from(turn.out.bytes());
        let mut decoder = Decoder::of_server(self.version);
        let mut packets = Vec::new();
        while let Some(packet) = decoder.decode(&mut bytes).expect("a server's packet") {
            packets.push(packet);
        }
        assert_eq!(packets.len(), turn.out.frames());
        packets
    }

    /// A session of ann's that is attached to the topics.
    fn open(connect: Connect) -> Self {
        let mut wire = Self::new(connect.version);
        let turn = wire.say(&Packet::Connect(Box::new(connect)));
        assert!(matches!(turn.commands[..], [Command::Open(_)]), "{turn:?}");
        let mut turn = Turn::default();
        let session = Session::detached(user("ann", 1));
        wire.machine.opened(Ok(&session), START, &mut turn);
        assert!(
            matches!(
                turn.commands[..],
                [Command::Topics(AskId(0), TopicVerb::Attach(_))]
            ),
            "{turn:?}"
        );
        assert!(turn.out.is_empty(), "CONNACK waits for the topics");
        let attached = TopicAnswer::Attached(Ok((false, Vec::new())));
        let mut turn = Turn::default();
        wire.machine.topics(AskId(0), attached, START, &mut turn);
        let heard = wire.heard(&turn);
        assert!(
            matches!(&heard[..], [Packet::Connack(ack)] if ack.reason == ReasonCode::Success),
            "{heard:?}"
        );
        wire
    }

    /// The same, subscribed to its account.
    fn subscribed(connect: Connect) -> Self {
        let mut wire = Self::open(connect);
        let turn = wire.say(&subscribe(&account("ann")));
        let [Command::Topics(id, TopicVerb::Subscribe(_))] = &turn.commands[..] else {
            panic!("{turn:?}");
        };
        let granted = Ok(crosstalk_core::pubsub::Qos::AtLeastOnce);
        let answer = TopicAnswer::Subscribed(Ok(vec![granted]));
        let mut turn = Turn::default();
        wire.machine.topics(*id, answer, START, &mut turn);
        assert!(matches!(wire.heard(&turn)[..], [Packet::Suback(_)]));
        wire
    }

    fn deliver(&mut self, messages: &[Arc<Message>]) -> Turn {
        let mut turn = Turn::default();
        let mut events = messages.iter().cloned().map(Event::Message).collect();
        self.machine.deliver(&mut events, START, &mut turn);
        turn
    }

    fn reply(&mut self, ticket: Ticket, why: Option<Refusal>) -> Turn {
        let mut turn = Turn::default();
        let reply = match why {
            None => Ok(Accepted {
                id: MessageId(7),
                seq: 1,
                sent_at_ms: START.wall_ms,
                is_new: true,
            }),
            Some(why) => Err(Refused {
                id: MessageId(8),
                why,
            }),
        };
        self.machine.reply(ticket, reply, START, &mut turn);
        turn
    }
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).expect("not 0")
}

fn subscribe(filter: &str) -> Packet {
    let filter = TopicFilter::new(filter).expect("a filter");
    Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscriptions: vec![Subscription::new(filter, Qos::AtLeastOnce)],
        subscription_id: None,
        user_properties: UserProperties::new(),
    })
}

fn publish(topic: &str, delivery: Delivery, payload: &str) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: Some(TopicName::new(topic).expect("a topic")),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties: MessageProperties::default(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    })
}

fn text(number: &str, to: &str) -> String {
    json!({"id": number, "to": to, "type": 0, "content": {"text": "x"}}).to_string()
}

fn message(number: i64, from: (&str, i64), no: &str) -> Arc<Message> {
    let (one, other) = (user(from.0, from.1), user("ann", 1));
    Arc::new(Message {
        id: MessageId(number),
        channel: Arc::new(ChannelRef {
            num: ChannelNum(1),
            key: ChannelKey::direct(&Realm::default(), &one.uid, &other.uid),
            log: LogKind::Chat,
        }),
        seq: number.unsigned_abs(),
        ordinal: 0,
        sender: one,
        sent_at_ms: START.wall_ms,
        body: Arc::new(Body {
            client_no: no.into(),
            origin: crate::registry::Dialect::Mqtt.origin(),
            tag: "0".into(),
            flags: Flags {
                counts: true,
                ..Flags::default()
            },
            payload: Bytes::from_static(br#"{"text": "as  written"}"#),
            ..Body::default()
        }),
        revoked: None,
        edited: None,
        is_concealed: false,
    })
}

fn payload(packet: &Packet) -> (Delivery, Value) {
    let Packet::Publish(publish) = packet else {
        panic!("{packet:?}");
    };
    let json = serde_json::from_slice(&publish.payload).expect("JSON");
    (publish.delivery, json)
}

#[test]
fn connect_asks_for_a_session_as_its_flags_say() {
    let cases = [
        (Version::V311, true, None, Offline::Pull, false),
        (Version::V311, false, None, Offline::Push, true),
        (Version::V5, false, None, Offline::Pull, false),
        (Version::V5, true, Some(60), Offline::Push, true),
    ];
    for (version, clean, expiry_secs, offline, stable) in cases {
        let mut connect = hello(version);
        connect.clean_start = clean;
        connect.properties.session_expiry_secs = expiry_secs;
        let mut wire = Wire::new(version);
        let turn = wire.say(&Packet::Connect(Box::new(connect)));
        let [Command::Open(open)] = &turn.commands[..] else {
            panic!("{turn:?}");
        };
        assert_eq!(open.delivery.offline, offline, "{version:?} {clean}");
        assert_eq!(open.delivery.stable_device, stable, "{version:?} {clean}");
        assert_eq!(&*open.device_id, "c1");
        assert!(open.delivery.acks && open.sync_own);
        assert_eq!(open.delivery.begins, Beginning::Opening);
        let Credential::Login(login) = &open.credential else {
            panic!("{open:?}");
        };
        assert_eq!(login.credentials, ["token"]);
    }
    let mut connect = hello(Version::V311);
    connect.password = Some("imr_secret".into());
    let turn = Wire::new(Version::V311).say(&Packet::Connect(Box::new(connect)));
    let [Command::Open(open)] = &turn.commands[..] else {
        panic!("{turn:?}");
    };
    assert!(matches!(open.credential, Credential::Registered { .. }));
    assert!(open.delivery.stable_device, "a registered device");
}

#[test]
fn a_refused_login_has_a_code_in_both_versions() {
    for (version, why, code) in [
        (Version::V311, Refusal::NotAuthenticated, 4),
        (Version::V311, Refusal::Forbidden, 5),
        (Version::V5, Refusal::NotAuthenticated, 0x86),
        (Version::V5, Refusal::Forbidden, 0x87),
        (Version::V5, Refusal::UserBanned, 0x8a),
    ] {
        let mut wire = Wire::new(version);
        wire.say(&Packet::Connect(Box::new(hello(version))));
        let mut turn = Turn::default();
        wire.machine.opened(Err(why), START, &mut turn);
        assert_eq!(turn.out.bytes()[3], code, "{version:?} {why}");
        assert!(turn.close.is_some());
    }
}

#[test]
fn what_is_no_connect_ends_it_and_silence_does() {
    let turn = Wire::new(Version::V311).receive(&[0xc0, 0]);
    assert!(turn.close.is_some() && turn.out.is_empty());
    let level_9 = b"\x10\x0c\x00\x04MQTT\x09\x02\x00\x00\x00\x00";
    let turn = Wire::new(Version::V311).receive(level_9);
    assert_eq!(turn.out.bytes(), [0x20, 2, 0, 1], "in the words of 3.1.1");
    let mut wire = Wire::new(Version::V311);
    assert_eq!(wire.machine.next_deadline(), START.mono_ms + 10_000);
    let mut turn = Turn::default();
    wire.machine.tick(after(10_000), &mut turn);
    assert!(turn.close.is_some());
}

#[test]
fn a_message_is_sent_and_acknowledged_when_it_is_stored() {
    let mut wire = Wire::open(hello(Version::V311));
    let delivery = |number| Delivery::AtLeastOnce {
        id: id(number),
        dup: false,
    };
    let turn = wire.say(&publish("im/send", delivery(5), &text("m1", "bob")));
    assert!(turn.out.is_empty());
    let [Command::SendTo(Ticket(0), to, draft)] = &turn.commands[..] else {
        panic!("{turn:?}");
    };
    assert_eq!(&**to, "bob");
    assert_eq!((&*draft.body.client_no, &*draft.body.tag), ("m1", "0"));
    assert_eq!(&draft.body.payload[..], br#"{"text":"x"}"#);
    assert!(draft.require_peer && draft.body.flags.counts);
    wire.say(&publish("im/send", delivery(6), &text("m2", "bob")));
    let turn = wire.reply(Ticket(0), None);
    assert_eq!(
        wire.heard(&turn),
        [Packet::Puback(Ack::new(id(5), ReasonCode::Success))]
    );
    let turn = wire.reply(Ticket(1), Some(Refusal::NoSuchUser));
    let heard = wire.heard(&turn);
    assert!(
        matches!(&heard[..], [Packet::Puback(ack)] if ack.packet_id == id(6)),
        "the error waits for a subscription: {heard:?}"
    );
}

#[test]
fn acknowledgements_keep_the_order_of_publications() {
    let mut wire = Wire::subscribed(hello(Version::V5));
    let delivery = |number| Delivery::AtLeastOnce {
        id: id(number),
        dup: false,
    };
    let turn = wire.say(&publish("t/x", delivery(1), "plain"));
    let [Command::Topics(ask, TopicVerb::Publish(_))] = &turn.commands[..] else {
        panic!("{turn:?}");
    };
    let ask = *ask;
    wire.say(&publish("im/send", delivery(2), &text("m1", "bob")));
    let turn = wire.say(&publish("im/send", delivery(3), "no JSON"));
    assert!(
        wire.heard(&turn)
            .iter()
            .all(|it| matches!(it, Packet::Publish(_))),
        "the error is told, its acknowledgement waits"
    );
    let turn = wire.reply(Ticket(0), None);
    assert!(turn.out.is_empty(), "the first is not answered");
    let mut turn = Turn::default();
    let nobody = Published {
        matched: 0,
        is_new: true,
    };
    let answer = TopicAnswer::Published(Ok(nobody));
    wire.machine.topics(ask, answer, START, &mut turn);
    let reasons: Vec<_> = wire
        .heard(&turn)
        .iter()
        .map(|it| match it {
            Packet::Puback(ack) => (ack.packet_id.get(), ack.reason),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (1, ReasonCode::NoMatchingSubscribers),
        (2, ReasonCode::Success),
        (3, ReasonCode::PayloadFormatInvalid),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn the_second_guarantee_is_noted_before_it_is_answered_where_the_session_goes_on() {
    let mut connect = hello(Version::V5);
    connect.properties.session_expiry_secs = Some(60);
    let mut wire = Wire::open(connect);
    let delivery = Delivery::ExactlyOnce {
        id: id(9),
        dup: false,
    };
    wire.say(&publish("im/send", delivery, &text("m1", "bob")));
    let turn = wire.reply(Ticket(0), None);
    let [Command::Topics(note, TopicVerb::Note(9))] = turn.commands[..] else {
        panic!("{turn:?}");
    };
    assert!(turn.out.is_empty());
    let mut turn = Turn::default();
    wire.machine
        .topics(note, TopicAnswer::Done(Ok(true)), START, &mut turn);
    let received = Packet::Pubrec(Ack::new(id(9), ReasonCode::Success));
    assert_eq!(wire.heard(&turn), std::slice::from_ref(&received));
    // It comes again: nothing is sent, and the answer is the same.
    let turn = wire.say(&publish("im/send", delivery, &text("m1", "bob")));
    assert!(turn.commands.is_empty());
    assert_eq!(wire.heard(&turn), [received]);
    let turn = wire.say(&Packet::Pubrel(Ack::new(id(9), ReasonCode::Success)));
    assert!(matches!(
        turn.commands[..],
        [Command::Topics(_, TopicVerb::Release(9))]
    ));
}

#[test]
fn delivered_messages_are_rewritten_and_wait_for_their_acknowledgement() {
    let mut wire = Wire::open(hello(Version::V311));
    assert!(
        !wire.machine.has_room(),
        "nothing comes before a subscription"
    );
    wire.machine.tick(after(1_000), &mut Turn::default());
    assert!(
        wire.machine.has_room(),
        "which the server makes after a second"
    );
    let one = message(11, ("bob", 2), "m1");
    let turn = wire.deliver(&[Arc::clone(&one)]);
    assert!(turn.commands.is_empty());
    let heard = wire.heard(&turn);
    let (delivery, json) = payload(&heard[0]);
    let expected = json!({
        "id": "m1", "from": account("bob"), "to": account("ann"), "tenantNo": "default",
        "target": "", "type": 0, "content": {"text": "as  written"},
        "timestamp": START.wall_ms, "isBackground": false,
    });
    assert_eq!(json, expected);
    let packet_id = delivery.packet_id().expect("QoS 1");
    assert!(packet_id.get() >= 0x8000 && !delivery.is_dup());
    let turn = wire.say(&Packet::Puback(Ack::new(packet_id, ReasonCode::Success)));
    let [Command::Acknowledge(acknowledged)] = &turn.commands[..] else {
        panic!("{turn:?}");
    };
    assert_eq!(acknowledged[..], [one]);
    let again = wire.say(&Packet::Puback(Ack::new(packet_id, ReasonCode::Success)));
    assert!(again.commands.is_empty());
}

#[test]
fn a_window_holds_back_what_the_client_does_not_take() {
    let mut connect = hello(Version::V5);
    connect.properties.receive_maximum = std::num::NonZeroU16::new(1);
    let mut wire = Wire::subscribed(connect);
    let turn = wire.deliver(&[message(1, ("bob", 2), "m1"), message(2, ("bob", 2), "m2")]);
    let heard = wire.heard(&turn);
    assert_eq!(heard.len(), 1);
    assert!(!wire.machine.has_room());
    let first = payload(&heard[0]).0.packet_id().expect("QoS 1");
    let turn = wire.say(&Packet::Puback(Ack::new(first, ReasonCode::Success)));
    let heard = wire.heard(&turn);
    assert_eq!(payload(&heard[0]).1["id"], "m2");
}

#[test]
fn what_a_client_is_not_shown_is_settled() {
    let mut wire = Wire::subscribed(hello(Version::V311));
    let concealed = Arc::new(message(3, ("bob", 2), "m3").concealed());
    let turn = wire.deliver(&[Arc::clone(&concealed)]);
    assert!(turn.out.is_empty());
    let [Command::Settle(settled)] = &turn.commands[..] else {
        panic!("{turn:?}");
    };
    assert_eq!(settled[..], [concealed]);
}

#[test]
fn a_tombstone_says_nothing_of_what_was_said() {
    let mut wire = Wire::subscribed(hello(Version::V311));
    let revocation = crosstalk_core::message::Revocation {
        by: Some(user("bob", 2)),
        at_ms: START.wall_ms,
        ..crosstalk_core::message::Revocation::default()
    };
    let tombstone = Arc::new(message(4, ("bob", 2), "m4").tombstone(revocation));
    let turn = wire.deliver(&[tombstone]);
    let (_, json) = payload(&wire.heard(&turn)[0]);
    let event = json!({"type": "revoke", "content": {"id": "m4", "operator": account("bob")}});
    assert_eq!((&json["type"], &json["content"]), (&json!(7), &event));
    assert_eq!(json["id"], "4", "an id of its own");
}

#[test]
fn endings_have_their_reasons() {
    let cases = [
        (Ending::Kicked, 0x98),
        (Ending::TooSlow, 0x97),
        (Ending::ShuttingDown, 0x8b),
    ];
    for (why, code) in cases {
        let mut wire = Wire::open(hello(Version::V5));
        let mut turn = Turn::default();
        wire.machine.ending(why, START, &mut turn);
        let heard = wire.heard(&turn);
        assert!(
            matches!(heard.last(), Some(Packet::Disconnect(it)) if it.reason.code() == code),
            "{why:?}: {heard:?}"
        );
        assert!(turn.close.is_some());
    }
    let mut wire = Wire::open(hello(Version::V311));
    let mut turn = Turn::default();
    wire.machine
        .topics_ended(AttachmentEnd::TakenOver, START, &mut turn);
    assert!(
        turn.out.is_empty() && turn.close.is_some(),
        "3.1.1 has no words"
    );
}

#[test]
fn who_leaves_takes_the_will_along_and_who_is_lost_does_not() {
    let with_will = || {
        let mut connect = hello(Version::V5);
        connect.will = Some(crosstalk_wire::mqtt::Will {
            topic: TopicName::new("im/send").expect("a topic"),
            payload: text("w", "bob").into(),
            qos: Qos::AtMostOnce,
            retain: false,
            delay_secs: None,
            properties: MessageProperties::default(),
        });
        connect
    };
    let mut wire = Wire::open(with_will());
    let mut turn = Turn::default();
    wire.machine.lost(START, &mut turn);
    assert!(
        matches!(
            turn.commands[..],
            [
                Command::SendTo(..),
                Command::Topics(_, TopicVerb::Detach(Detach::Lost, None))
            ]
        ),
        "{turn:?}"
    );
    let mut wire = Wire::open(with_will());
    let turn = wire.say(&Packet::Disconnect(
        crosstalk_wire::mqtt::Disconnect::default(),
    ));
    assert!(
        matches!(
            turn.commands[..],
            [Command::Topics(_, TopicVerb::Detach(Detach::Clean, None))]
        ),
        "{turn:?}"
    );
    let mut turn = Turn::default();
    wire.machine.lost(START, &mut turn);
    assert!(turn.commands.is_empty());
}

#[test]
fn a_session_that_ends_with_its_connection_cannot_be_prolonged_at_its_end() {
    let mut wire = Wire::open(hello(Version::V5));
    let goodbye = crosstalk_wire::mqtt::Disconnect {
        session_expiry_secs: Some(60),
        ..crosstalk_wire::mqtt::Disconnect::default()
    };
    let turn = wire.say(&Packet::Disconnect(goodbye));
    let heard = wire.heard(&turn);
    assert!(
        matches!(&heard[..], [Packet::Disconnect(it)] if it.reason == ReasonCode::ProtocolError),
        "{heard:?}"
    );
}

#[test]
fn a_failing_store_refuses_the_connection() {
    let mut wire = Wire::new(Version::V5);
    wire.say(&Packet::Connect(Box::new(hello(Version::V5))));
    let session = Session::detached(user("ann", 1));
    wire.machine
        .opened(Ok(&session), START, &mut Turn::default());
    let mut turn = Turn::default();
    let failed = TopicAnswer::Attached(Err(TopicError::Stopped));
    wire.machine.topics(AskId(0), failed, START, &mut turn);
    let heard = wire.heard(&turn);
    assert!(
        matches!(&heard[..], [Packet::Connack(it)] if it.reason == ReasonCode::ServerUnavailable),
        "{heard:?}"
    );
    assert!(turn.close.is_some());
}
