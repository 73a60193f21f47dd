//! Texts to messages and messages to texts.
//!
//! One WebSocket text message is one message. Encoding cannot fail, and a
//! body is passed on as a slice of what came in.

use bytes::{BufMut, Bytes, BytesMut};

use crate::lenient::{put_number, put_text};

use super::{Content, Envelope, Fault, Kind, Message, Status, ToClient};

/// How large things may be, in bytes (protocols/README.md A12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A whole message. The transport should not let larger ones through.
    pub frame_bytes: usize,
    /// The text of a body.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frame_bytes: 1024 * 1024,
            body_bytes: 64 * 1024,
        }
    }
}

/// The text that many web clients send as a heartbeat (wg.md Q0-25).
pub const PING: &[u8] = b"ping";

/// The answer to [`PING`].
pub const PONG: &[u8] = b"pong";

/// What can come from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// [`PING`]; the answer is [`PONG`], and no 9001.
    Ping,
    /// A message.
    Message(Envelope),
}

/// Decodes a text message from a client, as far as the session does not
/// matter ([`Envelope`]).
///
/// # Errors
///
/// [`Fault`] has the answer: 401 for what is no message, 403 for a type that
/// cannot be read and for 9001. Whether another type is known, only the
/// applications' handlers can tell.
pub fn decode_to_server(input: &Bytes, limits: &Limits) -> Result<Incoming, Fault> {
    if input == PING {
        return Ok(Incoming::Ping);
    }
    let envelope = Envelope::read(input, limits)?;
    if envelope.kind == Kind::SendStatus {
        return Err(envelope.fault(Status::TypeError, Status::TypeError.text()));
    }
    Ok(Incoming::Message(envelope))
}

/// Decodes a text message from a server. [`PONG`] is none.
///
/// # Errors
///
/// [`Fault`] says what is wrong with it; its status is what a 9101 could say.
pub fn decode_to_client(input: &Bytes, limits: &Limits) -> Result<Message<ToClient>, Fault> {
    let envelope = Envelope::read(input, limits)?;
    let content = envelope.content_of_server()?;
    let absent = |status: Status| envelope.fault(status, status.text());
    Ok(Message {
        from: envelope
            .from
            .clone()
            .ok_or_else(|| absent(Status::FromError))?,
        to: envelope.to.clone().ok_or_else(|| absent(Status::ToError))?,
        id: envelope.id,
        is_system: envelope.is_system,
        timestamp_ms: envelope.timestamp_ms,
        content,
    })
}

/// Appends a message of either direction.
pub fn encode(message: &Message<impl Content>, out: &mut BytesMut) {
    put(message, out, put_text);
}

/// Appends a message; `put_to` writes the receiver.
pub(super) fn put(
    message: &Message<impl Content>,
    out: &mut BytesMut,
    put_to: impl FnOnce(&str, &mut BytesMut),
) {
    out.put_slice(b"{\"id\":");
    put_text(&message.id, out);
    out.put_slice(b",\"type\":");
    put_number(message.content.kind().code(), out);
    out.put_slice(b",\"isSystem\":");
    let is_system: &[u8] = if message.is_system { b"true" } else { b"false" };
    out.put_slice(is_system);
    out.put_slice(b",\"from\":");
    put_text(&message.from, out);
    out.put_slice(b",\"to\":");
    put_to(&message.to, out);
    out.put_slice(b",\"body\":");
    message.content.body().put_string(out);
    out.put_slice(b",\"timestamp\":");
    match message.timestamp_ms {
        Some(ms) => put_number(ms, out),
        None => out.put_slice(b"null"),
    }
    out.put_u8(b'}');
}
