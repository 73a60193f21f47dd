//! The name of a function of the page that htmlfile and JSONP call
//! (stomp-sockjs-wire.md §2.3).

use std::borrow::Cow;

use super::payload::{form_fields, unescape};

/// The longest name in bytes, as in the reference server.
const MAX_BYTES: usize = 32;

/// A name that may be written into a script: letters, digits, `-`, `_`, `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Callback(String);

/// Why a query has no usable name. The answer is status 500 with this text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// There is none.
    #[error("\"callback\" parameter required")]
    Missing,
    /// It has other characters, or too many.
    #[error("invalid \"callback\" parameter")]
    Invalid,
}

impl Callback {
    /// The parameter `c`, or else `callback`, of a query without its `?`.
    ///
    /// # Errors
    ///
    /// See [`CallbackError`].
    pub fn from_query(query: &str) -> Result<Callback, CallbackError> {
        let get = |name: &str| {
            form_fields(query.as_bytes())
                .find(|(known, _)| *known == name.as_bytes())
                .map(|(_, value)| value)
        };
        let raw = get("c")
            .or_else(|| get("callback"))
            .filter(|raw| !raw.is_empty())
            .ok_or(CallbackError::Missing)?;
        let name: Cow<'_, [u8]> = unescape(raw);
        let is_legal = |it: &u8| it.is_ascii_alphanumeric() || b"-_.".contains(it);
        if name.len() > MAX_BYTES || !name.iter().all(is_legal) {
            return Err(CallbackError::Invalid);
        }
        let name = String::from_utf8(name.into_owned());
        name.map(Callback).map_err(|_| CallbackError::Invalid)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
