//! PUBACK, PUBREC, PUBREL and PUBCOMP, which look alike (MQTT 5.0 §3.4 to
//! §3.7, 3.1.1 §3.4 to §3.7).

use super::{Diagnostics, reason};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, PacketId, ReasonCode, Side, Version};

/// A step in the exchange of a PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    /// The PUBLISH's packet id.
    pub packet_id: PacketId,
    /// The outcome. Before 5.0 nothing but success can be said.
    pub reason: ReasonCode,
    /// Words about it, in 5.0.
    pub diagnostics: Diagnostics,
}

impl Ack {
    /// An acknowledgement with this outcome.
    #[must_use]
    pub fn new(packet_id: PacketId, reason: ReasonCode) -> Ack {
        Ack {
            packet_id,
            reason,
            diagnostics: Diagnostics::default(),
        }
    }

    /// Reads the body of a `kind`. 5.0 leaves out what is 0: the reason code
    /// with the properties, or the properties alone (§3.4.2.1).
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
        kind: Kind,
        side: Side,
    ) -> Result<Ack, DecodeError> {
        let mut ack = Ack::new(fields.packet_id()?, ReasonCode::Success);
        if version.is_v5() && !fields.is_empty() {
            ack.reason = reason(fields, kind, side)?;
            if !fields.is_empty() {
                ack.diagnostics = Diagnostics::read(fields)?;
            }
        }
        Ok(ack)
    }
}

impl Diagnostics {
    /// Reads a block that has nothing else.
    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Diagnostics, DecodeError> {
        let mut to = Diagnostics::default();
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match id {
                P::ReasonString => block.reason_string(&mut to)?,
                P::UserProperty => block.user(&mut to.user_properties)?,
                _ => return Err(block.foreign()),
            }
        }
        Ok(to)
    }
}

impl Block for Diagnostics {
    fn write_properties<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.diagnostics(form, self);
    }
}

/// Writes reason code and properties, as short as 5.0 allows: for the packets
/// that may leave them out.
pub(super) fn write_outcome<S: Sink>(
    code: ReasonCode,
    properties: &impl Block,
    form: Form,
    sink: &mut S,
) {
    let is_bare = properties.properties_len(form) == 0;
    if is_bare && code == ReasonCode::Success {
        return;
    }
    sink.u8(code.code());
    if !is_bare {
        properties.write_block(form, sink);
    }
}

/// An [`Ack`] with the kind of packet that it is sent as.
pub(in crate::mqtt) struct AckBody<'a> {
    pub(in crate::mqtt) kind: Kind,
    pub(in crate::mqtt) ack: &'a Ack,
}

impl Body for AckBody<'_> {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let Ack {
            packet_id,
            reason,
            diagnostics,
        } = self.ack;
        sink.u16(packet_id.get());
        // Before 5.0 an error cannot be said; what is sent is the bare answer.
        if form.version.is_v5() {
            // The tables of these four do not differ by side.
            if !reason.is_allowed(self.kind, Side::Server) {
                sink.fail(EncodeError::Reason {
                    kind: self.kind,
                    reason: *reason,
                });
            }
            write_outcome(*reason, diagnostics, form, sink);
        }
    }
}
