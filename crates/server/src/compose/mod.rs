//! Puts the parts together: the messenger on its store ([`Core`]), and a whole server with its
//! listeners ([`Server`]). It decides nothing but the order in which parts start and stop.

mod addresses;
mod chores;
mod core;
mod dialects;
mod readings;
mod retention;
mod server;
pub(crate) mod sweeps;

pub use addresses::{Bound, route_addresses};
pub use core::Core;
pub use server::Server;

#[cfg(test)]
mod tests;
