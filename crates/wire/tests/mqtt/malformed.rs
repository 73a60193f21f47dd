//! Everything that is no packet, or none that may come: the cases of
//! `mqtt-wire.md` §4.1 and §4.4 and of the specifications.

use bytes::BytesMut;
use crosstalk_wire::mqtt::{DecodeError, Decoder, Kind, Side, TopicError, Version};
use proptest::prelude::*;

use crate::arbitrary::packet;
use crate::{decode_one, decoder_for, encode_one, open_decoder};

const V4: Version = Version::V311;
const V5: Version = Version::V5;

/// What the decoder says to `bytes`; the buffer stays as it was, and asking
/// again gives the same.
#[track_caller]
pub(crate) fn error_of(bytes: &[u8], mut decoder: Decoder) -> DecodeError {
    let mut buf = BytesMut::from(bytes);
    let error = decoder.decode(&mut buf).expect_err("it is refused");
    assert_eq!(&buf[..], bytes);
    assert_eq!(decoder.decode(&mut buf), Err(error), "errors are stable");
    error
}

/// What is wrong with `bytes` from a client on an open connection.
#[track_caller]
pub(crate) fn from_client(version: Version, bytes: &[u8]) -> DecodeError {
    error_of(bytes, open_decoder(version, Side::Client))
}

#[track_caller]
pub(crate) fn from_server(version: Version, bytes: &[u8]) -> DecodeError {
    error_of(bytes, open_decoder(version, Side::Server))
}

/// What is wrong with a CONNECT with this body.
#[track_caller]
pub(crate) fn connect(body: &[u8]) -> DecodeError {
    let len = u8::try_from(body.len()).expect("short");
    error_of(&[&[0x10, len], body].concat(), Decoder::of_client())
}

/// What is wrong with a 5.0 PUBLISH from `side` with these properties.
#[track_caller]
pub(crate) fn publish_with(side: Side, properties: &[u8]) -> DecodeError {
    let len = u8::try_from(properties.len()).expect("short");
    let rest = [b"\0\x01t", &[len][..], properties].concat();
    let bytes = [&[0x30, u8::try_from(rest.len()).expect("short")], &rest[..]].concat();
    error_of(&bytes, open_decoder(V5, side))
}

#[test]
fn the_first_byte_is_judged_alone() {
    for version in Version::ALL {
        assert_eq!(from_client(version, &[0x00]), DecodeError::ReservedType(0));
        assert_eq!(from_client(version, &[0x36]), DecodeError::Qos3);
        assert_eq!(from_client(version, &[0x38]), DecodeError::DupWithQos0);
        assert_eq!(from_client(version, &[0x10]), DecodeError::SecondConnect);
        let server_only = [Kind::Connack, Kind::Suback, Kind::Unsuback, Kind::Pingresp];
        for kind in server_only {
            let error = DecodeError::NotFromThisSide(kind);
            assert_eq!(from_client(version, &[(kind as u8) << 4]), error);
        }
        let client_only = [
            Kind::Connect,
            Kind::Subscribe,
            Kind::Unsubscribe,
            Kind::Pingreq,
        ];
        for kind in client_only {
            let error = DecodeError::NotFromThisSide(kind);
            assert_eq!(from_server(version, &[(kind as u8) << 4]), error);
        }
    }
    assert_eq!(from_client(V4, &[0xf0]), DecodeError::ReservedType(15));
    let disconnect = DecodeError::NotFromThisSide(Kind::Disconnect);
    assert_eq!(from_server(V4, &[0xe0]), disconnect);
}

#[test]
fn reserved_flags_are_what_the_table_says() {
    for version in [V4, V5] {
        for kind in Kind::ALL {
            let is_fixed = !matches!(kind, Kind::Publish | Kind::Connect | Kind::Auth);
            let side = match kind {
                Kind::Connack | Kind::Suback | Kind::Unsuback | Kind::Pingresp => Side::Server,
                _ => Side::Client,
            };
            let right = match kind {
                Kind::Pubrel | Kind::Subscribe | Kind::Unsubscribe => 2,
                _ => 0,
            };
            for flags in (0..16).filter(|flags| is_fixed && *flags != right) {
                let bytes = [(kind as u8) << 4 | flags];
                let error = error_of(&bytes, open_decoder(version, side));
                assert_eq!(error, DecodeError::Flags { kind, flags });
            }
        }
    }
    for flags in 1..16 {
        let error = error_of(&[0x10 | flags], Decoder::of_client());
        let kind = Kind::Connect;
        assert_eq!(error, DecodeError::Flags { kind, flags });
    }
}

#[test]
fn nothing_comes_before_connect() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Connect) {
        let error = error_of(&[(kind as u8) << 4 | 2], Decoder::of_client());
        assert_eq!(error, DecodeError::ConnectExpected(kind));
    }
}

#[test]
fn a_length_has_four_bytes_at_most() {
    for version in Version::ALL {
        for bytes in [
            &[0x30, 0x80, 0x80, 0x80, 0x80][..],
            &[0x30, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ] {
            assert_eq!(from_client(version, bytes), DecodeError::VarintTooLong);
        }
        for prefix in [&[0x30][..], &[0x30, 0x80], &[0x30, 0x81, 0x80, 0x80]] {
            let mut buf = BytesMut::from(prefix);
            let mut decoder = open_decoder(version, Side::Client);
            assert_eq!(decoder.decode(&mut buf), Ok(None));
        }
    }
}

/// 5.0 demands the shortest form, 3.1.1 does not.
#[test]
fn a_length_may_be_padded_before_5_0_only() {
    let pingreq = [0xc0, 0x80, 0x00];
    assert!(decode_one(&pingreq, V4, Side::Client).is_ok());
    assert_eq!(from_client(V5, &pingreq), DecodeError::PaddedVarint);

    let body = b"\0\x04MQTT\x04\x02\0\0\0\x01c";
    let old = [&[0x10, 0x80 | 13, 0][..], body].concat();
    assert!(decode_one(&old, V4, Side::Client).is_ok());
    let new = b"\x10\x8e\0\0\x04MQTT\x05\x02\0\0\0\0\x01c";
    assert_eq!(
        error_of(new, Decoder::of_client()),
        DecodeError::PaddedVarint
    );

    // The length of the properties, and a subscription id.
    for bytes in [
        &b"\x30\x05\0\x01t\x80\0"[..],
        b"\x82\x0a\0\x01\x03\x0b\x81\0\0\x01a\0",
    ] {
        assert_eq!(from_client(V5, bytes), DecodeError::PaddedVarint);
    }
}

#[test]
fn connect_names_protocol_and_level() {
    for name in [
        &b"\0\x04MQTX"[..],
        b"\0\x04mqtt",
        b"\0\x00",
        b"\0\x06MQIsdP",
        b"\0\x04\xff\xff\xff\xff",
    ] {
        let body = [name, b"\x04\x02\0\0\0\x01c"].concat();
        assert_eq!(connect(&body), DecodeError::ProtocolName);
    }
    for level in (0..=255).filter(|level| ![4, 5].contains(level)) {
        let body = [b"\0\x04MQTT", &[level][..], b"\x02\0\0\0\x01c"].concat();
        assert_eq!(connect(&body), DecodeError::ProtocolLevel(level));
    }
    // Each name has its own levels.
    let body = b"\0\x06MQIsdp\x04\x02\0\0\0\x01c";
    assert_eq!(connect(body), DecodeError::ProtocolLevel(4));
}

#[test]
fn connect_flags_are_consistent() {
    // Reserved; will QoS and will retain without will; will QoS 3.
    for flags in [0x03, 0x0a, 0x12, 0x22, 0x1e] {
        for level in [4, 5] {
            let body = [b"\0\x04MQTT", &[level, flags][..], b"\0\0\0\0\0\0\0\0\0\0"].concat();
            assert_eq!(connect(&body), DecodeError::ConnectFlags(flags));
        }
    }
    let alone = b"\0\x04MQTT\x04\x42\0\0\0\x01c\0\x01p";
    assert_eq!(connect(alone), DecodeError::ConnectFlags(0x42));
    let alone = b"\x10\x11\0\x04MQTT\x05\x42\0\0\0\0\x01c\0\x01p";
    assert!(decode_one(alone, V5, Side::Client).is_ok(), "legal in 5.0");
}

#[test]
fn a_client_id_may_be_left_out_in_some_cases() {
    for (bytes, is_allowed) in [
        (&b"\x10\x0c\0\x04MQTT\x04\x02\0\0\0\0"[..], true),
        (b"\x10\x0c\0\x04MQTT\x04\x00\0\0\0\0", false),
        (b"\x10\x0d\0\x04MQTT\x05\x00\0\0\0\0\0", true),
        (b"\x10\x0e\0\x06MQIsdp\x03\x02\0\0\0\0", false),
    ] {
        let result = decode_one(bytes, V4, Side::Client);
        let refused = Err(DecodeError::EmptyClientId);
        assert_eq!(result.is_ok(), is_allowed, "{bytes:x?}");
        assert_eq!(result == refused, !is_allowed);
    }
}

#[test]
fn topics_of_publish() {
    let publish = |name: &[u8]| {
        let len = u8::try_from(name.len()).expect("short");
        [&[0x30, len + 2, 0, len], name].concat()
    };
    for (name, error) in [
        (&b"a/+"[..], DecodeError::Topic(TopicError::Wildcard)),
        (b"#", DecodeError::Topic(TopicError::Wildcard)),
        (b"a\0b", DecodeError::NulInString),
        (b"\xff", DecodeError::NotUtf8),
        (b"\xc0\x80", DecodeError::NotUtf8),
        (b"\xed\xa0\x80", DecodeError::NotUtf8),
        (b"\xf4\x90\x80\x80", DecodeError::NotUtf8),
        (b"\xe4\xbd", DecodeError::NotUtf8),
        (b"", DecodeError::Topic(TopicError::Empty)),
    ] {
        assert_eq!(from_client(V4, &publish(name)), error, "{name:x?}");
    }
    assert_eq!(from_client(V5, b"\x30\x03\0\0\0"), DecodeError::NoTopic);
    let wildcard = DecodeError::Topic(TopicError::Wildcard);
    assert_eq!(from_client(V5, b"\x30\x04\0\x01#\0"), wildcard);
    // A will and a response topic are topics, too.
    assert_eq!(
        connect(b"\0\x04MQTT\x04\x06\0\0\0\x01c\0\x01#\0\0"),
        wildcard
    );
    assert_eq!(publish_with(Side::Client, b"\x08\0\x01+"), wildcard);
    let empty = DecodeError::Topic(TopicError::Empty);
    assert_eq!(publish_with(Side::Client, b"\x08\0\0"), empty);
}

#[test]
fn a_byte_order_mark_is_a_character() {
    let bytes = b"\x30\x06\0\x04\xef\xbb\xbfx";
    let Ok(crosstalk_wire::mqtt::Packet::Publish(publish)) = decode_one(bytes, V4, Side::Client)
    else {
        panic!("not a PUBLISH");
    };
    assert_eq!(publish.topic.expect("there").as_str(), "\u{feff}x");
}

#[test]
fn packet_ids_are_not_zero() {
    for bytes in [
        &b"\x32\x05\0\x01t\0\0"[..],
        b"\x34\x05\0\x01t\0\0",
        b"\x40\x02\0\0",
        b"\x50\x02\0\0",
        b"\x62\x02\0\0",
        b"\x70\x02\0\0",
        b"\x82\x06\0\0\0\x01a\0",
        b"\xa2\x05\0\0\0\x01a",
    ] {
        assert_eq!(from_client(V4, bytes), DecodeError::PacketIdZero);
    }
    for bytes in [&b"\x90\x03\0\0\0"[..], b"\xb0\x02\0\0"] {
        assert_eq!(from_server(V4, bytes), DecodeError::PacketIdZero);
    }
}

#[test]
fn filters_of_subscribe_and_unsubscribe() {
    for (text, fault) in [
        (&b"a#"[..], TopicError::MisplacedWildcard),
        (b"a/#/b", TopicError::MisplacedWildcard),
        (b"+x", TopicError::MisplacedWildcard),
        (b"##", TopicError::MisplacedWildcard),
        (b"#/", TopicError::MisplacedWildcard),
        (b"", TopicError::Empty),
        (b"$share/g", TopicError::BadShare),
        (b"$share/", TopicError::BadShare),
        (b"$share//a", TopicError::BadShare),
        (b"$share/g/", TopicError::BadShare),
        (b"$share/+/a", TopicError::BadShare),
        (b"$share/#", TopicError::BadShare),
    ] {
        let len = u8::try_from(text.len()).expect("short");
        let unsubscribe = [&[0xa2, len + 5, 0, 1, 0, 0, len], text].concat();
        let subscribe = [&[0x82, len + 6, 0, 1, 0, 0, len], text, &[0]].concat();
        for bytes in [subscribe, unsubscribe] {
            assert_eq!(from_client(V5, &bytes), DecodeError::Filter(fault));
        }
        // To 3.1.1 it is a filter like any other.
        let old = [&[0xa2, len + 4, 0, 1, 0, len], text].concat();
        let is_old = decode_one(&old, V4, Side::Client).is_ok();
        assert_eq!(is_old, fault == TopicError::BadShare, "{text:x?}");
    }
}

#[test]
fn lists_are_not_empty() {
    for (bytes, kind) in [
        (&b"\x82\x02\0\x01"[..], Kind::Subscribe),
        (b"\xa2\x02\0\x01", Kind::Unsubscribe),
    ] {
        assert_eq!(from_client(V4, bytes), DecodeError::EmptyList(kind));
    }
    for (bytes, kind) in [
        (&b"\x82\x03\0\x01\0"[..], Kind::Subscribe),
        (b"\xa2\x03\0\x01\0", Kind::Unsubscribe),
    ] {
        assert_eq!(from_client(V5, bytes), DecodeError::EmptyList(kind));
    }
    for (bytes, kind) in [
        (&b"\x90\x03\0\x01\0"[..], Kind::Suback),
        (b"\xb0\x03\0\x01\0", Kind::Unsuback),
    ] {
        assert_eq!(from_server(V5, bytes), DecodeError::EmptyList(kind));
    }
}

#[test]
fn options_of_a_subscription() {
    let subscribe = |bits| [0x82, 7, 0, 1, 0, 0, 1, b'a', bits];
    for bits in [0x40, 0x80, 0xff] {
        let error = DecodeError::SubscriptionOptions(bits);
        assert_eq!(from_client(V5, &subscribe(bits)), error);
    }
    for bits in [0x03, 0x30, 0x33] {
        let error = DecodeError::SubscriptionValue(bits);
        assert_eq!(from_client(V5, &subscribe(bits)), error);
    }
    let old = |bits| [0x82, 6, 0, 1, 0, 1, b'a', bits];
    for bits in [0x04, 0x08, 0x10, 0x20, 0x40, 0x80] {
        let error = DecodeError::SubscriptionOptions(bits);
        assert_eq!(from_client(V4, &old(bits)), error);
    }
    assert_eq!(from_client(V4, &old(3)), DecodeError::SubscriptionValue(3));
    let shared = b"\x82\x10\0\x01\0\0\x0a$share/g/a\x04";
    assert_eq!(from_client(V5, shared), DecodeError::NoLocalShared);
}

#[test]
fn reason_codes_belong_to_their_packets() {
    for (bytes, side, kind, code) in [
        (&b"\x40\x03\0\x01\x01"[..], Side::Client, Kind::Puback, 0x01),
        (b"\x62\x03\0\x01\x10", Side::Client, Kind::Pubrel, 0x10),
        (b"\x90\x04\0\x01\0\x11", Side::Server, Kind::Suback, 0x11),
        (b"\xb0\x04\0\x01\0\x01", Side::Server, Kind::Unsuback, 0x01),
        (b"\x20\x03\0\x8b\0", Side::Server, Kind::Connack, 0x8b),
        (b"\xe0\x01\x8e", Side::Client, Kind::Disconnect, 0x8e),
        (b"\xe0\x01\x04", Side::Server, Kind::Disconnect, 0x04),
        (
            b"\xf0\x06\x19\x04\x15\0\x01M",
            Side::Server,
            Kind::Auth,
            0x19,
        ),
        (b"\xe0\x01\x7f", Side::Client, Kind::Disconnect, 0x7f),
    ] {
        let error = error_of(bytes, open_decoder(V5, side));
        assert_eq!(error, DecodeError::Reason { kind, code });
    }
    for (bytes, kind, code) in [
        (&b"\x20\x02\0\x06"[..], Kind::Connack, 6),
        (b"\x90\x03\0\x01\x03", Kind::Suback, 3),
        (b"\x90\x03\0\x01\x87", Kind::Suback, 0x87),
    ] {
        assert_eq!(from_server(V4, bytes), DecodeError::Reason { kind, code });
    }
}

#[test]
fn connack_has_one_flag_and_only_for_success() {
    assert_eq!(
        from_server(V4, b"\x20\x02\x02\0"),
        DecodeError::ConnackFlags(2)
    );
    assert_eq!(
        from_server(V4, b"\x20\x02\x01\x05"),
        DecodeError::ConnackFlags(1)
    );
    assert_eq!(
        from_server(V5, b"\x20\x03\x01\x87\0"),
        DecodeError::ConnackFlags(1)
    );
}

#[test]
fn bodies_of_the_wrong_length() {
    for (bytes, extra) in [
        (&b"\xc0\x01\0"[..], 1),
        (b"\xe0\x02\0\0", 2),
        (b"\x40\x03\0\x01\0", 1),
        (b"\x62\x04\0\x01\0\0", 2),
        (b"\x40\x03\0\x01\x87", 1),
    ] {
        assert_eq!(from_client(V4, bytes), DecodeError::TrailingBytes(extra));
    }
    // Behind the properties.
    let puback = b"\x40\x05\0\x01\0\0\0";
    assert_eq!(from_client(V5, puback), DecodeError::TrailingBytes(1));
    for bytes in [
        &b"\x40\x01\0"[..],
        b"\x40\x00",
        // The properties reach beyond the packet, and a value beyond them.
        b"\x30\x04\0\x01t\x01",
        b"\x30\x06\0\x01t\x01\x01\x00",
        b"\x82\x05\0\x01\0\0\x01",
        b"\x82\x06\0\x01\0\0\x01a",
        // Half a name of a user property.
        b"\x30\x09\0\x01t\x05\x26\0\x05ab",
    ] {
        assert_eq!(from_client(V5, bytes), DecodeError::Truncated, "{bytes:x?}");
    }
    assert_eq!(
        from_server(V4, b"\xb0\x03\0\x01\0"),
        DecodeError::TrailingBytes(1)
    );
    assert_eq!(
        connect(b"\0\x04MQTT\x04\x02\0\0\0\x01cx"),
        DecodeError::TrailingBytes(1)
    );
}

proptest! {
    /// A body that ends early is an error, or a shorter payload or list; it
    /// never reads on into what follows.
    #[test]
    fn bodies_cut_short((version, side, packet) in packet()) {
        let bytes = encode_one(&packet, version);
        prop_assume!(bytes.len() > 2 && bytes[1] < 0x80);
        let decoder = decoder_for(&packet, version, side);
        let body = &bytes[2..];
        for cut in 0..body.len() {
            let mut short = vec![bytes[0], u8::try_from(cut).expect("short")];
            short.extend_from_slice(&body[..cut]);
            short.extend_from_slice(&[0xff; 64]);
            let mut buf = BytesMut::from(&short[..]);
            let mut decoder = decoder;
            if let Ok(Some(_)) = decoder.decode(&mut buf) {
                prop_assert_eq!(buf.len(), 64, "cut at {}", cut);
            } else {
                prop_assert_eq!(&buf[..], &short[..]);
            }
        }
    }
}
