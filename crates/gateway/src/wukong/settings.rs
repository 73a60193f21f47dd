//! How the dialect behaves.

use std::sync::Arc;

use crosstalk_core::id::Realm;

use super::machine::Machine;
use crate::protocol::{Arrival, Now, Plug, Protocol, Seed};

/// Settings of the wukong dialect.
#[derive(Debug, Clone)]
pub struct WukongSettings {
    /// The realm of its listeners.
    pub realm: Realm,
    /// The number that clients are told in CONNACK.
    pub node_id: u64,
    /// Whether tokens are checked.
    pub token_auth: bool,
    /// Refuse direct messages to users who do not exist.
    pub strict_users: bool,
    /// Origins whose pages may connect; `*` = all.
    pub allowed_origins: Arc<[String]>,
}

impl Plug for WukongSettings {
    fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol> {
        Box::new(Machine::new(self.clone(), arrival.client, seed, now))
    }
}
