//! The meaning of a stored message, whichever dialect wrote it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::content::Content;
use crosstalk_core::message::{Message, Origin};
use serde_json::Value;

use crate::registry::Dialect;
use crate::wukong;

/// What a message means.
pub(crate) fn content(message: &Message) -> Content {
    let payload = &message.body.payload;
    match Dialect::of(message.body.origin) {
        Some(Dialect::Wukong) => wukong::map::content(payload),
        None if message.body.origin == Origin::REST => {
            serde_json::from_slice(payload).unwrap_or_else(|_| unknown(payload))
        }
        None => unknown(payload),
    }
}

/// What a message means, in REST's JSON form. REST-born content comes back as it was given.
#[must_use]
pub fn content_of(message: &Message) -> Value {
    if message.body.origin == Origin::REST
        && let Ok(given) = serde_json::from_slice(&message.body.payload)
    {
        return given;
    }
    // A number that JSON does not have (NaN) is the only way to fail.
    serde_json::to_value(content(message)).unwrap_or_default()
}

/// Content for bytes that nobody here understands.
pub(crate) fn unknown(payload: &[u8]) -> Content {
    let raw = std::str::from_utf8(payload);
    Content::Unknown {
        raw: raw.map_or_else(|_| STANDARD.encode(payload), str::to_owned),
    }
}
