//! Read receipts: who has read a message that asked for it, and what became of messages after
//! they were sent, in the order of its versions (data-model.md §1).
//!
//! Only messages that ask for receipts have them; all others cost nothing here.

mod port;

/// Members up to which readers of a channel's messages are counted (architecture.md §3,
/// step 8).
pub const MAX_COUNTED_MEMBERS: u32 = 500;

pub use port::{MessageState, NewlyRead, Receipts};
