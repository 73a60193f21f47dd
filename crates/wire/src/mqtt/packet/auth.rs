//! AUTH: a step of an enhanced authentication (MQTT 5.0 §3.15, §4.12).

use super::{Authentication, AuthenticationParts, Diagnostics, missing, reason};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, ReasonCode, Side};

/// AUTH, which 5.0 alone has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Auth {
    /// Continue, begin again (client only), or done (server only).
    pub reason: ReasonCode,
    /// The method, which is never left out, and its data.
    pub authentication: Authentication,
    /// Words about the reason.
    pub diagnostics: Diagnostics,
}

impl Auth {
    /// Reads the body. The short form without method, which §3.15.2.1 speaks
    /// of, contradicts §3.15.2.2.2 and is refused: the method is missing.
    pub(in crate::mqtt) fn read(fields: &mut Fields<'_>, side: Side) -> Result<Auth, DecodeError> {
        if fields.is_empty() {
            return Err(missing(P::AuthenticationMethod));
        }
        let reason = reason(fields, Kind::Auth, side)?;
        let mut authentication = AuthenticationParts::default();
        let mut diagnostics = Diagnostics::default();
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match id {
                P::AuthenticationMethod => block.string(&mut authentication.method)?,
                P::AuthenticationData => block.binary(&mut authentication.data)?,
                P::ReasonString => block.reason_string(&mut diagnostics)?,
                P::UserProperty => block.user(&mut diagnostics.user_properties)?,
                _ => return Err(block.foreign()),
            }
        }
        let authentication = authentication.join()?;
        Ok(Auth {
            reason,
            authentication: authentication.ok_or(missing(P::AuthenticationMethod))?,
            diagnostics,
        })
    }
}

impl Block for Auth {
    fn write_properties<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.authentication(Some(&self.authentication));
        sink.diagnostics(form, &self.diagnostics);
    }
}

impl Body for Auth {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let says = |side| self.reason.is_allowed(Kind::Auth, side);
        if !form.version.is_v5() {
            sink.fail(EncodeError::NotInVersion(Kind::Auth));
        } else if !says(Side::Client) && !says(Side::Server) {
            sink.fail(EncodeError::Reason {
                kind: Kind::Auth,
                reason: self.reason,
            });
        }
        sink.u8(self.reason.code());
        self.write_block(form, sink);
    }
}
