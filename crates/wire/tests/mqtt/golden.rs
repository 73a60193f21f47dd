//! The specifications' own examples, and the exchange that opens a connection
//! in `mqtt.md`.

use bytes::Bytes;
use crosstalk_wire::mqtt::im::SEND_TOPIC;
use crosstalk_wire::mqtt::{
    Ack, Connack, Connect, ConnectProperties, DecodeError, Delivery, Diagnostics, Disconnect,
    MessageProperties, Packet, Publish, Qos, ReasonCode, Side, Suback, Subscribe, Subscription,
    Unsubscribe, UserProperties, Version, Will,
};

use crate::{decode_one, encode_one, filter, id, topic};

/// `bytes` and `packet` are two forms of one thing.
#[track_caller]
fn same(bytes: &[u8], packet: &Packet, version: Version, side: Side) {
    assert_eq!(decode_one(bytes, version, side).as_ref(), Ok(packet));
    assert_eq!(encode_one(packet, version), bytes);
}

fn publish(topic_name: &str, delivery: Delivery, payload: &'static [u8]) -> Packet {
    Packet::Publish(Publish {
        delivery,
        retain: false,
        topic: Some(topic(topic_name)),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties: MessageProperties::default(),
        payload: Bytes::from_static(payload),
    })
}

const QOS_1: Delivery = Delivery::AtLeastOnce {
    id: crosstalk_wire::mqtt::PacketId::new(10).expect("not 0"),
    dup: false,
};

/// Figure 1.1 of 3.1.1, figure 1-2 of 5.0: the string of an `A` and of U+2A6D4.
#[test]
fn the_string_example() {
    let body = b"\0\x05\x41\xf0\xaa\x9b\x94";
    let bytes = [b"\x30\x07", &body[..]].concat();
    let packet = publish("A\u{2a6d4}", Delivery::AtMostOnce, b"");
    same(&bytes, &packet, Version::V311, Side::Client);
}

/// Figure 3.6 of 3.1.1 and figure 3-6 of 5.0, with a payload to match: user
/// name, password, a will with QoS 1, clean session, keep alive 10 and in 5.0
/// a session expiry of 10.
#[test]
fn the_connect_examples() {
    let connect = |version, properties| {
        let will = Will {
            topic: topic("w"),
            payload: Bytes::from_static(b"bye"),
            qos: Qos::AtLeastOnce,
            retain: false,
            delay_secs: None,
            properties: MessageProperties::default(),
        };
        let connect = Connect {
            version,
            clean_start: true,
            keep_alive_secs: 10,
            client_id: "id".into(),
            will: Some(will),
            username: Some("me".into()),
            password: Some(Bytes::from_static(b"pw")),
            properties,
        };
        Packet::Connect(connect.into())
    };
    same(
        b"\x10\x1e\0\x04MQTT\x04\xce\0\x0a\0\x02id\0\x01w\0\x03bye\0\x02me\0\x02pw",
        &connect(Version::V311, ConnectProperties::default()),
        Version::V311,
        Side::Client,
    );
    let properties = ConnectProperties {
        session_expiry_secs: Some(10),
        ..ConnectProperties::default()
    };
    same(
        b"\x10\x25\0\x04MQTT\x05\xce\0\x0a\x05\x11\0\0\0\x0a\0\x02id\0\0\x01w\0\x03bye\0\x02me\0\x02pw",
        &connect(Version::V5, properties),
        Version::V5,
        Side::Client,
    );
    same(
        b"\x10\x20\0\x06MQIsdp\x03\xce\0\x0a\0\x02id\0\x01w\0\x03bye\0\x02me\0\x02pw",
        &connect(Version::V31, ConnectProperties::default()),
        Version::V31,
        Side::Client,
    );
}

/// Figure 3.11 of 3.1.1 and figure 3-9 of 5.0: topic `a/b`, packet id 10.
#[test]
fn the_publish_examples() {
    let packet = publish("a/b", QOS_1, b"");
    same(
        b"\x32\x07\0\x03a/b\0\x0a",
        &packet,
        Version::V311,
        Side::Client,
    );
    same(
        b"\x32\x08\0\x03a/b\0\x0a\0",
        &packet,
        Version::V5,
        Side::Server,
    );
}

/// Figures 3.21 and 3.23 of 3.1.1, 3-19 and 3-21 of 5.0.
#[test]
fn the_subscribe_examples() {
    let packet = Packet::Subscribe(Subscribe {
        packet_id: id(10),
        subscriptions: vec![
            Subscription::new(filter("a/b"), Qos::AtLeastOnce),
            Subscription::new(filter("c/d"), Qos::ExactlyOnce),
        ],
        subscription_id: None,
        user_properties: UserProperties::new(),
    });
    same(
        b"\x82\x0e\0\x0a\0\x03a/b\x01\0\x03c/d\x02",
        &packet,
        Version::V311,
        Side::Client,
    );
    same(
        b"\x82\x0f\0\x0a\0\0\x03a/b\x01\0\x03c/d\x02",
        &packet,
        Version::V5,
        Side::Client,
    );
}

/// Figure 3.26 of 3.1.1: QoS 0, QoS 2, failure.
#[test]
fn the_suback_example() {
    let packet = Packet::Suback(Suback {
        packet_id: id(10),
        reasons: vec![
            ReasonCode::Success,
            ReasonCode::GrantedQos2,
            ReasonCode::UnspecifiedError,
        ],
        diagnostics: Diagnostics::default(),
    });
    same(
        b"\x90\x05\0\x0a\0\x02\x80",
        &packet,
        Version::V311,
        Side::Server,
    );
    same(
        b"\x90\x06\0\x0a\0\0\x02\x80",
        &packet,
        Version::V5,
        Side::Server,
    );
}

/// Figure 3.30 of 3.1.1 and 3-31 of 5.0.
#[test]
fn the_unsubscribe_examples() {
    let packet = Packet::Unsubscribe(Unsubscribe {
        packet_id: id(10),
        filters: vec![filter("a/b"), filter("c/d")],
        user_properties: UserProperties::new(),
    });
    same(
        b"\xa2\x0c\0\x0a\0\x03a/b\0\x03c/d",
        &packet,
        Version::V311,
        Side::Client,
    );
    same(
        b"\xa2\x0d\0\x0a\0\0\x03a/b\0\x03c/d",
        &packet,
        Version::V5,
        Side::Client,
    );
}

/// `mqtt.md` E.c, the connection of a registered device.
#[test]
fn the_opening_of_a_connection() {
    let connect = Connect {
        version: Version::V311,
        clean_start: false,
        keep_alive_secs: 60,
        client_id: "8f0c".into(),
        will: None,
        username: Some("a7k2m9q0x4tzp".into()),
        password: Some(Bytes::from_static(b"token")),
        properties: ConnectProperties::default(),
    };
    same(
        b"\x10\x26\0\x04MQTT\x04\xc0\0\x3c\0\x048f0c\0\x0da7k2m9q0x4tzp\0\x05token",
        &Packet::Connect(connect.into()),
        Version::V311,
        Side::Client,
    );
    let connack = Packet::Connack(Connack::default().into());
    same(b"\x20\x02\0\0", &connack, Version::V311, Side::Server);
    let subscribe = Packet::Subscribe(Subscribe {
        packet_id: id(1),
        subscriptions: vec![Subscription::new(filter("a7k2m9q0x4tzp"), Qos::AtLeastOnce)],
        subscription_id: None,
        user_properties: UserProperties::new(),
    });
    same(
        b"\x82\x12\0\x01\0\x0da7k2m9q0x4tzp\x01",
        &subscribe,
        Version::V311,
        Side::Client,
    );
    let suback = Packet::Suback(Suback {
        packet_id: id(1),
        reasons: vec![ReasonCode::granted(Qos::AtLeastOnce)],
        diagnostics: Diagnostics::default(),
    });
    same(b"\x90\x03\0\x01\x01", &suback, Version::V311, Side::Server);
    let delivery = Delivery::AtLeastOnce {
        id: id(2),
        dup: false,
    };
    same(
        b"\x32\x0d\0\x07im/send\0\x02{}",
        &publish(SEND_TOPIC, delivery, b"{}"),
        Version::V311,
        Side::Client,
    );
    let puback = Packet::Puback(Ack::new(id(2), ReasonCode::Success));
    same(b"\x40\x02\0\x02", &puback, Version::V311, Side::Server);
    let refused = Packet::Puback(Ack::new(id(2), ReasonCode::NotAuthorized));
    same(b"\x40\x03\0\x02\x87", &refused, Version::V5, Side::Server);
}

/// `mqtt.md` E.c, the refusals.
#[test]
fn refusals_at_the_door() {
    let refusal = |reason| Packet::Connack(Connack::refusing(reason).into());
    for (reason, old, new) in [
        (ReasonCode::BadUserNameOrPassword, 4, 0x86),
        (ReasonCode::NotAuthorized, 5, 0x87),
    ] {
        let packet = refusal(reason);
        same(&[0x20, 2, 0, old], &packet, Version::V311, Side::Server);
        same(&[0x20, 3, 0, new, 0], &packet, Version::V5, Side::Server);
    }
    let taken_over = Packet::Disconnect(Disconnect::new(ReasonCode::SessionTakenOver));
    same(&[0xe0, 1, 0x8e], &taken_over, Version::V5, Side::Server);
}

/// The packets of two bytes.
#[test]
fn the_short_packets() {
    for version in Version::ALL {
        same(b"\xc0\0", &Packet::Pingreq, version, Side::Client);
        same(b"\xd0\0", &Packet::Pingresp, version, Side::Server);
        let disconnect = Packet::Disconnect(Disconnect::default());
        same(b"\xe0\0", &disconnect, version, Side::Client);
    }
}

/// In 3.1 a re-sent PUBREL, SUBSCRIBE or UNSUBSCRIBE has DUP set, and a user
/// name that is announced may be missing.
#[test]
fn the_habits_of_3_1() {
    for (first, rest) in [
        (0x6a, &b"\x02\0\x0a"[..]),
        (0x8a, b"\x06\0\x0a\0\x01a\0"),
        (0xaa, b"\x05\0\x0a\0\x01a"),
    ] {
        let bytes = [&[first], rest].concat();
        assert!(decode_one(&bytes, Version::V31, Side::Client).is_ok());
        for version in [Version::V311, Version::V5] {
            let error = decode_one(&bytes, version, Side::Client);
            assert!(matches!(error, Err(DecodeError::Flags { flags: 0x0a, .. })));
        }
    }
    let bytes = b"\x10\x0f\0\x06MQIsdp\x03\xc2\0\x0a\0\x01c";
    let Ok(Packet::Connect(connect)) = decode_one(bytes, Version::V31, Side::Client) else {
        panic!("not a CONNECT");
    };
    assert_eq!((connect.username, connect.password), (None, None));
}
