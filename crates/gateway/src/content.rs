//! The meaning of a stored message, whichever dialect wrote it, and what the word lists make
//! of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Draft, Message, Origin};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::words::{Verdict, Words};
use serde_json::Value;

use crate::registry;

/// What a message means now.
pub(crate) fn content(message: &Message) -> Content {
    meaning(message.shown())
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
    !matches!(
        content(message),
        Content::Call { .. }
            | Content::Notice { .. }
            | Content::Tip { .. }
            | Content::Command { .. }
    )
}

/// Content for bytes that nobody here understands.
pub(crate) fn unknown(payload: &[u8]) -> Content {
    let raw = std::str::from_utf8(payload);
    Content::Unknown {
        raw: raw.map_or_else(|_| STANDARD.encode(payload), str::to_owned),
    }
}

/// Has the word lists judge what a draft says: it is refused in its place among the rules, or
/// says something else. What is no text is judged by the words that stand for it.
pub fn moderate(words: &Words, draft: &mut Draft) {
    if words.is_empty() || draft.fault.is_some() || draft.body.origin == Origin::CHANGE {
        return;
    }
    let content = meaning(&draft.body);
    let said = match &content {
        Content::Command { .. } => return,
        Content::Custom { data, .. } => data.to_string(),
        Content::Unknown { raw } => raw.clone(),
        readable => readable.all_words(),
    };
    let judgement = words.judge(&said);
    if judgement.wants_review {
        if words.holds() {
            // What is found wrong besides says more.
            draft.fault = Some(Refusal::HeldForReview);
        } else {
            draft.body.flags.review = true;
        }
    }
    match judgement.verdict {
        Verdict::Pass => {}
        Verdict::Reject => draft.fault = Some(Refusal::SensitiveWord),
        Verdict::Mask(masked) => match reworded(&draft.body, &content, masked) {
            Some(payload) => draft.body.payload = payload,
            // What cannot be said in other words is not said at all.
            None => draft.fault = Some(Refusal::SensitiveWord),
        },
    }
}

/// The payload of a text that says something else, in its author's dialect.
fn reworded(body: &Body, content: &Content, text: String) -> Option<Bytes> {
    let Content::Text {
        mentions,
        mention_all,
        reply,
        ..
    } = content
    else {
        return None;
    };
    if body.origin == Origin::REST {
        let content = Content::Text {
            text,
            mentions: mentions.clone(),
            mention_all: *mention_all,
            reply: reply.clone(),
        };
        return serde_json::to_vec(&content).ok().map(Bytes::from);
    }
    registry::reworded(body, &text)
}
