//! What the peer of a refused packet is told, per version and moment.

use bytes::BytesMut;
use crosstalk_wire::mqtt::{Answer, DecodeError, Decoder, ReasonCode, Version};

/// What a server writes about `bytes` on a new connection.
fn answer_to_first(bytes: &[u8]) -> (DecodeError, Vec<u8>) {
    let mut decoder = Decoder::of_client();
    let mut buf = BytesMut::from(bytes);
    let error = decoder.decode(&mut buf).expect_err("it is refused");
    let mut out = BytesMut::new();
    error.answer(decoder.version(), false).encode(&mut out);
    (error, out.to_vec())
}

/// What a server writes about `bytes` that follow a CONNECT of `version`.
fn answer_to_later(version: Version, bytes: &[u8], accepted: bool) -> Vec<u8> {
    let mut decoder = crate::open_decoder(version, crosstalk_wire::mqtt::Side::Client);
    let mut buf = BytesMut::from(bytes);
    let error = decoder.decode(&mut buf).expect_err("it is refused");
    let mut out = BytesMut::new();
    error.answer(decoder.version(), accepted).encode(&mut out);
    out.to_vec()
}

#[test]
fn an_unknown_level_is_answered_in_the_old_form() {
    for level in [0, 3, 6, 0x84] {
        let bytes = [b"\x10\x0d\0\x04MQTT", &[level][..], b"\x02\0\0\0\x01c"].concat();
        let (error, written) = answer_to_first(&bytes);
        assert_eq!(error.reason(), ReasonCode::UnsupportedProtocolVersion);
        assert_eq!(written, b"\x20\x02\0\x01");
    }
}

#[test]
fn another_protocol_hears_nothing() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        b"\x10\x0d\0\x04HTTP\x04\x02\0\0\0\x01c",
        b"\xc0\0",
    ] {
        assert_eq!(answer_to_first(bytes).1, b"");
    }
}

#[test]
fn a_client_without_a_name_is_told_so() {
    let (error, written) = answer_to_first(b"\x10\x0c\0\x04MQTT\x04\x00\0\0\0\0");
    assert_eq!(error.reason(), ReasonCode::ClientIdNotValid);
    assert_eq!(written, b"\x20\x02\0\x02");
}

#[test]
fn a_malformed_connect_is_answered_in_5_0_only() {
    // The reserved flag.
    let old = b"\x10\x0d\0\x04MQTT\x04\x03\0\0\0\x01c";
    assert_eq!(answer_to_first(old).1, b"");
    let new = b"\x10\x0e\0\x04MQTT\x05\x03\0\0\0\0\x01c";
    assert_eq!(answer_to_first(new).1, b"\x20\x03\0\x81\0");
    // A property twice.
    let new = b"\x10\x14\0\x04MQTT\x05\x02\0\0\x06\x22\0\0\x22\0\0\0\x01c";
    assert_eq!(answer_to_first(new).1, b"\x20\x03\0\x82\0");
}

#[test]
fn later_packets_are_answered_by_disconnect_in_5_0() {
    for (bytes, reason) in [
        (&b"\x00"[..], ReasonCode::MalformedPacket),
        (b"\x36", ReasonCode::MalformedPacket),
        (b"\x10", ReasonCode::ProtocolError),
        (b"\x30\xff\xff\xff\x7f", ReasonCode::PacketTooLarge),
        (b"\x30\x03\0\0\0", ReasonCode::ProtocolError),
        (b"\x30\x04\0\x01#\0", ReasonCode::MalformedPacket),
        (b"\x40\x02\0\0", ReasonCode::ProtocolError),
        (b"\x82\x03\0\x01\0", ReasonCode::ProtocolError),
        (b"\x82\x07\0\x01\0\0\x01a\x40", ReasonCode::MalformedPacket),
        (b"\x82\x07\0\x01\0\0\x01a\x03", ReasonCode::ProtocolError),
    ] {
        let written = answer_to_later(Version::V5, bytes, true);
        assert_eq!(written, [0xe0, 1, reason.code()], "{bytes:x?}");
        assert_eq!(
            answer_to_later(Version::V311, bytes, true),
            b"",
            "{bytes:x?}"
        );
        assert_eq!(
            answer_to_later(Version::V31, bytes, false),
            b"",
            "{bytes:x?}"
        );
    }
    // Before 5.0 there are no aliases to be wrong.
    let alias_0 = b"\x30\x07\0\x01t\x03\x23\0\0";
    let reason = ReasonCode::TopicAliasInvalid;
    let written = answer_to_later(Version::V5, alias_0, true);
    assert_eq!(written, [0xe0, 1, reason.code()]);
}

/// No DISCONNECT before the CONNACK that accepts (5.0 §3.14).
#[test]
fn a_client_that_waits_for_connack_gets_one() {
    let written = answer_to_later(Version::V5, b"\x10", false);
    assert_eq!(written, b"\x20\x03\0\x82\0");
    // CONNACK has no word for this one.
    let written = answer_to_later(Version::V5, b"\x30\x07\0\x01t\x03\x23\0\0", false);
    assert_eq!(written, b"");
}

/// Whatever is wrong, the answer can be written.
#[test]
fn every_answer_has_a_form() {
    for reason in ReasonCode::ALL {
        let mut out = BytesMut::new();
        Answer::Close.encode(&mut out);
        assert!(out.is_empty());
        Answer::Disconnect(reason).encode(&mut out);
        Answer::Connack {
            version: Version::V311,
            reason,
        }
        .encode(&mut out);
        assert!(out.len() <= 7);
    }
}
