//! Having a message say something else, whichever dialect its author speaks now.

use std::mem::discriminant;
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::channel::Address;
use crosstalk_core::content::Content;
use crosstalk_core::deliver::{Altered, Operator};
use crosstalk_core::id::Realm;
use crosstalk_core::im::{EditRequest, Im};
use crosstalk_core::message::{Body, Draft, Message, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;
use serde_json::Value;

use crate::beside;
use crate::content::{is_no_words, may_be_edited, meaning};
use crate::examine::is_bounded;
use crate::mentions::mentioned;
use crate::moderation::moderate;

/// What an edited message shall say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBody {
    /// The dialect that writes the payload.
    pub origin: Origin,
    /// What its envelope says of the payload's type.
    pub tag: Arc<str>,
    /// The payload.
    pub payload: Bytes,
}

impl NewBody {
    /// The same, but of the type that the message has now if the same dialect wrote that.
    #[must_use]
    pub fn in_kind(mut self, message: &Message) -> Self {
        let shown = message.shown();
        if shown.origin == self.origin {
            self.tag = Arc::clone(&shown.tag);
        }
        self
    }

    fn body(self) -> Body {
        Body {
            origin: self.origin,
            tag: self.tag,
            payload: self.payload,
            ..Body::default()
        }
    }
}

/// Edits a message in a user's name, or the application's, which may say what it wants: the
/// word lists judge what users shall have said.
///
/// # Errors
/// `WrongState` for what cannot be edited, such as a call; `InvalidArgument` if it would be of
/// another kind; those of [`Im::edit`].
pub async fn edit_message(
    im: &Im,
    realm: &Realm,
    by: Operator,
    message: &Message,
    body: NewBody,
) -> Result<Altered, Refusal> {
    if message.revoked.is_none() && !may_be_edited(message) {
        return Err(Refusal::WrongState);
    }
    let is_user = by.user().is_some();
    let body = body.body();
    if message.revoked.is_none() && !may_become(message.shown(), &body, is_user) {
        return Err(Refusal::InvalidArgument);
    }
    // What goes on being said is not said anew.
    let mentions_all = mentioned(&body).1;
    let body = with_what_stays(message, body);
    let key = &message.channel.key;
    let mut draft = Draft {
        to: Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        },
        body,
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    if is_user {
        moderate(&im.words(realm), &mut draft);
    }
    let request = EditRequest {
        message: message.id,
        by,
        origin: draft.body.origin,
        tag: draft.body.tag,
        payload: draft.body.payload,
        fault: draft.fault,
        review: draft.body.flags.review,
        mentions_all,
    };
    im.edit(realm, request).await
}

/// Whether an edit may make this of that: it stays of its kind. What users forwarded together
/// they do not say in other words.
fn may_become(before: &Body, now: &Body, by_user: bool) -> bool {
    match (meaning(before), meaning(now)) {
        (_, now) if is_no_words(&now) => false,
        (Content::Merged { .. }, Content::Merged { .. }) => !by_user && is_bounded(now),
        (Content::Custom { tag, .. }, Content::Custom { tag: new, .. }) => tag == new,
        (Content::Unknown { .. }, Content::Unknown { .. }) => {
            before.origin == now.origin && kind_of(before) == kind_of(now)
        }
        (was, now) => discriminant(&was) == discriminant(&now) && !lacks_its_file(&now),
    }
}

/// What names the type of what nobody here understands.
fn kind_of(body: &Body) -> String {
    if body.origin != Origin::REST {
        return body.tag.to_string();
    }
    let content: Value = serde_json::from_slice(&body.payload).unwrap_or_default();
    content["type"].as_str().unwrap_or_default().to_owned()
}

fn lacks_its_file(content: &Content) -> bool {
    match content {
        Content::Image { url, .. }
        | Content::Audio { url, .. }
        | Content::Video { url, .. }
        | Content::File { url, .. } => url.is_empty(),
        _ => false,
    }
}

/// The new body, mentioning whom the message does and replying to what it does if it says
/// nothing of that itself.
fn with_what_stays(message: &Message, now: Body) -> Body {
    let before = message.shown();
    if now.origin == before.origin {
        let payload = beside::kept(before, now.payload.clone());
        return Body { payload, ..now };
    }
    if now.origin == message.body.origin && beside::places(now.origin).is_extra {
        // There it stands beside what is said.
        return now;
    }
    let (
        Content::Text {
            mentions,
            mention_all,
            reply,
            ..
        },
        Content::Text {
            text,
            mentions: new_mentions,
            mention_all: new_all,
            reply: new_reply,
        },
    ) = (meaning(before), meaning(&now))
    else {
        return now;
    };
    let mentions_anew = new_all || !new_mentions.is_empty();
    let stays = (mention_all || !mentions.is_empty()) && !mentions_anew
        || reply.is_some() && new_reply.is_none();
    if !stays {
        return now;
    }
    let (mentions, mention_all) = if mentions_anew {
        (new_mentions, new_all)
    } else {
        (mentions, mention_all)
    };
    let content = Content::Text {
        text,
        mentions,
        mention_all,
        reply: new_reply.or(reply),
    };
    // In the form that has a place for all of it.
    match serde_json::to_vec(&content) {
        Ok(json) => Body {
            origin: Origin::REST,
            tag: "".into(),
            payload: json.into(),
            ..now
        },
        Err(_) => now,
    }
}
