//! Delivery: lanes order and append what is sent and hand it to the online sessions.
//!
//! A channel belongs to one lane by its name's hash; a lane is one task that owns the state
//! of its channels, so nothing here is locked. `state` is what a lane knows of a channel,
//! `lane` its loop, `check` the way of a draft to the log, `change` what alters a channel, `group` who may
//! and what follows, `tell` how it is said there,
//! `alter` how a message is taken back, edited or marked, `rights` who may, `expire` how one ends,
//! `fanout` the way from the log to mailboxes,
//! `receipts` how senders learn of it, `resync` how a session that was too slow catches up.

mod alter;
mod carry;
mod change;
mod check;
mod expire;
mod fanout;
mod group;
pub(crate) mod holding;
pub mod lane;
pub(crate) mod receipts;
pub mod resync;
mod rights;
mod state;
mod tell;
pub(crate) mod tip;

pub use alter::{AlterJob, Alteration, Altered, Operator, TakenBack, edit_number, entry_number};
pub use change::{Changed, ChannelVerb, Moved};
pub use expire::ExpireJob;
pub use fanout::Counters;
pub use group::{Decision, GroupVerb};
pub use lane::{Job, Lanes, ReplyTo, SendJob, Sender};
