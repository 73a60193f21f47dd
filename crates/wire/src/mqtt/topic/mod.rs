//! Topic names and filters (MQTT 5.0 §4.7, §4.8.2).
//!
//! A value of these types is valid: it has 1 to 65,535 bytes and no U+0000, a
//! name has no wildcards, and those of a filter stand where they may. Nothing
//! is normalised: names are compared byte by byte, so `/a` and `a` differ and
//! case matters (§4.7.3). A tree of filters is the messenger's, not ours.

mod filter;

pub use filter::{Shared, TopicFilter, matches};

use super::MAX_STRING_BYTES;

/// Why text is no topic name or no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// No character at all (§4.7.3).
    #[error("it is empty")]
    Empty,
    /// More than 65,535 bytes (§4.7.3).
    #[error("it is longer than 65535 bytes")]
    TooLong,
    /// U+0000 is in it (§4.7.3).
    #[error("it contains U+0000")]
    Nul,
    /// `+` or `#` in a topic name (§4.7.1).
    #[error("a topic name has no wildcards")]
    Wildcard,
    /// `+` or `#` in a filter beside other characters of a level, or `#` not
    /// at the end (§4.7.1).
    #[error("a wildcard stands where it may not")]
    MisplacedWildcard,
    /// `$share/` without a name and a filter after it (§4.8.2).
    #[error("a shared subscription is $share/name/filter")]
    BadShare,
}

/// A valid topic name.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(String);

impl TopicName {
    /// Takes `name` if it is a topic name.
    ///
    /// # Errors
    ///
    /// See [`TopicError`].
    pub fn new(name: impl Into<String>) -> Result<TopicName, TopicError> {
        let name = name.into();
        check_text(&name)?;
        if name.bytes().any(is_wildcard) {
            return Err(TopicError::Wildcard);
        }
        Ok(TopicName(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name's text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether a filter that begins with a wildcard passes this topic over
    /// (§4.7.2).
    #[must_use]
    pub fn is_dollar(&self) -> bool {
        self.0.starts_with('$')
    }
}

impl std::fmt::Debug for TopicName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

impl std::fmt::Display for TopicName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What holds for names and filters alike.
fn check_text(text: &str) -> Result<(), TopicError> {
    if text.is_empty() {
        Err(TopicError::Empty)
    } else if text.len() > MAX_STRING_BYTES {
        Err(TopicError::TooLong)
    } else if text.as_bytes().contains(&0) {
        Err(TopicError::Nul)
    } else {
        Ok(())
    }
}

const fn is_wildcard(byte: u8) -> bool {
    matches!(byte, b'+' | b'#')
}
