//! A frame's headers: an ordered list in which the first of a name wins.
//!
//! All names and values lie in one string, so that a hostile frame with many
//! small headers costs little more than its own bytes.

use super::Escaping;

/// Headers whose values `Debug` leaves out, in lower case.
const SECRET: [&str; 5] = [
    "authorization",
    "passcode",
    "token",
    "x-auth-token",
    "cookie",
];

/// Names and values in the order of the wire, unescaped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    text: String,
    /// Where each name and each value ends in `text`.
    ends: Vec<(usize, usize)>,
}

impl Headers {
    /// No headers.
    #[must_use]
    pub const fn new() -> Headers {
        Headers {
            text: String::new(),
            ends: Vec::new(),
        }
    }

    /// The value of the first header `name`; names are case-sensitive.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// The value of the first header `name`, whatever the case of its ASCII
    /// letters. For names that clients copy from HTTP, like `Authorization`.
    #[must_use]
    pub fn get_ignoring_case(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Appends a header.
    pub fn push(&mut self, name: &str, value: &str) {
        self.text.push_str(name);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.ends.push((name_end, self.text.len()));
    }

    /// Appends a header as it is on the wire; else the index of what is no
    /// escape, and the headers are as they were.
    pub(super) fn push_escaped(
        &mut self,
        name: &str,
        value: &str,
        escaping: Escaping,
    ) -> Result<(), usize> {
        let before = self.text.len();
        let text = &mut self.text;
        let name_end = escaping.unescape(name, text).map(|()| text.len());
        let value_end = name_end.and_then(|name_end| {
            escaping.unescape(value, text)?;
            Ok((name_end, text.len()))
        });
        match value_end {
            Ok(ends) => self.ends.push(ends),
            Err(_) => self.text.truncate(before),
        }
        value_end.map(|_| ())
    }

    /// Takes the last header off again.
    pub(super) fn pop(&mut self) {
        self.ends.pop();
        self.text
            .truncate(self.ends.last().map_or(0, |ends| ends.1));
    }

    /// The last header.
    pub(super) fn last(&self) -> Option<(&str, &str)> {
        let &(name_end, value_end) = self.ends.last()?;
        let before = self.ends.len().checked_sub(2);
        let start = before.map_or(0, |before| self.ends[before].1);
        Some((&self.text[start..name_end], &self.text[name_end..value_end]))
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let name = &self.text[start..name_end];
            start = value_end;
            (name, &self.text[name_end..value_end])
        })
    }

    /// How many headers there are, repeated ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Bytes of all names and values.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len()
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in pairs {
            headers.push(name, value);
        }
        headers
    }
}

/// Leaves the values of credentials out.
impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let is_secret = |name: &str| SECRET.iter().any(|it| name.eq_ignore_ascii_case(it));
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                let shown = if is_secret(name) { "***" } else { value };
                (name, shown)
            }))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_a_name_wins_and_all_are_kept() {
        let headers: Headers = [("a", "1"), ("b", ""), ("a", "2"), ("A", "3")]
            .into_iter()
            .collect();
        assert_eq!(headers.get("a"), Some("1"));
        assert_eq!(headers.get("b"), Some(""));
        assert_eq!(headers.get("A"), Some("3"));
        assert_eq!(headers.get_ignoring_case("A"), Some("1"));
        assert_eq!(headers.get("c"), None);
        assert_eq!(headers.len(), 4);
        assert_eq!(headers.last(), Some(("A", "3")));
        let pairs: Vec<_> = headers.iter().collect();
        assert_eq!(pairs, [("a", "1"), ("b", ""), ("a", "2"), ("A", "3")]);
    }

    #[test]
    fn a_failed_push_leaves_nothing() {
        let mut headers = Headers::new();
        headers.push("a", "1");
        let before = headers.clone();
        assert_eq!(headers.push_escaped(r"b\x", "", Escaping::V1_2), Err(1));
        assert_eq!(headers, before);
        assert_eq!(headers.push_escaped("b", r"xy\", Escaping::V1_2), Err(2));
        assert_eq!(headers, before);
        assert_eq!(headers.push_escaped(r"b\c", r"\n", Escaping::V1_2), Ok(()));
        assert_eq!(headers.last(), Some(("b:", "\n")));
        headers.pop();
        assert_eq!(headers, before);
        assert_eq!(headers.last(), Some(("a", "1")));
        headers.pop();
        assert_eq!(headers, Headers::new());
        assert_eq!(headers.last(), None);
    }

    #[test]
    fn debug_shows_no_credentials() {
        let headers: Headers = [
            ("Authorization", "Bearer s3cret"),
            ("passcode", "s3cret"),
            ("token", "s3cret"),
            ("X-Auth-Token", "s3cret"),
            ("host", "example.org"),
        ]
        .into_iter()
        .collect();
        let shown = format!("{headers:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("example.org"), "{shown}");
    }
}
