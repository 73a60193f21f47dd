//! The rules of a UTF-8 encoded string (MQTT 5.0 §1.5.4): well formed, no
//! surrogates, no U+0000, at most 65,535 bytes. A byte order mark is a
//! character like any other.
//!
//! Control characters and non-characters are let through: the specification
//! only advises against them, and the receiver may choose.

use super::{DecodeError, EncodeError};

/// `bytes` as a string.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, DecodeError> {
    // Rust's UTF-8 has neither surrogates nor longer forms than needed.
    let text = std::str::from_utf8(bytes).map_err(|_| DecodeError::NotUtf8)?;
    if bytes.contains(&0) {
        return Err(DecodeError::NulInString);
    }
    Ok(text)
}

/// The length that goes in front of `text`.
pub(super) fn encodable_len(text: &str) -> Result<u16, EncodeError> {
    let bad = EncodeError::String { len: text.len() };
    if text.as_bytes().contains(&0) {
        return Err(bad);
    }
    u16::try_from(text.len()).map_err(|_| bad)
}
