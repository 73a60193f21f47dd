//! Conversations: a user's view of a channel. Unread is computed, never counted per recipient
//! (data-model.md §2).

mod keep;
mod port;
mod unread;

pub use keep::{Keep, KeepOutcome, Kept, MAX_DRAFT_BYTES, Screen};
pub use port::{ConversationChange, ConversationRow, Inbox};
