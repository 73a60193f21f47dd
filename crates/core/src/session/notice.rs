//! What a session is told that stands in no log: it is for those who are there at the moment.

use std::sync::Arc;

use crate::id::{MessageId, UserRef};
use crate::message::Message;

/// Something that a session is told if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A message of the session's user has reached another user: the first of that user's
    /// clients has it. Once for each receiver.
    Delivered {
        /// The message.
        message: Arc<Message>,
        /// Who has it.
        by: UserRef,
        /// Since when, ms since 1970.
        at_ms: i64,
    },
    /// A client of a receiver could do nothing with a message of the session's user.
    Rejected {
        /// The message.
        message: Arc<Message>,
        /// Whose client it was.
        by: UserRef,
        /// Why, in the client's own words.
        why: Arc<str>,
    },
    /// What the client has asked for has been handed to it, before this.
    Handed {
        /// How many messages.
        count: usize,
        /// There is more.
        more: bool,
        /// After which message to go on, if there is more and it is asked for so.
        through: Option<MessageId>,
    },
    /// Somebody whom the session's user talks with has come or gone, or says something else
    /// beside being there.
    Presence {
        /// Who.
        user: UserRef,
        /// Whether they have a session now.
        is_online: bool,
        /// False: they were there before; what they say beside that has changed.
        is_turn: bool,
        /// What they say beside being there; empty = nothing.
        status: Arc<str>,
        /// The kind of the device that has come or gone.
        device_flag: u8,
        /// For dialects in which all that is told has an id.
        id: MessageId,
        /// Since when, ms since 1970.
        at_ms: i64,
    },
}
