//! Changing what was said: edits, reactions; and saying that somebody writes.

use crosstalk_core::deliver::{Altered, Operator};
use crosstalk_core::refusal::Refusal;

use super::Asker;
use crate::editing::{NewBody, edit_message};
use crate::protocol::{Answer, Target};

pub(super) async fn edit(
    asker: &Asker,
    name: &str,
    within: Option<&Target>,
    body: NewBody,
) -> Result<Altered, Refusal> {
    let message = asker.find(name, within).await?;
    let by = Operator::User(asker.session.user.clone());
    let body = body.in_kind(&message);
    edit_message(&asker.im, &asker.session.realm, by, &message, body).await
}

pub(super) async fn react(
    asker: &Asker,
    name: &str,
    within: Option<&Target>,
    emoji: &str,
    removed: bool,
) -> Result<Altered, Refusal> {
    let message = asker.find(name, within).await?;
    let (realm, user) = (&asker.session.realm, &asker.session.user);
    let im = &asker.im;
    im.react(realm, message.id, user, emoji, removed).await
}

/// A courtesy: nobody is told that it was refused.
pub(super) async fn typing(asker: &Asker, target: &Target) -> Answer {
    let told = async {
        let key = asker.channel(target).await?;
        asker.im.typing(&key, &asker.session.user).await
    };
    if let Err(why) = told.await {
        tracing::debug!(%why, "nobody is told that a user writes");
    }
    Answer::Nothing
}
