//! User properties: pairs of strings in order, duplicates included
//! (MQTT 5.0 §2.2.2.2, §3.1.2.11.8).
//!
//! They are kept in one buffer in the form of the wire, so that a packet full
//! of tiny pairs costs no more memory than it had bytes, and passing them on is
//! one copy.

use super::{EncodeError, property::PropertyId, text};

/// The user properties of a packet.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct UserProperties {
    /// For each pair: the identifier, then name and value, each with two bytes
    /// of length. Only valid pairs get in.
    wire: Vec<u8>,
}

impl UserProperties {
    /// No properties.
    #[must_use]
    pub const fn new() -> UserProperties {
        UserProperties { wire: Vec::new() }
    }

    /// Adds a pair at the end.
    ///
    /// # Errors
    ///
    /// [`EncodeError::String`] if name or value is too long or has U+0000.
    pub fn push(&mut self, name: &str, value: &str) -> Result<(), EncodeError> {
        let name_len = text::encodable_len(name)?;
        let value_len = text::encodable_len(value)?;
        self.wire.push(PropertyId::UserProperty.code());
        self.wire.extend_from_slice(&name_len.to_be_bytes());
        self.wire.extend_from_slice(name.as_bytes());
        self.wire.extend_from_slice(&value_len.to_be_bytes());
        self.wire.extend_from_slice(value.as_bytes());
        Ok(())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wire.is_empty()
    }

    /// The pairs in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut rest = &self.wire[..];
        std::iter::from_fn(move || {
            let (_, tail) = rest.split_first()?;
            let (name, tail) = split_str(tail)?;
            let (value, tail) = split_str(tail)?;
            rest = tail;
            Some((name, value))
        })
    }

    /// The value of the first pair with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// Adds a pair in the form of the wire, without its identifier. The caller
    /// has read it as two valid strings.
    pub(super) fn push_wire(&mut self, pair: &[u8]) {
        self.wire.push(PropertyId::UserProperty.code());
        self.wire.extend_from_slice(pair);
    }

    /// The pairs as properties on the wire.
    pub(super) fn wire(&self) -> &[u8] {
        &self.wire
    }
}

/// The string at the front and what follows it.
fn split_str(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

impl std::fmt::Debug for UserProperties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_order_and_their_duplicates() {
        let mut properties = UserProperties::new();
        assert!(properties.is_empty());
        for (name, value) in [("b", "2"), ("a", ""), ("b", "1"), ("", "empty")] {
            properties.push(name, value).expect("short");
        }
        let pairs: Vec<_> = properties.iter().collect();
        assert_eq!(pairs, [("b", "2"), ("a", ""), ("b", "1"), ("", "empty")]);
        assert_eq!(properties.get("b"), Some("2"));
        assert_eq!(properties.get("c"), None);
    }

    #[test]
    fn what_the_wire_cannot_carry_is_refused() {
        let mut properties = UserProperties::new();
        assert!(properties.push("a\0", "b").is_err());
        assert!(properties.push("a", &"x".repeat(65_536)).is_err());
        assert!(properties.is_empty());
        properties
            .push("a", &"x".repeat(65_535))
            .expect("the longest");
        assert_eq!(properties.iter().count(), 1);
    }
}
