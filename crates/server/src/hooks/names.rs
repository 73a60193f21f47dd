//! The names of events, and which of them a hook wants.

/// Every event that there is. Names outside this list are told as well where an extension of
/// the messenger makes them; these are those that the messenger itself makes.
pub(super) const NAMES: &[&str] = &[
    "channel.created",
    "channel.dissolved",
    "channel.updated",
    "conversation.read",
    "conversation.updated",
    "friend.removed",
    "friend.updated",
    "friend_request.answered",
    "friend_request.created",
    "hook.test",
    "join_request.answered",
    "join_request.created",
    "member.changed",
    "member.departed",
    "member.joined",
    "message.deleted",
    "message.edited",
    "message.expired",
    "message.hidden",
    "message.offline",
    "message.pinned",
    "message.reacted",
    "message.read",
    "message.revoked",
    "message.stored",
    "message.unpinned",
    "session.closed",
    "session.opened",
    "user.blocked",
    "user.offline",
    "user.online",
    "user.profile",
    "user.unblocked",
];

/// Names or patterns that one hook may give.
pub(super) const MAX_PATTERNS: usize = 100;
/// The longest of them, bytes.
pub(super) const MAX_PATTERN_BYTES: usize = 64;

/// Which events a hook wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted(Vec<String>);

impl Wanted {
    /// Those that fit one of these patterns; all if there is none.
    pub(super) fn new(patterns: &[String]) -> Self {
        Self(patterns.to_vec())
    }

    /// Whether an event is wanted.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| fits(pattern, name))
    }

    /// Whether any of some is wanted, so that it is worth while to find out about them.
    pub(super) fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }
}

/// `*` at the end stands for anything.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => pattern == name,
    }
}

/// What extensions of the messenger tell has names that begin so.
const EXTENSIONS: [&str; 2] = ["call.", "desk."];

/// Whether a pattern can fit anything.
pub(super) fn is_pattern(pattern: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'.');
    let beginning = pattern.strip_suffix('*').unwrap_or(pattern);
    if pattern.len() > MAX_PATTERN_BYTES || !beginning.bytes().all(is_plain) {
        return false;
    }
    EXTENSIONS.iter().any(|name| pattern.starts_with(name))
        || NAMES.iter().any(|name| fits(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_patterns() {
        let wanted = |patterns: &[&str]| {
            let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            Wanted::new(&patterns)
        };
        let cases: &[(&[&str], &str, bool)] = &[
            (&[], "message.stored", true),
            (&["*"], "user.online", true),
            (&["message.*"], "message.stored", true),
            (&["message.*"], "member.joined", false),
            (&["message.stored"], "message.stored", true),
            (&["message.stored"], "message.storedx", false),
            (&["user.online", "member.*"], "member.joined", true),
            (&["user.online", "member.*"], "user.offline", false),
        ];
        for (patterns, name, expected) in cases {
            assert_eq!(wanted(patterns).has(name), *expected, "{patterns:?} {name}");
        }
        assert!(wanted(&["user.*"]).has_any(&["message.read", "user.online"]));
        assert!(!wanted(&["user.*"]).has_any(&["message.read"]));
    }

    #[test]
    fn only_what_can_fit_is_a_pattern() {
        for good in [
            "*",
            "message.*",
            "message.stored",
            "mess*",
            "call.started",
            "desk.*",
        ] {
            assert!(is_pattern(good), "{good}");
        }
        let long = "m".repeat(99);
        for bad in [
            "",
            "message",
            "*.stored",
            "nothing.*",
            "Message.*",
            "a b",
            "m**",
            &long,
        ] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }

    #[test]
    fn names_are_in_order() {
        assert!(NAMES.is_sorted());
    }
}
