//! The encoder: writes packets straight into an output buffer (MQTT 5.0 §2).
//!
//! It knows what the receiver can take: its version, its largest packet, and
//! whether it wants words beside reason codes. An encoding that fails has
//! written nothing, and what was written decodes to the same packet. It does
//! not know whether a packet is due.

use bytes::{BufMut, BytesMut};

use super::packet::AckBody;
use super::shared::{PublishCopy, SharedPublish};
use super::sink::{Body, Form, Measure, Sink};
use super::{EncodeError, Kind, PROTOCOL_MAX_PACKET_BYTES, Packet, Publish, Version};

/// Bytes before the body at most: type, flags and remaining length.
const MAX_PREFIX_BYTES: usize = 5;

/// The largest remaining length (MQTT 5.0 §2.1.4).
const MAX_BODY_BYTES: usize = super::MAX_VARINT as usize;

/// Encodes one connection's outgoing packets.
#[derive(Debug, Clone, Copy)]
pub struct Encoder {
    version: Version,
    max_packet: usize,
    problem_information: bool,
}

impl Encoder {
    /// An encoder for a receiver of `version` that takes packets of any size
    /// and all diagnostics.
    #[must_use]
    pub const fn new(version: Version) -> Encoder {
        Encoder {
            version,
            max_packet: PROTOCOL_MAX_PACKET_BYTES,
            problem_information: true,
        }
    }

    /// The receiver's version.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Limits packets to `bytes` in all, header included: the receiver's
    /// Maximum Packet Size (MQTT 5.0 §3.1.2.11.4).
    pub fn set_max_packet(&mut self, bytes: usize) {
        self.max_packet = bytes.min(PROTOCOL_MAX_PACKET_BYTES);
    }

    /// Sets the client's Request Problem Information (MQTT 5.0 §3.1.2.11.7):
    /// without it [`Diagnostics`](super::Diagnostics) are written in CONNACK
    /// and DISCONNECT only.
    pub fn set_problem_information(&mut self, is_wanted: bool) {
        self.problem_information = is_wanted;
    }

    /// Appends `packet` to `out`. A CONNECT is written in its own version.
    ///
    /// What the version does not carry is left out, as the packets'
    /// documentation says. Diagnostics that would make the packet too large
    /// for the receiver are left out, too (MQTT 5.0 §3.4.2.2.2).
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]; `out` is untouched.
    pub fn encode(&self, packet: &Packet, out: &mut BytesMut) -> Result<(), EncodeError> {
        let kind = packet.kind();
        match packet {
            Packet::Connect(body) => self.frame(kind, kind.flags(), &**body, out),
            Packet::Connack(body) => self.frame(kind, kind.flags(), &**body, out),
            Packet::Publish(body) => {
                let flags = Publish::flags(body.delivery, body.retain);
                self.frame(kind, flags, body, out)
            }
            Packet::Puback(ack)
            | Packet::Pubrec(ack)
            | Packet::Pubrel(ack)
            | Packet::Pubcomp(ack) => self.frame(kind, kind.flags(), &AckBody { kind, ack }, out),
            Packet::Subscribe(body) => self.frame(kind, kind.flags(), body, out),
            Packet::Suback(body) => self.frame(kind, kind.flags(), body, out),
            Packet::Unsubscribe(body) => self.frame(kind, kind.flags(), body, out),
            Packet::Unsuback(body) => self.frame(kind, kind.flags(), body, out),
            Packet::Pingreq | Packet::Pingresp => self.frame(kind, kind.flags(), &Empty, out),
            Packet::Disconnect(body) => self.frame(kind, kind.flags(), body, out),
            Packet::Auth(body) => self.frame(kind, kind.flags(), body, out),
        }
    }

    /// Appends one receiver's copy of a message to `out`, as
    /// [`Self::encode`] would write it as a whole.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]; `out` is untouched.
    pub fn encode_copy(
        &self,
        shared: &SharedPublish,
        copy: &PublishCopy<'_>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let payload_len = shared.payload_len(copy);
        self.publish_head(shared, copy, payload_len, out)?;
        for segment in shared.payload(copy) {
            out.put_slice(segment);
        }
        Ok(())
    }

    /// Appends everything of a copy that stands before its payload, for a
    /// writer that takes the segments of [`SharedPublish::payload`] as they
    /// are.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`]; `out` is untouched.
    pub fn encode_copy_head(
        &self,
        shared: &SharedPublish,
        copy: &PublishCopy<'_>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        self.publish_head(shared, copy, 0, out)
    }

    /// Writes the head of a copy, and makes room for `room` bytes after it.
    fn publish_head(
        &self,
        shared: &SharedPublish,
        copy: &PublishCopy<'_>,
        room: usize,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let head = shared.head(copy);
        let mut measure = Measure::default();
        head.write(self.form(Kind::Publish), &mut measure);
        if let Some(error) = measure.error {
            return Err(error);
        }
        let body_len = measure.len + shared.payload_len(copy);
        self.check_size(body_len)?;
        out.reserve(MAX_PREFIX_BYTES + measure.len + room);
        let flags = Publish::flags(copy.delivery, copy.retain);
        put_prefix(Kind::Publish, flags, body_len, out);
        head.write(self.form(Kind::Publish), out);
        Ok(())
    }

    /// Measures the body, then writes header, length and body.
    #[inline]
    fn frame<B: Body>(
        &self,
        kind: Kind,
        flags: u8,
        body: &B,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut form = self.form(kind);
        let mut measured = measure(body, form)?;
        if form.diagnostics && self.check_size(measured).is_err() {
            form.diagnostics = false;
            measured = measure(body, form)?;
        }
        self.check_size(measured)?;
        out.reserve(MAX_PREFIX_BYTES + measured);
        put_prefix(kind, flags, measured, out);
        body.write(form, out);
        Ok(())
    }

    /// How packets of this kind are written.
    const fn form(&self, kind: Kind) -> Form {
        let always = matches!(kind, Kind::Connack | Kind::Disconnect);
        Form {
            version: self.version,
            diagnostics: always || self.problem_information,
        }
    }

    fn check_size(&self, body_len: usize) -> Result<(), EncodeError> {
        let len = 1 + length_bytes(body_len) + body_len;
        let limit = self.max_packet;
        if body_len > MAX_BODY_BYTES || len > limit {
            return Err(EncodeError::TooLarge { len, limit });
        }
        Ok(())
    }
}

fn measure<B: Body>(body: &B, form: Form) -> Result<usize, EncodeError> {
    let mut measure = Measure::default();
    body.write(form, &mut measure);
    match measure.error {
        Some(error) => Err(error),
        None => Ok(measure.len),
    }
}

/// How many bytes a remaining length takes.
fn length_bytes(len: usize) -> usize {
    let mut measure = Measure::default();
    measure.varint(len);
    measure.len
}

fn put_prefix(kind: Kind, flags: u8, body_len: usize, out: &mut BytesMut) {
    out.u8((kind as u8) << 4 | flags);
    out.varint(body_len);
}

/// The body of PINGREQ and PINGRESP.
struct Empty;

impl Body for Empty {
    fn write<S: Sink>(&self, _form: Form, _sink: &mut S) {}
}
