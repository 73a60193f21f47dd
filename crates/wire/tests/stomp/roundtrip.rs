//! What is encoded decodes to the same, however the bytes are cut.

use bytes::BytesMut;
use crosstalk_wire::stomp::{
    ClientFrame, Decoder, Escaping, Frame, Side, Version, encode, encode_heart_beat,
};
use proptest::prelude::*;

use crate::arbitrary::{ESCAPINGS, conversation, frame};
use crate::{drain, encode_one};

/// All frames, glued, with heart-beats between them.
fn glue(frames: &[Frame], escaping: Escaping) -> BytesMut {
    let mut bytes = BytesMut::new();
    for (at, frame) in frames.iter().enumerate() {
        encode(frame, escaping, &mut bytes).expect("the frame encodes");
        if at % 2 == 0 {
            encode_heart_beat(&mut bytes);
        }
    }
    bytes
}

/// A decoder that reads what `escaping` wrote. Its version is 1.2: 1.0 would
/// drop blanks that were written.
fn decoder(side: Side, escaping: Escaping) -> Decoder {
    let mut decoder = Decoder::new(side);
    decoder.set_version(Version::V1_2);
    decoder.set_escaping(escaping);
    decoder
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Client), Just(Side::Server)]
}

proptest! {
    #[test]
    fn glued_frames_come_apart(
        (side, (escaping, frames)) in side().prop_flat_map(|s| (Just(s), conversation(s))),
    ) {
        let bytes = glue(&frames, escaping);
        let (decoded, error, rest) = drain(&mut decoder(side, escaping), &bytes);
        prop_assert_eq!(error, None);
        prop_assert!(rest.is_empty());
        prop_assert_eq!(decoded, frames);
    }

    #[test]
    fn frames_in_pieces_come_together(
        (escaping, frames) in conversation(Side::Client),
        pieces in proptest::collection::vec(1_usize..40, 1..20),
    ) {
        let bytes = glue(&frames, escaping);
        let mut decoder = decoder(Side::Client, escaping);
        let mut buf = BytesMut::new();
        let mut decoded = Vec::new();
        let mut rest = &bytes[..];
        for piece in pieces.iter().cycle() {
            let (head, tail) = rest.split_at(rest.len().min(*piece));
            buf.extend_from_slice(head);
            rest = tail;
            while let Some(frame) = decoder.decode(&mut buf).expect("the frames decode") {
                decoded.push(frame);
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert!(buf.is_empty());
        prop_assert_eq!(decoded, frames);
    }

    /// Every prefix of a frame is incomplete, and the last byte completes it.
    #[test]
    fn a_frame_split_at_any_byte(
        (escaping, frame) in proptest::sample::select(&ESCAPINGS[..])
            .prop_flat_map(|e| (Just(e), frame(Side::Server, e))),
    ) {
        let bytes = encode_one(&frame, escaping);
        for cut in 0..bytes.len() {
            let mut decoder = decoder(Side::Server, escaping);
            let mut buf = BytesMut::from(&bytes[..cut]);
            prop_assert_eq!(decoder.decode(&mut buf), Ok(None), "cut at {}", cut);
            buf.extend_from_slice(&bytes[cut..]);
            prop_assert_eq!(decoder.decode(&mut buf), Ok(Some(frame.clone())));
            prop_assert!(buf.is_empty());
        }
    }

    /// What a frame means survives being written and read again.
    #[test]
    fn meaning_survives(
        texts in proptest::collection::vec("[a-z:\\\\\r\n é中]{1,10}", 6),
        body in proptest::collection::vec(any::<u8>(), 0..50),
        version in proptest::sample::select(&Version::ALL[..]),
        at in 0_usize..8,
    ) {
        let command = [
            "SEND", "SUBSCRIBE", "UNSUBSCRIBE", "ACK", "NACK", "BEGIN", "COMMIT", "DISCONNECT",
        ][at];
        let names = [
            "id", "destination", "message-id", "subscription", "transaction", "receipt",
        ];
        let mut sent = Frame::new(
            crosstalk_wire::stomp::Command::ALL
                .into_iter()
                .find(|it| it.as_str() == command)
                .expect("it is a command"),
        );
        for (name, text) in names.iter().zip(&texts) {
            sent = sent.with(name, text);
        }
        if command == "SEND" {
            sent = sent.with_body(body);
        }
        let meant = ClientFrame::read(sent, version).expect("all headers are there");
        let bytes = encode_one(&meant.to_frame(), Escaping::SPRING);
        let mut decoder = decoder(Side::Client, Escaping::SPRING);
        let (mut frames, error, _) = drain(&mut decoder, &bytes);
        prop_assert_eq!(error, None);
        let read = ClientFrame::read(frames.remove(0), version);
        prop_assert_eq!(read, Ok(meant));
    }
}
