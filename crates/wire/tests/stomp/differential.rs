//! What another STOMP 1.2 codec makes of the same bytes.
//!
//! It is a client's, laxer than ours and without our limits: it takes any
//! command, case-insensitive `content-length`s and NULs between headers. So
//! what ours takes it must take alike, and not the other way round. Two
//! things are left out: it escapes CONNECT too, and does not know frames that
//! end without an empty line.

use bytes::BytesMut;
use crosstalk_wire::stomp::{Command, Decoder, Escaping, Frame, Side, Version, encode};
use iridium_stomp::{Frame as TheirFrame, StompCodec, StompItem};
use proptest::prelude::*;
use tokio_util::codec::{Decoder as _, Encoder as _};

use crate::arbitrary::frame_of;
use crate::{drain, encode_one};

const V12: Escaping = Escaping::V1_2;

/// Our frame as theirs has it.
fn theirs(frame: &Frame) -> TheirFrame {
    let mut theirs = TheirFrame::new(frame.command.as_str());
    for (name, value) in frame.headers.iter() {
        theirs = theirs.header(name, value);
    }
    theirs.set_body(frame.body.to_vec())
}

/// Their frames of `bytes`, without the `content-length`s, as far as they go.
fn read_by_theirs(bytes: &[u8]) -> Vec<TheirFrame> {
    let mut buf = BytesMut::from(bytes);
    let mut frames = Vec::new();
    while let Ok(Some(item)) = StompCodec::new().decode(&mut buf) {
        if let StompItem::Frame(mut frame) = item {
            frame.headers.retain(|(name, _)| name != "content-length");
            frames.push(frame);
        }
    }
    frames
}

/// A client's frame that is escaped.
fn client_frame() -> impl Strategy<Value = Frame> {
    let wanted = |command: &Command| command.is_escaped() && command.side() == Side::Client;
    frame_of(wanted, V12)
}

/// Where a line that is not empty is followed by a NUL, or the end.
fn without_empty_line(bytes: &[u8]) -> usize {
    let is_eol = |at: usize| {
        let before = &bytes[..at];
        before.ends_with(b"\n") || before.ends_with(b"\n\r")
    };
    (1..bytes.len())
        .find(|&at| bytes[at - 1..].starts_with(b"\n\0") && !is_eol(at - 1))
        .unwrap_or(bytes.len())
}

proptest! {
    #[test]
    fn they_read_what_we_write(
        frames in proptest::collection::vec(frame_of(|it| it.is_escaped(), V12), 0..5),
    ) {
        let mut bytes = BytesMut::new();
        for frame in &frames {
            encode(frame, V12, &mut bytes).expect("the frame encodes");
        }
        let expected: Vec<_> = frames.iter().map(theirs).collect();
        prop_assert_eq!(read_by_theirs(&bytes), expected);
    }

    #[test]
    fn we_read_what_they_write(frame in client_frame()) {
        let mut bytes = BytesMut::new();
        StompCodec::new()
            .encode(StompItem::Frame(theirs(&frame)), &mut bytes)
            .expect("they write everything");
        let (frames, error, rest) = drain(&mut Decoder::new(Side::Client), &bytes);
        prop_assert_eq!(error, None);
        prop_assert!(rest.is_empty());
        prop_assert_eq!(frames, vec![frame]);
    }

    /// Damaged streams: whatever we still take, they take alike.
    #[test]
    fn we_take_nothing_that_they_read_otherwise(
        frames in proptest::collection::vec(client_frame(), 1..4),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes: Vec<_> = frames.iter().flat_map(|it| encode_one(it, V12)).collect();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(without_empty_line(&bytes));
        let mut decoder = Decoder::new(Side::Client);
        decoder.set_version(Version::V1_2);
        let (ours, _, _) = drain(&mut decoder, &bytes);
        let shared = ours
            .iter()
            // A length in other letters is a header to us and a length to them.
            .take_while(|frame| {
                frame.command.is_escaped()
                    && frame.headers.get_ignoring_case("content-length").is_none()
            });
        let expected: Vec<_> = shared.map(theirs).collect();
        let read = read_by_theirs(&bytes);
        prop_assert!(read.starts_with(&expected), "{:?} {:?}", read, expected);
    }
}
