//! The meaning of a stored message, whichever dialect wrote it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Message, Origin};
use serde_json::Value;

use crate::registry;
use crate::reserved::said_by_a_user;

/// What a message means now.
pub(crate) fn content(message: &Message) -> Content {
    let shown = message.shown();
    let content = meaning(shown);
    if message.sender.uid.is_system() || shown.flags.by_application {
        return content;
    }
    said_by_a_user(content)
}

/// What a body means.
pub(crate) fn meaning(body: &Body) -> Content {
    if let Some(content) = registry::content(body) {
        return content;
    }
    if body.origin == Origin::REST {
        return serde_json::from_slice(&body.payload).unwrap_or_else(|_| unknown(&body.payload));
    }
    unknown(&body.payload)
}

/// What a message means, in REST's JSON form. REST-born content comes back as it was given.
#[must_use]
pub fn content_of(message: &Message) -> Value {
    let shown = message.shown();
    if shown.origin == Origin::REST
        && let Ok(given) = serde_json::from_slice(&shown.payload)
    {
        return given;
    }
    // A number that JSON does not have (NaN) is the only way to fail.
    serde_json::to_value(content(message)).unwrap_or_default()
}

/// What a body means, in REST's JSON form, as [`content_of`].
#[must_use]
pub fn content_of_body(body: &Body) -> Value {
    if body.origin == Origin::REST
        && let Ok(given) = serde_json::from_slice(&body.payload)
    {
        return given;
    }
    serde_json::to_value(meaning(body)).unwrap_or_default()
}

/// Whether what a message says can be replaced by its author: words and media can, a call, a
/// notice of the system and a command cannot.
#[must_use]
pub fn may_be_edited(message: &Message) -> bool {
    let content = content(message);
    !is_no_words(&content) && !matches!(content, Content::Notice { .. })
}

/// Whether it is nothing that somebody says: a step of a call, a command, what the system says.
pub(crate) fn is_no_words(content: &Content) -> bool {
    matches!(
        content,
        Content::Call { .. } | Content::Tip { .. } | Content::Command { .. }
    )
}

/// Content for bytes that nobody here understands.
pub(crate) fn unknown(payload: &[u8]) -> Content {
    let raw = std::str::from_utf8(payload);
    Content::Unknown {
        raw: raw.map_or_else(|_| STANDARD.encode(payload), str::to_owned),
    }
}
