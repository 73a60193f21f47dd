//! To which message a draft replies, whichever dialect it is written in.

use std::sync::Arc;

use crosstalk_core::carried::Carried;
use crosstalk_core::content::Content;
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::im::Im;
use crosstalk_core::message::{Draft, Origin};

use crate::beside::places;
use crate::content::meaning;
use crate::mentions::may_say;

/// The longest name of a message that is looked for, bytes.
const MAX_NAME_BYTES: usize = 128;

/// Notes beside a draft to which message of its channel it replies, if its author may read that.
/// What says nothing of a reply is not read, and nothing is looked for.
pub async fn note_reply(im: &Im, realm: &Realm, author: &UserRef, draft: &mut Draft) {
    let Some(name) = replied(draft) else {
        return;
    };
    let Ok(key) = draft.to.key(realm, &author.uid) else {
        return;
    };
    // What is not found is shown as its author wrote it.
    let Ok(found) = im.find(realm, author, &name, Some(&key)).await else {
        return;
    };
    if found.revoked.is_some() || !found.is_for(author.num) {
        return;
    }
    let mut carried = draft.body.carried.as_deref().cloned().unwrap_or_default();
    carried.reply(&found);
    draft.body.carried = Carried::packed(carried);
}

/// What a draft calls the message to which it replies.
fn replied(draft: &Draft) -> Option<Arc<str>> {
    let body = &draft.body;
    let is_said = draft.fault.is_none() && !body.flags.command && body.origin != Origin::REST;
    if !is_said {
        return None;
    }
    let places = places(body.origin);
    let word = places.reply.first()?.last()?.as_bytes();
    let json = if places.is_extra {
        body.extra.as_ref()?
    } else {
        &body.payload
    };
    if !may_say(json, word) {
        return None;
    }
    match meaning(body) {
        Content::Text {
            reply: Some(reply), ..
        } => Some(reply.id)
            .filter(|id| (1..=MAX_NAME_BYTES).contains(&id.len()))
            .map(Arc::from),
        _ => None,
    }
}
