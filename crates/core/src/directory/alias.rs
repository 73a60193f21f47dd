//! Aliases: a second name for each user that says nothing about the first, for dialects whose
//! clients must not see uids.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::id::{Realm, Uid};

/// What an alias begins with.
const PREFIX: char = 'a';
/// Characters after it, of 5 bits each.
const CHARS: usize = 12;
/// RFC 4648 base 32, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Keeps what is made of the key here apart from what is made of it elsewhere.
const PURPOSE: &[u8] = b"crosstalk alias\0";

/// A user's alias: `a` and 12 characters of base 32. It belongs to the user for ever, and
/// within a realm to nobody else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Alias(Arc<str>);

impl Alias {
    /// The alias that a text is, by its form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::has_form(text).then(|| Self(text.into()))
    }

    /// Whether a text could be an alias.
    #[must_use]
    pub fn has_form(text: &str) -> bool {
        text.strip_prefix(PREFIX).is_some_and(|rest| {
            rest.len() == CHARS && rest.bytes().all(|byte| ALPHABET.contains(&byte))
        })
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Computes aliases. Without the key they tell nothing of the uid, and cannot be guessed.
#[derive(Clone)]
pub struct Aliases {
    keyed: Hmac<Sha256>,
}

impl Aliases {
    /// Aliases under a key. With another key all users would have other aliases.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        let mut keyed =
            Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
        keyed.update(PURPOSE);
        Self { keyed }
    }

    /// A user's alias.
    #[must_use]
    pub fn of(&self, realm: &Realm, uid: &Uid) -> Alias {
        let mut keyed = self.keyed.clone();
        keyed.update(realm.as_str().as_bytes());
        // No realm has this byte: no two pairs are the same bytes.
        keyed.update(&[0]);
        keyed.update(uid.as_str().as_bytes());
        let digest = keyed.finalize().into_bytes();
        let mut bits = digest
            .iter()
            .take(8)
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let mut text = String::with_capacity(1 + CHARS);
        text.push(PREFIX);
        for _ in 0..CHARS {
            let top = usize::try_from(bits >> 59).expect("five bits");
            text.push(char::from(ALPHABET[top]));
            bits <<= 5;
        }
        Alias(text.into())
    }
}

impl fmt::Debug for Aliases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aliases")
    }
}

/// Under a key that everybody knows: for tests and trials.
impl Default for Aliases {
    fn default() -> Self {
        Self::new(&[0; 32])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn realm(text: &str) -> Realm {
        Realm::parse(text).expect("a realm")
    }

    fn uid(text: &str) -> Uid {
        Uid::parse(text).expect("a uid")
    }

    #[test]
    fn an_alias_depends_on_key_realm_and_uid_and_on_nothing_else() {
        let aliases = Aliases::new(&[7; 32]);
        let alice = aliases.of(&realm("r"), &uid("alice"));
        // Clients keep it: it must never change.
        assert_eq!(alice.as_str(), "aedfvhtz3x5mc");
        assert_eq!(aliases.clone().of(&realm("r"), &uid("alice")), alice);
        for other in [
            aliases.of(&realm("s"), &uid("alice")),
            aliases.of(&realm("r"), &uid("alicf")),
            aliases.of(&realm("ra"), &uid("lice")),
            Aliases::default().of(&realm("r"), &uid("alice")),
        ] {
            assert_ne!(other, alice);
        }
    }

    #[test]
    fn aliases_are_known_by_their_form() {
        let alias = Aliases::default().of(&realm("r"), &uid("张三"));
        assert_eq!(Alias::parse(alias.as_str()), Some(alias.clone()));
        assert!(
            Uid::parse(alias.as_str()).is_ok(),
            "it fits where a uid does"
        );
        let short = &alias.as_str()[..12];
        for text in [
            "",
            "a",
            "abcdefghijkl",
            "bcdefghijklmn",
            "abcdefghijklM",
            "abcdefghijkl1",
            short,
        ] {
            assert_eq!(Alias::parse(text), None, "{text}");
        }
    }
}
