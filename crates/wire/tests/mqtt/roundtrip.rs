//! What is encoded decodes to the same, however the bytes are cut.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::mqtt::{
    Decoder, Delivery, Encoder, MessageProperties, Packet, Publish, ReasonCode, Side, Version,
};
use proptest::prelude::*;

use crate::arbitrary::{packet, stream};
use crate::wire_form::wire_form;
use crate::{decoder_for, encode_one, open_decoder, topic};

fn glue(packets: &[Packet], version: Version) -> BytesMut {
    let encoder = Encoder::new(version);
    let mut bytes = BytesMut::new();
    for packet in packets {
        encoder.encode(packet, &mut bytes).expect("it encodes");
    }
    bytes
}

fn decoder_of(side: Side, version: Version) -> Decoder {
    match side {
        Side::Client => Decoder::of_client(),
        Side::Server => Decoder::of_server(version),
    }
}

fn wire_forms(packets: Vec<Packet>, version: Version) -> Vec<Packet> {
    let packets = packets.into_iter();
    packets.map(|packet| wire_form(packet, version)).collect()
}

proptest! {
    #[test]
    fn glued_packets_come_apart((version, side, packets) in stream()) {
        let mut buf = glue(&packets, version);
        let mut decoder = decoder_of(side, version);
        let mut decoded = Vec::new();
        while let Some(packet) = decoder.decode(&mut buf).expect("the packets decode") {
            decoded.push(packet);
        }
        prop_assert!(buf.is_empty());
        prop_assert_eq!(decoded, wire_forms(packets, version));
    }

    #[test]
    fn packets_in_pieces_come_together(
        (version, side, packets) in stream(),
        pieces in proptest::collection::vec(1_usize..60, 1..20),
    ) {
        let bytes = glue(&packets, version);
        let mut decoder = decoder_of(side, version);
        let mut buf = BytesMut::new();
        let mut decoded = Vec::new();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle() {
            let (head, tail) = rest.split_at(rest.len().min(*piece));
            buf.extend_from_slice(head);
            rest = tail;
            while let Some(packet) = decoder.decode(&mut buf).expect("the packets decode") {
                decoded.push(packet);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(buf.is_empty());
        prop_assert_eq!(decoded, wire_forms(packets, version));
    }

    /// Every prefix of a packet is incomplete and left alone, and the last
    /// byte completes it.
    #[test]
    fn a_packet_split_at_any_byte((version, side, packet) in packet()) {
        let bytes = encode_one(&packet, version);
        let decoder = decoder_for(&packet, version, side);
        let wanted = wire_form(packet, version);
        for cut in 0..bytes.len() {
            let mut decoder = decoder;
            let mut buf = BytesMut::from(&bytes[..cut]);
            prop_assert_eq!(decoder.decode(&mut buf), Ok(None), "cut at {}", cut);
            prop_assert_eq!(&buf[..], &bytes[..cut]);
            buf.extend_from_slice(&bytes[cut..]);
            let decoded = decoder.decode(&mut buf);
            prop_assert_eq!(decoded, Ok(Some(wanted.clone())));
            prop_assert!(buf.is_empty());
        }
    }

    /// What a version carries has one encoding only.
    #[test]
    fn a_decoded_packet_encodes_to_the_same_bytes((version, side, packet) in packet()) {
        let bytes = encode_one(&packet, version);
        let mut buf = bytes.clone();
        let decoded = decoder_for(&packet, version, side).decode(&mut buf);
        let decoded = decoded.expect("it decodes").expect("it is whole");
        prop_assert_eq!(encode_one(&decoded, version), bytes);
    }
}

#[test]
fn remaining_lengths_of_every_width() {
    // Around the widths of the varint, and its bytes.
    let cases: [(usize, &[u8]); 6] = [
        (0x7f, &[0x7f]),
        (0x80, &[0x80, 0x01]),
        (0x3fff, &[0xff, 0x7f]),
        (0x4000, &[0x80, 0x80, 0x01]),
        (0x1f_ffff, &[0xff, 0xff, 0x7f]),
        (0x20_0000, &[0x80, 0x80, 0x80, 0x01]),
    ];
    for (body_len, prefix) in cases {
        // The topic takes three bytes.
        let packet = Packet::Publish(Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: Some(topic("t")),
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: Bytes::from(vec![7; body_len - 3]),
        });
        let mut bytes = encode_one(&packet, Version::V311);
        assert_eq!(&bytes[1..=prefix.len()], prefix);
        assert_eq!(bytes.len(), 1 + prefix.len() + body_len);
        let mut decoder = open_decoder(Version::V311, Side::Client);
        decoder.set_max_packet(usize::MAX);
        assert_eq!(decoder.decode(&mut bytes), Ok(Some(packet)));
    }
}

#[test]
fn return_codes_of_old_versions_come_back() {
    for code in 0..=5 {
        let reason = ReasonCode::from_return_code(code).expect("0 to 5 are known");
        assert_eq!(reason.return_code(), Some(code));
    }
    assert_eq!(ReasonCode::from_return_code(6), None);
}
