//! A client of the WuKongIM binary dialect over real sockets, for every protocol version.
//!
//! [`Link`] is a connection that carries packets, or whatever bytes a test writes; [`Login`]
//! makes the key exchange and turns it into a [`WukongClient`], which sends, receives and
//! checks. What must hold for every packet of every test is checked where it is read.

mod client;
mod link;
mod login;
mod outgoing;

pub use client::{Received, WukongClient};
pub use link::{Link, Transport};
pub use login::{Login, NO_KEY, random_keys};
pub use outgoing::Outgoing;
