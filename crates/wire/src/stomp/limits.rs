//! What a decoder takes from a peer before it refuses
//! (stomp-sockjs-wire.md §1.8, stomp.md Q2-28).

/// The largest frame in bytes, from its command to its NUL: 1 MiB. Beyond it
/// the connection ends with close code 1009.
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// The largest body of a message in bytes: 64 KiB. The decoder lets larger
/// ones through up to the frame's limit, since the sender gets a FAILED
/// message for them and stays connected: who reads the frame checks it.
pub const MAX_MESSAGE_BODY_BYTES: usize = 64 * 1024;

/// A decoder's limits. Each is checked before memory is spent on what it
/// forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// One header line in bytes, without its end.
    pub line_bytes: usize,
    /// Header lines of a frame, repeated ones included.
    pub headers: usize,
    /// All header lines of a frame in bytes, with their ends.
    pub head_bytes: usize,
    /// The whole frame in bytes; the body's limit follows from it.
    pub frame_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            line_bytes: 8 * 1024,
            headers: 64,
            head_bytes: 64 * 1024,
            frame_bytes: MAX_FRAME_BYTES,
        }
    }
}

impl Limits {
    /// Limits for the time before a client has logged in: a CONNECT holds a
    /// token or two and no body.
    #[must_use]
    pub fn before_login() -> Limits {
        Limits {
            head_bytes: 16 * 1024,
            frame_bytes: 16 * 1024 + 64,
            ..Limits::default()
        }
    }
}
