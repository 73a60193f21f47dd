//! Who may not, and who alone may, write (protocols/wukong.md §4.2). The lists of a personal
//! channel are its user's: whom they block, whom they allow.

use std::collections::HashSet;

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::{ChannelKind, List, ListChange};
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::{Relation, RelationChange};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::answer::{Done, Failure};
use super::input::{Body, Params};
use super::{lenient, names, subscribers};
use crate::http::state::WukongApiState;

/// Changes of one personal list that are written at once.
const AT_ONCE: usize = 256;

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
        let users = if adds {
            api.im.user_refs(&api.realm, &uids).await?
        } else {
            subscribers::known(&api, &uids).await?
        };
        let nums = users.into_iter().map(|user| user.num).collect();
        api.im.change_list(&key, list, change, nums).await?;
    }
    Ok(Done)
}

/// Changes whom a user blocks or allows. Only those whose standing changes are written.
async fn relate(
    api: &WukongApiState,
    owner: &Uid,
    list: List,
    change: ListChange,
    uids: &[Uid],
) -> Result<(), Failure> {
    let listed: HashSet<Uid> = personal(api, owner, list)
        .await?
        .into_iter()
        .map(|user| user.uid)
        .collect();
    let named: HashSet<&Uid> = uids.iter().collect();
    let enter = uids.iter().filter(|uid| !listed.contains(*uid));
    let leave = listed.iter().filter(|uid| match change {
        ListChange::Add => false,
        ListChange::Remove => named.contains(*uid),
        ListChange::Set => !named.contains(*uid),
    });
    let mut changes: Vec<(Uid, bool)> = leave.map(|uid| (uid.clone(), false)).collect();
    if change != ListChange::Remove {
        changes.extend(enter.map(|uid| (uid.clone(), true)));
    }
    for some in changes.chunks(AT_ONCE) {
        let mut writes = JoinSet::new();
        for (other, is_on) in some.iter().cloned() {
            let (api, owner) = (api.clone(), owner.clone());
            let set = put(list, is_on);
            writes.spawn(async move { api.im.relate(&api.realm, &owner, &other, set).await });
        }
        while let Some(written) = writes.join_next().await {
            written.map_err(|error| {
                tracing::error!(%error, "a change of a personal list was cut off");
                Refusal::Internal
            })??;
        }
    }
    Ok(())
}

/// Whether somebody is on a list.
fn is_on(relation: Relation, list: List) -> bool {
    match list {
        List::Deny => relation.blocked,
        List::Allow => relation.allowed,
    }
}

/// Puts somebody on a list or takes them off; the other one stays.
fn put(list: List, is_on: bool) -> RelationChange {
    let (mut blocked, mut allowed) = (None, None);
    match list {
        List::Deny => blocked = Some(is_on),
        List::Allow => allowed = Some(is_on),
    }
    RelationChange { blocked, allowed }
}

/// Who is on a user's own list.
async fn personal(api: &WukongApiState, owner: &Uid, list: List) -> Result<Vec<UserRef>, Refusal> {
    let relations = api.im.relations(&api.realm, owner).await?.into_iter();
    Ok(relations
        .filter_map(|(other, relation)| is_on(relation, list).then_some(other))
        .collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WhitelistRequest {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
}

/// Somebody on a list. When they came there is not kept; the original writes such times as
/// text or leaves them out, so that callers understand `null` but not 0.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    /// The server's own number of the user.
    id: i64,
    uid: String,
    created_at: (),
    updated_at: (),
}

/// Who alone may write: in a channel, or to a user. Nobody, if there is no such channel.
pub(super) async fn whitelist(
    State(api): State<WukongApiState>,
    Params(request): Params<WhitelistRequest>,
) -> Result<Json<Vec<Listed>>, Failure> {
    let kind = names::kind(request.channel_type)?;
    let mut users = if kind == ChannelKind::DIRECT {
        let owner = names::uid("channel_id", &request.channel_id)?;
        personal(&api, &owner, List::Allow).await?
    } else {
        let key = names::shared(&api.realm, kind, &request.channel_id)?;
        api.im.list(&key, List::Allow).await?
    };
    users.sort_by_key(|user| user.num);
    let listed = users.iter().map(|user| Listed {
        id: user.num.0,
        uid: names::shown(&user.uid).to_owned(),
        created_at: (),
        updated_at: (),
    });
    Ok(Json(listed.collect()))
}
