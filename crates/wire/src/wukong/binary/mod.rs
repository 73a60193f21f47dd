//! The WuKongIM binary protocol, versions 1 to 6 (wukong.md §1).
//!
//! A connection is one byte stream of frames, whatever carries it: frames may
//! be split or glued across TCP segments and WebSocket messages alike, so feed
//! everything received into one buffer and let [`Decoder`] cut it.
//!
//! ```text
//! frame = header (type << 4 | flags) · remaining length (varint) · body
//! PING and PONG are the header byte alone.
//! ```
//!
//! Reading order: [`Packet`] and its structs say what travels, [`Decoder`] and
//! [`encode`] how, [`crypto`] how payloads are sealed. The codec does not know
//! which side it is on, whether a packet is legal at this moment, or what a
//! uid means; it keeps no state besides the version and the frame limit.

pub mod crypto;
mod decode;
mod encode;
mod error;
mod packet;

pub use decode::Decoder;
pub use encode::{encode, encode_recv};
pub use error::{DecodeError, EncodeError};
pub use packet::{
    Connack, Connect, Disconnect, Event, Flags, Packet, Recv, RecvParts, Recvack, Send, Sendack,
    Setting, StreamPart, Sub, Suback,
};

/// The newest protocol version that [`negotiate`] grants (wukong.md §0).
///
/// The codec also speaks version 6, but no server of the v2 line offers it.
pub const LATEST_VERSION: u8 = 5;

/// The largest remaining length of a frame in bytes: 1 MiB (wukong.md §1.1).
pub const MAX_FRAME_BYTES: usize = 1024 * 1024;

/// The largest string in bytes; the reference decoder reads the length as a
/// signed 16-bit number and refuses negative ones (wukong.md §1.1).
pub const MAX_STRING_BYTES: usize = 32_767;

/// The version from which message sequences are 64-bit (wukong.md §1.3).
const WIDE_SEQ_VERSION: u8 = 6;

/// The version that both sides speak after CONNECT: the smaller of the
/// client's and [`LATEST_VERSION`] (wukong.md §1.3).
///
/// Version 0 was never defined; it is taken for 1, whose packets have no
/// optional fields, so such a client is served rather than dropped.
#[must_use]
pub const fn negotiate(client: u8) -> u8 {
    if client == 0 {
        1
    } else if client < LATEST_VERSION {
        client
    } else {
        LATEST_VERSION
    }
}

/// Packet types: the high nibble of the header byte (wukong.md §1.2).
mod kind {
    pub(super) const RESERVED: u8 = 0;
    pub(super) const CONNECT: u8 = 1;
    pub(super) const CONNACK: u8 = 2;
    pub(super) const SEND: u8 = 3;
    pub(super) const SENDACK: u8 = 4;
    pub(super) const RECV: u8 = 5;
    pub(super) const RECVACK: u8 = 6;
    pub(super) const PING: u8 = 7;
    pub(super) const PONG: u8 = 8;
    pub(super) const DISCONNECT: u8 = 9;
    pub(super) const SUB: u8 = 10;
    pub(super) const SUBACK: u8 = 11;
    pub(super) const EVENT: u8 = 12;
}

/// Whether a SEND or RECV of this version carries stream fields when its
/// setting has the stream bit (wukong.md §1.3).
const fn has_stream_fields(version: u8) -> bool {
    2 <= version && version < 5
}

/// Whether SEND and RECV carry `expire` (wukong.md §1.3).
const fn has_expire(version: u8) -> bool {
    version >= 3
}

/// Whether CONNACK carries the node id (wukong.md §1.3).
const fn has_node_id(version: u8) -> bool {
    version >= 4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negotiation_never_exceeds_either_side() {
        let granted: Vec<u8> = (0..=8).map(negotiate).collect();
        assert_eq!(granted, [1, 1, 2, 3, 4, 5, 5, 5, 5]);
        assert_eq!(negotiate(u8::MAX), LATEST_VERSION);
    }
}
