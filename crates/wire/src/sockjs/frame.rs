//! Frames to the client (stomp-sockjs-wire.md §2.3).
//!
//! ```text
//! o · h · a["message",…] · c[code,"reason"] · m"message", of old servers
//! ```

use bytes::{BufMut, BytesMut};

use super::escape::put_json_string;

/// A frame to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// The session is new. The first frame of each.
    Open,
    /// Nothing; keeps the response alive.
    HeartBeat,
    /// Messages, in order.
    Messages(&'a [&'a str]),
    /// The session is closed. The last frame of each.
    Close {
        /// As a WebSocket's close code; 1000 and 3000 to 4999 for
        /// applications.
        code: u16,
        /// Why.
        reason: &'a str,
    },
}

impl Frame<'static> {
    /// For a second request that wants to receive while one does; the first
    /// goes on.
    pub const ANOTHER_CONNECTION: Frame<'static> = Frame::Close {
        code: 2010,
        reason: "Another connection still open",
    };

    /// For a request to a session whose receiving request broke off.
    pub const INTERRUPTED: Frame<'static> = Frame::Close {
        code: 1002,
        reason: "Connection interrupted",
    };
}

impl Frame<'_> {
    /// Appends the frame to `out`, as a WebSocket's text message has it.
    pub fn write(&self, out: &mut BytesMut) {
        match self {
            Frame::Open => out.put_u8(b'o'),
            Frame::HeartBeat => out.put_u8(b'h'),
            Frame::Messages(messages) => {
                out.put_slice(b"a[");
                for (at, message) in messages.iter().enumerate() {
                    if at > 0 {
                        out.put_u8(b',');
                    }
                    put_json_string(message, out);
                }
                out.put_u8(b']');
            }
            Frame::Close { code, reason } => {
                out.put_slice(b"c[");
                out.put_slice(code.to_string().as_bytes());
                out.put_u8(b',');
                put_json_string(reason, out);
                out.put_u8(b']');
            }
        }
    }
}

/// A frame as the client reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The session is new.
    Open,
    /// Nothing.
    HeartBeat,
    /// Messages, in order.
    Messages(Vec<String>),
    /// The session is closed.
    Close {
        /// The close code.
        code: u16,
        /// Why.
        reason: String,
    },
}

/// Text that is no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SockJS frame")]
pub struct BadFrame;

impl Received {
    /// Reads a frame, without what its transport puts around it.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn parse(text: &str) -> Result<Received, BadFrame> {
        let (kind, json) = text.split_at_checked(1).ok_or(BadFrame)?;
        match kind {
            "o" if json.is_empty() => Ok(Received::Open),
            "h" if json.is_empty() => Ok(Received::HeartBeat),
            "a" => serde_json::from_str(json)
                .map(Received::Messages)
                .map_err(|_| BadFrame),
            "m" => serde_json::from_str(json)
                .map(|message| Received::Messages(vec![message]))
                .map_err(|_| BadFrame),
            "c" => serde_json::from_str(json)
                .map(|(code, reason)| Received::Close { code, reason })
                .map_err(|_| BadFrame),
            _ => Err(BadFrame),
        }
    }
}
