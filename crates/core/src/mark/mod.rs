//! What users put on messages that were sent: another wording, reactions, pins, and that they
//! do not want to see one any more. What it does to the message of others stands in its state
//! ([`MessageState`](crate::receipt::MessageState)); the rules stand with the verbs.

mod port;

pub use port::{Edit, EditOutcome, MarkOutcome, Marks, Pin, Reaction, Tally, Version};

/// The most edits of one message: each is kept.
pub const MAX_EDITS: u32 = 1000;
/// The most different reactions of one user to a message.
pub const MAX_REACTIONS_OF_ONE: u32 = 20;
/// The most different reactions to a message.
pub const MAX_REACTIONS: u32 = 200;
/// The longest reaction, bytes.
pub const MAX_REACTION_BYTES: usize = 32;
/// The most pinned messages of a channel.
pub const MAX_PINS: u32 = 100;
/// The most messages that are hidden, revoked or deleted at once.
pub const MAX_BATCH: usize = 100;
