//! What is wrong with a message, as the client is told.

use std::borrow::Cow;

use super::status::texts;
use super::{Message, Status, StatusBody, ToClient};

/// A message that is refused: what the 9001 says, and what it echoes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {msg}", .status.name())]
pub struct Fault {
    /// The message's id; none if it could not be read.
    pub id: Option<String>,
    /// The sender as the message says, empty if it does not: the receiver of
    /// the answer as long as nobody is registered.
    pub claimed_from: String,
    /// The status.
    pub status: Status,
    /// What a person is told.
    pub msg: Cow<'static, str>,
}

impl Fault {
    /// What is no text message of a JSON object: a binary one, for example
    /// (wg.md Q0-14, Q0-26).
    #[must_use]
    pub const fn malformed() -> Fault {
        Fault {
            id: None,
            claimed_from: String::new(),
            status: Status::MessageError,
            msg: Cow::Borrowed(texts::MALFORMED),
        }
    }

    /// The 9001 to user `to`; `fresh_id` is used if the message's own could
    /// not be read.
    #[must_use]
    pub fn answer(&self, fresh_id: &str, to: &str, now_ms: i64) -> Message<ToClient> {
        let id = self.id.as_deref().unwrap_or(fresh_id);
        let body = StatusBody::new(self.status, self.msg.clone());
        Message::status(id, to, body, now_ms)
    }
}
