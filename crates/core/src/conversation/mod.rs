//! Conversations: a user's view of a channel. Unread is computed, never counted per recipient
//! (data-model.md §2).

mod port;
mod unread;

pub use port::{ConversationChange, ConversationRow, Inbox};
