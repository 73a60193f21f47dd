//! WebSocket frames (RFC 6455 §5): from a client, as one stream of bytes or message by
//! message; to a client, one message for each packet. Headers are read and written by the
//! library; nothing is kept but what an unfinished message needs.

use std::io::Cursor;

use bytes::{Buf, BufMut, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::FrameHeader;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use crate::protocol::{Heard, MESSAGE_HEADER_BYTES, MessageKind, close_code, put_message};

/// The largest message: one of the largest packets, and some small ones beside it.
pub(super) const MAX_MESSAGE_BYTES: u64 = (1 << 20) + 64 * 1024;
/// The largest payload of a control frame (§5.5).
const MAX_CONTROL_BYTES: u64 = 125;

/// Why nothing more is read: the code to close with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closing(pub(super) u16);

/// What a client sends.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    heard: Heard,
    /// Bytes of the frame that are still to come, and how they are masked.
    rest: u64,
    mask: [u8; 4],
    /// Set between the first and the last frame of a message: bytes announced so far.
    message_bytes: Option<u64>,
    /// What the message that has begun is of, and whether its last frame has.
    kind: MessageKind,
    is_last: bool,
    /// Bytes of that message, with what stands before it, that are in the input.
    kept: usize,
    /// The input was cleared meanwhile: the rest of the message is of no use.
    is_lost: bool,
}

impl Incoming {
    /// Of a client that has said nothing yet.
    pub(super) fn new(heard: Heard) -> Self {
        Self {
            heard,
            ..Self::default()
        }
    }

    /// Takes what is in `raw`, appends the bytes of messages to `input` and what is to be
    /// answered at once to `answers`. What is left of `raw` waits for more.
    ///
    /// # Errors
    /// The client closes, or does what it must not; `raw` is of no use any more.
    pub(super) fn take(
        &mut self,
        raw: &mut BytesMut,
        input: &mut BytesMut,
        answers: &mut BytesMut,
    ) -> Result<(), Closing> {
        self.is_lost |= input.len() < self.kept;
        loop {
            if self.rest > 0 && !raw.is_empty() {
                self.take_payload(raw, input);
                if self.rest == 0 {
                    self.end_frame(input)?;
                }
            }
            if raw.is_empty() {
                return Ok(());
            }
            let mut cursor = Cursor::new(&raw[..]);
            let parsed = FrameHeader::parse(&mut cursor);
            let Some((header, length)) = parsed.map_err(|_| Closing(close_code::PROTOCOL))? else {
                return Ok(());
            };
            let header_bytes = usize::try_from(cursor.position()).unwrap_or(usize::MAX);
            let Some(mask) = header.mask else {
                return Err(Closing(close_code::PROTOCOL));
            };
            if header.rsv1 || header.rsv2 || header.rsv3 {
                return Err(Closing(close_code::PROTOCOL));
            }
            match header.opcode {
                OpCode::Data(kind) => {
                    self.begin_data(kind, header.is_final, length)?;
                    raw.advance(header_bytes);
                    (self.rest, self.mask) = (length, mask);
                    if kind != Data::Continue && self.heard == Heard::Messages {
                        input.put_bytes(0, MESSAGE_HEADER_BYTES);
                        self.kept = MESSAGE_HEADER_BYTES;
                    }
                    if self.rest == 0 {
                        self.end_frame(input)?;
                    }
                }
                OpCode::Control(kind) => {
                    if length > MAX_CONTROL_BYTES || !header.is_final {
                        return Err(Closing(close_code::PROTOCOL));
                    }
                    let end = header_bytes + length as usize;
                    if raw.len() < end {
                        return Ok(());
                    }
                    let mut frame = raw.split_to(end);
                    let payload = &mut frame[header_bytes..];
                    unmask(payload, mask);
                    control(kind, payload, answers)?;
                    // In the midst of a message it is of no use: that is a sign of life, too.
                    if kind == Control::Pong
                        && self.heard == Heard::Messages
                        && self.message_bytes.is_none()
                    {
                        put_message(MessageKind::Pong, &[], input);
                    }
                }
            }
        }
    }

    /// A frame of a message begins.
    fn begin_data(&mut self, kind: Data, is_final: bool, length: u64) -> Result<(), Closing> {
        let so_far = match (kind, self.message_bytes) {
            (Data::Text, None) if self.heard == Heard::Binary => {
                return Err(Closing(close_code::UNSUPPORTED));
            }
            (Data::Text, None) => {
                self.kind = MessageKind::Text;
                0
            }
            (Data::Binary, None) => {
                self.kind = MessageKind::Binary;
                0
            }
            (Data::Continue, Some(so_far)) => so_far,
            _ => return Err(Closing(close_code::PROTOCOL)),
        };
        let message_bytes = length.saturating_add(so_far);
        if message_bytes > MAX_MESSAGE_BYTES {
            return Err(Closing(close_code::TOO_BIG));
        }
        self.message_bytes = Some(message_bytes);
        self.is_last = is_final;
        Ok(())
    }

    /// All of a frame's payload is there.
    fn end_frame(&mut self, input: &mut BytesMut) -> Result<(), Closing> {
        if !self.is_last {
            return Ok(());
        }
        let length = self.message_bytes.take().unwrap_or(0);
        self.kept = 0;
        let is_lost = std::mem::take(&mut self.is_lost);
        if self.heard == Heard::Messages && !is_lost {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let begins = input.len() - length;
            let (before, payload) = input.split_at_mut(begins);
            if self.kind == MessageKind::Text && std::str::from_utf8(payload).is_err() {
                return Err(Closing(close_code::NOT_UTF8));
            }
            let header = &mut before[begins - MESSAGE_HEADER_BYTES..];
            header.copy_from_slice(&self.kind.header(length));
        }
        Ok(())
    }

    /// Takes what is there of a frame's payload.
    fn take_payload(&mut self, raw: &mut BytesMut, input: &mut BytesMut) {
        let count = usize::try_from(self.rest).map_or(raw.len(), |rest| rest.min(raw.len()));
        if !self.is_lost {
            let before = input.len();
            input.extend_from_slice(&raw[..count]);
            unmask(&mut input[before..], self.mask);
        }
        if self.heard == Heard::Messages && !self.is_lost {
            self.kept += count;
        }
        raw.advance(count);
        self.mask.rotate_left(count % 4);
        self.rest -= count as u64;
    }
}

fn control(kind: Control, payload: &[u8], answers: &mut BytesMut) -> Result<(), Closing> {
    match kind {
        Control::Ping => put_header(OpCode::Control(Control::Pong), payload.len(), answers),
        Control::Pong => return Ok(()),
        // What the client says is said back to it (§5.5.1), if it may say that.
        Control::Close => {
            return Err(Closing(match payload {
                [] => close_code::NORMAL,
                [high, low, ..] => match u16::from_be_bytes([*high, *low]) {
                    code @ (1000..=1003 | 1007..=1014 | 3000..=4999) => code,
                    _ => close_code::PROTOCOL,
                },
                [_] => close_code::PROTOCOL,
            }));
        }
        Control::Reserved(_) => return Err(Closing(close_code::PROTOCOL)),
    }
    answers.extend_from_slice(payload);
    Ok(())
}

/// Appends the header of the frame that is one whole message of so many bytes.
pub(super) fn put_message_header(kind: Data, length: usize, out: &mut BytesMut) {
    put_header(OpCode::Data(kind), length, out);
}

/// Appends a whole PING frame.
pub(super) fn put_ping(out: &mut BytesMut) {
    put_header(OpCode::Control(Control::Ping), 0, out);
}

/// Appends a whole CLOSE frame.
pub(super) fn put_close(code: u16, out: &mut BytesMut) {
    put_header(OpCode::Control(Control::Close), 2, out);
    out.put_u16(code);
}

fn put_header(opcode: OpCode, length: usize, out: &mut BytesMut) {
    let header = FrameHeader {
        opcode,
        ..FrameHeader::default()
    };
    let written = header.format(length as u64, &mut out.writer());
    debug_assert!(written.is_ok(), "memory takes all that is written");
}

/// Masks and unmasks (§5.3).
fn unmask(bytes: &mut [u8], mask: [u8; 4]) {
    let word = u64::from(u32::from_ne_bytes(mask));
    let wide = word << 32 | word;
    let (words, rest) = bytes.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ wide).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

    /// A client's frame with these first bits.
    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![first];
        match payload.len() {
            short @ 0..126 => bytes.push(0x80 | short as u8),
            long @ 126..0x1_0000 => {
                bytes.push(0x80 | 126);
                bytes.extend_from_slice(&(long as u16).to_be_bytes());
            }
            huge => {
                bytes.push(0x80 | 127);
                bytes.extend_from_slice(&(huge as u64).to_be_bytes());
            }
        }
        bytes.extend_from_slice(&MASK);
        bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
        bytes
    }

    #[derive(Default)]
    struct Ear {
        incoming: Incoming,
        raw: BytesMut,
        input: BytesMut,
        answers: BytesMut,
    }

    impl Ear {
        fn hear(&mut self, bytes: &[u8]) -> Result<(), Closing> {
            self.raw.extend_from_slice(bytes);
            self.incoming
                .take(&mut self.raw, &mut self.input, &mut self.answers)
        }
    }

    fn refused(bytes: &[u8]) -> u16 {
        match Ear::default().hear(bytes) {
            Err(Closing(code)) => code,
            Ok(()) => panic!("it is taken: {bytes:?}"),
        }
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn messages_are_one_stream_however_they_are_cut() {
        let (one, two, three) = (bytes(5), bytes(300), bytes(70_000));
        let mut sent = frame(0x82, &one);
        sent.extend(frame(0x02, &two[..7]));
        sent.extend(frame(0x89, b"between"));
        sent.extend(frame(0x00, b""));
        sent.extend(frame(0x80, &two[7..]));
        sent.extend(frame(0x82, b""));
        sent.extend(frame(0x8a, b"nobody asked"));
        sent.extend(frame(0x82, &three));
        let expected = [one, two, three].concat();
        for piece in [1, 2, 3, 7, 1000, sent.len()] {
            let mut ear = Ear::default();
            for bytes in sent.chunks(piece) {
                assert_eq!(ear.hear(bytes), Ok(()));
                assert!(ear.raw.len() < 140, "only what is no payload waits");
            }
            assert_eq!(ear.input, expected, "in pieces of {piece}");
            assert_eq!(&ear.answers[..], b"\x8a\x07between");
        }
    }

    #[test]
    fn half_a_message_that_nobody_wants_is_not_waited_for() {
        for pieces in [1, 2] {
            let mut ear = Ear {
                incoming: Incoming::new(Heard::Messages),
                ..Ear::default()
            };
            let text = [b'x'; 100];
            let begun = frame(0x01, &text[..50]);
            assert_eq!(ear.hear(&frame(0x81, b"whole")), Ok(()));
            for piece in begun.chunks(60 / pieces) {
                assert_eq!(ear.hear(piece), Ok(()));
                // The connection is over for whoever reads it.
                ear.input.clear();
            }
            assert_eq!(ear.hear(&frame(0x80, &text[50..])), Ok(()));
            assert!(ear.input.is_empty(), "{:?}", ear.input);
            assert_eq!(ear.hear(&frame(0x81, b"next")), Ok(()));
            let next = crate::protocol::take_message(&mut ear.input).expect("a message");
            assert_eq!(
                next,
                (MessageKind::Text, bytes::Bytes::from_static(b"next"))
            );
        }
    }

    #[test]
    fn what_a_client_must_not_do_is_told_by_the_code() {
        let too_big = frame(0x82, &vec![0; MAX_MESSAGE_BYTES as usize + 1]);
        let cases = [
            (frame(0x81, b"text"), close_code::UNSUPPORTED),
            (vec![0x82, 0x01, 0x00], close_code::PROTOCOL),
            (frame(0xc2, b"an extension"), close_code::PROTOCOL),
            (frame(0x83, b"no such frame"), close_code::PROTOCOL),
            (frame(0x80, b"nothing to go on with"), close_code::PROTOCOL),
            (
                [frame(0x02, b"a"), frame(0x82, b"b")].concat(),
                close_code::PROTOCOL,
            ),
            (frame(0x09, b"half a ping"), close_code::PROTOCOL),
            (frame(0x89, &[0; 126]), close_code::PROTOCOL),
            (frame(0x88, b"\x03"), close_code::PROTOCOL),
            (frame(0x88, &1005u16.to_be_bytes()), close_code::PROTOCOL),
            // Known before any of the payload is there.
            (too_big[..14].to_vec(), close_code::TOO_BIG),
            (
                [
                    frame(0x02, &vec![0; 600_000]),
                    frame(0x80, &vec![0; 600_000]),
                ]
                .concat(),
                close_code::TOO_BIG,
            ),
            (
                vec![
                    0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
                ],
                close_code::TOO_BIG,
            ),
        ];
        for (sent, code) in cases {
            let shown = &sent[..sent.len().min(20)];
            assert_eq!(refused(&sent), code, "{shown:?}");
        }
        assert_eq!(
            Ear::default().hear(&frame(0x82, &vec![0; MAX_MESSAGE_BYTES as usize])),
            Ok(())
        );
    }

    #[test]
    fn a_goodbye_is_said_back() {
        assert_eq!(refused(&frame(0x88, b"")), close_code::NORMAL);
        for code in [1000, 1001, 3000, 4999] {
            let payload = [&u16::to_be_bytes(code)[..], b"why"].concat();
            assert_eq!(refused(&frame(0x88, &payload)), code);
        }
    }
}
