//! The stomp dialect, XuqmGroup IM over STOMP (protocols/stomp.md): its machine and its
//! mapping to the core.
//!
//! Reading order: `machine` is a connection from CONNECT to its end; `live` takes the frames
//! of an open session; `requests` and `sync` are what `/app/…` does, `deliver` is what the
//! core tells, `personal` where that goes at first; `outbox` writes MESSAGEs and knows what is
//! not acknowledged.

pub(crate) mod changes;
mod clock;
mod deliver;
mod events;
mod jobs;
mod live;
mod login;
pub(crate) mod machine;
pub(crate) mod map;
mod outbox;
mod personal;
mod reads;
pub(crate) mod reasons;
pub(crate) mod render;
mod requests;
pub(crate) mod sends;
pub(crate) mod settings;
mod subscriptions;
mod sync;
pub(crate) mod told;
mod transactions;

#[cfg(test)]
mod tests;
