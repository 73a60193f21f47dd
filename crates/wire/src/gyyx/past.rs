//! Sets F3 and F4: asking for history, recalling (gyyx.md Q4-12, Q4-24).

use super::frame::Value;
use super::read::Fields;
use super::{Field, Reason};

/// A page of history that is asked for, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The page, from 1.
    pub page_index: u32,
    /// Messages on a page, 1 to [`History::MAX_PAGE_SIZE`].
    pub page_size: u32,
    /// The other party: a user, the own id, `group:<gid>`, or nothing.
    pub sender: String,
}

impl Default for History {
    fn default() -> History {
        History {
            page_index: 1,
            page_size: History::PAGE_SIZE,
            sender: String::new(),
        }
    }
}

impl History {
    /// Messages on a page if the client does not say, or says 0.
    pub const PAGE_SIZE: u32 = 20;

    /// Messages on a page at most; who asks for more gets these.
    pub const MAX_PAGE_SIZE: u32 = 100;

    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::PageIndex => Value::Number(self.page_index.into()),
            Field::PageSize => Value::Number(self.page_size.into()),
            Field::Sender => Value::Text(&self.sender),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<History, Reason> {
        Ok(History {
            page_index: above_zero(fields, Field::PageIndex)?.unwrap_or(1),
            page_size: above_zero(fields, Field::PageSize)?
                .map_or(History::PAGE_SIZE, |size| size.min(History::MAX_PAGE_SIZE)),
            sender: fields.text(Field::Sender)?,
        })
    }
}

/// A number from 1, cut at the largest; what is below counts as not given.
fn above_zero(fields: &Fields<'_>, field: Field) -> Result<Option<u32>, Reason> {
    let number = fields.integer(field)?.filter(|number| *number > 0);
    Ok(number.map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
}

/// A message to be recalled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recall {
    /// The server's id in decimal, or the sender's own; never empty in what
    /// was decoded.
    pub message_id: String,
    /// Whom the message went to.
    pub receive_user_id: String,
    /// When the client recalled, ms since 1970. The server's time counts.
    pub retract_time_ms: i64,
}

impl Recall {
    pub(super) fn value(&self, field: Field) -> Option<Value<'_>> {
        Some(match field {
            Field::MessageId => Value::Text(&self.message_id),
            Field::ReceiveUserId => Value::Text(&self.receive_user_id),
            Field::RetractTime => Value::Number(self.retract_time_ms),
            _ => return None,
        })
    }

    pub(super) fn read(fields: &Fields<'_>) -> Result<Recall, Reason> {
        let recall = Recall {
            message_id: fields.text(Field::MessageId)?,
            receive_user_id: fields.text(Field::ReceiveUserId)?,
            retract_time_ms: fields.unchecked_integer(Field::RetractTime),
        };
        fields.demand(Field::MessageId, !recall.message_id.is_empty())?;
        Ok(recall)
    }
}
