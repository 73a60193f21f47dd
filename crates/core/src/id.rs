//! Identifiers: realms, users, channels' parts, sessions and the snowflake source of message ids.
//!
//! Text ids are validated once, when they are built; everything behind that works with them
//! as they are. Numbers (`UserNum`, `ChannelNum`) are surrogates that carry their realm.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use unicode_normalization::{IsNormalized, is_nfc_quick};

use crate::clock::Clock;

/// The longest user or group id, in characters (protocols/README.md A2).
pub const MAX_ID_CHARS: usize = 64;

/// What clients that cannot say [`Uid::SYSTEM`] call the server.
const SYSTEM_NAME: &str = "SYSTEM";
/// What the server's own ids begin with.
const OWN_PREFIX: &str = "____";

/// Whether an id is one by which the server itself is known, in whatever case: no channel is
/// made with it.
#[must_use]
pub fn is_reserved(id: &str) -> bool {
    id.eq_ignore_ascii_case(SYSTEM_NAME) || id.starts_with(OWN_PREFIX)
}

/// A user directory: the unit of isolation. Nothing crosses from one realm to another.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Realm(Arc<str>);

impl Realm {
    /// Builds a realm name.
    ///
    /// # Errors
    /// `InvalidId` unless it is 1–64 characters of the id alphabet.
    pub fn parse(name: &str) -> Result<Self, InvalidId> {
        check_alphabet(name)?;
        Ok(Self(name.into()))
    }

    /// The realm's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Realm {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Debug for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Realm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user id: 1–64 Unicode letters, digits and `_ . - =`, case-sensitive, NFC
/// (protocols/README.md A2). The same string in each dialect.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(Arc<str>);

impl Uid {
    /// The reserved sender of what the server itself says.
    pub const SYSTEM: &'static str = "____system";

    /// Builds a user id from what a client or application gave.
    ///
    /// # Errors
    /// `InvalidId` when it is empty, too long, outside the alphabet, not NFC or reserved
    /// (`SYSTEM`, anything that begins with `____`).
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        check_alphabet(text)?;
        if text == SYSTEM_NAME || text.starts_with(OWN_PREFIX) {
            return Err(InvalidId::Reserved);
        }
        Ok(Self(text.into()))
    }

    /// The system sender's id.
    #[must_use]
    pub fn system() -> Self {
        Self(Self::SYSTEM.into())
    }

    /// An id that comes from the store, where only valid ones are.
    #[must_use]
    pub fn from_store(text: &str) -> Self {
        Self(text.into())
    }

    /// True for the reserved system sender.
    #[must_use]
    pub fn is_system(&self) -> bool {
        &*self.0 == Self::SYSTEM
    }

    /// The id's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The shared text, without a copy.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// Empty.
    #[error("an id must not be empty")]
    Empty,
    /// Longer than 64 characters.
    #[error("an id has at most {MAX_ID_CHARS} characters")]
    TooLong,
    /// A character outside the alphabet.
    #[error("an id has only letters, digits and _ . - =")]
    Alphabet,
    /// Not in normal form C.
    #[error("an id must be in Unicode normal form C")]
    NotNormal,
    /// One of the server's own ids.
    #[error("this id is reserved")]
    Reserved,
}

/// Checks one id (or one part of a composite one) against protocols/README.md A2.
///
/// # Errors
/// `InvalidId` says what is wrong; reserved ids pass, as they are made of the alphabet.
pub fn check_alphabet(text: &str) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.is_ascii() {
        if text.len() > MAX_ID_CHARS {
            return Err(InvalidId::TooLong);
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b'=');
        return if text.bytes().all(fits) {
            Ok(())
        } else {
            Err(InvalidId::Alphabet)
        };
    }
    if text.chars().count() > MAX_ID_CHARS {
        return Err(InvalidId::TooLong);
    }
    // Combining marks belong to letters in many scripts; NFC keeps one spelling of each.
    let mark = unicode_normalization::char::is_combining_mark;
    if !text
        .chars()
        .all(|c| c.is_alphanumeric() || mark(c) || matches!(c, '_' | '.' | '-' | '='))
    {
        return Err(InvalidId::Alphabet);
    }
    let normal = match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => unicode_normalization::is_nfc(text),
    };
    if normal {
        Ok(())
    } else {
        Err(InvalidId::NotNormal)
    }
}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// A user's surrogate number.
    UserNum(i64)
}
number! {
    /// The surrogate number of one log of a channel.
    ChannelNum(i64)
}
number! {
    /// A message's snowflake id, which on one node is also its position in the log.
    MessageId(i64)
}
number! {
    /// One live connection, unique within the process.
    SessionId(u64)
}

/// A user as the hot path carries them: number and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserRef {
    /// The surrogate.
    pub num: UserNum,
    /// The id that people see.
    pub uid: Uid,
}

impl MessageId {
    /// The lowest id that a message of this moment can have: what is below it is older.
    #[must_use]
    pub fn first_at_ms(ms: i64) -> Self {
        let since = ms.saturating_sub(SNOWFLAKE_EPOCH_MS).max(0);
        Self(since.saturating_mul(1 << (NODE_BITS + STEP_BITS)))
    }

    /// When it was given, ms since 1970, as its node's clock had it.
    #[must_use]
    pub fn given_at_ms(self) -> i64 {
        (self.0 >> (NODE_BITS + STEP_BITS)) + SNOWFLAKE_EPOCH_MS
    }
}

/// The epoch of message ids: 2010-11-04T01:42:54.657Z, in ms since 1970.
pub const SNOWFLAKE_EPOCH_MS: i64 = 1_288_834_974_657;
const NODE_BITS: u32 = 10;
const STEP_BITS: u32 = 12;

/// The source of message ids: strictly increasing, never below what it was raised to,
/// even if the clock steps back. 41 bits of ms, 10 of node, 12 of step.
pub struct Snowflake {
    clock: Arc<dyn Clock>,
    node: i64,
    last: AtomicI64,
}

impl Snowflake {
    /// A source for `node` (0–1023).
    ///
    /// # Panics
    /// When the node number has more than 10 bits: a programming or configuration error
    /// that is checked before.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, node: u16) -> Self {
        assert!(node < 1 << NODE_BITS, "a node number has {NODE_BITS} bits");
        Self {
            clock,
            node: i64::from(node),
            last: AtomicI64::new(0),
        }
    }

    /// Makes sure that every later id is above `id`.
    pub fn raise(&self, id: MessageId) {
        self.last.fetch_max(id.0, Ordering::SeqCst);
    }

    /// The time of the newest id, ms since 1970: a time that has been, whatever the clock
    /// says now.
    #[must_use]
    pub fn newest_ms(&self) -> i64 {
        (self.last.load(Ordering::SeqCst) >> (NODE_BITS + STEP_BITS)) + SNOWFLAKE_EPOCH_MS
    }

    /// The next id.
    pub fn next(&self) -> MessageId {
        let now = (self.clock.now_ms() - SNOWFLAKE_EPOCH_MS).max(1);
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = Self::after(last, now, self.node);
            match self
                .last
                .compare_exchange_weak(last, next, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => return MessageId(next),
                Err(seen) => last = seen,
            }
        }
    }

    fn after(last: i64, now: i64, node: i64) -> i64 {
        let compose =
            |ms: i64, step: i64| (ms << (NODE_BITS + STEP_BITS)) | (node << STEP_BITS) | step;
        let last_ms = last >> (NODE_BITS + STEP_BITS);
        let fresh = compose(now, 0);
        if now > last_ms {
            return fresh;
        }
        // The clock stands still or went back: go on from the last id, ahead of the clock.
        let step = (last & ((1 << STEP_BITS) - 1)) + 1;
        let candidate = compose(last_ms, step);
        if step >= 1 << STEP_BITS || candidate <= last {
            compose(last_ms + 1, 0)
        } else {
            candidate
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn alphabet_is_that_of_the_decisions() {
        for good in ["a", "48057", "张三", "a_b.c-d=", &"x".repeat(64), "é"] {
            assert_eq!(
                Uid::parse(good).map(|u| u.as_str().to_owned()),
                Ok(good.to_owned())
            );
        }
        let cases = [
            ("", InvalidId::Empty),
            ("a b", InvalidId::Alphabet),
            ("a@b", InvalidId::Alphabet),
            ("a#", InvalidId::Alphabet),
            ("a&b", InvalidId::Alphabet),
            ("group:g", InvalidId::Alphabet),
            ("a|b", InvalidId::Alphabet),
            ("a\u{0}", InvalidId::Alphabet),
            ("\u{1F600}", InvalidId::Alphabet),
            ("e\u{301}", InvalidId::NotNormal),
            ("SYSTEM", InvalidId::Reserved),
            ("____x", InvalidId::Reserved),
        ];
        for (text, why) in cases {
            assert_eq!(Uid::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Uid::parse(&"x".repeat(65)), Err(InvalidId::TooLong));
        assert_eq!(Uid::parse(&"张".repeat(65)), Err(InvalidId::TooLong));
    }

    #[test]
    fn ids_carry_their_time() {
        let at_ms = 1_700_000_000_000;
        let clock = Arc::new(ManualClock::at_ms(at_ms));
        let id = Snowflake::new(clock, 1023).next();
        assert!(MessageId::first_at_ms(at_ms) <= id);
        assert!(id < MessageId::first_at_ms(at_ms + 1));
        assert_eq!(id.given_at_ms(), at_ms);
        assert_eq!(MessageId::first_at_ms(0), MessageId(0));
        assert_eq!(MessageId::first_at_ms(i64::MIN), MessageId(0));
        assert_eq!(MessageId::first_at_ms(i64::MAX), MessageId(i64::MAX));
    }

    #[test]
    fn ids_rise_when_the_clock_does_not() {
        let clock = Arc::new(ManualClock::at_ms(1_700_000_000_000));
        let ids = Snowflake::new(clock.clone(), 1023);
        let mut last = ids.next();
        for turn in 0..20_000 {
            if turn == 10_000 {
                clock.set_ms(1_600_000_000_000);
            }
            let next = ids.next();
            assert!(next > last);
            assert_eq!((next.0 >> STEP_BITS) & 1023, 1023);
            last = next;
        }
        ids.raise(MessageId(last.0 + (1 << 40)));
        assert!(ids.next().0 > last.0 + (1 << 40));
    }
}
