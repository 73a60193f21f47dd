//! Set F5: a friend comes or goes (gyyx.md Q4-28).

use super::frame::Value;
use super::read::Fields;
use super::{Field, Reason};

/// Which friend; the base's `userId` is who is told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Friend {
    /// Who came or went.
    pub friend_user_id: String,
    /// Whether they are there now.
    pub is_online: bool,
}

impl Friend {
    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::FriendUserId => Value::Text(&self.friend_user_id),
            Field::IsOnline => Value::Flag(self.is_online),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Friend, Reason> {
        Ok(Friend {
            friend_user_id: fields.text(Field::FriendUserId)?,
            is_online: fields.flag(Field::IsOnline)?.unwrap_or(false),
        })
    }
}
