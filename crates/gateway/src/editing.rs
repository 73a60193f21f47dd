//! Having a message say something else, whichever dialect its author speaks now.

use std::sync::Arc;

use crosstalk_core::channel::Address;
use crosstalk_core::deliver::{Altered, Operator};
use crosstalk_core::id::{Realm, UserRef};
use crosstalk_core::im::{EditRequest, Im};
use crosstalk_core::message::{Body, Draft, Message, OnReuse};
use crosstalk_core::refusal::Refusal;

use crate::content::{may_be_edited, moderate};
use crate::protocol::NewBody;

/// Edits a message in a user's name. The word lists judge what it shall say.
pub(crate) async fn edit(
    im: &Im,
    realm: &Realm,
    user: &UserRef,
    message: &Message,
    body: NewBody,
) -> Result<Altered, Refusal> {
    if message.revoked.is_none() && !may_be_edited(message) {
        return Err(Refusal::WrongState);
    }
    let shown = message.shown();
    let tag = if shown.origin == body.origin {
        Arc::clone(&shown.tag)
    } else {
        body.tag
    };
    let key = &message.channel.key;
    let mut draft = Draft {
        to: Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        },
        body: Body {
            origin: body.origin,
            tag,
            payload: body.payload,
            ..Body::default()
        },
        on_reuse: OnReuse::Store,
        require_peer: false,
        fault: None,
    };
    moderate(&im.words(realm), &mut draft);
    let request = EditRequest {
        message: message.id,
        by: Operator::User(user.clone()),
        origin: draft.body.origin,
        tag: draft.body.tag,
        payload: draft.body.payload,
        fault: draft.fault,
    };
    im.edit(realm, request).await
}
