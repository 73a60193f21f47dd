//! The limits of either direction, and what has no encoding.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::{
    Ack, Auth, Authentication, Connack, DecodeError, Decoder, Delivery, Diagnostics, Disconnect,
    EncodeError, Encoder, Kind, MAX_PACKET_BYTES, MAX_STRING_BYTES, MessageProperties, Packet,
    Publish, Qos, ReasonCode, Side, Suback, Subscribe, Subscription, TopicError, TopicName,
    UserProperties, Version, Will,
};

use crate::{connect, decode_one, encode_one, filter, id, open_decoder, topic};

fn publish(payload_len: usize) -> Packet {
    Packet::Publish(Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: Some(topic("t")),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties: MessageProperties::default(),
        payload: Bytes::from(vec![7; payload_len]),
    })
}

/// What the encoder says; the output stays as it was.
#[track_caller]
fn error_of(encoder: Encoder, packet: &Packet) -> EncodeError {
    let mut out = BytesMut::from(&b"before"[..]);
    let error = encoder.encode(packet, &mut out).expect_err("no encoding");
    assert_eq!(&out[..], b"before");
    error
}

#[test]
fn an_oversized_packet_is_refused_before_its_body() {
    // 1 MiB in all is allowed, one byte more is not.
    let mut decoder = open_decoder(Version::V5, Side::Client);
    let mut buf = BytesMut::from(&[0x30, 0xfc, 0xff, 0x3f][..]);
    assert_eq!(decoder.decode(&mut buf), Ok(None));
    for (length, len) in [
        ([0xfd, 0xff, 0x3f, 0x00], MAX_PACKET_BYTES + 1),
        ([0xff, 0xff, 0xff, 0x7f], 268_435_460),
    ] {
        let mut buf = BytesMut::from(&[&[0x30], &length[..]].concat()[..]);
        let limit = MAX_PACKET_BYTES;
        let error = DecodeError::TooLarge { len, limit };
        assert_eq!(decoder.decode(&mut buf), Err(error));
    }
    // The same before a client has said who it is.
    let mut buf = BytesMut::from(&[0x10, 0xff, 0xff, 0xff, 0x7f][..]);
    assert!(Decoder::of_client().decode(&mut buf).is_err());
}

#[test]
fn the_limit_counts_the_whole_packet() {
    let bytes = encode_one(&publish(93), Version::V311);
    assert_eq!(bytes.len(), 98);
    for (limit, is_allowed) in [(97, false), (98, true)] {
        let mut decoder = open_decoder(Version::V311, Side::Client);
        decoder.set_max_packet(limit);
        assert_eq!(decoder.decode(&mut bytes.clone()).is_ok(), is_allowed);

        let mut encoder = Encoder::new(Version::V311);
        encoder.set_max_packet(limit);
        let result = encoder.encode(&publish(93), &mut BytesMut::new());
        let error = EncodeError::TooLarge { len: 98, limit };
        assert_eq!(result, if is_allowed { Ok(()) } else { Err(error) });
    }
}

fn wordy_puback() -> Packet {
    let mut user_properties = UserProperties::new();
    user_properties.push("detail", "more").expect("short");
    Packet::Puback(Ack {
        packet_id: id(1),
        reason: ReasonCode::NotAuthorized,
        diagnostics: Diagnostics {
            reason_string: Some("not in the group".into()),
            user_properties,
        },
    })
}

#[test]
fn words_are_left_out_where_they_do_not_fit() {
    let whole = encode_one(&wordy_puback(), Version::V5);
    let mut encoder = Encoder::new(Version::V5);
    encoder.set_max_packet(whole.len());
    let mut out = BytesMut::new();
    encoder.encode(&wordy_puback(), &mut out).expect("it fits");
    assert_eq!(out, whole);

    encoder.set_max_packet(whole.len() - 1);
    let mut out = BytesMut::new();
    encoder.encode(&wordy_puback(), &mut out).expect("it fits");
    assert_eq!(&out[..], b"\x40\x03\0\x01\x87");

    encoder.set_max_packet(4);
    let error = EncodeError::TooLarge { len: 5, limit: 4 };
    assert_eq!(error_of(encoder, &wordy_puback()), error);
}

/// 5.0 §3.1.2.11.7: only PUBLISH, CONNACK and DISCONNECT keep them.
#[test]
fn words_are_left_out_where_they_are_not_wanted() {
    let mut encoder = Encoder::new(Version::V5);
    encoder.set_problem_information(false);
    let mut out = BytesMut::new();
    encoder.encode(&wordy_puback(), &mut out).expect("encodes");
    assert_eq!(&out[..], b"\x40\x03\0\x01\x87");

    let Packet::Puback(Ack { diagnostics, .. }) = wordy_puback() else {
        unreachable!("made above");
    };
    let mut connack = Connack::refusing(ReasonCode::Banned);
    connack.properties.diagnostics = diagnostics.clone();
    let mut disconnect = Disconnect::new(ReasonCode::QuotaExceeded);
    disconnect.diagnostics = diagnostics.clone();
    let Packet::Publish(mut message) = publish(1) else {
        unreachable!("made above");
    };
    message.properties.user_properties = diagnostics.user_properties;
    for packet in [
        Packet::Connack(connack.into()),
        Packet::Disconnect(disconnect),
        Packet::Publish(message),
    ] {
        let mut out = BytesMut::new();
        encoder.encode(&packet, &mut out).expect("encodes");
        assert_eq!(decode_one(&out, Version::V5, Side::Server), Ok(packet));
    }
}

#[test]
fn strings_at_the_limit() {
    let connect_as = |client_id: String| {
        let mut packet = connect(Version::V311);
        packet.client_id = client_id;
        Packet::Connect(packet.into())
    };
    let longest = connect_as("x".repeat(MAX_STRING_BYTES));
    let bytes = encode_one(&longest, Version::V311);
    assert_eq!(decode_one(&bytes, Version::V311, Side::Client), Ok(longest));

    let encoder = Encoder::new(Version::V311);
    let len = MAX_STRING_BYTES + 1;
    let error = error_of(encoder, &connect_as("x".repeat(len)));
    assert_eq!(error, EncodeError::String { len });
    let error = error_of(encoder, &connect_as("a\0".into()));
    assert_eq!(error, EncodeError::String { len: 2 });
    assert_eq!(TopicName::new("x".repeat(len)), Err(TopicError::TooLong));

    let mut packet = connect(Version::V311);
    packet.will = Some(Will {
        topic: topic("w"),
        payload: Bytes::from(vec![0; len]),
        qos: Qos::AtMostOnce,
        retain: false,
        delay_secs: None,
        properties: MessageProperties::default(),
    });
    let error = error_of(encoder, &Packet::Connect(packet.into()));
    assert_eq!(error, EncodeError::Binary { len });
}

/// 65,535 bytes of text in a property are more than a length of two bytes
/// says, and their block needs three.
#[test]
fn blocks_of_properties_have_lengths_of_any_width() {
    for len in [0, 60, 122, 123, 124, 125, 16_378, 16_379, 16_380, 65_535] {
        let mut connack = Connack::default();
        let text = "x".repeat(len);
        connack.properties.response_information = Some(text);
        let packet = Packet::Connack(connack.into());
        let bytes = encode_one(&packet, Version::V5);
        assert_eq!(decode_one(&bytes, Version::V5, Side::Server), Ok(packet));
    }
}

#[test]
fn what_a_version_cannot_say() {
    let old = Encoder::new(Version::V311);
    let new = Encoder::new(Version::V5);

    let auth = Packet::Auth(Auth {
        reason: ReasonCode::ContinueAuthentication,
        authentication: Authentication {
            method: "M".into(),
            data: None,
        },
        diagnostics: Diagnostics::default(),
    });
    assert_eq!(error_of(old, &auth), EncodeError::NotInVersion(Kind::Auth));

    let connack = Packet::Connack(Connack::refusing(ReasonCode::MalformedPacket).into());
    let kind = Kind::Connack;
    let reason = ReasonCode::MalformedPacket;
    assert_eq!(
        error_of(old, &connack),
        EncodeError::Reason { kind, reason }
    );
    assert!(new.encode(&connack, &mut BytesMut::new()).is_ok());

    let mut password = connect(Version::V311);
    password.password = Some(Bytes::from_static(b"p"));
    let error = error_of(old, &Packet::Connect(password.into()));
    assert_eq!(error, EncodeError::PasswordAlone);

    let mut nameless = connect(Version::V311);
    nameless.client_id.clear();
    nameless.clean_start = false;
    let error = error_of(old, &Packet::Connect(nameless.into()));
    assert_eq!(error, EncodeError::EmptyClientId);

    let Packet::Publish(mut aliased) = publish(0) else {
        unreachable!("made above");
    };
    aliased.topic = None;
    let nowhere = Packet::Publish(aliased.clone());
    assert_eq!(error_of(new, &nowhere), EncodeError::NoTopic);
    aliased.topic_alias = std::num::NonZeroU16::new(1);
    let aliased = Packet::Publish(aliased);
    assert_eq!(error_of(old, &aliased), EncodeError::NoTopic);
    assert!(new.encode(&aliased, &mut BytesMut::new()).is_ok());
}

#[test]
fn what_no_version_can_say() {
    let new = Encoder::new(Version::V5);
    let wrong = |kind, reason| EncodeError::Reason { kind, reason };
    let granted = ReasonCode::GrantedQos1;
    let puback = Packet::Puback(Ack::new(id(1), granted));
    assert_eq!(error_of(new, &puback), wrong(Kind::Puback, granted));
    let disconnect = Packet::Disconnect(Disconnect::new(granted));
    assert_eq!(error_of(new, &disconnect), wrong(Kind::Disconnect, granted));
    let suback = |reasons| {
        Packet::Suback(Suback {
            packet_id: id(1),
            reasons,
            diagnostics: Diagnostics::default(),
        })
    };
    let existed = ReasonCode::NoSubscriptionExisted;
    assert_eq!(
        error_of(new, &suback(vec![existed])),
        wrong(Kind::Suback, existed)
    );
    assert_eq!(
        error_of(new, &suback(vec![])),
        EncodeError::EmptyList(Kind::Suback)
    );

    let subscribe = |subscriptions| {
        Packet::Subscribe(Subscribe {
            packet_id: id(1),
            subscriptions,
            subscription_id: None,
            user_properties: UserProperties::new(),
        })
    };
    let none = error_of(new, &subscribe(vec![]));
    assert_eq!(none, EncodeError::EmptyList(Kind::Subscribe));
    let half = Subscription::new(filter("$share/g"), Qos::AtMostOnce);
    let error = error_of(new, &subscribe(vec![half.clone()]));
    assert_eq!(error, EncodeError::Filter(TopicError::BadShare));
    let old = Encoder::new(Version::V311);
    assert!(
        old.encode(&subscribe(vec![half]), &mut BytesMut::new())
            .is_ok()
    );
    let mut shared = Subscription::new(filter("$share/g/a"), Qos::AtMostOnce);
    shared.no_local = true;
    let error = error_of(new, &subscribe(vec![shared]));
    assert_eq!(error, EncodeError::NoLocalShared);
}

#[test]
fn secrets_are_not_in_debug_output() {
    let mut packet = connect(Version::V5);
    packet.password = Some(Bytes::from_static(b"open sesame"));
    packet.properties.authentication = Some(Authentication {
        method: "M".into(),
        data: Some(Bytes::from_static(b"open sesame")),
    });
    let text = format!("{:?}", Packet::Connect(packet.into()));
    assert!(text.contains("\"M\"") && !text.contains("sesame"), "{text}");
}
