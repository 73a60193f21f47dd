//! The stream decoder: cuts a byte stream into packets (MQTT 5.0 §2).
//!
//! It guarantees that a hostile header costs nothing: type, direction, flags
//! and size are judged from the first five bytes at most, an incomplete packet
//! reserves no memory, and payloads are slices of the input rather than copies.
//! Of a conversation it knows one thing: whether CONNECT was there.

use bytes::{Buf, BytesMut};

use super::fields::{Fields, Varint};
use super::packet::PublishHeader;
use super::{
    Ack, Auth, Connack, Connect, DecodeError, Disconnect, Kind, MAX_PACKET_BYTES,
    PROTOCOL_MAX_PACKET_BYTES, Packet, Publish, Side, Suback, Subscribe, Unsuback, Unsubscribe,
    Version,
};

/// Decodes one connection's incoming byte stream.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    /// Who sends what is decoded.
    side: Side,
    /// Known from the first bytes of CONNECT on.
    version: Option<Version>,
    /// Whether a CONNECT was decoded, or is none of ours to see.
    is_open: bool,
    max_packet: usize,
}

/// The start of a packet.
struct Head {
    kind: Kind,
    /// The first byte.
    byte: u8,
    /// Bytes before the body.
    body_at: usize,
    /// Bytes of the whole packet.
    len: usize,
    is_padded: bool,
}

impl Decoder {
    /// A server's decoder: of what a client sends, with the limit
    /// [`MAX_PACKET_BYTES`]. It learns the version from CONNECT.
    #[must_use]
    pub const fn of_client() -> Decoder {
        Decoder {
            side: Side::Client,
            version: None,
            is_open: false,
            max_packet: MAX_PACKET_BYTES,
        }
    }

    /// A client's decoder: of what a server sends to a client of `version`,
    /// with the limit [`MAX_PACKET_BYTES`].
    #[must_use]
    pub const fn of_server(version: Version) -> Decoder {
        Decoder {
            side: Side::Server,
            version: Some(version),
            is_open: true,
            max_packet: MAX_PACKET_BYTES,
        }
    }

    /// The version of the connection; also that of a CONNECT which was refused
    /// for something else.
    #[must_use]
    pub const fn version(&self) -> Option<Version> {
        self.version
    }

    /// Limits later packets to `bytes` in all, header included, as
    /// [`Maximum Packet Size`](super::ConnackProperties::max_packet_bytes)
    /// counts them.
    pub fn set_max_packet(&mut self, bytes: usize) {
        self.max_packet = bytes.min(PROTOCOL_MAX_PACKET_BYTES);
    }

    /// Takes the next packet off the front of `buf`.
    ///
    /// `Ok(None)` means that the packet is incomplete: `buf` is untouched and
    /// not grown; call again when more has arrived. It holds less than the
    /// limit then.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`]. `buf` is untouched, and decoding it again fails
    /// again.
    #[inline]
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Packet>, DecodeError> {
        let Some(head) = self.head(buf)? else {
            return Ok(None);
        };
        let Some(body) = buf.get(head.body_at..head.len) else {
            return Ok(None);
        };
        let mut fields = Fields::new(body);
        let packet = match self.version {
            _ if head.kind == Kind::Connect => Packet::Connect(self.connect(&head, &mut fields)?),
            Some(version) => decode_body(&head, &mut fields, version, self.side)?,
            None => return Err(DecodeError::ConnectExpected(head.kind)),
        };
        let Packet::Publish(mut publish) = packet else {
            fields.finish()?;
            self.is_open = true;
            buf.advance(head.len);
            return Ok(Some(packet));
        };
        let payload_len = fields.len();
        if payload_len > 0 {
            let mut frame = buf.split_to(head.len).freeze();
            frame.advance(head.len - payload_len);
            publish.payload = frame;
        } else {
            // Splitting would only pin the input buffer for nothing.
            buf.advance(head.len);
        }
        Ok(Some(Packet::Publish(publish)))
    }

    /// Judges the start of a packet; `None` if it is incomplete.
    fn head(&self, buf: &[u8]) -> Result<Option<Head>, DecodeError> {
        let Some(&byte) = buf.first() else {
            return Ok(None);
        };
        let kind = self.kind(byte)?;
        let Some(length) = Varint::read(&buf[1..])? else {
            return Ok(None);
        };
        let is_padded = length.is_padded();
        if is_padded && self.version == Some(Version::V5) {
            return Err(DecodeError::PaddedVarint);
        }
        let body_at = 1 + length.len;
        let len = body_at + length.value as usize;
        if len > self.max_packet {
            return Err(DecodeError::TooLarge {
                len,
                limit: self.max_packet,
            });
        }
        Ok(Some(Head {
            kind,
            byte,
            body_at,
            len,
            is_padded,
        }))
    }

    /// Judges the first byte.
    fn kind(&self, byte: u8) -> Result<Kind, DecodeError> {
        let reserved = DecodeError::ReservedType(byte >> 4);
        let kind = Kind::of_header(byte).ok_or(reserved)?;
        if !self.is_open && kind != Kind::Connect {
            return Err(DecodeError::ConnectExpected(kind));
        }
        if self.is_open && kind == Kind::Connect && self.side == Side::Client {
            return Err(DecodeError::SecondConnect);
        }
        // Before CONNECT nothing but CONNECT comes this far.
        let version = self.version.unwrap_or(Version::V5);
        if kind == Kind::Auth && !version.is_v5() {
            return Err(reserved);
        }
        if !kind.is_sent_by(self.side, version) {
            return Err(DecodeError::NotFromThisSide(kind));
        }
        if kind == Kind::Publish {
            PublishHeader::read(byte)?;
            return Ok(kind);
        }
        let flags = byte & 0x0f;
        if (flags ^ kind.flags()) & !kind.ignored_flags(version) != 0 {
            return Err(DecodeError::Flags { kind, flags });
        }
        Ok(kind)
    }

    fn connect(
        &mut self,
        head: &Head,
        fields: &mut Fields<'_>,
    ) -> Result<Box<Connect>, DecodeError> {
        let version = Connect::read_version(fields)?;
        // Kept if the rest is bad, too: it decides how that is answered.
        self.version = Some(version);
        if version.is_v5() && head.is_padded {
            return Err(DecodeError::PaddedVarint);
        }
        Connect::read(fields, version).map(Box::new)
    }
}

/// Reads all fields but a payload, which the caller takes from the packet.
fn decode_body(
    head: &Head,
    fields: &mut Fields<'_>,
    version: Version,
    side: Side,
) -> Result<Packet, DecodeError> {
    let kind = head.kind;
    Ok(match kind {
        Kind::Publish => {
            let header = PublishHeader::read(head.byte)?;
            Packet::Publish(Publish::read(header, fields, version, side)?)
        }
        Kind::Puback => Packet::Puback(Ack::read(fields, version, kind, side)?),
        Kind::Pubrec => Packet::Pubrec(Ack::read(fields, version, kind, side)?),
        Kind::Pubrel => Packet::Pubrel(Ack::read(fields, version, kind, side)?),
        Kind::Pubcomp => Packet::Pubcomp(Ack::read(fields, version, kind, side)?),
        Kind::Subscribe => Packet::Subscribe(Subscribe::read(fields, version)?),
        Kind::Unsubscribe => Packet::Unsubscribe(Unsubscribe::read(fields, version)?),
        Kind::Pingreq => Packet::Pingreq,
        Kind::Pingresp => Packet::Pingresp,
        Kind::Disconnect => Packet::Disconnect(Disconnect::read(fields, version, side)?),
        Kind::Auth => Packet::Auth(Auth::read(fields, side)?),
        Kind::Connack => Packet::Connack(Connack::read(fields, version)?.into()),
        Kind::Suback => Packet::Suback(Suback::read(fields, version)?),
        Kind::Unsuback => Packet::Unsuback(Unsuback::read(fields, version)?),
        Kind::Connect => return Err(DecodeError::SecondConnect),
    })
}
