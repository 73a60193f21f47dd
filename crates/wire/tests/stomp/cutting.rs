//! How a stream comes apart: line ends, splits, lengths, versions.

use bytes::BytesMut;
use crosstalk_wire::stomp::{Command, Decoder, Escaping, Frame, FrameError, Side, Version};

use crate::{decode_all, decode_one, decoder, drain};

const STREAM: &[u8] = b"\n\r\n\nCONNECT\r\naccept-version:1.2\r\n\r\n\0\r\n\
    SEND\ndestination:/app/chat.send\ncontent-length:3\n\na\0b\0\n\n\
    SUBSCRIBE\nid:1\ndestination:/topic/a\n\nrest\0";

/// The whole, and each byte alone, and everything between.
#[test]
fn the_cut_of_the_stream_does_not_matter() {
    let stream = &STREAM[..STREAM.len() - 5];
    let mut stream = stream.to_vec();
    stream.push(0);
    let whole = decode_all(&stream, Version::V1_2);
    assert_eq!(whole.len(), 3);
    assert_eq!(&whole[1].body[..], b"a\0b");
    for piece in 1..stream.len() {
        let mut decoder = decoder(Version::V1_2);
        let mut buf = BytesMut::new();
        let mut frames = Vec::new();
        for bytes in stream.chunks(piece) {
            buf.extend_from_slice(bytes);
            while let Some(frame) = decoder.decode(&mut buf).expect("the stream is whole") {
                frames.push(frame);
            }
        }
        assert_eq!(frames, whole, "in pieces of {piece}");
        assert!(buf.is_empty());
    }
}

#[test]
fn a_frame_before_an_error_is_not_lost() {
    let (frames, error, rest) = drain(&mut decoder(Version::V1_2), STREAM);
    assert_eq!(frames.len(), 2);
    assert_eq!(error, Some(FrameError::UnexpectedBody(Command::Subscribe)));
    assert_eq!(&rest[..], b"rest\0");
}

#[test]
fn after_an_error_nothing_is_read() {
    let mut decoder = decoder(Version::V1_2);
    let mut buf = BytesMut::from(&b"nonsense"[..]);
    for _ in 0..2 {
        assert_eq!(decoder.decode(&mut buf), Err(FrameError::IllegalFrame));
        assert_eq!(&buf[..], b"nonsense");
        buf = BytesMut::from(&b"nonsense"[..]);
    }
    let mut buf = BytesMut::from(&b"DISCONNECT\n\n\0"[..]);
    assert_eq!(decoder.decode(&mut buf), Err(FrameError::IllegalFrame));
}

#[test]
fn repeated_headers_are_kept_and_the_first_wins() {
    let frame = decode_one(b"SEND\nfoo:World\nfoo:Hello\n\n\0", Version::V1_2);
    assert_eq!(frame.header("foo"), Some("World"));
    assert_eq!(frame.headers.len(), 2);

    let bytes = b"SEND\ncontent-length:3\ncontent-length:1\n\na\0b\0";
    let frame = decode_one(bytes, Version::V1_2);
    assert_eq!(&frame.body[..], b"a\0b");
    assert!(frame.headers.is_empty(), "the length is no header");
}

#[test]
fn bodies_end_where_their_length_says_or_at_a_nul() {
    let cases: [(&[u8], &[u8]); 6] = [
        (b"SEND\n\nab\0", b"ab"),
        (b"SEND\n\n\0", b""),
        (b"SEND\n\0", b""),
        (b"SEND\ncontent-length:0\n\n\0", b""),
        (b"SEND\ncontent-length: 2 \n\n\0\0\0", b"\0\0"),
        (b"SEND\ncontent-length:002\n\n\n\n\0", b"\n\n"),
    ];
    for (bytes, body) in cases {
        assert_eq!(decode_one(bytes, Version::V1_2).body, body, "{bytes:?}");
    }
    // Commands without a body may say so.
    let bytes = b"SUBSCRIBE\nid:1\ncontent-length:0\n\n\0";
    assert_eq!(decode_one(bytes, Version::V1_2).headers.len(), 1);
}

#[test]
fn header_values_may_be_empty_and_keep_their_blanks() {
    let bytes = b"SEND\nempty:\nblank:  x \n spaced :y\n\n\0";
    let frame = decode_one(bytes, Version::V1_2);
    assert_eq!(frame.header("empty"), Some(""));
    assert_eq!(frame.header("blank"), Some("  x "));
    assert_eq!(frame.header(" spaced "), Some("y"));

    // 1.0 clients write "name: value".
    let frame = decode_one(bytes, Version::V1_0);
    assert_eq!(frame.header("blank"), Some("x"));
    assert_eq!(frame.header("spaced"), Some("y"));
}

#[test]
fn each_version_reads_its_own_escapes_and_line_ends() {
    let value = |line: &str, version| {
        let bytes = format!("SEND\na:{line}\n\n\0");
        let (frames, error, _) = drain(&mut decoder(version), bytes.as_bytes());
        match error {
            Some(error) => Err(error),
            None => Ok(frames[0].header("a").expect("it has one").to_owned()),
        }
    };
    let escape = |index| Err(FrameError::IllegalEscape { index });
    let cases = [
        (r"x\cy", [Ok(r"x\cy"), Ok("x:y"), Ok("x:y")]),
        (r"x\ry", [Ok(r"x\ry"), escape(1), Ok("x\ry")]),
        (r"x\ty", [Ok(r"x\ty"), escape(1), escape(1)]),
        (r"x\", [Ok(r"x\"), escape(1), escape(1)]),
        ("x\r", [Ok("x"), Ok("x"), Ok("x")]),
        (
            "x\ry",
            [Ok("x\ry"), Ok("x\ry"), Err(FrameError::IllegalHeader)],
        ),
    ];
    for (line, values) in cases {
        for (version, expected) in Version::ALL.into_iter().zip(values) {
            let expected = expected.map(str::to_owned);
            assert_eq!(value(line, version), expected, "{line:?} {version:?}");
        }
    }
}

/// CONNECT and CONNECTED are literal in every version, whatever comes after.
#[test]
fn logging_in_is_never_escaped() {
    for version in Version::ALL {
        let bytes = b"CONNECT\npasscode:a\\b\\n:c\n\n\0";
        let frame = decode_one(bytes, version);
        assert_eq!(frame.header("passcode"), Some("a\\b\\n:c"));
    }
    let mut decoder = Decoder::new(Side::Server);
    let (frames, error, _) = drain(&mut decoder, b"CONNECTED\nsession:\\x\n\n\0");
    assert_eq!((frames[0].header("session"), error), (Some("\\x"), None));
}

#[test]
fn a_server_may_read_escapes_as_spring_does() {
    let mut decoder = decoder(Version::V1_0);
    decoder.set_escaping(Escaping::SPRING);
    let (frames, error, _) = drain(&mut decoder, b"SEND\na: x\\ry\n\n\0");
    assert_eq!((frames[0].header("a"), error), (Some("x\ry"), None));
}

/// In a login a CR is never data, whatever was spoken before.
#[test]
fn logging_in_has_no_lone_cr() {
    for version in Version::ALL {
        let bytes = b"CONNECT\nhost:a\rb\n\n\0";
        let error = drain(&mut decoder(version), bytes).1;
        assert_eq!(error, Some(FrameError::IllegalHeader), "{version:?}");
    }
}

/// Bytes that were looked at are not looked at again: a change among them,
/// which no peer can make, goes unnoticed.
#[test]
fn what_was_seen_is_not_searched_again() {
    let mut decoder = decoder(Version::V1_2);
    let mut buf = BytesMut::from(&b"SEND\nabcdef"[..]);
    assert_eq!(decoder.decode(&mut buf), Ok(None));
    buf[0] = b'\n';
    assert_eq!(decoder.decode(&mut buf), Ok(None));
    assert_eq!(&buf[..], b"\nbcdef");

    let mut decoder = self::decoder(Version::V1_2);
    let mut buf = BytesMut::from(&b"SEND\n\nabcdef"[..]);
    assert_eq!(decoder.decode(&mut buf), Ok(None));
    buf[0] = 0;
    assert_eq!(decoder.decode(&mut buf), Ok(None));
    assert_eq!(&buf[..], b"\0bcdef");
}

/// The version is set between two frames of one buffer.
#[test]
fn a_new_version_takes_effect_at_the_next_frame() {
    let mut buf = BytesMut::from(&b"CONNECT\n\n\0SEND\na: \\n\n\n\0"[..]);
    let mut decoder = Decoder::new(Side::Client);
    let connect = decoder.decode(&mut buf).expect("a CONNECT");
    assert_eq!(connect, Some(Frame::new(Command::Connect)));
    decoder.set_version(Version::V1_0);
    let send = decoder.decode(&mut buf).expect("a SEND").expect("whole");
    assert_eq!(send.header("a"), Some("\\n"));
}

#[test]
fn each_side_has_its_own_commands() {
    for command in Command::ALL {
        let bytes = format!("{command}\n\n\0");
        for side in [Side::Client, Side::Server] {
            let (frames, error, _) = drain(&mut Decoder::new(side), bytes.as_bytes());
            if command.side() == side {
                assert_eq!((frames, error), (vec![Frame::new(command)], None));
            } else {
                assert_eq!((frames.len(), error), (0, Some(FrameError::UnknownCommand)));
            }
        }
    }
}
