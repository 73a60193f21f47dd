//! Everything that is not a frame, and the limits.

use bytes::{Bytes, BytesMut};
use crosstalk_wire::wukong::binary::{
    DecodeError, Decoder, Disconnect, EncodeError, Event, Flags, MAX_FRAME_BYTES, MAX_STRING_BYTES,
    Packet, Recvack, encode,
};
use proptest::prelude::*;

use crate::arbitrary::packet;
use crate::encode_one;

/// What the decoder says to `bytes`; the buffer must stay as it was.
#[track_caller]
fn error_of(bytes: &[u8], version: u8) -> DecodeError {
    let mut buf = BytesMut::from(bytes);
    let mut decoder = Decoder::new(version);
    let error = decoder
        .decode(&mut buf)
        .expect_err("the frame is malformed");
    assert_eq!(&buf[..], bytes);
    assert_eq!(decoder.decode(&mut buf), Err(error), "errors are stable");
    error
}

#[test]
fn types_that_do_not_exist_are_refused_at_their_first_byte() {
    for low in 0..16 {
        assert_eq!(error_of(&[low], 5), DecodeError::ReservedType);
        for unknown in 13..16 {
            let header = unknown << 4 | low;
            assert_eq!(error_of(&[header], 5), DecodeError::UnknownType(unknown));
        }
    }
}

#[test]
fn a_remaining_length_has_four_bytes_at_most() {
    assert_eq!(
        error_of(&[0x30, 0x80, 0x80, 0x80, 0x80], 5),
        DecodeError::MalformedLength
    );
    assert_eq!(
        error_of(&[0x30, 0xff, 0xff, 0xff, 0xff, 0x7f], 5),
        DecodeError::MalformedLength
    );
    for prefix in [&[0x30][..], &[0x30, 0x80], &[0x30, 0x80, 0x80, 0x80]] {
        let mut buf = BytesMut::from(prefix);
        assert_eq!(Decoder::new(5).decode(&mut buf), Ok(None));
    }
}

#[test]
fn a_longer_form_of_a_length_is_understood() {
    // RECVACK has 12 bytes.
    let mut bytes = vec![0x60, 0x8c, 0x80, 0x00];
    bytes.extend([0; 12]);
    let mut buf = BytesMut::from(&bytes[..]);
    assert!(matches!(
        Decoder::new(5).decode(&mut buf),
        Ok(Some(Packet::Recvack(_)))
    ));
}

#[test]
fn an_oversized_frame_is_refused_before_its_body() {
    // 1 MiB is allowed, one byte more is not.
    let mut buf = BytesMut::from(&[0x30, 0x80, 0x80, 0x40][..]);
    assert_eq!(Decoder::new(5).decode(&mut buf), Ok(None));
    assert_eq!(
        error_of(&[0x30, 0x81, 0x80, 0x40], 5),
        DecodeError::Oversized {
            len: MAX_FRAME_BYTES + 1,
            limit: MAX_FRAME_BYTES
        }
    );
    assert_eq!(
        error_of(&[0x30, 0xff, 0xff, 0xff, 0x7f], 5),
        DecodeError::Oversized {
            len: 268_435_455,
            limit: MAX_FRAME_BYTES
        }
    );
}

#[test]
fn the_limit_can_be_lowered_and_raised_again() {
    let frame = encode_one(
        &Packet::Disconnect(Disconnect {
            reason: 1,
            text: "x".repeat(97),
        }),
        5,
    );
    let mut decoder = Decoder::new(5);
    decoder.set_max_frame(99);
    let mut buf = BytesMut::from(&frame[..2]);
    assert_eq!(
        decoder.decode(&mut buf),
        Err(DecodeError::Oversized {
            len: 100,
            limit: 99
        })
    );
    decoder.set_max_frame(100);
    let mut buf = BytesMut::from(&frame[..]);
    assert!(
        decoder
            .decode(&mut buf)
            .expect("within the limit")
            .is_some()
    );

    decoder.set_max_frame(usize::MAX);
    let mut buf = BytesMut::from(&[0x30, 0x81, 0x80, 0x40][..]);
    assert!(decoder.decode(&mut buf).is_err(), "1 MiB is the ceiling");
}

#[test]
fn strings_must_be_short_utf8() {
    // DISCONNECT: reason, string.
    let cases: [(&[u8], DecodeError); 6] = [
        (&[0x90, 0x04, 0, 0, 1, 0xff], DecodeError::BadString),
        // Half of a character.
        (&[0x90, 0x05, 0, 0, 2, 0xe4, 0xbd], DecodeError::BadString),
        // An encoded surrogate.
        (
            &[0x90, 0x06, 0, 0, 3, 0xed, 0xa0, 0x80],
            DecodeError::BadString,
        ),
        // A negative length for the reference decoder.
        (&[0x90, 0x03, 0, 0x80, 0x00], DecodeError::BadString),
        (&[0x90, 0x03, 0, 0xff, 0xff], DecodeError::BadString),
        // The string would reach into the next frame.
        (&[0x90, 0x03, 0, 0, 1, 0x70, 0x70], DecodeError::Truncated),
    ];
    for (bytes, error) in cases {
        assert_eq!(error_of(bytes, 5), error, "{bytes:x?}");
    }
}

#[test]
fn an_empty_body_is_truncated() {
    for packet_kind in [1, 2, 3, 4, 5, 6, 9, 10, 11, 12] {
        assert_eq!(
            error_of(&[packet_kind << 4, 0], 5),
            DecodeError::Truncated,
            "type {packet_kind}"
        );
    }
}

#[test]
fn the_width_of_a_sequence_is_not_negotiable() {
    let ack = Packet::Recvack(Recvack {
        flags: Flags::default(),
        message_id: 1,
        message_seq: 2,
    });
    assert_eq!(
        error_of(&encode_one(&ack, 6), 5),
        DecodeError::TrailingBytes(4)
    );
    assert_eq!(error_of(&encode_one(&ack, 5), 6), DecodeError::Truncated);
}

#[test]
fn strings_at_the_limit() {
    let disconnect = |len| {
        Packet::Disconnect(Disconnect {
            reason: 1,
            text: "x".repeat(len),
        })
    };
    let longest = disconnect(MAX_STRING_BYTES);
    assert_eq!(crate::decode_one(&encode_one(&longest, 5), 5), longest);

    for len in [MAX_STRING_BYTES + 1, 0x1_0000, 0x1_0001] {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(
            encode(&disconnect(len), 5, &mut out),
            Err(EncodeError::StringTooLong { len })
        );
        assert_eq!(&out[..], b"before");
    }
}

#[test]
fn frames_above_the_limit_are_not_encoded() {
    let packet = Packet::Event(Event {
        id: String::new(),
        event_type: String::new(),
        timestamp_ms: 0,
        data: Bytes::from(vec![0; MAX_FRAME_BYTES - 11]),
    });
    let mut out = BytesMut::from(&b"before"[..]);
    assert_eq!(
        encode(&packet, 5, &mut out),
        Err(EncodeError::FrameTooLarge {
            len: MAX_FRAME_BYTES + 1
        })
    );
    assert_eq!(&out[..], b"before");
}

/// Replaces the length of a frame of less than 128 bytes.
fn with_body(frame: &[u8], body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(body.len()).expect("short");
    assert!(len < 0x80);
    [&[frame[0], len], body].concat()
}

proptest! {
    /// A body that ends early is an error, or a shorter payload; it never
    /// reads on into what follows.
    #[test]
    fn bodies_cut_short(
        (version, packet) in (1_u8..=6).prop_flat_map(|v| (Just(v), packet(v))),
    ) {
        let frame = encode_one(&packet, version);
        prop_assume!(frame.len() > 2 && frame[1] < 0x80);
        let body = &frame[2..];
        let payload_len = match &packet {
            Packet::Send(send) => send.payload.len(),
            Packet::Recv(recv) => recv.payload.len(),
            Packet::Event(event) => event.data.len(),
            _ => 0,
        };
        for cut in 0..body.len() {
            let mut short = with_body(&frame, &body[..cut]);
            short.extend_from_slice(&[0; 64]);
            let mut buf = BytesMut::from(&short[..]);
            let result = Decoder::new(version).decode(&mut buf);
            if cut < body.len() - payload_len {
                prop_assert_eq!(result, Err(DecodeError::Truncated), "cut at {}", cut);
            } else {
                prop_assert!(matches!(result, Ok(Some(_))), "cut at {}", cut);
                prop_assert_eq!(buf.len(), 64);
            }
        }
    }

    #[test]
    fn bytes_after_the_last_field(
        (version, packet) in (1_u8..=6).prop_flat_map(|v| (Just(v), packet(v))),
        extra in 1_usize..20,
    ) {
        let frame = encode_one(&packet, version);
        prop_assume!(frame.len() > 2 && frame.len() < 100);
        let body = [&frame[2..], &vec![0; extra]].concat();
        let mut buf = BytesMut::from(&with_body(&frame, &body)[..]);
        let result = Decoder::new(version).decode(&mut buf);
        if matches!(packet, Packet::Send(_) | Packet::Recv(_) | Packet::Event(_)) {
            prop_assert!(matches!(result, Ok(Some(_))));
        } else {
            prop_assert_eq!(result, Err(DecodeError::TrailingBytes(extra)));
        }
    }
}
