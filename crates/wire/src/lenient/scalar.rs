//! Single values: integers, flags, ids, strings.
//!
//! Each function takes the text of one valid JSON value. `Ok(None)` means that
//! nothing was said: `null`, or an empty string where a number should be, as
//! clients write what they have not set.

use std::borrow::Cow;

use super::json::unescape;

/// A value that cannot be read as what its field wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// The largest magnitude below which every whole float is one integer only:
/// 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// An integer: a number or a numeric string, also one written as `7.0` or
/// `7e0`.
pub(crate) fn integer(raw: &str) -> Result<Option<i64>, Unreadable> {
    match raw.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => {
            let text = unescape(raw);
            match text.trim() {
                "" => Ok(None),
                digits => whole(digits).map(Some),
            }
        }
        Some(b'-' | b'0'..=b'9') => whole(raw).map(Some),
        _ => Err(Unreadable),
    }
}

/// A flag: a boolean, 0 or 1, or one of these as a string.
pub(crate) fn flag(raw: &str) -> Result<Option<bool>, Unreadable> {
    match raw {
        "null" => Ok(None),
        "true" | "1" | "\"true\"" | "\"1\"" => Ok(Some(true)),
        "false" | "0" | "\"false\"" | "\"0\"" => Ok(Some(false)),
        _ => Err(Unreadable),
    }
}

/// An id: a string as it is, or an integer in decimal, of any size.
pub(crate) fn text(raw: &str) -> Result<Option<Cow<'_, str>>, Unreadable> {
    match raw.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') if raw.contains(['.', 'e', 'E']) => {
            whole(raw).map(|number| Some(Cow::Owned(number.to_string())))
        }
        Some(b'-' | b'0'..=b'9') => Ok(Some(Cow::Borrowed(raw))),
        _ => string(raw),
    }
}

/// A string, and nothing else.
pub(crate) fn string(raw: &str) -> Result<Option<Cow<'_, str>>, Unreadable> {
    match raw.as_bytes().first() {
        Some(b'n') => Ok(None),
        Some(b'"') => Ok(Some(unescape(raw))),
        _ => Err(Unreadable),
    }
}

/// The integer that `digits` say, possibly in the form of a float.
fn whole(digits: &str) -> Result<i64, Unreadable> {
    if let Ok(number) = digits.parse() {
        return Ok(number);
    }
    // Words such as "inf" are floats to the parser too.
    let is_number = digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    if !is_number || !digits.contains(['.', 'e', 'E']) {
        return Err(Unreadable);
    }
    let number: f64 = digits.parse().map_err(|_| Unreadable)?;
    if number.abs() <= EXACT && number.fract() == 0.0 {
        #[allow(clippy::cast_possible_truncation)] // whole and within 2^53
        Ok(number as i64)
    } else {
        Err(Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_come_in_many_forms() {
        for (raw, number) in [
            ("7", Some(7)),
            ("-7", Some(-7)),
            ("7.0", Some(7)),
            ("70e-1", Some(7)),
            ("\"7\"", Some(7)),
            ("\" 7 \"", Some(7)),
            ("\"\\u0037\"", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("null", None),
            ("\"\"", None),
        ] {
            assert_eq!(integer(raw), Ok(number), "{raw}");
        }
        for raw in [
            "1.5",
            "1e300",
            "1e99999",
            "9223372036854775808",
            "\"x\"",
            "\"inf\"",
            "\"NaN\"",
            "\"0x10\"",
            "\"-\"",
            "true",
            "[1]",
            "{}",
        ] {
            assert_eq!(integer(raw), Err(Unreadable), "{raw}");
        }
    }

    #[test]
    fn flags_come_in_many_forms() {
        for raw in ["true", "1", "\"true\"", "\"1\""] {
            assert_eq!(flag(raw), Ok(Some(true)));
        }
        for raw in ["false", "0", "\"false\"", "\"0\""] {
            assert_eq!(flag(raw), Ok(Some(false)));
        }
        assert_eq!(flag("null"), Ok(None));
        for raw in ["2", "\"\"", "\"yes\"", "[]", "{}", "-1", "1.5"] {
            assert_eq!(flag(raw), Err(Unreadable), "{raw}");
        }
    }

    #[test]
    fn ids_are_strings_or_integers() {
        for (raw, id) in [
            ("\"48057\"", "48057"),
            ("48057", "48057"),
            ("48057.0", "48057"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("\" a \"", " a "),
            ("\"\"", ""),
        ] {
            assert_eq!(text(raw), Ok(Some(Cow::Borrowed(id))), "{raw}");
        }
        assert_eq!(text("null"), Ok(None));
        for raw in ["true", "[]", "{}", "1.5", "1e400"] {
            assert_eq!(text(raw), Err(Unreadable), "{raw}");
        }
        assert_eq!(string("5"), Err(Unreadable));
    }
}
