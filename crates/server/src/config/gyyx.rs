//! Settings of the gyyx dialect.

use serde::{Deserialize, Serialize};

/// `[gyyx]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gyyx {
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

impl Default for Gyyx {
    fn default() -> Self {
        Self {
            allowed_origins: vec!["*".to_owned()],
        }
    }
}
