//! Who is meant by the names that a client gives.

use std::sync::Arc;

use crosstalk_core::channel::ChannelKind;
use crosstalk_core::id::UserNum;
use crosstalk_core::im::Im;
use crosstalk_core::message::{Draft, MAX_AUDIENCE};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Session;

use crate::registry;

/// The draft, for whomever `to` means, and with what its content calls users by known for
/// whose it is.
pub(super) async fn addressed(
    im: &Arc<Im>,
    session: &Session,
    to: &str,
    mut draft: Draft,
) -> Result<Draft, Refusal> {
    draft.to = im.resolve(&session.realm, to).await?;
    know(im, session, &mut draft).await?;
    Ok(draft)
}

/// Finds out who the users are whom a content names by alias. Names that are nobody's stay.
async fn know(im: &Arc<Im>, session: &Session, draft: &mut Draft) -> Result<(), Refusal> {
    let mut users = Vec::new();
    for alias in registry::named(&draft.body) {
        if let Some(user) = im.resolve_user(&session.realm, alias.as_str()).await? {
            users.push((alias, user.uid));
        }
    }
    if !users.is_empty() {
        registry::note(&mut draft.body, &users);
    }
    Ok(())
}

/// The draft, for whomever `to` means; of a group only for the members who are named.
pub(super) async fn audience(
    im: &Arc<Im>,
    session: &Session,
    to: &str,
    names: &[String],
    mut draft: Draft,
) -> Result<Draft, Refusal> {
    draft = addressed(im, session, to, draft).await?;
    if draft.to.kind == ChannelKind::DIRECT {
        return Ok(draft);
    }
    if names.len() > MAX_AUDIENCE {
        return Err(Refusal::InvalidArgument);
    }
    let key = draft.to.key(&session.realm, &session.user.uid)?;
    let mut audience = Vec::with_capacity(names.len());
    for name in names {
        let user = im.resolve_user(&session.realm, name).await?;
        let user = user.ok_or(Refusal::NoSuchUser)?;
        let before = Some(UserNum(user.num.0 - 1));
        let members = im.members(&key, before, 1).await?;
        if members
            .first()
            .is_none_or(|member| member.user.num != user.num)
        {
            return Err(Refusal::NoSuchUser);
        }
        audience.push(user.num);
    }
    draft.body.audience = Some(audience.into());
    Ok(draft)
}
