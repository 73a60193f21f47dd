//! Settings of the mqtt dialect.

use serde::{Deserialize, Serialize};

/// `[mqtt]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mqtt {
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Mqtt {
    fn default() -> Self {
        Self {
            allowed_origins: vec!["*".to_owned()],
        }
    }
}
