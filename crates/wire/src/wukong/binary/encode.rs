//! The encoder: writes packets straight into an output buffer
//! (wukong.md §1.1, §1.3).
//!
//! Each body is described once and run twice, first to measure and then to
//! write, so that the announced length cannot disagree with what follows and
//! the output grows at most once per frame. An encoding that fails has written
//! nothing. The encoder does not know whether the receiver understands a
//! packet type.

use bytes::{BufMut, BytesMut};

use super::{
    Connack, Connect, Disconnect, EncodeError, Event, Flags, MAX_FRAME_BYTES, MAX_STRING_BYTES,
    Packet, RecvParts, Recvack, Send, Sendack, Sub, Suback, WIDE_SEQ_VERSION, has_expire,
    has_node_id, has_stream_fields, kind,
};

/// Bytes before the body at most: header and remaining length.
const MAX_PREFIX_BYTES: usize = 5;

/// Header bit 0 of a CONNACK: a server version byte is present.
const HAS_VERSION: u8 = 0x01;

/// Appends `packet` as one frame of `version` to `out`.
///
/// Fields that the version or the setting byte does not call for are left out,
/// as their documentation says. Version 0 encodes like 1, and what is above 6
/// like 6.
///
/// # Errors
///
/// See [`EncodeError`]; `out` is untouched.
pub fn encode(packet: &Packet, version: u8, out: &mut BytesMut) -> Result<(), EncodeError> {
    let no_flags = Flags::default().bits();
    match packet {
        Packet::Connect(body) => frame(kind::CONNECT, no_flags, body, version, out),
        Packet::Connack(body) => {
            let bits = if body.server_version.is_some() {
                HAS_VERSION
            } else {
                0
            };
            frame(kind::CONNACK, bits, body, version, out)
        }
        Packet::Send(body) => frame(kind::SEND, body.flags.bits(), body, version, out),
        Packet::Sendack(body) => frame(kind::SENDACK, body.flags.bits(), body, version, out),
        Packet::Recv(recv) => encode_recv(&recv.parts(), version, out),
        Packet::Recvack(body) => frame(kind::RECVACK, body.flags.bits(), body, version, out),
        Packet::Ping => {
            out.put_u8(kind::PING << 4);
            Ok(())
        }
        Packet::Pong => {
            out.put_u8(kind::PONG << 4);
            Ok(())
        }
        Packet::Disconnect(body) => frame(kind::DISCONNECT, no_flags, body, version, out),
        Packet::Sub(body) => frame(kind::SUB, no_flags, body, version, out),
        Packet::Suback(body) => frame(kind::SUBACK, no_flags, body, version, out),
        Packet::Event(body) => frame(kind::EVENT, no_flags, body, version, out),
    }
}

/// Appends a RECV as one frame of `version` to `out`, without owning its
/// fields: nothing is allocated but the growth of `out`.
///
/// The setting is written as [`Setting::for_recv`](super::Setting::for_recv)
/// says, and stream fields never are (wukong.md §1.3).
///
/// # Errors
///
/// See [`EncodeError`]; `out` is untouched.
#[inline]
pub fn encode_recv(
    parts: &RecvParts<'_>,
    version: u8,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    frame(kind::RECV, parts.flags.bits(), parts, version, out)
}

/// Measures the body, then writes header, length and body.
#[inline]
fn frame<B: Body>(
    packet_kind: u8,
    bits: u8,
    body: &B,
    version: u8,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut measure = Measure::default();
    body.write(version, &mut measure);
    if let Some(error) = measure.error {
        return Err(error);
    }
    if measure.len > MAX_FRAME_BYTES {
        return Err(EncodeError::FrameTooLarge { len: measure.len });
    }

    out.reserve(MAX_PREFIX_BYTES + measure.len);
    out.put_u8(packet_kind << 4 | bits);
    put_remaining_length(measure.len, out);
    body.write(version, out);
    Ok(())
}

/// Least significant seven bits first; the high bit says that more follow.
fn put_remaining_length(mut len: usize, out: &mut BytesMut) {
    loop {
        let low = (len & 0x7f) as u8;
        len >>= 7;
        if len == 0 {
            out.put_u8(low);
            return;
        }
        out.put_u8(low | 0x80);
    }
}

/// Where a body goes: a counter first, the output second.
trait Sink {
    /// Raw bytes.
    fn raw(&mut self, bytes: &[u8]);

    /// A string with its length in front.
    fn str(&mut self, text: &str);

    /// A message sequence, as wide as the version has it.
    fn seq(&mut self, seq: u64, version: u8);

    /// A string that is on the wire only if `present`.
    fn str_if(&mut self, present: bool, text: &str) {
        if present {
            self.str(text);
        }
    }

    /// The lifetime, from the version on that has it.
    fn expire(&mut self, secs: u32, version: u8) {
        if has_expire(version) {
            self.raw(&secs.to_be_bytes());
        }
    }
}

/// Counts bytes and remembers the first field that has no encoding.
#[derive(Default)]
struct Measure {
    len: usize,
    error: Option<EncodeError>,
}

impl Sink for Measure {
    fn raw(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
    }

    fn str(&mut self, text: &str) {
        if text.len() > MAX_STRING_BYTES {
            self.error
                .get_or_insert(EncodeError::StringTooLong { len: text.len() });
        }
        self.len += 2 + text.len();
    }

    fn seq(&mut self, seq: u64, version: u8) {
        if version >= WIDE_SEQ_VERSION {
            self.len += 8;
        } else {
            if u32::try_from(seq).is_err() {
                self.error.get_or_insert(EncodeError::SeqTooLarge { seq });
            }
            self.len += 4;
        }
    }
}

/// Writes what [`Measure`] has approved, hence the plain narrowing casts.
impl Sink for BytesMut {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn str(&mut self, text: &str) {
        self.put_u16(text.len() as u16);
        self.extend_from_slice(text.as_bytes());
    }

    fn seq(&mut self, seq: u64, version: u8) {
        if version >= WIDE_SEQ_VERSION {
            self.put_u64(seq);
        } else {
            self.put_u32(seq as u32);
        }
    }
}

/// A packet's fields in wire order (wukong.md §1.3).
trait Body {
    fn write<S: Sink>(&self, version: u8, sink: &mut S);
}

impl Body for Connect {
    fn write<S: Sink>(&self, _version: u8, sink: &mut S) {
        sink.raw(&[self.version, self.device_flag]);
        sink.str(&self.device_id);
        sink.str(&self.uid);
        sink.str(&self.token);
        sink.raw(&self.client_timestamp_ms.to_be_bytes());
        sink.str(&self.client_key);
    }
}

impl Body for Connack {
    fn write<S: Sink>(&self, version: u8, sink: &mut S) {
        if let Some(server_version) = self.server_version {
            sink.raw(&[server_version]);
        }
        sink.raw(&self.time_diff_ms.to_be_bytes());
        sink.raw(&[self.reason]);
        sink.str(&self.server_key);
        sink.str(&self.salt);
        if has_node_id(self.server_version.unwrap_or(version)) {
            sink.raw(&self.node_id.unwrap_or(0).to_be_bytes());
        }
    }
}

impl Body for Send {
    fn write<S: Sink>(&self, version: u8, sink: &mut S) {
        sink.raw(&[self.setting.0]);
        sink.raw(&self.client_seq.to_be_bytes());
        sink.str(&self.client_msg_no);
        let streamed = has_stream_fields(version) && self.setting.has_stream();
        sink.str_if(streamed, &self.stream_no);
        sink.str(&self.channel_id);
        sink.raw(&[self.channel_type]);
        sink.expire(self.expire_secs, version);
        sink.str(&self.msg_key);
        sink.str_if(self.setting.has_topic(), &self.topic);
        sink.raw(&self.payload);
    }
}

impl Body for Sendack {
    fn write<S: Sink>(&self, version: u8, sink: &mut S) {
        sink.raw(&self.message_id.to_be_bytes());
        sink.raw(&self.client_seq.to_be_bytes());
        sink.seq(self.message_seq, version);
        sink.raw(&[self.reason]);
    }
}

impl Body for RecvParts<'_> {
    #[inline]
    fn write<S: Sink>(&self, version: u8, sink: &mut S) {
        let setting = self.setting.for_recv(version);
        sink.raw(&[setting.0]);
        sink.str(self.msg_key);
        sink.str(self.from_uid);
        sink.str(self.channel_id);
        sink.raw(&[self.channel_type]);
        sink.expire(self.expire_secs, version);
        sink.str(self.client_msg_no);
        sink.raw(&self.message_id.to_be_bytes());
        sink.seq(self.message_seq, version);
        sink.raw(&self.timestamp_secs.to_be_bytes());
        sink.str_if(setting.has_topic(), self.topic);
        sink.raw(self.payload);
    }
}

impl Body for Recvack {
    fn write<S: Sink>(&self, version: u8, sink: &mut S) {
        sink.raw(&self.message_id.to_be_bytes());
        sink.seq(self.message_seq, version);
    }
}

impl Body for Disconnect {
    fn write<S: Sink>(&self, _version: u8, sink: &mut S) {
        sink.raw(&[self.reason]);
        sink.str(&self.text);
    }
}

impl Body for Sub {
    fn write<S: Sink>(&self, _version: u8, sink: &mut S) {
        sink.raw(&[self.setting.0]);
        sink.str(&self.sub_no);
        sink.str(&self.channel_id);
        sink.raw(&[self.channel_type, self.action]);
        sink.str(&self.param);
    }
}

impl Body for Suback {
    fn write<S: Sink>(&self, _version: u8, sink: &mut S) {
        sink.str(&self.sub_no);
        sink.str(&self.channel_id);
        sink.raw(&[self.channel_type, self.action, self.reason]);
    }
}

impl Body for Event {
    fn write<S: Sink>(&self, _version: u8, sink: &mut S) {
        sink.str(&self.id);
        sink.str(&self.event_type);
        sink.raw(&self.timestamp_ms.to_be_bytes());
        sink.raw(&self.data);
    }
}
