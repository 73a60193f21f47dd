//! DISCONNECT: the sender is about to close (MQTT 5.0 §3.14, 3.1.1 §3.14).

use super::ack::write_outcome;
use super::{Diagnostics, reason};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::{PropertyFault, PropertyId as P};
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, ReasonCode, Side, Version};

/// DISCONNECT. Before 5.0 only a client sends it, and it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disconnect {
    /// Why.
    pub reason: ReasonCode,
    /// A new life time of the session in seconds, from a client only.
    pub session_expiry_secs: Option<u32>,
    /// Another server to use, from a server only.
    pub server_reference: Option<String>,
    /// Words about the reason.
    pub diagnostics: Diagnostics,
}

impl Disconnect {
    /// A DISCONNECT with nothing but a reason.
    #[must_use]
    pub fn new(reason: ReasonCode) -> Disconnect {
        Disconnect {
            reason,
            ..Disconnect::default()
        }
    }

    /// Reads the body. 5.0 leaves out what is 0, as in
    /// [`Ack`](super::Ack) (§3.14.2.1).
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
        side: Side,
    ) -> Result<Disconnect, DecodeError> {
        let mut to = Disconnect::default();
        if !version.is_v5() || fields.is_empty() {
            return Ok(to);
        }
        to.reason = reason(fields, Kind::Disconnect, side)?;
        if fields.is_empty() {
            return Ok(to);
        }
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match (id, side) {
                (P::SessionExpiryInterval, Side::Client) => {
                    block.u32(&mut to.session_expiry_secs)?;
                }
                (P::ServerReference, Side::Server) => block.string(&mut to.server_reference)?,
                (P::SessionExpiryInterval | P::ServerReference, _) => {
                    return Err(block.fault(PropertyFault::NotFromThisSide));
                }
                (P::ReasonString, _) => block.reason_string(&mut to.diagnostics)?,
                (P::UserProperty, _) => block.user(&mut to.diagnostics.user_properties)?,
                _ => return Err(block.foreign()),
            }
        }
        Ok(to)
    }
}

impl Block for Disconnect {
    fn write_properties<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.property_u32(P::SessionExpiryInterval, self.session_expiry_secs);
        sink.property_str(P::ServerReference, self.server_reference.as_deref());
        sink.diagnostics(form, &self.diagnostics);
    }
}

impl Body for Disconnect {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        if !form.version.is_v5() {
            return;
        }
        let says = |side| self.reason.is_allowed(Kind::Disconnect, side);
        if !says(Side::Client) && !says(Side::Server) {
            sink.fail(EncodeError::Reason {
                kind: Kind::Disconnect,
                reason: self.reason,
            });
        }
        write_outcome(self.reason, self, form, sink);
    }
}
