//! What is looked at in a draft, whichever dialect it is written in, before the messenger
//! judges it: how much stands in it, and whom it mentions.

use bytes::Bytes;
use crosstalk_core::message::{Body, Draft, Origin};
use crosstalk_core::refusal::Refusal;
use memchr::memchr;

use crate::content::unbounded_meaning;
use crate::mentions::{may_say, note_mentions};

/// What messages that were forwarded together cannot be written without, in any dialect.
const WORDS: [&[u8]; 3] = [b"merged", b"msgs", b"messages"];

/// Has a draft refused that says more than can be shown in each dialect, and notes beside it
/// whom it mentions.
pub fn examine(draft: &mut Draft) {
    if draft.fault.is_none() && !is_bounded(&draft.body) {
        draft.fault = Some(Refusal::InvalidArgument);
    }
    note_mentions(draft);
}

/// Whether what a body means is within the bounds of what was forwarded together. What does not
/// have such a word in it is not read.
pub(crate) fn is_bounded(body: &Body) -> bool {
    let payload = &body.payload;
    // They stand in a list.
    let may_have = || memchr(b'[', payload).is_some();
    let may_say = || WORDS.iter().any(|word| may_say(payload, word));
    if body.origin == Origin::CHANGE || !may_have() || !may_say() {
        return true;
    }
    unbounded_meaning(body).is_bounded()
}

/// Whether a content of REST's, as JSON, is within these bounds.
#[must_use]
pub fn is_bounded_content(payload: &Bytes) -> bool {
    is_bounded(&Body {
        payload: payload.clone(),
        ..Body::default()
    })
}

#[cfg(all(test, feature = "wukong", feature = "stomp", feature = "mqtt"))]
mod tests;
