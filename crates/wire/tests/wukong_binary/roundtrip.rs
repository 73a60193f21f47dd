//! What is encoded decodes to the same, however the bytes are cut.

use bytes::BytesMut;
use crosstalk_wire::wukong::binary::{
    Decoder, Disconnect, MAX_FRAME_BYTES, Packet, encode, encode_recv,
};
use crosstalk_wire::wukong::reason::Reason;
use proptest::prelude::*;

use crate::arbitrary::{conversation, packet};
use crate::wire_form::wire_form;
use crate::{decode_all, decode_one, encode_one};

/// All packets of one version, glued.
fn glue(packets: &[Packet], version: u8) -> BytesMut {
    let mut bytes = BytesMut::new();
    for packet in packets {
        encode(packet, version, &mut bytes).expect("the packet encodes");
    }
    bytes
}

fn wire_forms(packets: Vec<Packet>, version: u8) -> Vec<Packet> {
    packets
        .into_iter()
        .map(|packet| wire_form(packet, version))
        .collect()
}

proptest! {
    #[test]
    fn glued_frames_come_apart((version, packets) in conversation()) {
        let bytes = glue(&packets, version);
        let decoded = decode_all(&bytes, version).expect("the frames decode");
        prop_assert_eq!(decoded, wire_forms(packets, version));
    }

    #[test]
    fn frames_in_pieces_come_together(
        (version, packets) in conversation(),
        pieces in proptest::collection::vec(1_usize..60, 1..20),
    ) {
        let bytes = glue(&packets, version);
        let mut decoder = Decoder::new(version);
        let mut buf = BytesMut::new();
        let mut decoded = Vec::new();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle() {
            let (head, tail) = rest.split_at(rest.len().min(*piece));
            buf.extend_from_slice(head);
            rest = tail;
            while let Some(packet) = decoder.decode(&mut buf).expect("the frames decode") {
                decoded.push(packet);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(buf.is_empty());
        prop_assert_eq!(decoded, wire_forms(packets, version));
    }

    /// Every prefix of a frame is incomplete and left alone, and the last byte
    /// completes it.
    #[test]
    fn a_frame_split_at_any_byte(
        (version, packet) in (1_u8..=6).prop_flat_map(|v| (Just(v), packet(v))),
    ) {
        let bytes = encode_one(&packet, version);
        let mut decoder = Decoder::new(version);
        for cut in 0..bytes.len() {
            let mut buf = BytesMut::from(&bytes[..cut]);
            prop_assert_eq!(decoder.decode(&mut buf), Ok(None), "cut at {}", cut);
            prop_assert_eq!(&buf[..], &bytes[..cut]);
            buf.extend_from_slice(&bytes[cut..]);
            let decoded = decoder.decode(&mut buf);
            prop_assert_eq!(decoded, Ok(Some(wire_form(packet.clone(), version))));
            prop_assert!(buf.is_empty());
        }
    }

    #[test]
    fn the_borrowed_recv_encodes_like_the_owned_one(
        (version, packet) in (1_u8..=6).prop_flat_map(|v| (Just(v), packet(v))),
    ) {
        if let Packet::Recv(recv) = &packet {
            let mut out = BytesMut::from(&b"before"[..]);
            encode_recv(&recv.parts(), version, &mut out).expect("the packet encodes");
            prop_assert_eq!(&out[..6], b"before");
            prop_assert_eq!(&out[6..], &encode_one(&packet, version)[..]);
        }
    }
}

#[test]
fn remaining_lengths_of_every_width() {
    // Body lengths around the widths of the varint, and its first bytes.
    let cases: [(usize, &[u8]); 7] = [
        (0x7f, &[0x7f]),
        (0x80, &[0x80, 0x01]),
        (0x3fff, &[0xff, 0x7f]),
        (0x4000, &[0x80, 0x80, 0x01]),
        (0x7fff, &[0xff, 0xff, 0x01]),
        (0xf_ffff, &[0xff, 0xff, 0x3f]),
        (MAX_FRAME_BYTES, &[0x80, 0x80, 0x40]),
    ];
    for (body_len, prefix) in cases {
        // An EVENT has 12 bytes of other fields.
        let packet = Packet::Event(crosstalk_wire::wukong::binary::Event {
            id: String::new(),
            event_type: String::new(),
            timestamp_ms: 0,
            data: vec![7; body_len - 12].into(),
        });
        let bytes = encode_one(&packet, 5);
        assert_eq!(&bytes[1..=prefix.len()], prefix);
        assert_eq!(bytes.len(), 1 + prefix.len() + body_len);
        assert_eq!(decode_one(&bytes, 5), packet);
    }
}

#[test]
fn every_reason_survives_every_packet_that_has_one() {
    for reason in Reason::ALL {
        let sent = Packet::Disconnect(Disconnect {
            reason: reason.into(),
            text: String::new(),
        });
        let bytes = encode_one(&sent, 5);
        // Flutter looks at nothing shorter than five bytes.
        assert_eq!(bytes.len(), 5);
        assert_eq!(bytes[2], reason.code());
        let Packet::Disconnect(received) = decode_one(&bytes, 5) else {
            panic!("not a DISCONNECT");
        };
        assert_eq!(Reason::try_from(received.reason), Ok(reason));
    }
}

#[test]
fn a_new_version_takes_effect_at_the_next_frame() {
    let ack = |seq| {
        Packet::Recvack(crosstalk_wire::wukong::binary::Recvack {
            flags: Default::default(),
            message_id: 1,
            message_seq: seq,
        })
    };
    let mut buf = BytesMut::new();
    encode(&ack(5), 5, &mut buf).expect("encodes");
    encode(&ack(u64::MAX), 6, &mut buf).expect("encodes");
    let mut decoder = Decoder::new(5);
    assert_eq!(decoder.decode(&mut buf), Ok(Some(ack(5))));
    decoder.set_version(6);
    assert_eq!(decoder.decode(&mut buf), Ok(Some(ack(u64::MAX))));
}
