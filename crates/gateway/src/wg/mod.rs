//! The wg dialect (protocols/wg.md): its machine, its mapping to the core, the session ids
//! that logins give, and the channel manager.

mod deliver;
mod given;
pub(crate) mod handlers;
mod live;
pub(crate) mod logins;
mod machine;
pub(crate) mod manager;
pub(crate) mod map;
mod pending;
pub(crate) mod reasons;
pub(crate) mod settings;

#[cfg(test)]
mod tests;

use crate::registry::Dialect;
use crosstalk_core::message::Origin;

/// The origin number of this dialect's messages.
const ORIGIN: Origin = Dialect::Wg.origin();
