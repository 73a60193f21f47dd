//! What is no frame, with the error of each, and the limits.

use bytes::BytesMut;
use crosstalk_wire::stomp::{
    Command, Decoder, EncodeError, Escaping, Frame, FrameError, Limits, MAX_FRAME_BYTES, Side,
    Version, encode,
};

use crate::{decoder, drain, encode_one};

fn error_of(bytes: &[u8]) -> Option<FrameError> {
    drain(&mut decoder(Version::V1_2), bytes).1
}

fn error_with(limits: Limits, bytes: &[u8]) -> Option<FrameError> {
    let mut decoder = decoder(Version::V1_2);
    decoder.set_limits(limits);
    drain(&mut decoder, bytes).1
}

/// Errors are found as soon as the bytes are there, without a NUL.
#[test]
fn what_is_no_frame() {
    use FrameError as E;
    let cases: [(&[u8], E); 36] = [
        // Commands.
        (b"x", E::IllegalFrame),
        (b"send\n", E::IllegalFrame),
        (b"\0", E::IllegalFrame),
        (b"{\"a\":1}", E::IllegalFrame),
        (b" SEND\n", E::IllegalFrame),
        (b"SEND \n", E::IllegalFrame),
        (b"SEND\0", E::IllegalFrame),
        (b"SEND:x\n", E::IllegalFrame),
        (b"SEND\rX", E::IllegalFrame),
        (b"\rSEND\n", E::IllegalFrame),
        (b"\xff\xfe", E::IllegalFrame),
        (b"FOO\n", E::UnknownCommand),
        (b"SENDX\r\n", E::UnknownCommand),
        (b"MESSAGE\n", E::UnknownCommand),
        (b"UNSUBSCRIBER", E::UnknownCommand),
        // Header lines.
        (b"SEND\nabc\n", E::IllegalHeader),
        (b"SEND\n:abc\n", E::IllegalHeader),
        (b"SEND\na:b\0", E::IllegalHeader),
        (b"SEND\nab\0", E::IllegalHeader),
        (b"SEND\n\r\0", E::IllegalHeader),
        (b"SEND\na:b\rc\n", E::IllegalHeader),
        (b"CONNECT\na:b\rc\n", E::IllegalHeader),
        (b"SEND\na:\xff\n", E::NotUtf8),
        (b"SEND\na:\xed\xa0\x80\n", E::NotUtf8),
        (b"SEND\na:\\t\n", E::IllegalEscape { index: 0 }),
        (b"SEND\na\\:b\n", E::IllegalEscape { index: 1 }),
        (b"SEND\na:bc\\\n", E::IllegalEscape { index: 2 }),
        // A body without the empty line before it.
        (b"SEND\na:b\n{\"appId\":\"x\"}\n", E::IllegalHeader),
        (b"SEND\na:b\n[\"x:y\"]\n", E::IllegalHeader),
        (b"SEND\na:b\n  {\"a\":1}\n", E::IllegalHeader),
        // Lengths.
        (b"SEND\ncontent-length:x\n", E::IllegalContentLength),
        (b"SEND\ncontent-length:-1\n", E::IllegalContentLength),
        (b"SEND\ncontent-length:+1\n", E::IllegalContentLength),
        (b"SEND\ncontent-length:\n", E::IllegalContentLength),
        (
            b"SEND\ncontent-length:2\n\nabc",
            E::WrongContentLength { length: 2 },
        ),
        (
            b"SEND\ncontent-length:2\n\0",
            E::WrongContentLength { length: 2 },
        ),
    ];
    for (bytes, error) in cases {
        let text = String::from_utf8_lossy(bytes);
        assert_eq!(error_of(bytes), Some(error), "{text:?}");
        assert!(!error.message().is_empty());
        assert_eq!(error.close_code(), 1002);
    }
}

#[test]
fn only_some_commands_have_a_body() {
    for command in Command::ALL {
        let side = command.side();
        for head in ["\n\nx", "\ncontent-length:1\n\n"] {
            let bytes = format!("{command}{head}");
            let error = drain(&mut Decoder::new(side), bytes.as_bytes()).1;
            let expected =
                (!command.may_have_body()).then_some(FrameError::UnexpectedBody(command));
            assert_eq!(error, expected, "{bytes:?}");
        }
    }
    // One line end too many is a body.
    let error = error_of(b"DISCONNECT\n\n\n\0");
    assert_eq!(error, Some(FrameError::UnexpectedBody(Command::Disconnect)));
}

/// Bytes that are only incomplete are no error.
#[test]
fn what_is_incomplete() {
    let cases: [&[u8]; 12] = [
        b"",
        b"\r",
        b"\n\n",
        b"S",
        b"UNSUBSCRIBE",
        b"SEND\r",
        b"SEND\n",
        b"SEND\na:b\r",
        b"SEND\na:b\n\r",
        b"SEND\n\n",
        b"SEND\n\nbody",
        b"SEND\ncontent-length:4\n\nbody",
    ];
    for bytes in cases {
        let (frames, error, _) = drain(&mut decoder(Version::V1_2), bytes);
        assert_eq!((frames.len(), error), (0, None), "{bytes:?}");
    }
}

#[test]
fn header_lines_have_a_limit() {
    let limits = Limits {
        line_bytes: 10,
        ..Limits::default()
    };
    let error = Some(FrameError::HeaderLineTooLong { limit: 10 });
    assert_eq!(error_with(limits, b"SEND\na:12345678\n\n\0"), None);
    assert_eq!(error_with(limits, b"SEND\na:12345678\r\n\r\n\0"), None);
    assert_eq!(error_with(limits, b"SEND\na:123456789\n\n\0"), error);
    assert_eq!(error_with(limits, b"SEND\na:123456789\r\n\n\0"), error);
    // Found before the line ends; a CR could still be its end.
    assert_eq!(error_with(limits, b"SEND\na:123456789"), None);
    assert_eq!(error_with(limits, b"SEND\na:1234567890"), error);

    let limit = Limits::default().line_bytes;
    assert_eq!(limit, 8 * 1024);
    let mut bytes = b"SEND\na:".to_vec();
    bytes.resize(5 + limit, b'x');
    assert_eq!(error_of(&[&bytes, &b"\n\n\0"[..]].concat()), None);
    bytes.push(b'x');
    let error = error_of(&[&bytes, &b"\n\n\0"[..]].concat());
    assert_eq!(error, Some(FrameError::HeaderLineTooLong { limit }));
}

#[test]
fn headers_have_a_limit_each_and_together() {
    let frame = |headers: usize| {
        let lines = "content-length:0\n".repeat(headers);
        format!("SEND\n{lines}\n\0").into_bytes()
    };
    assert_eq!(error_of(&frame(64)), None);
    let error = FrameError::TooManyHeaders { limit: 64 };
    assert_eq!(error_of(&frame(65)), Some(error));
    assert_eq!(error_of(&frame(10_000)), Some(error));

    let limits = Limits {
        head_bytes: 20,
        ..Limits::default()
    };
    let error = Some(FrameError::HeadersTooLarge { limit: 20 });
    assert_eq!(error_with(limits, b"SEND\na:345678\nb:345678\n"), None);
    assert_eq!(error_with(limits, b"SEND\na:345678\nb:3456789a\n"), None);
    assert_eq!(error_with(limits, b"SEND\na:345678\nb:3456789ab\n"), error);
    // Found before the line ends.
    assert_eq!(error_with(limits, b"SEND\na:345678\nb:3456789ab"), None);
    assert_eq!(error_with(limits, b"SEND\na:345678\nb:3456789abc"), error);
}

#[test]
fn frames_have_a_limit() {
    let limits = Limits {
        frame_bytes: 20,
        ..Limits::default()
    };
    let error = Some(FrameError::FrameTooLarge { limit: 20 });
    // SEND, two line ends and the NUL are seven bytes, the header four.
    assert_eq!(error_with(limits, b"SEND\na:b\n\n123456789\0"), None);
    assert_eq!(error_with(limits, b"SEND\na:b\n\n1234567890\0"), error);
    // Found before the NUL.
    assert_eq!(error_with(limits, b"SEND\na:b\n\n123456789"), None);
    assert_eq!(error_with(limits, b"SEND\na:b\n\n1234567890"), error);
    // Found before the body.
    let limits = Limits {
        frame_bytes: 50,
        ..limits
    };
    let error = Some(FrameError::FrameTooLarge { limit: 50 });
    assert_eq!(error_with(limits, b"SEND\ncontent-length:25\n\n"), None);
    assert_eq!(error_with(limits, b"SEND\ncontent-length:26\n\n"), error);
    let huge = b"SEND\ncontent-length:99999999999999999999999999999\n\n";
    assert_eq!(
        error_of(huge),
        Some(FrameError::FrameTooLarge {
            limit: MAX_FRAME_BYTES
        })
    );
    assert_eq!(error.map(|it| it.close_code()), Some(1009));
}

#[test]
fn the_largest_frame_is_a_mebibyte() {
    let mut bytes = b"SEND\n\n".to_vec();
    bytes.resize(MAX_FRAME_BYTES - 1, b'x');
    bytes.push(0);
    assert_eq!(error_of(&bytes), None);
    bytes.insert(6, b'x');
    assert_eq!(
        error_of(&bytes),
        Some(FrameError::FrameTooLarge {
            limit: MAX_FRAME_BYTES
        })
    );
}

#[test]
fn a_stranger_may_send_little() {
    let limits = Limits::before_login();
    let token = "x".repeat(4096);
    let connect = format!("CONNECT\nAuthorization:Bearer {token}\npasscode:{token}\n\n\0");
    assert_eq!(error_with(limits, connect.as_bytes()), None);
    let error = error_with(limits, b"SEND\ncontent-length:20000\n\n");
    assert!(matches!(error, Some(FrameError::FrameTooLarge { .. })));
}

/// A frame that cannot be written leaves what was written before.
#[test]
fn what_cannot_be_encoded() {
    let send = |name: &str, value: &str| Frame::new(Command::Send).with(name, value);
    let connect = |name: &str, value: &str| Frame::new(Command::Connect).with(name, value);
    let name = Err(EncodeError::Name(Command::Send));
    let value = Err(EncodeError::Value(Command::Send));
    let (v12, v11, v10) = (Escaping::V1_2, Escaping::V1_1, Escaping::Literal);
    let cases = [
        (send("", "x"), v12, name),
        (send("{a", "x"), v12, name),
        (send(" [a", "x"), v12, name),
        (send("a\0", "x"), v12, name),
        (send("a", "\0"), v12, value),
        (send("a\r:\n", "\r:\n"), v12, Ok(())),
        (send("a", "\r"), v11, value),
        (send("a\r", "x"), v11, name),
        (send("a:\n", ":\n"), v11, Ok(())),
        (send("a:", "x"), v10, name),
        (send("a", "\n"), v10, value),
        (send("a", "b:c\\"), v10, Ok(())),
        (connect("a", "b:c\\"), v12, Ok(())),
        (
            connect("a", "b\nreceipt:x"),
            v12,
            Err(EncodeError::Value(Command::Connect)),
        ),
        (
            connect("a:", "b"),
            v12,
            Err(EncodeError::Name(Command::Connect)),
        ),
        (
            Frame::new(Command::Receipt).with_body("x"),
            v12,
            Err(EncodeError::UnexpectedBody(Command::Receipt)),
        ),
    ];
    for (frame, escaping, result) in cases {
        let mut out = BytesMut::from(&b"before"[..]);
        assert_eq!(encode(&frame, escaping, &mut out), result, "{frame:?}");
        if result.is_err() {
            assert_eq!(&out[..], b"before", "{frame:?}");
        } else {
            assert!(out.len() > 6 && out.starts_with(b"before"));
        }
    }
}

/// The body alone says how long it is.
#[test]
fn a_length_among_the_headers_is_not_written() {
    let lie = |command| Frame::new(command).with("content-length", "99");
    let send = lie(Command::Send).with_body("ab");
    let bytes = encode_one(&send, Escaping::SPRING);
    assert_eq!(bytes, b"SEND\ncontent-length:2\n\nab\0");
    let receipt = encode_one(&lie(Command::Receipt), Escaping::SPRING);
    assert_eq!(receipt, b"RECEIPT\n\n\0");
}

/// What one side wrote is not more than the other takes.
#[test]
fn a_side_is_told_apart() {
    let error = drain(&mut Decoder::new(Side::Server), b"SEND\n").1;
    assert_eq!(error, Some(FrameError::UnknownCommand));
}
