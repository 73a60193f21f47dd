//! The client's protocol against the codec, without a socket.

use std::num::NonZeroU16;

use crosstalk_wire::mqtt::ConnackProperties;

use super::*;

const UID: &str = "b0-1";
const ACCOUNT: &str = "aaaaaaaaaaaaa";

/// A client and the server's codec for it.
struct Talk {
    peer: Box<dyn Peer>,
    decoder: Decoder,
    encoder: Encoder,
    out: Outbox,
}

impl Talk {
    fn new(level: u8) -> Self {
        let login = Login {
            uid: UID.to_owned(),
            token: "tok".to_owned(),
            account: Some(ACCOUNT.to_owned()),
            ..Login::default()
        };
        let mqtt = Mqtt::new(level, true);
        Self {
            peer: mqtt.peer(&login, 1).expect("a peer"),
            decoder: Decoder::of_client(),
            encoder: Encoder::new(mqtt.version),
            out: Outbox::default(),
        }
    }

    fn packets(&mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        while let Some(mut message) = self.out.take_message() {
            let packet = self.decoder.decode(&mut message).expect("a packet");
            packets.push(packet.expect("a whole one"));
            assert!(message.is_empty());
        }
        packets
    }

    fn give(&mut self, packet: &Packet) -> Result<Vec<String>> {
        let mut input = BytesMut::new();
        self.encoder
            .encode(packet, &mut input)
            .expect("an encoding");
        let mut told = Vec::new();
        self.peer.receive(&mut input, &mut self.out, &mut |event| {
            told.push(format!("{event:?}"));
        })?;
        assert!(input.is_empty());
        Ok(told)
    }

    /// Logs in; the server takes so many publications at once.
    fn log_in(level: u8, receive_maximum: u16) -> Self {
        let mut talk = Self::new(level);
        talk.peer.open(&mut talk.out).expect("a hello");
        let packets = talk.packets();
        let [Packet::Connect(connect)] = &packets[..] else {
            panic!("{packets:?}")
        };
        assert_eq!(connect.version.level(), level);
        assert_eq!(connect.username.as_deref(), Some(ACCOUNT));
        assert_eq!(connect.password.as_deref(), Some(&b"tok"[..]));
        let connack = Connack {
            properties: ConnackProperties {
                receive_maximum: NonZeroU16::new(receive_maximum),
                ..ConnackProperties::default()
            },
            ..Connack::default()
        };
        let told = talk.give(&Packet::Connack(Box::new(connack)));
        assert!(told.expect("good").is_empty());
        let packets = talk.packets();
        let [Packet::Subscribe(subscribe)] = &packets[..] else {
            panic!("{packets:?}")
        };
        assert_eq!(subscribe.subscriptions[0].filter.as_str(), ACCOUNT);
        let suback = Packet::Suback(Suback {
            packet_id: subscribe.packet_id,
            reasons: vec![ReasonCode::granted(Qos::AtLeastOnce)],
            diagnostics: Default::default(),
        });
        assert_eq!(talk.give(&suback).expect("good"), ["Open"]);
        talk
    }

    fn send(&mut self, to: &Address, tag: u32) {
        self.peer
            .send(to, tag, b"hi \"you\"", &mut self.out)
            .expect("sent");
    }

    /// What the client published: packet ids and payloads.
    fn published(&mut self) -> Vec<(PacketId, Bytes)> {
        let packets = self.packets().into_iter();
        let published = packets.map(|packet| match packet {
            Packet::Publish(publish) => {
                assert_eq!(publish.topic.expect("a topic").as_str(), "im/send");
                (
                    publish.delivery.packet_id().expect("QoS 1"),
                    publish.payload,
                )
            }
            other => panic!("{other:?}"),
        });
        published.collect()
    }

    /// Publishes to the client.
    fn push(
        &mut self,
        from: &str,
        target: &str,
        kind: MsgType,
        content: &str,
    ) -> Result<Vec<String>> {
        let envelope = Outbound {
            id: "m-1",
            from,
            to: ACCOUNT,
            tenant_no: APP,
            target,
            kind: &TypeValue::Known(kind),
            form: TypeForm::Code,
            content,
            timestamp_ms: 1,
            is_background: kind == MsgType::Background,
        };
        let mut payload = BytesMut::new();
        envelope.write(&TypeTable::default(), &mut payload);
        let publish = Packet::Publish(Publish {
            delivery: Delivery::AtLeastOnce {
                id: PacketId::new(7).expect("not 0"),
                dup: false,
            },
            retain: false,
            topic: Some(TopicName::new(ACCOUNT).expect("a topic")),
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: payload.freeze(),
        });
        self.give(&publish)
    }
}

fn puback(id: PacketId, reason: ReasonCode) -> Packet {
    Packet::Puback(Ack::new(id, reason))
}

#[test]
fn messages_are_envelopes_and_accepted_by_puback() {
    for level in [3, 4, 5] {
        let mut talk = Talk::log_in(level, 10);
        for to in [
            Address::User("b0-2".to_owned()),
            Address::Group("g".to_owned()),
        ] {
            talk.send(&to, 4);
            let published = talk.published();
            let [(id, payload)] = &published[..] else {
                panic!("{published:?}")
            };
            let envelope = Envelope::read(payload, &TypeTable::default()).expect("good");
            let (Address::User(to) | Address::Group(to)) = &to;
            assert_eq!((&envelope.to, envelope.from.as_str()), (to, ACCOUNT));
            assert_eq!(envelope.id, Numbers::of(UID).number(4));
            assert_eq!(envelope.content, r#"{"text":"hi \"you\""}"#);
            let told = talk.give(&puback(*id, ReasonCode::Success)).expect("good");
            assert_eq!(told, ["Accepted { tag: 4 }"]);
            let told = talk.give(&puback(*id, ReasonCode::Success)).expect("good");
            assert!(told.is_empty());
        }
    }
}

#[test]
fn no_more_is_under_way_than_the_server_takes() {
    let mut talk = Talk::log_in(5, 2);
    for tag in 0..4 {
        talk.send(&Address::User("b0-2".to_owned()), tag);
    }
    let first = talk.published();
    assert_eq!(first.len(), 2);
    let told = talk.give(&puback(first[1].0, ReasonCode::QuotaExceeded));
    assert_eq!(told.expect("good"), ["Refused { tag: 1, code: 151 }"]);
    assert!(Mqtt::new(5, false).is_rate_limit(151));
    assert_eq!(talk.published().len(), 1);
}

#[test]
fn a_refusal_before_5_0_is_a_message() {
    let mut talk = Talk::log_in(4, 10);
    talk.send(&Address::User("b0-2".to_owned()), 9);
    let (id, _) = talk.published()[0];
    let refusal = BackgroundEvent::Error {
        id: Numbers::of(UID).number(9),
        code: 404,
        msg: "x".to_owned(),
    };
    let refusal = refusal.to_content();
    let told = talk.push("SYSTEM", "", MsgType::Background, &refusal);
    assert_eq!(told.expect("good"), ["Refused { tag: 9, code: 404 }"]);
    // It had said that the message is stored.
    talk.give(&puback(id, ReasonCode::Success)).expect("good");
    let late = talk.push("SYSTEM", "", MsgType::Background, &refusal);
    assert!(late.expect_err("late").to_string().contains("--version 5"));
    let other = r#"{"type":"presence","content":{"account":"x","online":true,"os":2}}"#;
    let told = talk.push("SYSTEM", "", MsgType::Background, other);
    assert!(told.expect("good").is_empty());
}

#[test]
fn what_comes_is_told_and_acknowledged() {
    let mut talk = Talk::log_in(5, 10);
    for (from, target, channel) in [
        ("bbbb", "", "channel: \"bbbb\", is_group: false"),
        ("g", "bbbb", "channel: \"g\", is_group: true"),
    ] {
        let told = talk.push(from, target, MsgType::Text, r#"{"text":"hi \"you\""}"#);
        let told = told.expect("a message");
        assert!(told[0].contains(channel), "{told:?}");
        let content = format!("place: None, content: {:?}, proof: Good", b"hi \"you\"");
        assert!(told[0].contains(&content), "{told:?}");
        let packets = talk.packets();
        let [Packet::Puback(ack)] = &packets[..] else {
            panic!("{packets:?}")
        };
        assert_eq!(ack.packet_id.get(), 7);
    }
}

#[test]
fn a_refused_login_and_a_kick_are_errors() {
    let mut talk = Talk::new(5);
    let connack = Connack::refusing(ReasonCode::BadUserNameOrPassword);
    let refused = talk.give(&Packet::Connack(Box::new(connack)));
    let refused = refused.expect_err("refused");
    let refused = refused.downcast_ref::<LoginRefused>().expect("a refusal");
    assert_eq!(refused.why, "0x86 BadUserNameOrPassword");

    let mut talk = Talk::log_in(5, 10);
    let kick = Packet::Disconnect(crosstalk_wire::mqtt::Disconnect {
        reason: ReasonCode::SessionTakenOver,
        ..Default::default()
    });
    assert!(talk.give(&kick).is_err());
}
