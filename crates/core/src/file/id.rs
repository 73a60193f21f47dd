//! Names of files, and where they stand in what people write.

use std::fmt;

use memchr::memmem;

use crate::clock::Clock;

/// What every id begins with. Nothing else that is written does by chance.
const PREFIX: &str = "ctf_";
/// Hexadecimal digits after it.
const DIGITS: usize = 32;
/// How many files one message can name; further ones are text.
pub const MAX_NAMED: usize = 50;

/// A file's id: `ctf_` and 32 hexadecimal digits, which nobody can guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId([u8; DIGITS / 2]);

impl FileId {
    /// A new id.
    #[must_use]
    pub fn new(clock: &dyn Clock) -> Self {
        let mut bytes = [0; DIGITS / 2];
        clock.fill_random(&mut bytes);
        Self(bytes)
    }

    /// The id that a text is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        (digits.len() == DIGITS).then(|| Self::digits(digits.as_bytes()))?
    }

    fn digits(digits: &[u8]) -> Option<Self> {
        let mut bytes = [0; DIGITS / 2];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            let [high, low] = pair else { return None };
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Some(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The files that a payload names, each once, with the place of each first naming. What names
/// none is passed over at the speed of memory.
#[must_use]
pub fn named_in(payload: &[u8]) -> Vec<FileId> {
    let mut named = Vec::new();
    for (id, _) in places(payload) {
        if !named.contains(&id) {
            named.push(id);
            if named.len() == MAX_NAMED {
                break;
            }
        }
    }
    named
}

/// Whether a payload names a file at all.
#[must_use]
pub fn names_any(payload: &[u8]) -> bool {
    places(payload).next().is_some()
}

/// Every place at which a file is named, and the end of its name.
pub(super) fn places(payload: &[u8]) -> impl Iterator<Item = (FileId, std::ops::Range<usize>)> {
    memmem::find_iter(payload, PREFIX).filter_map(|at| {
        let end = at + PREFIX.len() + DIGITS;
        let digits = payload.get(at + PREFIX.len()..end)?;
        // What goes on is another word.
        let goes_on = payload.get(end).is_some_and(u8::is_ascii_alphanumeric);
        let id = FileId::digits(digits).filter(|_| !goes_on)?;
        Some((id, at..end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let clock = ManualClock::at_ms(0);
        let (id, other) = (FileId::new(&clock), FileId::new(&clock));
        assert_ne!(id, other);
        assert_eq!(FileId::parse(&id.to_string()), Some(id));
        for wrong in [
            "",
            "ctf_",
            "ctf_0",
            &format!("{id}0"),
            &format!("{id}").to_uppercase(),
        ] {
            assert_eq!(FileId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_names_files_is_found_wherever_it_stands() {
        let clock = ManualClock::at_ms(0);
        let (a, b) = (FileId::new(&clock), FileId::new(&clock));
        let said = |text: String| named_in(text.as_bytes());
        assert_eq!(said(format!("{a}")), [a]);
        assert_eq!(said(format!(r#"{{"url":"https:\/\/h\/f\/{a}?e=1"}}"#)), [a]);
        assert_eq!(said(format!("{b} {a} {b}")), [b, a]);
        for none in [
            String::new(),
            "ctf_".into(),
            format!("{a}f"),
            format!("{a}")[..30].into(),
        ] {
            assert_eq!(said(none.clone()), [], "{none}");
        }
        let many: String = (0..200).map(|n| format!("ctf_{n:032x} ")).collect();
        assert_eq!(said(many).len(), MAX_NAMED);
    }
}
