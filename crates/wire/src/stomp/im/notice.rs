//! Small bodies on queues of the user's own (stomp.md Q2-11, Q2-13, Q2-15,
//! Q2-22, Q2-23).

use serde::Serialize;

use super::Code;

/// On `/user/queue/errors`: a request was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueError<'a> {
    /// Why.
    pub code: Code,
    /// Why, in words.
    pub message: &'a str,
    /// Where the request went, if that was what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<&'a str>,
}

impl<'a> QueueError<'a> {
    /// A body that is no JSON.
    pub const INVALID_JSON: QueueError<'static> = QueueError {
        code: Code::BadRequest,
        message: "Invalid JSON",
        destination: None,
    };

    /// A SEND to `/app/…` that nobody serves (stomp.md Q2-15).
    pub const UNKNOWN_DESTINATION: QueueError<'static> = QueueError {
        code: Code::NotFound,
        message: "Unknown destination",
        destination: None,
    };

    /// A SUBSCRIBE to the topic of a group that the user is not in
    /// (stomp.md Q2-13).
    #[must_use]
    pub const fn not_a_member(destination: &'a str) -> QueueError<'a> {
        QueueError {
            code: Code::Forbidden,
            message: "Not a member",
            destination: Some(destination),
        }
    }
}

/// On `/user/queue/receipts`: what became of a message that the user sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptNotice<'a> {
    /// What became of it.
    #[serde(rename = "type")]
    pub kind: ReceiptKind,
    /// The message.
    pub message_id: &'a str,
    /// Who got or read it.
    pub user_id: &'a str,
    /// When, in ms since 1970.
    pub at: i64,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ReceiptKind {
    /// A receiver got it.
    Delivered,
    /// A receiver read it.
    Read,
}

/// On `/user/queue/sync`: a `chat.sync` is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncEnd<'a> {
    /// Messages that it gave.
    pub count: u64,
    /// Whether there are more than its limit.
    pub has_more: bool,
    /// Where the next one goes on; `null` if nothing was given.
    pub cursor: Option<&'a str>,
}
