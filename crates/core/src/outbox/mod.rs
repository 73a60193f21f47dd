//! The outbox: what consumers (search, hooks, push …) work through beside the messenger
//! (architecture.md §7). It is the message log, which has every message and every change of
//! it, and the event log for what is no message; a consumer keeps its place in both.

mod port;

pub use port::{Event, MAX_CONSUMER_NAME, NewEvent, Outbox, Place};
