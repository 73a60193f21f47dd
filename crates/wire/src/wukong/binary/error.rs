//! What can go wrong with a frame.
//!
//! A decode error means that the stream can no longer be cut into frames, or
//! that the peer does not speak the protocol; either way the only sound answer
//! is to close. Encode errors concern one packet and leave the connection
//! usable. Neither knows the reason codes sent to clients.

/// Why bytes are no frame. The connection must be closed: frame boundaries
/// after the error are unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The announced remaining length is above the limit. Found from the
    /// first bytes, before any of the body is waited for (wukong.md §1.1).
    #[error("frame of {len} bytes is above the limit of {limit}")]
    Oversized {
        /// Announced remaining length in bytes.
        len: usize,
        /// The decoder's limit in bytes.
        limit: usize,
    },
    /// The remaining length goes on after its fourth byte (wukong.md §1.1).
    #[error("remaining length is longer than four bytes")]
    MalformedLength,
    /// The body ends inside a field.
    #[error("body ends inside a field")]
    Truncated,
    /// The body of a packet without payload goes on after its last field.
    #[error("{0} bytes follow the last field")]
    TrailingBytes(usize),
    /// A string is not UTF-8, or its length is above
    /// [`MAX_STRING_BYTES`](super::MAX_STRING_BYTES).
    #[error("string is not valid UTF-8 or is too long")]
    BadString,
    /// Packet type 0 (wukong.md §1.2).
    #[error("packet type 0 is reserved")]
    ReservedType,
    /// A packet type that no version defines (wukong.md §1.2).
    #[error("unknown packet type {0}")]
    UnknownType(u8),
}

/// Why a packet has no encoding. Nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// A string is longer than
    /// [`MAX_STRING_BYTES`](super::MAX_STRING_BYTES).
    #[error("string of {len} bytes is too long")]
    StringTooLong {
        /// Length of the string in bytes.
        len: usize,
    },
    /// The body is longer than [`MAX_FRAME_BYTES`](super::MAX_FRAME_BYTES).
    #[error("frame of {len} bytes is too large")]
    FrameTooLarge {
        /// Length of the body in bytes.
        len: usize,
    },
    /// The sequence needs more than 32 bits, which versions before 6 do not
    /// have. Cutting it off would acknowledge another message.
    #[error("sequence {seq} does not fit 32 bits")]
    SeqTooLarge {
        /// The message sequence.
        seq: u64,
    },
}
