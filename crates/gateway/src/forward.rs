//! What of a message goes with it when it is forwarded.

use crosstalk_core::content::Content;
use crosstalk_core::message::{Body, Flags, Message};
use serde_json::Value;

use crate::beside::alone;
use crate::content::meaning;
use crate::examine::is_bounded;

/// Members of an envelope that belong to one message in one place: its own number, whom it was
/// for.
const OWN: [&str; 3] = ["messageId", "target", "once"];
/// The same of what authors put there.
const OWN_EXTRA: [&str; 1] = ["readReceipt"];

/// What a message says now, in the words of `Content`.
#[must_use]
pub fn meaning_of(message: &Message) -> Content {
    meaning(message.shown())
}

/// A body that says the same elsewhere, as its author wrote it, without whom it mentioned and
/// what it replied to; `None` for what is no message of somebody: a call, a command, a tip; and
/// for what is too much to be shown in each dialect.
#[must_use]
pub fn forwarded(message: &Message) -> Option<Body> {
    let body = message.shown();
    if !is_bounded(body) {
        return None;
    }
    match meaning(body) {
        Content::Call { .. } | Content::Command { .. } | Content::Tip { .. } => return None,
        _ => {}
    }
    let (payload, extra) = alone(body);
    let extra = extra.and_then(|extra| {
        let mut members: Value = serde_json::from_slice(&extra).ok()?;
        let envelope = members.as_object_mut()?;
        OWN.iter().for_each(|name| drop(envelope.remove(*name)));
        if let Some(Value::Object(own)) = envelope.get_mut("extra") {
            OWN_EXTRA.iter().for_each(|name| drop(own.remove(*name)));
        }
        serde_json::to_vec(&members).ok()
    });
    Some(Body {
        origin: body.origin,
        tag: body.tag.clone(),
        flags: Flags {
            counts: true,
            ..Flags::default()
        },
        payload,
        extra: extra.map(Into::into),
        ..Body::default()
    })
}
