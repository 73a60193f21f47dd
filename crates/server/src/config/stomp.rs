//! Settings of the stomp dialect.

use serde::{Deserialize, Serialize};

/// `[stomp]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stomp {
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Stomp {
    fn default() -> Self {
        Self {
            allowed_origins: vec!["*".to_owned()],
        }
    }
}
