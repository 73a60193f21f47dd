//! Fuzzing of what STOMP and SockJS clients send.
//!
//! Runs for about a second per target under `cargo test`; `BOLERO_RANDOM_TEST_TIME_MS`
//! or a fuzzing engine makes it longer. Whatever comes in, nothing panics, the
//! cut of the input does not matter, and what was decoded survives being
//! encoded and decoded again.

use bytes::BytesMut;
use crosstalk_wire::sockjs::{Callback, Frame as SockFrame, Framing, Messages, Received, Route};
use crosstalk_wire::stomp::im::{
    Call, ChatEdit, ChatRead, ChatRevoke, ChatSend, ChatSync, Destination, ImMessage, Image,
    RefusedSend, UserSig,
};
use crosstalk_wire::stomp::{
    ClientFrame, Decoder, Escaping, Frame, FrameError, Limits, ServerFrame, Side, Version, encode,
};

/// Feeds `input` in pieces of `piece` bytes; the frames and how it ended.
fn decode(
    input: &[u8],
    mut decoder: Decoder,
    piece: usize,
    limits: &Limits,
) -> (Vec<Frame>, Option<FrameError>) {
    decoder.set_limits(*limits);
    let mut buf = BytesMut::new();
    let mut frames = Vec::new();
    for bytes in input.chunks(piece.max(1)) {
        buf.extend_from_slice(bytes);
        loop {
            match decoder.decode(&mut buf) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => {
                    assert!(buf.len() <= limits.frame_bytes, "{} bytes wait", buf.len());
                    break;
                }
                Err(error) => {
                    assert_eq!(decoder.decode(&mut buf), Err(error));
                    return (frames, Some(error));
                }
            }
        }
    }
    (frames, None)
}

/// Small limits, so that inputs come upon them.
const SMALL: Limits = Limits {
    line_bytes: 24,
    headers: 6,
    head_bytes: 80,
    frame_bytes: 120,
};

fn check(input: &[u8], version: u8, side: bool, piece: usize) {
    let version = Version::ALL[usize::from(version) % 3];
    let side = if side { Side::Client } else { Side::Server };
    let mut decoder = Decoder::new(side);
    decoder.set_version(version);
    for limits in [Limits::default(), SMALL] {
        let whole = decode(input, decoder.clone(), usize::MAX, &limits);
        let pieces = decode(input, decoder.clone(), piece, &limits);
        assert_eq!(pieces.0, whole.0);
        assert_eq!(pieces.1.is_some(), whole.1.is_some());

        for frame in whole.0 {
            again(&frame, side);
            // Reading what it means may fail but not panic.
            if let Ok(meant) = ClientFrame::read(frame.clone(), version) {
                let read = ClientFrame::read(meant.to_frame(), version);
                assert_eq!(read, Ok(meant));
            }
            if let Ok(meant) = ServerFrame::read(frame, version) {
                let read = ServerFrame::read(meant.to_frame(), version);
                assert_eq!(read, Ok(meant));
            }
        }
    }
}

/// Encodes and decodes by the table that has a form for everything.
fn again(frame: &Frame, side: Side) {
    let mut bytes = BytesMut::new();
    encode(frame, Escaping::SPRING, &mut bytes).expect("what was decoded can be encoded");
    let read = decode(&bytes, Decoder::new(side), usize::MAX, &Limits::default());
    // Escapes may make a line longer than it was.
    if !matches!(
        read.1,
        Some(
            FrameError::HeaderLineTooLong { .. }
                | FrameError::HeadersTooLarge { .. }
                | FrameError::FrameTooLarge { .. }
        )
    ) {
        assert_eq!(read, (vec![frame.clone()], None));
    }
}

#[test]
fn arbitrary_bytes() {
    bolero::check!().for_each(|input: &[u8]| {
        let [version, side, piece, stream @ ..] = input else {
            return;
        };
        check(stream, *version, side % 2 == 0, usize::from(*piece));
    });
}

/// Bytes seldom look like a frame by chance; here they are words of frames.
#[test]
fn arbitrary_words() {
    const WORDS: [&[u8]; 32] = [
        b"CONNECT",
        b"SEND",
        b"SUBSCRIBE",
        b"ACK",
        b"MESSAGE",
        b"ERROR",
        b"CONNECTED",
        b"\n",
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\0",
        b":",
        b"\\",
        b"\\n",
        b"\\c",
        b"\\r",
        b"content-length:",
        b"content-length:3",
        b"0",
        b"1",
        b"destination:/a",
        b"id:1",
        b"message-id:1",
        b"receipt:1",
        b"version:1.2",
        b"abc",
        b"\xe4\xb8\xad",
        b"{\"a\":1}",
        b" ",
    ];
    bolero::check!()
        .with_type::<(u8, bool, u8, Vec<u8>)>()
        .for_each(|(version, side, piece, words)| {
            let stream: Vec<u8> = words
                .iter()
                .flat_map(|word| WORDS[usize::from(*word) % WORDS.len()])
                .copied()
                .collect();
            check(&stream, *version, *side, usize::from(*piece));
        });
}

/// A valid stream with one byte changed.
#[test]
fn damaged_frames() {
    const STREAM: &[u8] = b"CONNECT\naccept-version:1.2\npasscode:x\n\n\0\n\
        SUBSCRIBE\r\nid:1\r\ndestination:/a\\cb\r\n\r\n\0\
        SEND\ndestination:/app/chat.send\ncontent-length:4\n\na\0bc\0\
        ACK\nid:1\n\n\0DISCONNECT\nreceipt:1\n\n\0";
    let mut decoder = Decoder::new(Side::Client);
    decoder.set_version(Version::V1_2);
    let (frames, error) = decode(STREAM, decoder, usize::MAX, &Limits::default());
    assert_eq!((frames.len(), error), (5, None), "{frames:?}");

    bolero::check!().with_type::<(u8, u8, u8, u8)>().for_each(
        |&(version, piece, position, byte)| {
            let mut stream = STREAM.to_vec();
            let position = usize::from(position) % stream.len();
            stream[position] = byte;
            check(&stream, version, true, usize::from(piece));
        },
    );
}

#[test]
fn arbitrary_json() {
    const WORDS: [&str; 32] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"messageId\":",
        "\"toId\":",
        "\"chatType\":",
        "\"msgType\":",
        "\"content\":",
        "\"appKey\":",
        "\"extra\":",
        "\"mentionedUserIds\":",
        "\"limit\":",
        "\"u\"",
        "\"SINGLE\"",
        "\"TEXT\"",
        "1",
        "-1",
        "1e9",
        "null",
        "true",
        "\\u",
        "\\ud800",
        "中",
        "{}",
        "[]",
        "\"conversationId\":\"GROUP:g\"",
        "\"url\":\"x\"",
        " ",
    ];
    let read = |body: &[u8]| {
        match ChatSend::read(body) {
            Ok(send) => {
                let written = serde_json::to_vec(&send).expect("it becomes JSON");
                let again = ChatSend::read(&written).expect("what was written is read");
                assert_eq!(again.submitted(), send.submitted());
            }
            Err(refused @ RefusedSend::Member { .. }) => {
                assert!(refused.submitted().is_some());
            }
            Err(RefusedSend::InvalidJson { .. }) => {}
        }
        let _ = ChatRevoke::read(body);
        let _ = ChatEdit::read(body);
        let _ = ChatRead::read(body);
        if let Ok(sync) = ChatSync::read(body) {
            assert!((1..=1_000).contains(&sync.limit));
        }
        if let Ok(message) = ImMessage::read(body) {
            let again = ImMessage::read(&message.to_json()).expect("what was written is read");
            assert_eq!(again.to_json(), message.to_json());
        }
        let text = String::from_utf8_lossy(body);
        let _ = (Image::read(&text), Call::read(&text), UserSig::parse(&text));
        let _ = Destination::parse(&text);
    };
    bolero::check!()
        .with_type::<Vec<u8>>()
        .for_each(|bytes: &Vec<u8>| {
            read(bytes);
            let words = bytes
                .iter()
                .map(|byte| WORDS[usize::from(*byte) % WORDS.len()]);
            read(words.collect::<String>().as_bytes());
            read(format!("{{{}}}", String::from_utf8_lossy(bytes)).as_bytes());
        });
}

#[test]
fn arbitrary_sockjs() {
    bolero::check!().for_each(|input: &[u8]| {
        let text = String::from_utf8_lossy(input);
        let _ = Messages::from_xhr(input);
        let _ = Messages::from_jsonp(None, input);
        let _ = (Route::parse(&text), Received::parse(&text));
        if let Ok(callback) = Callback::from_query(&text) {
            assert!(callback.as_str().is_ascii());
        }

        // Any text comes through as it is.
        let mut out = BytesMut::new();
        Framing::WebSocket.write(&SockFrame::Messages(&[&text, ""]), &mut out);
        let frame = std::str::from_utf8(&out).expect("frames are text");
        let both = vec![text.clone().into_owned(), String::new()];
        assert_eq!(Received::parse(frame), Ok(Received::Messages(both)));
        let messages = Messages::from_websocket(&frame[1..]).expect("an array");
        assert_eq!(messages.iter().collect::<Vec<_>>(), [&*text, ""]);
    });
}
