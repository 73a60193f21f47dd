//! The message log: what was accepted, in order, for good.

mod memory;
mod port;

pub use memory::MemoryLog;
pub use port::{
    Append, AppendOutcome, Called, Head, Log, MAX_CALLED, Page, PendingAppend, Retained,
    RevokeOutcome,
};
