//! SUBACK and UNSUBACK: one outcome per filter, in order (MQTT 5.0 §3.9,
//! §3.11; 3.1.1 §3.9, §3.11).

use super::{Diagnostics, reason};
use crate::mqtt::fields::Fields;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, PacketId, ReasonCode, Side, Version};

/// SUBACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suback {
    /// The SUBSCRIBE's packet id.
    pub packet_id: PacketId,
    /// What was granted, in the order of the filters; never empty. Before 5.0
    /// every error is written as 0x80.
    pub reasons: Vec<ReasonCode>,
    /// Words about it, in 5.0.
    pub diagnostics: Diagnostics,
}

/// UNSUBACK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsuback {
    /// The UNSUBSCRIBE's packet id.
    pub packet_id: PacketId,
    /// The outcome in the order of the filters; never empty in 5.0, and not on
    /// the wire before.
    pub reasons: Vec<ReasonCode>,
    /// Words about it, in 5.0.
    pub diagnostics: Diagnostics,
}

/// Reads the codes up to the end, at least one.
fn read_reasons(
    fields: &mut Fields<'_>,
    kind: Kind,
    version: Version,
) -> Result<Vec<ReasonCode>, DecodeError> {
    if fields.is_empty() {
        return Err(DecodeError::EmptyList(kind));
    }
    // One byte each, and all of them are there.
    let mut reasons = Vec::with_capacity(fields.len());
    while !fields.is_empty() {
        let code = reason(fields, kind, Side::Server)?;
        // The errors of 3.1.1 are one (3.1.1 §3.9.3).
        if !version.is_v5() && code.is_error() && code != ReasonCode::UnspecifiedError {
            let code = code.code();
            return Err(DecodeError::Reason { kind, code });
        }
        reasons.push(code);
    }
    Ok(reasons)
}

/// Writes the codes.
fn write_reasons<S: Sink>(reasons: &[ReasonCode], kind: Kind, version: Version, sink: &mut S) {
    if reasons.is_empty() {
        sink.fail(EncodeError::EmptyList(kind));
    }
    for &reason in reasons {
        if !reason.is_allowed(kind, Side::Server) {
            sink.fail(EncodeError::Reason { kind, reason });
        }
        let written = if reason.is_error() && !version.is_v5() {
            ReasonCode::UnspecifiedError
        } else {
            reason
        };
        sink.u8(written.code());
    }
}

impl Suback {
    /// Reads the body.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Suback, DecodeError> {
        let packet_id = fields.packet_id()?;
        let diagnostics = if version.is_v5() {
            Diagnostics::read(fields)?
        } else {
            Diagnostics::default()
        };
        Ok(Suback {
            packet_id,
            reasons: read_reasons(fields, Kind::Suback, version)?,
            diagnostics,
        })
    }
}

impl Body for Suback {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.u16(self.packet_id.get());
        if form.version.is_v5() {
            self.diagnostics.write_block(form, sink);
        }
        write_reasons(&self.reasons, Kind::Suback, form.version, sink);
    }
}

impl Unsuback {
    /// Reads the body.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Unsuback, DecodeError> {
        let packet_id = fields.packet_id()?;
        let (diagnostics, reasons) = if version.is_v5() {
            let diagnostics = Diagnostics::read(fields)?;
            (diagnostics, read_reasons(fields, Kind::Unsuback, version)?)
        } else {
            (Diagnostics::default(), Vec::new())
        };
        Ok(Unsuback {
            packet_id,
            reasons,
            diagnostics,
        })
    }
}

impl Body for Unsuback {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.u16(self.packet_id.get());
        if form.version.is_v5() {
            self.diagnostics.write_block(form, sink);
            write_reasons(&self.reasons, Kind::Unsuback, form.version, sink);
        }
    }
}
