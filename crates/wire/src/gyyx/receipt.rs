//! Set F2: something was received (gyyx.md Q4-15).

use super::frame::Value;
use super::read::Fields;
use super::{Field, Reason};

/// Says which frame was received; its `unique` is the base's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipt {
    /// The code as it was received: 30 for a message that came as 30. From a
    /// client 0 if it did not say.
    pub receive_msg_type: i64,
}

impl Receipt {
    pub(super) fn value(self, field: Field) -> Option<Value<'static>> {
        (field == Field::ReceiveMsgType).then_some(Value::Number(self.receive_msg_type))
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Receipt, Reason> {
        let receive_msg_type = fields.integer(Field::ReceiveMsgType)?.unwrap_or(0);
        Ok(Receipt { receive_msg_type })
    }
}
