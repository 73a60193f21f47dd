//! Every property and option of 5.0, with bytes written by hand from the tables
//! of the specification: codec and test do not share a table.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use crosstalk_wire::mqtt::{
    Ack, Auth, Authentication, Connack, ConnackProperties, ConnectProperties, Delivery,
    Diagnostics, Disconnect, MessageProperties, Packet, Publish, Qos, ReasonCode, RetainHandling,
    Side, Suback, Subscribe, Subscription, SubscriptionId, Unsuback, Unsubscribe, UserProperties,
    Version, Will,
};

use crate::{connect, decode_one, encode_one, filter, id, topic};

/// `head` and the body's parts are the one form of `packet` in 5.0. Lengths of
/// whole packets are filled in; all here are below 128.
#[track_caller]
fn same(head: u8, parts: &[&[u8]], packet: &Packet, side: Side) {
    let body = parts.concat();
    let len = u8::try_from(body.len()).expect("short");
    assert!(len < 128);
    let bytes = [&[head, len], &body[..]].concat();
    assert_eq!(decode_one(&bytes, Version::V5, side).as_ref(), Ok(packet));
    assert_eq!(encode_one(packet, Version::V5), bytes);
}

fn user() -> UserProperties {
    let mut user = UserProperties::new();
    user.push("k", "v").expect("short");
    user.push("k", "w").expect("short");
    user
}

const USER: &[u8] = b"\x26\0\x01k\0\x01v\x26\0\x01k\0\x01w";

fn diagnostics() -> Diagnostics {
    Diagnostics {
        reason_string: Some("why".into()),
        user_properties: user(),
    }
}

/// Reason string and user properties: 20 bytes.
const DIAGNOSTICS: &[&[u8]] = &[b"\x1f\0\x03why", USER];

fn authentication() -> Authentication {
    Authentication {
        method: "M".into(),
        data: Some(Bytes::from_static(b"d")),
    }
}

const AUTHENTICATION: &[u8] = b"\x15\0\x01M\x16\0\x01d";

fn nonzero(value: u16) -> Option<NonZeroU16> {
    NonZeroU16::new(value)
}

#[test]
fn connect_has_nine_properties() {
    let mut packet = connect(Version::V5);
    packet.properties = ConnectProperties {
        session_expiry_secs: Some(1),
        receive_maximum: nonzero(2),
        max_packet_bytes: NonZeroU32::new(3),
        topic_alias_maximum: Some(4),
        request_response_information: Some(true),
        request_problem_information: Some(false),
        authentication: Some(authentication()),
        user_properties: user(),
    };
    same(
        0x10,
        &[
            b"\0\x04MQTT\x05\x02\0\0",
            &[42],
            b"\x11\0\0\0\x01\x21\0\x02\x27\0\0\0\x03\x22\0\x04\x19\x01\x17\0",
            AUTHENTICATION,
            USER,
            b"\0\x01c",
        ],
        &Packet::Connect(packet.into()),
        Side::Client,
    );
}

#[test]
fn a_will_has_seven_properties() {
    let mut packet = connect(Version::V5);
    packet.clean_start = false;
    packet.will = Some(Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"x"),
        qos: Qos::ExactlyOnce,
        retain: true,
        delay_secs: Some(5),
        properties: MessageProperties {
            payload_is_utf8: Some(true),
            expiry_secs: Some(0),
            content_type: Some("t".into()),
            response_topic: Some(topic("r")),
            correlation_data: Some(Bytes::from_static(b"\0\xff")),
            user_properties: user(),
        },
    });
    same(
        0x10,
        &[
            b"\0\x04MQTT\x05\x34\0\0\0\0\x01c",
            &[39],
            b"\x18\0\0\0\x05\x02\0\0\0\0\x01\x01\x03\0\x01t\x08\0\x01r\x09\0\x02\0\xff",
            USER,
            b"\0\x01w\0\x01x",
        ],
        &Packet::Connect(packet.into()),
        Side::Client,
    );
}

#[test]
fn connack_has_seventeen_properties() {
    let packet = Connack {
        session_present: true,
        reason: ReasonCode::Success,
        properties: ConnackProperties {
            session_expiry_secs: Some(1),
            receive_maximum: nonzero(2),
            maximum_qos: Some(Qos::AtLeastOnce),
            retain_available: Some(false),
            max_packet_bytes: NonZeroU32::new(3),
            assigned_client_id: Some("a".into()),
            topic_alias_maximum: Some(4),
            wildcard_subscription_available: Some(true),
            subscription_ids_available: Some(false),
            shared_subscription_available: Some(true),
            server_keep_alive_secs: Some(60),
            response_information: Some("i".into()),
            server_reference: Some("s".into()),
            authentication: Some(authentication()),
            diagnostics: diagnostics(),
        },
    };
    same(
        0x20,
        &[
            b"\x01\0",
            &[69],
            b"\x11\0\0\0\x01\x21\0\x02\x24\x01\x25\0\x27\0\0\0\x03\x12\0\x01a\x22\0\x04",
            b"\x28\x01\x29\0\x2a\x01\x13\0\x3c\x1a\0\x01i\x1c\0\x01s",
            AUTHENTICATION,
            DIAGNOSTICS[0],
            USER,
        ],
        &Packet::Connack(packet.into()),
        Side::Server,
    );
}

#[test]
fn publish_has_eight_properties() {
    let packet = Packet::Publish(Publish {
        delivery: Delivery::ExactlyOnce {
            id: id(0x0102),
            dup: true,
        },
        retain: true,
        topic: Some(topic("t")),
        topic_alias: nonzero(9),
        subscription_ids: [1, 128]
            .map(|n| SubscriptionId::new(n).expect("in range"))
            .into(),
        properties: MessageProperties {
            payload_is_utf8: Some(false),
            expiry_secs: Some(7),
            content_type: Some("c".into()),
            response_topic: Some(topic("r")),
            correlation_data: Some(Bytes::from_static(b"d")),
            user_properties: user(),
        },
        payload: Bytes::from_static(b"payload"),
    });
    same(
        0x3d,
        &[
            b"\0\x01t\x01\x02",
            &[41],
            b"\x02\0\0\0\x07\x23\0\x09\x0b\x01\x0b\x80\x01\x01\0\x03\0\x01c\x08\0\x01r\x09\0\x01d",
            USER,
            b"payload",
        ],
        &packet,
        Side::Server,
    );
}

#[test]
fn an_alias_stands_for_a_topic() {
    let packet = Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: None,
        topic_alias: nonzero(0xffff),
        subscription_ids: Vec::new(),
        properties: MessageProperties::default(),
        payload: Bytes::new(),
    });
    same(0x30, &[b"\0\0\x03\x23\xff\xff"], &packet, Side::Client);
}

/// The four acknowledgements, in their three lengths.
#[test]
fn acknowledgements_leave_out_what_is_zero() {
    type Variant = fn(Ack) -> Packet;
    let kinds: [(u8, Variant, ReasonCode); 4] = [
        (0x40, Packet::Puback, ReasonCode::NoMatchingSubscribers),
        (0x50, Packet::Pubrec, ReasonCode::PacketIdInUse),
        (0x62, Packet::Pubrel, ReasonCode::PacketIdNotFound),
        (0x70, Packet::Pubcomp, ReasonCode::PacketIdNotFound),
    ];
    for (head, packet, reason) in kinds {
        let bare = packet(Ack::new(id(5), ReasonCode::Success));
        same(head, &[b"\0\x05"], &bare, Side::Client);
        let failed = packet(Ack::new(id(5), reason));
        same(head, &[b"\0\x05", &[reason.code()]], &failed, Side::Client);
        let mut ack = Ack::new(id(5), ReasonCode::Success);
        ack.diagnostics = diagnostics();
        let body: &[&[u8]] = &[b"\0\x05\0", &[20], DIAGNOSTICS[0], USER];
        same(head, body, &packet(ack), Side::Client);
    }
}

/// Longer forms than the shortest are understood.
#[test]
fn zeroes_may_be_written_out() {
    let puback = Packet::Puback(Ack::new(id(5), ReasonCode::Success));
    for bytes in [&b"\x40\x03\0\x05\0"[..], b"\x40\x04\0\x05\0\0"] {
        let decoded = decode_one(bytes, Version::V5, Side::Client);
        assert_eq!(decoded, Ok(puback.clone()));
    }
    let disconnect = Packet::Disconnect(Disconnect::default());
    for bytes in [&b"\xe0\x01\0"[..], b"\xe0\x02\0\0"] {
        let decoded = decode_one(bytes, Version::V5, Side::Server);
        assert_eq!(decoded, Ok(disconnect.clone()));
    }
}

#[test]
fn subscribe_has_two_properties_and_four_options() {
    let option = |name, qos, no_local, retain_as_published, retain_handling| Subscription {
        filter: filter(name),
        qos,
        no_local,
        retain_as_published,
        retain_handling,
    };
    let packet = Packet::Subscribe(Subscribe {
        packet_id: id(5),
        subscriptions: vec![
            option("a", Qos::AtMostOnce, true, false, RetainHandling::Send),
            option(
                "b",
                Qos::AtLeastOnce,
                false,
                true,
                RetainHandling::SendIfNew,
            ),
            option(
                "$share/g/#",
                Qos::ExactlyOnce,
                false,
                true,
                RetainHandling::DoNotSend,
            ),
        ],
        subscription_id: SubscriptionId::new(SubscriptionId::MAX),
        user_properties: user(),
    });
    same(
        0x82,
        &[
            b"\0\x05",
            &[19],
            b"\x0b\xff\xff\xff\x7f",
            USER,
            b"\0\x01a\x04\0\x01b\x19\0\x0a$share/g/#\x2a",
        ],
        &packet,
        Side::Client,
    );
}

#[test]
fn the_rest_of_subscribing() {
    let unsubscribe = Packet::Unsubscribe(Unsubscribe {
        packet_id: id(5),
        filters: vec![filter("+/b")],
        user_properties: user(),
    });
    let body: &[&[u8]] = &[b"\0\x05", &[14], USER, b"\0\x03+/b"];
    same(0xa2, body, &unsubscribe, Side::Client);

    let suback = Packet::Suback(Suback {
        packet_id: id(5),
        reasons: vec![
            ReasonCode::GrantedQos1,
            ReasonCode::WildcardSubscriptionsNotSupported,
        ],
        diagnostics: diagnostics(),
    });
    let body: &[&[u8]] = &[b"\0\x05", &[20], DIAGNOSTICS[0], USER, b"\x01\xa2"];
    same(0x90, body, &suback, Side::Server);

    let unsuback = Packet::Unsuback(Unsuback {
        packet_id: id(5),
        reasons: vec![ReasonCode::Success, ReasonCode::NoSubscriptionExisted],
        diagnostics: diagnostics(),
    });
    let body: &[&[u8]] = &[b"\0\x05", &[20], DIAGNOSTICS[0], USER, b"\0\x11"];
    same(0xb0, body, &unsuback, Side::Server);
}

/// Before 5.0 an UNSUBACK says nothing but its number.
#[test]
fn an_old_unsuback() {
    let unsuback = Packet::Unsuback(Unsuback {
        packet_id: id(5),
        reasons: Vec::new(),
        diagnostics: Diagnostics::default(),
    });
    let bytes = b"\xb0\x02\0\x05";
    assert_eq!(encode_one(&unsuback, Version::V311), &bytes[..]);
    assert_eq!(decode_one(bytes, Version::V311, Side::Server), Ok(unsuback));
}

#[test]
fn disconnect_differs_by_side() {
    let mut disconnect = Disconnect::new(ReasonCode::DisconnectWithWill);
    disconnect.session_expiry_secs = Some(u32::MAX);
    let body: &[&[u8]] = &[b"\x04\x05\x11\xff\xff\xff\xff"];
    same(0xe0, body, &Packet::Disconnect(disconnect), Side::Client);

    let mut disconnect = Disconnect::new(ReasonCode::ServerMoved);
    disconnect.server_reference = Some("b".into());
    disconnect.diagnostics = diagnostics();
    let body: &[&[u8]] = &[b"\x9d", &[24], b"\x1c\0\x01b", DIAGNOSTICS[0], USER];
    same(0xe0, body, &Packet::Disconnect(disconnect), Side::Server);
}

#[test]
fn auth_has_four_properties() {
    let auth = Packet::Auth(Auth {
        reason: ReasonCode::ContinueAuthentication,
        authentication: authentication(),
        diagnostics: diagnostics(),
    });
    let body: &[&[u8]] = &[b"\x18", &[28], AUTHENTICATION, DIAGNOSTICS[0], USER];
    same(0xf0, body, &auth, Side::Client);
    same(0xf0, body, &auth, Side::Server);
}

/// The order of properties is free.
#[test]
fn properties_come_in_any_order() {
    let bytes = b"\x10\x17\0\x04MQTT\x05\x02\0\0\x0a\x22\0\x04\x17\0\x11\0\0\0\x01\0\0";
    let Ok(Packet::Connect(connect)) = decode_one(bytes, Version::V5, Side::Client) else {
        panic!("not a CONNECT");
    };
    assert_eq!(connect.properties.topic_alias_maximum, Some(4));
    assert_eq!(connect.properties.request_problem_information, Some(false));
    assert_eq!(connect.properties.session_expiry_secs, Some(1));
}

/// Section 2.4, table 2-6: which packet may say what, from either side.
#[test]
fn reason_codes_belong_to_packets() {
    use crosstalk_wire::mqtt::Kind;
    let table: [(Kind, Side, &[u8]); 13] = [
        (
            Kind::Connack,
            Side::Server,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90,
                0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
            ],
        ),
        (
            Kind::Puback,
            Side::Client,
            &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
        ),
        (
            Kind::Pubrec,
            Side::Server,
            &[0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99],
        ),
        (Kind::Pubrel, Side::Client, &[0x00, 0x92]),
        (Kind::Pubcomp, Side::Server, &[0x00, 0x92]),
        (
            Kind::Suback,
            Side::Server,
            &[
                0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2,
            ],
        ),
        (
            Kind::Unsuback,
            Side::Server,
            &[0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91],
        ),
        (
            Kind::Disconnect,
            Side::Client,
            &[
                0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x8c, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98,
                0x99,
            ],
        ),
        (
            Kind::Disconnect,
            Side::Server,
            &[
                0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93,
                0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1,
                0xa2,
            ],
        ),
        (Kind::Auth, Side::Client, &[0x18, 0x19]),
        (Kind::Auth, Side::Server, &[0x00, 0x18]),
        (Kind::Publish, Side::Client, &[]),
        (Kind::Connect, Side::Client, &[]),
    ];
    for (kind, side, codes) in table {
        let allowed = ReasonCode::ALL.into_iter();
        let allowed = allowed.filter(|reason| reason.is_allowed(kind, side));
        let allowed: Vec<_> = allowed.map(ReasonCode::code).collect();
        assert_eq!(allowed, codes, "{kind} from {side:?}");
    }
}
