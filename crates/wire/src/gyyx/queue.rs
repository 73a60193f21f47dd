//! Sets F7 and F8: the service queue (gyyx.md Q4-14, Q4-19).

use super::frame::Value;
use super::read::Fields;
use super::{Field, Reason};

/// Entering a queue, or taking its first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enter {
    /// The role as the client wrote it, a number as its digits; never empty in
    /// what was decoded. An app may have words of its own for it.
    pub role: String,
    /// The queue; empty = the app's default one.
    pub room_id: String,
    /// The signature, where the app wants one.
    pub sign: String,
}

impl Enter {
    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::Role => Value::Text(&self.role),
            Field::RoomId => Value::Text(&self.room_id),
            Field::Sign => Value::Text(&self.sign),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Enter, Reason> {
        let enter = Enter {
            role: fields.text(Field::Role)?,
            room_id: fields.text(Field::RoomId)?,
            sign: fields.text(Field::Sign)?,
        };
        fields.demand(Field::Role, !enter.role.is_empty())?;
        Ok(enter)
    }
}

/// What a role can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Waits in a queue.
    Customer,
    /// Takes the first of a queue.
    Staff,
}

impl Role {
    /// The role that the words of the document mean; none for an app's own
    /// words.
    #[must_use]
    pub fn of(word: &str) -> Option<Role> {
        match word.trim().to_lowercase().as_str() {
            "1" | "user" => Some(Role::Customer),
            "2" | "service" | "kefu" | "客服" => Some(Role::Staff),
            _ => None,
        }
    }
}

/// The state of a queue as one who waits sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// The own place, from 1; 0 = not waiting.
    pub wait_index: u32,
    /// How many wait.
    pub wait_total: u32,
}

impl Waiting {
    pub(super) fn value(self, field: Field) -> Option<Value<'static>> {
        Some(match field {
            Field::WaitIndex => Value::Number(self.wait_index.into()),
            Field::WaitTotal => Value::Number(self.wait_total.into()),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Waiting, Reason> {
        Ok(Waiting {
            wait_index: fields.count(Field::WaitIndex)?,
            wait_total: fields.count(Field::WaitTotal)?,
        })
    }
}
