//! Query strings and percent-encoding.
//!
//! Decoding is total: what is not percent-encoding stays as it is, and bytes
//! that are no UTF-8 become U+FFFD, which no id contains.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest query that is looked at, in bytes; a longer one counts as
/// empty.
pub(crate) const MAX_QUERY_BYTES: usize = 8 * 1024;

/// The parameters of a query or form, decoded, in order; `+` is a blank.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    let query = if query.len() > MAX_QUERY_BYTES {
        ""
    } else {
        query
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name, true), decode(value, true))
        })
}

/// The value of a parameter; of a repeated one the last wins.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    pairs(query)
        .filter(|(given, _)| given == name)
        .last()
        .map(|(_, value)| value.into_owned())
}

/// A path segment, decoded.
pub(crate) fn segment(text: &str) -> Cow<'_, str> {
    decode(text, false)
}

fn decode(text: &str, plus_is_blank: bool) -> Cow<'_, str> {
    let is_encoded = text.contains('%') || plus_is_blank && text.contains('+');
    if !is_encoded {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if let Some(byte) = of_hex(*high, *low) => {
                bytes.push(byte);
                rest = after;
            }
            (b'+', _) if plus_is_blank => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

fn of_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Appends `text` so that it stands for itself in a query.
pub(crate) fn put(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("a string takes any text");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Vec<(String, String)> {
        pairs(query)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    #[test]
    fn parameters_are_decoded() {
        let expected = [("a", "1 2"), ("b", ""), ("张", "=&"), ("a", "3")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(read("a=1+2&b&&%E5%BC%A0=%3d%26&a=3"), expected);
        assert_eq!(read(""), []);
        assert_eq!(parameter("a=1&b=2&a=%33", "a").as_deref(), Some("3"));
        assert_eq!(parameter("a=1", "b"), None);
    }

    #[test]
    fn what_is_no_encoding_stays() {
        for (text, decoded) in [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%+1", "%+1"),
            ("%41%", "A%"),
            ("%ff", "\u{fffd}"),
            ("a+b", "a+b"),
        ] {
            assert_eq!(segment(text), decoded);
        }
    }

    #[test]
    fn a_query_that_is_too_long_is_not_read() {
        let longest = "a".repeat(MAX_QUERY_BYTES);
        assert_eq!(read(&longest).len(), 1);
        assert_eq!(read(&format!("{longest}a")), []);
    }

    #[test]
    fn encoding_is_undone_by_decoding() {
        let text = "a-._~ &=+%/张😀\0";
        let mut encoded = String::new();
        put(text, &mut encoded);
        assert_eq!(encoded, "a-._~%20%26%3D%2B%25%2F%E5%BC%A0%F0%9F%98%80%00");
        assert_eq!(segment(&encoded), text);
    }
}
