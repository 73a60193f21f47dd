//! The messenger: sessions, channels, sending, delivery, conversations.
//!
//! What it must not know: sockets, SQL, any dialect. Gateways, HTTP and tests make the same
//! calls, all of them on [`Im`](im::Im); storage is behind one small port per module (`log`,
//! `channel`, `conversation`, `directory`, `relation`). Calls go downwards
//! (send → deliver → session), never back up.

pub mod admin;
pub mod answered;
pub mod carried;
pub mod change;
pub mod channel;
pub mod clock;
pub mod content;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod conversation;
pub mod deliver;
pub mod delivered;
pub mod directory;
pub mod expiry;
pub mod file;
pub mod form;
pub mod hook;
pub mod id;
pub mod im;
pub mod log;
pub mod mark;
pub mod mention;
pub mod message;
pub mod outbox;
pub mod pubsub;
pub mod receipt;
pub mod refusal;
pub mod relation;
pub mod schedule;
pub mod search;
pub mod send;
pub mod session;
pub mod store;
