//! Topics and filters: their rules and what is asked for with a filter.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::Qos;

/// The longest topic or filter, bytes of UTF-8.
pub const MAX_TOPIC_BYTES: usize = 65_535;
/// The most levels of a topic or filter: what walks a tree is bounded by it.
pub const MAX_TOPIC_LEVELS: usize = 128;

/// What a filter of a shared subscription begins with.
const SHARE: &str = "$share/";

/// Why a text is not a topic or not a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTopic {
    /// Empty, or nothing is left after the group of a shared subscription.
    #[error("a topic must not be empty")]
    Empty,
    /// More than [`MAX_TOPIC_BYTES`].
    #[error("a topic has at most {MAX_TOPIC_BYTES} bytes")]
    TooLong,
    /// More than [`MAX_TOPIC_LEVELS`].
    #[error("a topic has at most {MAX_TOPIC_LEVELS} levels")]
    TooDeep,
    /// A null character.
    #[error("a topic has no null character")]
    Null,
    /// A wildcard in a topic, or one that is not a whole level or, if it is `#`, not the last.
    #[error("a wildcard stands where none may be")]
    Wildcard,
    /// The group of a shared subscription is empty or has a wildcard.
    #[error("a group has a name without wildcards")]
    Group,
}

/// The name of what is published to: levels between `/`, without wildcards.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Builds a topic.
    ///
    /// # Errors
    /// [`InvalidTopic`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidTopic> {
        check(text)?;
        if text.contains(['+', '#']) {
            return Err(InvalidTopic::Wildcard);
        }
        Ok(Self(text.into()))
    }

    /// The topic's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is subscribed to: a topic in which `+` stands for any one level and a last `#` for any
/// number of levels; behind `$share/<group>/` for a group of which one member gets a message.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Filter(Arc<str>);

impl Filter {
    /// Builds a filter.
    ///
    /// # Errors
    /// [`InvalidTopic`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, InvalidTopic> {
        let levels = match text.strip_prefix(SHARE) {
            None => text,
            Some(rest) => {
                if text.len() > MAX_TOPIC_BYTES {
                    return Err(InvalidTopic::TooLong);
                }
                let (group, levels) = rest.split_once('/').ok_or(InvalidTopic::Empty)?;
                if group.is_empty() || group.contains(['+', '#', '\0']) {
                    return Err(InvalidTopic::Group);
                }
                levels
            }
        };
        check(levels)?;
        let mut rest = levels.split('/').peekable();
        while let Some(level) = rest.next() {
            let is_whole = level.len() == 1 && (level == "+" || rest.peek().is_none());
            if level.contains(['+', '#']) && !is_whole {
                return Err(InvalidTopic::Wildcard);
            }
        }
        Ok(Self(text.into()))
    }

    /// The filter's whole text, with its group.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The group of a shared subscription.
    #[must_use]
    pub fn group(&self) -> Option<&str> {
        let (group, _) = self.0.strip_prefix(SHARE)?.split_once('/')?;
        Some(group)
    }

    /// What topics are compared with: the text without its group.
    #[must_use]
    pub fn levels(&self) -> &str {
        match self
            .0
            .strip_prefix(SHARE)
            .and_then(|rest| rest.split_once('/'))
        {
            Some((_, levels)) => levels,
            None => &self.0,
        }
    }

    /// Whether a topic is one of those asked for. A wildcard at the beginning stands for no
    /// topic that begins with `$`.
    #[must_use]
    pub fn matches(&self, topic: &str) -> bool {
        let levels = self.levels();
        if topic.starts_with('$') && levels.starts_with(['+', '#']) {
            return false;
        }
        let mut wanted = levels.split('/');
        let mut there = topic.split('/');
        loop {
            match (wanted.next(), there.next()) {
                (Some("#"), _) | (None, None) => return true,
                (Some("+"), Some(_)) => {}
                (Some(wanted), Some(there)) if wanted == there => {}
                _ => return false,
            }
        }
    }

    /// The text before the first wildcard: what every topic asked for begins with, except
    /// that `a/#` asks for `a` as well.
    pub(super) fn literal_prefix(&self) -> &str {
        let levels = self.levels();
        let end = levels.find(['+', '#']).unwrap_or(levels.len());
        let prefix = &levels[..end];
        if levels[end..].starts_with('#') {
            prefix.strip_suffix('/').unwrap_or(prefix)
        } else {
            prefix
        }
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), InvalidTopic> {
    if text.is_empty() {
        return Err(InvalidTopic::Empty);
    }
    if text.len() > MAX_TOPIC_BYTES {
        return Err(InvalidTopic::TooLong);
    }
    if text.contains('\0') {
        return Err(InvalidTopic::Null);
    }
    if text.split('/').count() > MAX_TOPIC_LEVELS {
        return Err(InvalidTopic::TooDeep);
    }
    Ok(())
}

/// Whether a subscription brings the retained messages that it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetainHandling {
    /// Each time that it is made.
    #[default]
    Send,
    /// Only when it was not there before.
    SendIfNew,
    /// Never.
    DoNotSend,
}

/// How somebody subscribes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionOptions {
    /// The highest guarantee that is wanted.
    pub max_qos: Qos,
    /// Without what the subscriber published itself.
    pub no_local: bool,
    /// Messages keep the retain mark of their publication; without this only those that were
    /// retained before the subscription have it.
    pub retain_as_published: bool,
    /// What becomes of retained messages.
    pub retain_handling: RetainHandling,
    /// The subscriber's own number of the subscription, which comes with each message.
    pub subscription_id: Option<u32>,
}

impl SubscriptionOptions {
    /// Plain options with a highest guarantee.
    #[must_use]
    pub fn up_to(max_qos: Qos) -> Self {
        Self {
            max_qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::default(),
            subscription_id: None,
        }
    }
}

/// A filter and how it is subscribed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// What is asked for.
    pub filter: Filter,
    /// How.
    pub options: SubscriptionOptions,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_have_no_wildcards() {
        for good in ["a", "/", "a/b", "/a", "a/", "a//b", "$SYS/x", " ", "张/三"] {
            assert_eq!(Topic::parse(good).map(|t| t.to_string()), Ok(good.into()));
        }
        let deep = "a/".repeat(MAX_TOPIC_LEVELS);
        let long = "x".repeat(MAX_TOPIC_BYTES + 1);
        let cases = [
            ("", InvalidTopic::Empty),
            ("a+", InvalidTopic::Wildcard),
            ("a/#", InvalidTopic::Wildcard),
            ("a\0", InvalidTopic::Null),
            (&deep, InvalidTopic::TooDeep),
            (&long, InvalidTopic::TooLong),
        ];
        for (bad, why) in cases {
            assert_eq!(Topic::parse(bad), Err(why), "{bad:.20}");
        }
    }

    #[test]
    fn filters_have_wildcards_as_whole_levels() {
        for good in [
            "a",
            "+",
            "#",
            "+/+",
            "a/#",
            "+/a/#",
            "/",
            "/#",
            "$share/g/a/#",
            "$share",
        ] {
            assert_eq!(Filter::parse(good).map(|t| t.to_string()), Ok(good.into()));
        }
        let cases = [
            ("", InvalidTopic::Empty),
            ("a#", InvalidTopic::Wildcard),
            ("#/a", InvalidTopic::Wildcard),
            ("a/+b", InvalidTopic::Wildcard),
            ("a/##", InvalidTopic::Wildcard),
            ("a\0b", InvalidTopic::Null),
            ("$share/g", InvalidTopic::Empty),
            ("$share/g/", InvalidTopic::Empty),
            ("$share//a", InvalidTopic::Group),
            ("$share/+/a", InvalidTopic::Group),
        ];
        for (bad, why) in cases {
            assert_eq!(Filter::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn groups_are_not_compared() {
        let filter = Filter::parse("$share/g/a/+").expect("a filter");
        assert_eq!((filter.group(), filter.levels()), (Some("g"), "a/+"));
        assert!(filter.matches("a/b"));
        assert_eq!(Filter::parse("a").expect("a filter").group(), None);
    }

    #[test]
    fn what_matches_is_the_table_of_the_specification() {
        let cases = [
            ("sport/tennis/#", "sport/tennis", true),
            ("sport/tennis/#", "sport/tennis/p/q", true),
            ("sport/#", "sport", true),
            ("sport/#", "sports", false),
            ("#", "sport", true),
            ("sport/+", "sport", false),
            ("sport/+", "sport/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$SYS/+", "$SYS/x", true),
            ("a/+/c", "a/$b/c", true),
            ("a", "A", false),
        ];
        for (filter, topic, matches) in cases {
            let filter = Filter::parse(filter).expect("a filter");
            assert_eq!(filter.matches(topic), matches, "{filter} {topic}");
            let prefix = filter.literal_prefix();
            assert!(!matches || topic.starts_with(prefix), "{filter} {topic}");
        }
    }
}
