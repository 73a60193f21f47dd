//! Settings of the stomp dialect.

use crosstalk_core::id::Realm;
use serde::{Deserialize, Serialize};

use super::check::Findings;

/// `[stomp]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Stomp {
    /// The realm of those who log in with credentials that are not ours.
    pub realm: String,
    /// How long a token from the login lasts, in seconds.
    pub token_secs: u32,
    /// Whether a session ends when its token does.
    pub close_on_expiry: bool,
    /// Whether subscribing to what one may not read ends the connection.
    pub strict_subscribe: bool,
    /// Web origins whose pages may connect.
    pub allowed_origins: Vec<String>,
}

/// The longest time that a token lasts, seconds: 400 days.
const MAX_TOKEN_SECS: u32 = 400 * 24 * 3600;

impl Default for Stomp {
    fn default() -> Self {
        Self {
            realm: "default".to_owned(),
            token_secs: 7 * 24 * 3600,
            close_on_expiry: true,
            strict_subscribe: false,
            allowed_origins: vec!["*".to_owned()],
        }
    }
}

/// Checks what the types cannot say.
pub(super) fn check(stomp: &Stomp, findings: &mut Findings) {
    if let Err(error) = Realm::parse(&stomp.realm) {
        findings.problem("stomp.realm", error.to_string());
    }
    if !(1..=MAX_TOKEN_SECS).contains(&stomp.token_secs) {
        let why = format!("must be between 1 and {MAX_TOKEN_SECS}");
        findings.problem("stomp.token_secs", why);
    }
    for origin in &stomp.allowed_origins {
        let is_origin = origin
            .split_once("://")
            .is_some_and(|(_, host)| !host.is_empty() && !host.contains('/'));
        if origin != "*" && !is_origin {
            let why = format!("`{origin}` is no origin; write https://host, or \"*\" for all");
            findings.problem("stomp.allowed_origins", why);
        }
    }
}
