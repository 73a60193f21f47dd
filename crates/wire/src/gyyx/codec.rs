//! Messages to frames and frames to messages.
//!
//! One WebSocket text message is one frame. Decoding is total, encoding cannot
//! fail, and a message's content is passed on as a slice of what came in.

use bytes::{BufMut, Bytes, BytesMut};

use crate::lenient::Json;

use super::frame::put;
use super::read::with_fields;
use super::{Base, Codes, Field, Incoming, Outgoing, Style, ToClient, ToServer};

/// How large things may be, in bytes (protocols/README.md A12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A whole message. The transport should not let larger ones through.
    pub frame_bytes: usize,
    /// The text of `message`, and of a room's `info`.
    pub message_bytes: usize,
    /// The text of `message` in the signals of a call.
    pub signal_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            frame_bytes: 1024 * 1024,
            message_bytes: 128 * 1024,
            signal_bytes: 64 * 1024,
        }
    }
}

/// Why a frame is refused. Clients are only told 10; the rest is for the log,
/// and for apps that want details (gyyx.md Q4-25).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Reason {
    /// Not one JSON object, or not UTF-8.
    #[error("not a JSON object")]
    NotJson,
    /// The message is above [`Limits::frame_bytes`].
    #[error("the message is too large")]
    TooLarge,
    /// `msgType` is missing or no integer.
    #[error("msgType is missing or no integer")]
    NoMsgType,
    /// The field is of a JSON type, or has a value, that makes no sense.
    #[error("{} makes no sense", .0.name())]
    Unreadable(Field),
    /// The frame needs the field. Of two that would do, one is named.
    #[error("{} is missing", .0.name())]
    Missing(Field),
    /// The field is above its limit.
    #[error("{} is too long", .0.name())]
    TooLong(Field),
}

/// Decodes a message from a client.
#[must_use]
pub fn decode_to_server(input: &Bytes, limits: &Limits) -> Incoming {
    with_fields(input, limits.frame_bytes, |fields| {
        let fields = match fields {
            Ok(fields) => fields,
            Err(reason) => {
                return Incoming {
                    base: Base::default(),
                    msg_type: None,
                    body: Err(reason),
                };
            }
        };
        let (base, fault) = fields.base();
        let msg_type = fields.msg_type();
        let body = match (msg_type, fault) {
            (None, _) => Err(Reason::NoMsgType),
            (_, Some(reason)) => Err(reason),
            (Some(msg_type), None) => ToServer::read(msg_type.number, fields, &base, limits),
        };
        Incoming {
            base,
            msg_type,
            body,
        }
    })
}

/// Decodes a message from a server that writes in `codes`.
///
/// # Errors
///
/// [`Reason`] says what is wrong with it.
pub fn decode_to_client(input: &Bytes, codes: Codes, limits: &Limits) -> Result<Outgoing, Reason> {
    with_fields(input, limits.frame_bytes, |fields| {
        let fields = fields?;
        let (base, fault) = fields.base();
        let msg_type = fields.msg_type().ok_or(Reason::NoMsgType)?;
        match fault {
            Some(reason) => Err(reason),
            None => Ok(Outgoing {
                base,
                body: ToClient::read(msg_type.number, codes, fields, limits)?,
            }),
        }
    })
}

/// Appends a frame for the server.
pub fn encode_to_server(base: &Base, body: &ToServer, style: Style, out: &mut BytesMut) {
    put(base, body, style, out, |_, _| false);
}

/// Appends a frame for a client.
pub fn encode_to_client(frame: &Outgoing, style: Style, out: &mut BytesMut) {
    put(&frame.base, &frame.body, style, out, |_, _| false);
}

/// Frames as one array, for apps that want a list as the `message` of one
/// frame (gyyx.md Q4-12).
#[must_use]
pub fn list(frames: &[Outgoing], style: Style) -> Json {
    let mut out = BytesMut::new();
    out.put_u8(b'[');
    for (at, frame) in frames.iter().enumerate() {
        if at > 0 {
            out.put_u8(b',');
        }
        encode_to_client(frame, style, &mut out);
    }
    out.put_u8(b']');
    Json::parse(&out.freeze()).expect("frames are JSON")
}
