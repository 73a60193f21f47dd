//! The stream decoder: cuts a byte stream into packets (wukong.md §1.1).
//!
//! It guarantees that a hostile header costs nothing: type and length are
//! judged from the first five bytes at most, an incomplete frame reserves no
//! memory, and payloads are slices of the input rather than copies. It does
//! not know whether a packet is legal for a side or a moment.

use bytes::{Buf, Bytes, BytesMut};

use super::{
    Connack, Connect, DecodeError, Disconnect, Event, Flags, MAX_FRAME_BYTES, MAX_STRING_BYTES,
    Packet, Recv, Recvack, Send, Sendack, Setting, StreamPart, Sub, Suback, WIDE_SEQ_VERSION,
    has_expire, has_node_id, has_stream_fields, kind,
};

/// Continuation bit of a remaining-length byte.
const MORE: u8 = 0x80;

/// Bytes of a remaining length at most.
const MAX_LENGTH_BYTES: usize = 4;

/// Header bit 0 of a CONNACK: a server version byte is present.
const HAS_VERSION: u8 = 0x01;

/// Decodes one connection's incoming byte stream.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    version: u8,
    max_frame: usize,
}

impl Decoder {
    /// A decoder for packets of `version` with the limit
    /// [`MAX_FRAME_BYTES`].
    ///
    /// Any version is accepted: 0 decodes like 1, and what is above 6 like 6.
    /// CONNECT is the same in all, so a server may start with any version and
    /// set the negotiated one afterwards.
    #[must_use]
    pub const fn new(version: u8) -> Decoder {
        Decoder {
            version,
            max_frame: MAX_FRAME_BYTES,
        }
    }

    /// Decodes later packets as `version`.
    pub fn set_version(&mut self, version: u8) {
        self.version = version;
    }

    /// Limits the remaining length of later frames to `bytes`, at most
    /// [`MAX_FRAME_BYTES`]. Meant for the time before a client has logged in.
    pub fn set_max_frame(&mut self, bytes: usize) {
        self.max_frame = bytes.min(MAX_FRAME_BYTES);
    }

    /// Takes the next packet off the front of `buf`.
    ///
    /// `Ok(None)` means that the frame is incomplete: `buf` is untouched and
    /// not grown; call again when more has arrived. It can hold at most the
    /// limit and five bytes before the next call yields a packet or an error.
    ///
    /// # Errors
    ///
    /// See [`DecodeError`]. `buf` is untouched, and decoding it again fails
    /// again.
    #[inline]
    pub fn decode(&mut self, buf: &mut BytesMut) -> Result<Option<Packet>, DecodeError> {
        let Some(&header) = buf.first() else {
            return Ok(None);
        };
        let packet_kind = header >> 4;
        match packet_kind {
            kind::PING | kind::PONG => {
                buf.advance(1);
                return Ok(Some(if packet_kind == kind::PING {
                    Packet::Ping
                } else {
                    Packet::Pong
                }));
            }
            kind::RESERVED => return Err(DecodeError::ReservedType),
            // Refused before its body is waited for.
            unknown if unknown > kind::EVENT => return Err(DecodeError::UnknownType(unknown)),
            _ => {}
        }

        let Some((body_len, length_bytes)) = remaining_length(&buf[1..])? else {
            return Ok(None);
        };
        if body_len > self.max_frame {
            return Err(DecodeError::Oversized {
                len: body_len,
                limit: self.max_frame,
            });
        }
        let body_at = 1 + length_bytes;
        let frame_len = body_at + body_len;
        let Some(body) = buf.get(body_at..frame_len) else {
            return Ok(None);
        };

        let mut fields = Fields { rest: body };
        // There is one for each delivery, so it does not go the way of the
        // large ones, which moves a whole packet several times.
        if packet_kind == kind::RECVACK {
            let ack = recvack(header, &mut fields, self.version)?;
            fields.end()?;
            buf.advance(frame_len);
            return Ok(Some(Packet::Recvack(ack)));
        }
        let mut packet = decode_body(header, &mut fields, self.version)?;
        let tail_len = fields.rest.len();

        let Some(tail) = tail_of(&mut packet) else {
            fields.end()?;
            buf.advance(frame_len);
            return Ok(Some(packet));
        };
        if tail_len > 0 {
            let mut frame = buf.split_to(frame_len).freeze();
            frame.advance(frame_len - tail_len);
            *tail = frame;
        } else {
            // Splitting would only pin the input buffer for nothing.
            buf.advance(frame_len);
        }
        Ok(Some(packet))
    }
}

/// The field that takes the rest of the body, if the packet has one.
fn tail_of(packet: &mut Packet) -> Option<&mut Bytes> {
    match packet {
        Packet::Send(send) => Some(&mut send.payload),
        Packet::Recv(recv) => Some(&mut recv.payload),
        Packet::Event(event) => Some(&mut event.data),
        _ => None,
    }
}

/// The remaining length at the front of `bytes` and how many bytes it took;
/// `None` if it is incomplete. Longer forms than needed are accepted, as the
/// reference decoder does.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
    let mut length = 0;
    for (index, &byte) in bytes.iter().take(MAX_LENGTH_BYTES).enumerate() {
        length |= usize::from(byte & !MORE) << (7 * index);
        if byte & MORE == 0 {
            return Ok(Some((length, index + 1)));
        }
    }
    if bytes.len() < MAX_LENGTH_BYTES {
        Ok(None)
    } else {
        Err(DecodeError::MalformedLength)
    }
}

/// Reads all fields but the tail, which the caller takes from the frame.
fn decode_body(header: u8, fields: &mut Fields<'_>, version: u8) -> Result<Packet, DecodeError> {
    let flags = Flags::from_bits(header);
    Ok(match header >> 4 {
        kind::CONNECT => Packet::Connect(connect(fields)?),
        kind::CONNACK => Packet::Connack(connack(header, fields, version)?),
        kind::SEND => Packet::Send(send(flags, fields, version)?),
        kind::SENDACK => Packet::Sendack(Sendack {
            flags,
            message_id: fields.i64()?,
            client_seq: fields.u32()?,
            message_seq: fields.seq(version)?,
            reason: fields.u8()?,
        }),
        kind::RECV => Packet::Recv(recv(flags, fields, version)?),
        kind::RECVACK => Packet::Recvack(recvack(header, fields, version)?),
        kind::DISCONNECT => Packet::Disconnect(Disconnect {
            reason: fields.u8()?,
            text: fields.string()?,
        }),
        kind::SUB => Packet::Sub(Sub {
            setting: Setting(fields.u8()?),
            sub_no: fields.string()?,
            channel_id: fields.string()?,
            channel_type: fields.u8()?,
            action: fields.u8()?,
            param: fields.string()?,
        }),
        kind::SUBACK => Packet::Suback(Suback {
            sub_no: fields.string()?,
            channel_id: fields.string()?,
            channel_type: fields.u8()?,
            action: fields.u8()?,
            reason: fields.u8()?,
        }),
        kind::EVENT => Packet::Event(Event {
            id: fields.string()?,
            event_type: fields.string()?,
            timestamp_ms: fields.i64()?,
            data: Bytes::new(),
        }),
        unknown => return Err(DecodeError::UnknownType(unknown)),
    })
}

fn connect(fields: &mut Fields<'_>) -> Result<Connect, DecodeError> {
    Ok(Connect {
        version: fields.u8()?,
        device_flag: fields.u8()?,
        device_id: fields.string()?,
        uid: fields.string()?,
        token: fields.string()?,
        client_timestamp_ms: fields.i64()?,
        client_key: fields.string()?,
    })
}

/// The version byte, if present, decides whether a node id follows. Without
/// it the decoder's own version does: that is how Flutter reads CONNACK.
fn connack(header: u8, fields: &mut Fields<'_>, version: u8) -> Result<Connack, DecodeError> {
    let server_version = if header & HAS_VERSION != 0 {
        Some(fields.u8()?)
    } else {
        None
    };
    Ok(Connack {
        server_version,
        time_diff_ms: fields.i64()?,
        reason: fields.u8()?,
        server_key: fields.string()?,
        salt: fields.string()?,
        node_id: if has_node_id(server_version.unwrap_or(version)) {
            Some(fields.u64()?)
        } else {
            None
        },
    })
}

fn send(flags: Flags, fields: &mut Fields<'_>, version: u8) -> Result<Send, DecodeError> {
    let setting = Setting(fields.u8()?);
    Ok(Send {
        flags,
        setting,
        client_seq: fields.u32()?,
        client_msg_no: fields.string()?,
        stream_no: fields.string_if(has_stream_fields(version) && setting.has_stream())?,
        channel_id: fields.string()?,
        channel_type: fields.u8()?,
        expire_secs: fields.expire(version)?,
        msg_key: fields.string()?,
        topic: fields.string_if(setting.has_topic())?,
        payload: Bytes::new(),
    })
}

#[inline]
fn recvack(header: u8, fields: &mut Fields<'_>, version: u8) -> Result<Recvack, DecodeError> {
    Ok(Recvack {
        flags: Flags::from_bits(header),
        message_id: fields.i64()?,
        message_seq: fields.seq(version)?,
    })
}

fn recv(flags: Flags, fields: &mut Fields<'_>, version: u8) -> Result<Recv, DecodeError> {
    let setting = Setting(fields.u8()?);
    Ok(Recv {
        flags,
        setting,
        msg_key: fields.string()?,
        from_uid: fields.string()?,
        channel_id: fields.string()?,
        channel_type: fields.u8()?,
        expire_secs: fields.expire(version)?,
        client_msg_no: fields.string()?,
        stream: if has_stream_fields(version) && setting.has_stream() {
            Some(StreamPart {
                flag: fields.u8()?,
                stream_no: fields.string()?,
                stream_id: fields.u64()?,
            })
        } else {
            None
        },
        message_id: fields.i64()?,
        message_seq: fields.seq(version)?,
        timestamp_secs: fields.i32()?,
        topic: fields.string_if(setting.has_topic())?,
        payload: Bytes::new(),
    })
}

/// A cursor over a body. Every read checks the bounds.
struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Nothing may follow.
    fn end(&self) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            more => Err(DecodeError::TrailingBytes(more)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array().map(u8::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    fn i32(&mut self) -> Result<i32, DecodeError> {
        self.array().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Result<i64, DecodeError> {
        self.array().map(i64::from_be_bytes)
    }

    fn seq(&mut self, version: u8) -> Result<u64, DecodeError> {
        if version >= WIDE_SEQ_VERSION {
            self.u64()
        } else {
            self.u32().map(u64::from)
        }
    }

    fn expire(&mut self, version: u8) -> Result<u32, DecodeError> {
        if has_expire(version) {
            self.u32()
        } else {
            Ok(0)
        }
    }

    fn str(&mut self) -> Result<&'a str, DecodeError> {
        let len = usize::from(u16::from_be_bytes(self.array()?));
        if len > MAX_STRING_BYTES {
            return Err(DecodeError::BadString);
        }
        let (head, rest) = self
            .rest
            .split_at_checked(len)
            .ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        std::str::from_utf8(head).map_err(|_| DecodeError::BadString)
    }

    fn string(&mut self) -> Result<String, DecodeError> {
        self.str().map(str::to_owned)
    }

    fn string_if(&mut self, present: bool) -> Result<String, DecodeError> {
        if present {
            self.string()
        } else {
            Ok(String::new())
        }
    }
}
