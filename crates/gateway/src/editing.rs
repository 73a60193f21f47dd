//! Having a message say something else, whichever dialect its author speaks now.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::channel::Address;
use crosstalk_core::deliver::{Altered, Operator};
use crosstalk_core::id::Realm;
use crosstalk_core::im::{EditRequest, Im};
use crosstalk_core::message::{Body, Draft, Message, OnReuse, Origin};
use crosstalk_core::refusal::Refusal;

use crate::content::{is_no_words, may_be_edited, meaning};
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
}

/// Edits a message in a user's name, or the application's, which may say what it wants: the
/// word lists judge what users shall have said.
///
/// # Errors
/// `WrongState` for what cannot be edited, such as a call; `InvalidArgument` for a call, a
/// command or a tip that it shall be; those of [`Im::edit`].
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
    let key = &message.channel.key;
    let mut draft = Draft {
        to: Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        },
        body: Body {
            origin: body.origin,
            tag: body.tag,
            payload: body.payload,
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    if is_no_words(&meaning(&draft.body)) {
        return Err(Refusal::InvalidArgument);
    }
    if by.user().is_some() {
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
    };
    im.edit(realm, request).await
}
