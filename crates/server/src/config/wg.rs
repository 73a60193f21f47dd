//! Settings of the wg dialect.

use serde::{Deserialize, Serialize};

/// `[wg]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wg {
    /// The realm of its users.
    pub realm: String,
    /// The host announced at login; empty = what is bound.
    pub url: String,
    /// The port announced at login; 0 = what is bound.
    pub port: u16,
    /// The path of its WebSocket, without slashes around it.
    pub context: String,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Wg {
    fn default() -> Self {
        Self {
            realm: "default".to_owned(),
            url: String::new(),
            port: 0,
            context: "websocket".to_owned(),
            allowed_origins: vec!["*".to_owned()],
        }
    }
}
