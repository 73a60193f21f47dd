//! Who may not, and who alone may, write (protocols/wukong.md §4.2). The lists of a personal
//! channel are its user's: whom they block, whom they allow.

use std::collections::HashSet;

use axum::extract::State;
use crosstalk_core::channel::{ChannelKind, List, ListChange};
use crosstalk_core::id::Uid;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::Relation;
use serde::Deserialize;

use super::answer::{Done, Failure};
use super::input::Body;
use super::{lenient, names, subscribers};
use crate::http::state::WukongApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListRequest {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::texts")]
    uids: Vec<String>,
}

type Answer = Result<Done, Failure>;

pub(super) async fn blacklist_add(api: State<WukongApiState>, body: Body<ListRequest>) -> Answer {
    change(api, body, List::Deny, ListChange::Add).await
}

pub(super) async fn blacklist_set(api: State<WukongApiState>, body: Body<ListRequest>) -> Answer {
    change(api, body, List::Deny, ListChange::Set).await
}

pub(super) async fn blacklist_remove(
    api: State<WukongApiState>,
    body: Body<ListRequest>,
) -> Answer {
    change(api, body, List::Deny, ListChange::Remove).await
}

pub(super) async fn blacklist_remove_all(
    api: State<WukongApiState>,
    body: Body<ListRequest>,
) -> Answer {
    change(api, cleared(body), List::Deny, ListChange::Set).await
}

pub(super) async fn whitelist_add(api: State<WukongApiState>, body: Body<ListRequest>) -> Answer {
    change(api, body, List::Allow, ListChange::Add).await
}

pub(super) async fn whitelist_set(api: State<WukongApiState>, body: Body<ListRequest>) -> Answer {
    change(api, body, List::Allow, ListChange::Set).await
}

pub(super) async fn whitelist_remove(
    api: State<WukongApiState>,
    body: Body<ListRequest>,
) -> Answer {
    change(api, body, List::Allow, ListChange::Remove).await
}

pub(super) async fn whitelist_remove_all(
    api: State<WukongApiState>,
    body: Body<ListRequest>,
) -> Answer {
    change(api, cleared(body), List::Allow, ListChange::Set).await
}

fn cleared(Body(request): Body<ListRequest>) -> Body<ListRequest> {
    Body(ListRequest {
        uids: Vec::new(),
        ..request
    })
}

async fn change(
    State(api): State<WukongApiState>,
    Body(request): Body<ListRequest>,
    list: List,
    change: ListChange,
) -> Answer {
    let kind = names::kind(request.channel_type)?;
    let uids = names::uids("uids", &request.uids)?;
    if uids.is_empty() && change != ListChange::Set {
        return Err(Failure::new("uids must not be empty"));
    }
    if kind == ChannelKind::DIRECT {
        let owner = names::uid("channel_id", &request.channel_id)?;
        relate(&api, &owner, list, change, &uids).await?;
        return Ok(Done);
    }
    let key = names::shared(&api.realm, kind, &request.channel_id)?;
    let adds = !uids.is_empty() && change != ListChange::Remove;
    if adds || subscribers::exists(&api, &key).await? {
        let users = api.im.user_refs(&api.realm, &uids).await?;
        let nums = users.into_iter().map(|user| user.num).collect();
        api.im.change_list(&key, list, change, nums).await?;
    }
    Ok(Done)
}

/// Changes whom a user blocks or allows.
async fn relate(
    api: &WukongApiState,
    owner: &Uid,
    list: List,
    change: ListChange,
    uids: &[Uid],
) -> Result<(), Failure> {
    if change == ListChange::Set {
        nobody_else(api, owner, list, uids).await?;
    }
    let wanted = change != ListChange::Remove;
    for other in uids {
        let set = |relation: &mut Relation| match list {
            List::Deny => relation.blocked = wanted,
            List::Allow => relation.allowed = wanted,
        };
        api.im.relate(&api.realm, owner, other, set).await?;
    }
    Ok(())
}

/// Makes sure that nobody is on a user's list but those who are to be: the messenger takes
/// others off by name only, and does not tell the names.
async fn nobody_else(
    api: &WukongApiState,
    owner: &Uid,
    list: List,
    uids: &[Uid],
) -> Result<(), Failure> {
    let state = match api.im.user(&api.realm, owner).await {
        Ok(state) => state,
        Err(Refusal::NoSuchUser) => return Ok(()),
        Err(why) => return Err(why.into()),
    };
    let listed = match list {
        List::Deny => &state.blocked,
        List::Allow => &state.allowed,
    };
    let stay = api.im.user_refs(&api.realm, uids).await?;
    let stay: HashSet<_> = stay.into_iter().map(|user| user.num).collect();
    if listed.iter().all(|user| stay.contains(user)) {
        return Ok(());
    }
    Err(Failure::new(
        "uids: others are on this personal list; remove them by name",
    ))
}
