//! Messages marked off in a stream, for dialects to which it matters where one ends: each
//! stands behind a header of its kind and length. While a message is unfinished, its header
//! is zeros.

use bytes::{Buf, Bytes, BytesMut};

/// The length of a message's header, bytes.
pub const MESSAGE_HEADER_BYTES: usize = 5;

/// What a message is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageKind {
    /// Text, which is UTF-8.
    Text = 1,
    /// Bytes.
    #[default]
    Binary = 2,
    /// No message: the client has answered a ping.
    Pong = 3,
}

impl MessageKind {
    /// The header of a finished message of this kind and length, at most 4 GiB.
    #[must_use]
    pub fn header(self, length: usize) -> [u8; MESSAGE_HEADER_BYTES] {
        let [a, b, c, d] = u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes();
        [self as u8, a, b, c, d]
    }
}

/// Appends a message.
pub fn put_message(kind: MessageKind, payload: &[u8], to: &mut BytesMut) {
    to.extend_from_slice(&kind.header(payload.len()));
    to.extend_from_slice(payload);
}

/// Takes the first message, if all of it is there. The payload has memory of its own, so
/// that whoever keeps a part of it keeps nothing else.
#[must_use]
pub fn take_message(from: &mut BytesMut) -> Option<(MessageKind, Bytes)> {
    let (header, _) = from.split_first_chunk::<MESSAGE_HEADER_BYTES>()?;
    let [kind, a, b, c, d] = *header;
    let kind = match kind {
        1 => MessageKind::Text,
        2 => MessageKind::Binary,
        3 => MessageKind::Pong,
        _ => return None,
    };
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).ok()?;
    let payload = from.get(MESSAGE_HEADER_BYTES..MESSAGE_HEADER_BYTES + length)?;
    let payload = Bytes::copy_from_slice(payload);
    from.advance(MESSAGE_HEADER_BYTES + length);
    Some((kind, payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_as_they_went_in_and_not_before_they_are_whole() {
        let mut stream = BytesMut::new();
        put_message(MessageKind::Text, b"one", &mut stream);
        put_message(MessageKind::Pong, b"", &mut stream);
        put_message(MessageKind::Binary, b"two", &mut stream);
        stream.extend_from_slice(&[0; MESSAGE_HEADER_BYTES]);
        stream.extend_from_slice(b"unfinished");
        let mut heard = Vec::new();
        while let Some((kind, payload)) = take_message(&mut stream) {
            heard.push((kind, payload));
        }
        let expected = [
            (MessageKind::Text, Bytes::from("one")),
            (MessageKind::Pong, Bytes::new()),
            (MessageKind::Binary, Bytes::from("two")),
        ];
        assert_eq!(heard, expected);
        assert!(stream.ends_with(b"unfinished"));
    }
}
