//! Delivery: lanes order and append what is sent and hand it to the online sessions.
//!
//! A channel belongs to one lane by its name's hash; a lane is one task that owns the state
//! of its channels, so nothing here is locked. `state` is what a lane knows of a channel,
//! `lane` its loop, `check` the way of a draft to the log, `change` what alters a channel,
//! `revoke` how a message is taken back, `fanout` the way from the log to mailboxes,
//! `receipts` how senders learn of it, `resync` how a session that was too slow catches up.

mod change;
mod check;
mod fanout;
pub mod lane;
pub(crate) mod receipts;
pub mod resync;
mod revoke;
mod state;

pub use change::{Changed, ChannelVerb};
pub use fanout::Counters;
pub use lane::{Job, Lanes, ReplyTo, SendJob, Sender};
pub use revoke::{Operator, RevokeJob, TakenBack};
