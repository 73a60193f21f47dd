//! Who belongs to a channel (protocols/wukong.md §4.2).

use axum::extract::State;
use crosstalk_core::channel::{ChannelKey, ChannelKind, MemberChange};
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;

use super::answer::{Done, Failure};
use super::input::Body;
use super::{lenient, names};
use crate::http::state::WukongApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SubscribersRequest {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::flag")]
    reset: bool,
    #[serde(deserialize_with = "lenient::flag")]
    temp_subscriber: bool,
    #[serde(deserialize_with = "lenient::texts")]
    subscribers: Vec<String>,
}

impl SubscribersRequest {
    fn key(&self, api: &WukongApiState) -> Result<ChannelKey, Failure> {
        if self.temp_subscriber {
            return Err(Failure::new("temp_subscriber is no longer supported"));
        }
        let kind = match self.channel_type {
            0 => ChannelKind::GROUP,
            number => names::kind(number)?,
        };
        names::shared(&api.realm, kind, &self.channel_id)
    }

    fn named(&self) -> Result<Vec<Uid>, Failure> {
        if self.subscribers.is_empty() {
            return Err(Failure::new("subscribers must not be empty"));
        }
        names::uids("subscribers", &self.subscribers)
    }
}

/// Makes users members, and with `reset` nobody else. Whoever is a member already keeps their
/// role; the channel is created if there is none.
pub(super) async fn join(
    api: &WukongApiState,
    key: &ChannelKey,
    uids: &[Uid],
    reset: bool,
) -> Result<(), Failure> {
    let users = api.im.user_refs(&api.realm, uids).await?;
    if reset {
        api.im.keep_members(key, users.clone()).await?;
    }
    let enter = users.into_iter().map(MemberChange::Enter).collect();
    api.im.change_members(key, enter).await?;
    Ok(())
}

/// Adds subscribers; the channel is created if there is none.
pub(super) async fn add(
    State(api): State<WukongApiState>,
    Body(request): Body<SubscribersRequest>,
) -> Result<Done, Failure> {
    let key = request.key(&api)?;
    join(&api, &key, &request.named()?, request.reset).await?;
    Ok(Done)
}

/// Removes subscribers.
pub(super) async fn remove(
    State(api): State<WukongApiState>,
    Body(request): Body<SubscribersRequest>,
) -> Result<Done, Failure> {
    let key = request.key(&api)?;
    let uids = request.named()?;
    if exists(&api, &key).await? {
        let users = known(&api, &uids).await?;
        let leaves = users.into_iter().map(MemberChange::Leave).collect();
        api.im.change_members(&key, leaves).await?;
    }
    Ok(Done)
}

/// Removes all subscribers.
pub(super) async fn remove_all(
    State(api): State<WukongApiState>,
    Body(request): Body<SubscribersRequest>,
) -> Result<Done, Failure> {
    let key = request.key(&api)?;
    if exists(&api, &key).await? {
        api.im.keep_members(&key, Vec::new()).await?;
    }
    Ok(Done)
}

/// Those of some users whose names are known. The others belong to nothing.
pub(super) async fn known(api: &WukongApiState, uids: &[Uid]) -> Result<Vec<UserRef>, Refusal> {
    let mut users = Vec::with_capacity(uids.len());
    for uid in uids {
        users.extend(api.im.find_user(&api.realm, uid).await?);
    }
    Ok(users)
}

/// A change would create the channel: there is nothing to take away from one that is not there.
pub(super) async fn exists(api: &WukongApiState, key: &ChannelKey) -> Result<bool, Refusal> {
    match api.im.channel(key).await {
        Ok(_) => Ok(true),
        Err(Refusal::NoSuchChannel) => Ok(false),
        Err(why) => Err(why),
    }
}
