//! Escapes in header names and values (stomp-sockjs-wire.md §1.2).
//!
//! ```text
//! Literal none · V1_1 \n \c \\ · V1_2 \r \n \c \\
//! ```
//!
//! CONNECT, STOMP and CONNECTED are literal in every version; that is for the
//! caller to say.

use bytes::{BufMut, BytesMut};

use super::Version;

/// Which escapes are understood and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Escaping {
    /// None; a backslash is a backslash.
    Literal,
    /// LF, colon and backslash.
    V1_1,
    /// CR, LF, colon and backslash.
    V1_2,
}

/// Which half of a header line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Value,
}

/// A text that has a character without an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotEncodable;

impl Escaping {
    /// The table that Spring uses in every version; real clients of 1.1 rely
    /// on it, and one rendering then serves all versions.
    pub const SPRING: Escaping = Escaping::V1_2;

    /// The table of a version's own text.
    #[must_use]
    pub const fn of(version: Version) -> Escaping {
        match version {
            Version::V1_0 => Escaping::Literal,
            Version::V1_1 => Escaping::V1_1,
            Version::V1_2 => Escaping::V1_2,
        }
    }

    /// Appends `raw` without its escapes to `out`; else the index of the
    /// backslash that begins no escape, and `out` may have grown.
    pub(super) fn unescape(self, raw: &str, out: &mut String) -> Result<(), usize> {
        if self == Escaping::Literal {
            out.push_str(raw);
            return Ok(());
        }
        let mut rest = raw;
        while let Some(at) = rest.find('\\') {
            let index = raw.len() - rest.len() + at;
            out.push_str(&rest[..at]);
            out.push(match rest.as_bytes().get(at + 1) {
                Some(b'n') => '\n',
                Some(b'c') => ':',
                Some(b'\\') => '\\',
                Some(b'r') if self == Escaping::V1_2 => '\r',
                _ => return Err(index),
            });
            rest = &rest[at + 2..];
        }
        out.push_str(rest);
        Ok(())
    }

    /// Appends `text` to `out` such that it is read back as it is; on error
    /// `out` may have grown.
    pub(super) fn escape(
        self,
        part: Part,
        text: &str,
        out: &mut BytesMut,
    ) -> Result<(), NotEncodable> {
        let mut rest = text.as_bytes();
        let special = |byte: &u8| matches!(byte, b'\0' | b'\n' | b'\r' | b':' | b'\\');
        while let Some(at) = rest.iter().position(special) {
            out.put_slice(&rest[..at]);
            let byte = rest[at];
            match (self, byte) {
                (_, b'\0')
                | (Escaping::Literal, b'\n')
                | (Escaping::Literal | Escaping::V1_1, b'\r') => return Err(NotEncodable),
                (Escaping::Literal, b':') if part == Part::Name => return Err(NotEncodable),
                (Escaping::Literal, _) => out.put_u8(byte),
                (_, b'\n') => out.put_slice(b"\\n"),
                (_, b'\r') => out.put_slice(b"\\r"),
                (_, b':') => out.put_slice(b"\\c"),
                (_, _) => out.put_slice(b"\\\\"),
            }
            rest = &rest[at + 1..];
        }
        out.put_slice(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Escaping; 3] = [Escaping::Literal, Escaping::V1_1, Escaping::V1_2];

    fn unescape(escaping: Escaping, raw: &str) -> Result<String, usize> {
        let mut out = String::new();
        escaping.unescape(raw, &mut out).map(|()| out)
    }

    fn escape(escaping: Escaping, part: Part, text: &str) -> Option<String> {
        let mut out = BytesMut::new();
        escaping.escape(part, text, &mut out).ok()?;
        Some(String::from_utf8(out.to_vec()).expect("escapes are ASCII"))
    }

    #[test]
    fn each_version_reads_its_own_escapes() {
        // The raw text, and how each of `ALL` reads it.
        let cases = [
            (r"a\nb", [Ok(r"a\nb"), Ok("a\nb"), Ok("a\nb")]),
            (r"a\cb", [Ok(r"a\cb"), Ok("a:b"), Ok("a:b")]),
            (r"a\\b", [Ok(r"a\\b"), Ok(r"a\b"), Ok(r"a\b")]),
            (r"a\\nb", [Ok(r"a\\nb"), Ok(r"a\nb"), Ok(r"a\nb")]),
            (r"a\rb", [Ok(r"a\rb"), Err(1), Ok("a\rb")]),
            (r"a\tb", [Ok(r"a\tb"), Err(1), Err(1)]),
            (r"\n\C", [Ok(r"\n\C"), Err(2), Err(2)]),
            (r"\", [Ok(r"\"), Err(0), Err(0)]),
            (r"中\中", [Ok(r"中\中"), Err(3), Err(3)]),
            ("a:b", [Ok("a:b"), Ok("a:b"), Ok("a:b")]),
            ("", [Ok(""), Ok(""), Ok("")]),
        ];
        for (raw, read) in cases {
            for (escaping, read) in ALL.into_iter().zip(read) {
                let read = read.map(str::to_owned);
                assert_eq!(unescape(escaping, raw), read, "{escaping:?} {raw}");
            }
        }
    }

    #[test]
    fn each_version_writes_its_own_escapes() {
        let cases = [
            ("a\nb", [None, Some(r"a\nb"), Some(r"a\nb")]),
            ("a\rb", [None, None, Some(r"a\rb")]),
            ("a\\b", [Some(r"a\b"), Some(r"a\\b"), Some(r"a\\b")]),
            ("a\0b", [None, None, None]),
            ("a:b", [Some("a:b"), Some(r"a\cb"), Some(r"a\cb")]),
            ("中 ", [Some("中 "), Some("中 "), Some("中 ")]),
        ];
        for (text, written) in cases {
            for (escaping, written) in ALL.into_iter().zip(written) {
                let written = written.map(str::to_owned);
                assert_eq!(
                    escape(escaping, Part::Value, text),
                    written,
                    "{escaping:?} {text:?}"
                );
            }
        }
        assert_eq!(escape(Escaping::Literal, Part::Name, "a:b"), None);
    }
}
