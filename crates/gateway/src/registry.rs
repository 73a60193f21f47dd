//! THE table of dialects: everything that is listed per dialect is listed here once.

use crosstalk_core::message::Origin;

/// A dialect that this gateway speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// WuKongIM.
    Wukong,
}

/// The origin number of wukong messages. Numbers are stored: they never change.
pub const WUKONG_ORIGIN: Origin = Dialect::Wukong.origin();

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 1] = [Self::Wukong];

    /// Its name in configuration, logs and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wukong => "wukong",
        }
    }

    /// Its number in stored messages. 0 is REST; 2 to 5 are kept for stomp, mqtt, gyyx, wg.
    #[must_use]
    pub const fn origin(self) -> Origin {
        match self {
            Self::Wukong => Origin(1),
        }
    }

    /// The dialect in which a stored message was written, if it is one of ours.
    #[must_use]
    pub fn of(origin: Origin) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.origin() == origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_distinct_and_found_again() {
        for dialect in Dialect::ALL {
            assert_eq!(Dialect::of(dialect.origin()), Some(dialect));
        }
        assert_eq!(Dialect::of(Origin::REST), None);
    }
}
