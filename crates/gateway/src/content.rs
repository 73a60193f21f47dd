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
    content_for(message, Origin::REST)
}

/// What a body means to readers of a dialect: what it replies to is called as they know it.
pub(crate) fn meaning_for(body: &Body, reader: Origin) -> Content {
    let mut content = meaning(body);
    let carried = body.carried.as_deref();
    if let Content::Text {
        reply: Some(reply), ..
    } = &mut content
        && let Some(name) = carried.and_then(|carried| carried.replied_as(reader))
    {
        reply.id = name;
    }
    content
}

/// What a message means now to readers of a dialect.
pub(crate) fn content_for(message: &Message, reader: Origin) -> Content {
    let shown = message.shown();
    let content = meaning_for(shown, reader);
    if message.sender.uid.is_system() || shown.flags.by_application {
        return content;
    }
    said_by_a_user(content)
}

/// What a body means, as much of it as can be shown in each dialect.
pub(crate) fn meaning(body: &Body) -> Content {
    unbounded_meaning(body).bounded()
}

/// What a body means, all of it.
pub(crate) fn unbounded_meaning(body: &Body) -> Content {
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
    serde_json::to_value(meaning_for(body, Origin::REST)).unwrap_or_default()
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
