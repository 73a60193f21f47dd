//! Topic filters: where wildcards may stand, what they match, and shared
//! subscriptions (MQTT 5.0 §4.7.1, §4.7.2, §4.8.2).

use super::{TopicError, TopicName, check_text, is_wildcard};

/// How the filter of a shared subscription begins.
const SHARE_PREFIX: &str = "$share/";

/// A valid topic filter.
///
/// Whether it names a shared subscription is asked with
/// [`TopicFilter::shared`]: that is 5.0's syntax, and to 3.1.1 `$share/a` is a
/// filter like any other.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicFilter(String);

/// The parts of a shared subscription's filter (§4.8.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shared<'a> {
    /// Who shares: the subscriptions of one name get each message once.
    pub name: &'a str,
    /// What they share.
    pub filter: &'a str,
}

impl TopicFilter {
    /// Takes `filter` if it is a topic filter.
    ///
    /// # Errors
    ///
    /// See [`TopicError`]; [`TopicError::BadShare`] comes from
    /// [`TopicFilter::shared`] only.
    pub fn new(filter: impl Into<String>) -> Result<TopicFilter, TopicError> {
        let filter = filter.into();
        check_text(&filter)?;
        let mut levels = filter.split('/').peekable();
        while let Some(level) = levels.next() {
            let stands_alone = level.len() == 1;
            if level.bytes().any(is_wildcard) && !stands_alone {
                return Err(TopicError::MisplacedWildcard);
            }
            if level == "#" && levels.peek().is_some() {
                return Err(TopicError::MisplacedWildcard);
            }
        }
        Ok(TopicFilter(filter))
    }

    /// The filter as the client wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The filter's text itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The parts of a shared subscription; `None` for ordinary filters. What
    /// is decoded from a 5.0 packet is never an error here.
    ///
    /// # Errors
    ///
    /// [`TopicError::BadShare`] if it begins with `$share/` and no name and
    /// filter follow.
    pub fn shared(&self) -> Result<Option<Shared<'_>>, TopicError> {
        let Some(rest) = self.0.strip_prefix(SHARE_PREFIX) else {
            return Ok(None);
        };
        let (name, filter) = rest.split_once('/').ok_or(TopicError::BadShare)?;
        let is_valid = !name.is_empty() && !name.bytes().any(is_wildcard) && !filter.is_empty();
        if is_valid {
            Ok(Some(Shared { name, filter }))
        } else {
            Err(TopicError::BadShare)
        }
    }

    /// Whether messages to `topic` are wanted. Of a shared subscription only
    /// the filter counts.
    #[must_use]
    pub fn matches(&self, topic: &TopicName) -> bool {
        match self.shared() {
            Ok(Some(shared)) => matches(shared.filter, topic.as_str()),
            _ => matches(&self.0, topic.as_str()),
        }
    }

    /// Whether it has a `+` or `#`.
    #[must_use]
    pub fn has_wildcard(&self) -> bool {
        self.0.bytes().any(is_wildcard)
    }
}

impl std::fmt::Debug for TopicFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

impl std::fmt::Display for TopicFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `filter` matches `topic` (§4.7.1, §4.7.2): level by level, `+` for
/// one level, `#` for its parent and everything below, and neither of them, at
/// the beginning of the filter, for topics that begin with `$`.
///
/// Both are taken as they are, without a look at `$share/`; text that is no
/// valid filter matches only itself or nothing.
#[must_use]
pub fn matches(filter: &str, topic: &str) -> bool {
    if topic.starts_with('$') && filter.bytes().next().is_some_and(is_wildcard) {
        return false;
    }
    let mut wanted = filter.split('/');
    let mut given = topic.split('/');
    loop {
        match (wanted.next(), given.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(level), Some(same)) if level == same => {}
            _ => return false,
        }
    }
}
