//! How the dialect behaves.

use std::sync::Arc;

use crosstalk_core::id::Realm;

use super::machine::Machine;
use crate::protocol::{Arrival, Now, Plug, Protocol, Seed};

/// Settings of the stomp dialect.
#[derive(Debug, Clone)]
pub struct StompSettings {
    /// Where those go who log in with a credential that is not ours; a token of ours says
    /// itself to which realm it belongs.
    pub realm: Realm,
    /// Whether a session ends when its token does (stomp.md Q2-3).
    pub close_on_expiry: bool,
    /// Whether subscribing to what one may not read ends the connection (stomp.md Q2-13).
    pub strict_subscribe: bool,
    /// Origins whose pages may connect; `*` = all.
    pub allowed_origins: Arc<[String]>,
}

impl Plug for StompSettings {
    fn allowed_origins(&self) -> &[String] {
        &self.allowed_origins
    }

    fn machine(&self, arrival: Arrival, seed: &Seed, now: Now) -> Box<dyn Protocol> {
        Box::new(Machine::new(self.clone(), arrival, seed, now))
    }
}
