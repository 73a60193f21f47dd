//! Set F6: the signals of a video call (gyyx.md Q4-22).

use crate::lenient::Json;

use super::frame::Value;
use super::read::Fields;
use super::{Field, Limits, Reason};

/// One signal. From a client nothing in it is required: who the other party
/// is, depends on the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The session description or candidate, passed through.
    pub message: Json,
    /// Who asks for the call; in a request outside a room, who is asked.
    pub request_user_id: String,
}

impl Default for Signal {
    fn default() -> Signal {
        Signal {
            message: Json::EMPTY,
            request_user_id: String::new(),
        }
    }
}

impl Signal {
    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::Message => Value::Quoted(&self.message),
            Field::RequestUserId => Value::Text(&self.request_user_id),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>, limits: &Limits) -> Result<Signal, Reason> {
        Ok(Signal {
            message: fields.message(limits.signal_bytes)?,
            request_user_id: fields.text(Field::RequestUserId)?,
        })
    }
}
