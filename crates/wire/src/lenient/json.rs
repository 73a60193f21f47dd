//! One JSON value as its author wrote it, and JSON strings.
//!
//! A value is kept as text and shared, never parsed into a tree: what is only
//! passed on reaches the other side byte for byte.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use bytes::{BufMut, Bytes, BytesMut};
use serde::de::{Deserializer as _, Error, Visitor};
use serde_json::value::RawValue;

/// The text of one JSON value, without blanks around it.
///
/// Cloning shares the text. A value that was decoded is a slice of the message
/// it came in and keeps that message in memory.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Json(Bytes);

/// Bytes that are not exactly one JSON value in UTF-8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON value")]
pub struct NotJson;

impl Json {
    /// The value `null`.
    pub const NULL: Json = Json(Bytes::from_static(b"null"));

    /// The value `""`.
    pub const EMPTY: Json = Json(Bytes::from_static(b"\"\""));

    /// A string.
    #[must_use]
    pub fn string(text: &str) -> Json {
        let mut out = BytesMut::with_capacity(text.len() + 2);
        put_text(text, &mut out);
        Json(out.freeze())
    }

    /// Takes bytes that should be one JSON value; blanks around it are left
    /// out and nothing is copied.
    ///
    /// # Errors
    ///
    /// [`NotJson`] if they are not.
    pub fn parse(bytes: &Bytes) -> Result<Json, NotJson> {
        let text = std::str::from_utf8(bytes).map_err(|_| NotJson)?;
        let raw: &RawValue = serde_json::from_str(text).map_err(|_| NotJson)?;
        Ok(Json::within(bytes, raw.get()))
    }

    /// The value whose text is `raw`, a part of `input`.
    pub(crate) fn within(input: &Bytes, raw: &str) -> Json {
        Json(input.slice_ref(raw.as_bytes()))
    }

    /// The text as it was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text as it was written, shared.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// Whether it is a string; otherwise it is anything else that JSON has.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.0.first() == Some(&b'"')
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.first() == Some(&b'{')
    }

    /// The characters of a string; of anything else, the text itself. Half of
    /// a surrogate pair becomes U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let raw = self.as_str();
        if self.is_string() {
            unescape(raw)
        } else {
            Cow::Borrowed(raw)
        }
    }

    /// Whether [`text`](Json::text) is longer than `limit` bytes. Escapes do
    /// not count, so a limit means the same for every way of writing a string.
    #[must_use]
    pub fn is_longer_than(&self, limit: usize) -> bool {
        // Unescaping never lengthens.
        self.0.len() > limit && self.text().len() > limit
    }

    /// Whether arrays and objects are nested more than `limit` deep. Such a
    /// value costs nothing here, but may be more than another client's parser
    /// can take.
    #[must_use]
    pub fn is_deeper_than(&self, limit: usize) -> bool {
        let mut depth = 0_usize;
        let mut in_string = false;
        let mut is_escaped = false;
        for byte in &self.0 {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > limit {
                return true;
            }
        }
        false
    }

    /// Appends the value as it was written.
    pub fn put(&self, out: &mut BytesMut) {
        out.extend_from_slice(&self.0);
    }

    /// Appends the value as a JSON string: a string as it was written,
    /// anything else as the string that holds its text.
    pub fn put_string(&self, out: &mut BytesMut) {
        if self.is_string() {
            self.put(out);
        } else {
            put_text(self.as_str(), out);
        }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when the value was made")
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn put_text(text: &str, out: &mut BytesMut) {
    serde_json::to_writer(out.writer(), text).expect("a buffer that grows takes any text");
}

/// Appends a number.
pub(crate) fn put_number(number: i64, out: &mut BytesMut) {
    write!(out, "{number}").expect("a buffer that grows takes any text");
}

/// The characters of a JSON string that is given with its quotes; half of a
/// surrogate pair becomes U+FFFD.
pub(crate) fn unescape(token: &str) -> Cow<'_, str> {
    let inner = token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .expect("a JSON string has quotes");
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    match serde_json::from_str::<String>(token) {
        Ok(text) => Cow::Owned(text),
        // The only thing that skipping lets through and reading does not.
        Err(_) => Cow::Owned(unescape_half_pairs(token)),
    }
}

fn unescape_half_pairs(token: &str) -> String {
    let mut deserializer = serde_json::Deserializer::from_str(token);
    let bytes = deserializer.deserialize_bytes(Wtf8).unwrap_or_default();
    without_half_pairs(&bytes)
}

/// WTF-8 as UTF-8: the three bytes of half of a surrogate pair become U+FFFD.
pub(super) fn without_half_pairs(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if chunk.invalid().first() == Some(&0xed) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// A JSON string as bytes, which may hold surrogates.
struct Wtf8;

impl Visitor<'_> for Wtf8 {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(&Bytes::copy_from_slice(text.as_bytes())).expect("valid JSON")
    }

    #[test]
    fn a_value_is_kept_as_it_was_written() {
        for text in [
            r#""a\u0062\/c""#,
            "{\"b\":1,\"a\" : [1e999]}",
            "null",
            "-0.0",
        ] {
            let padded = format!(" \n{text}\t");
            let value = json(&padded);
            assert_eq!(value.as_bytes(), text.as_bytes());
        }
        for text in ["", "a", "\"a", "1 2", "{\"a\":}", "\"\n\"", "\"\\x\"", "01"] {
            assert_eq!(Json::parse(&Bytes::from(text)), Err(NotJson), "{text:?}");
        }
        assert_eq!(
            Json::parse(&Bytes::from_static(b"\"\xff\"")),
            Err(NotJson),
            "JSON is UTF-8"
        );
    }

    #[test]
    fn nothing_is_copied() {
        let input = Bytes::from_static(b"  [1,2]  ");
        let value = Json::parse(&input).expect("valid JSON");
        assert_eq!(value.bytes().as_ptr(), input[2..].as_ptr());
    }

    #[test]
    fn text_undoes_escapes_and_survives_half_pairs() {
        for (token, text) in [
            (r#""你好""#, "你好"),
            (r#""\u4f60\n\"\\\u0000""#, "你\n\"\\\0"),
            (r#""\ud83d\ude00!""#, "😀!"),
            (r#""a\ud800b""#, "a\u{fffd}b"),
            (r#""\udc00\ud800""#, "\u{fffd}\u{fffd}"),
            (r#""\ud800\u0041""#, "\u{fffd}A"),
            ("{\"a\":\"\\n\"}", "{\"a\":\"\\n\"}"),
            ("5", "5"),
        ] {
            assert_eq!(json(token).text(), text, "{token}");
        }
    }

    #[test]
    fn anything_can_be_put_as_a_string() {
        for (value, put) in [
            (r#""a\u0062""#, r#""a\u0062""#),
            ("{\"a\":\"b\\n\"}", r#""{\"a\":\"b\\n\"}""#),
            ("true", "\"true\""),
        ] {
            let mut out = BytesMut::new();
            json(value).put_string(&mut out);
            assert_eq!(&out[..], put.as_bytes());
        }
        assert_eq!(Json::string("a\"\n").as_bytes(), br#""a\"\n""#);
        assert_eq!(Json::string(""), Json::EMPTY);
    }

    #[test]
    fn depth_is_that_of_brackets_outside_of_strings() {
        for (text, depth) in [
            ("1", 0),
            (r#""[[[\"[[""#, 0),
            ("[]", 1),
            (r#"{"[":["{"],"a\\":[[],[]]}"#, 3),
        ] {
            let value = json(text);
            assert!(!value.is_deeper_than(depth), "{text}");
            assert!(depth == 0 || value.is_deeper_than(depth - 1), "{text}");
        }
    }

    #[test]
    fn length_is_counted_in_bytes_of_the_text() {
        let value = json(r#""\u4f60\u597d""#);
        assert!(!value.is_longer_than(6));
        assert!(value.is_longer_than(5));
        assert!(json("[1,2]").is_longer_than(4));
    }
}
