//! Channels and what they allow (protocols/wukong.md §4.2). A personal channel is its user:
//! its flags are the user's.

use axum::extract::State;
use crosstalk_core::channel::{ChannelChange, ChannelKey, ChannelKind, List, ListChange};
use crosstalk_core::deliver::{GroupVerb, Operator};
use crosstalk_core::directory::UserChange;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;

use super::answer::{Done, Failure};
use super::input::Body;
use super::{lenient, names, subscribers};
use crate::http::state::WukongApiState;

/// What a channel allows; what is absent is off.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Info {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::flag")]
    large: bool,
    #[serde(deserialize_with = "lenient::flag")]
    ban: bool,
    #[serde(deserialize_with = "lenient::flag")]
    disband: bool,
    #[serde(deserialize_with = "lenient::flag")]
    send_ban: bool,
    #[serde(deserialize_with = "lenient::flag")]
    allow_stranger: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CreateRequest {
    #[serde(flatten)]
    info: Info,
    #[serde(deserialize_with = "lenient::flag")]
    reset: bool,
    #[serde(deserialize_with = "lenient::texts")]
    subscribers: Vec<String>,
}

/// Creates a channel or overwrites what it allows, and adds subscribers.
pub(super) async fn create(
    State(api): State<WukongApiState>,
    Body(request): Body<CreateRequest>,
) -> Result<Done, Failure> {
    let subscribers = names::uids("subscribers", &request.subscribers)?;
    if names::kind(request.info.channel_type)? == ChannelKind::DIRECT && !subscribers.is_empty() {
        return Err(Failure::new("subscribers: a personal channel has none"));
    }
    let key = put(&api, request.info).await?;
    if let Some(key) = key
        && (request.reset || !subscribers.is_empty())
    {
        subscribers::join(&api, &key, &subscribers, request.reset).await?;
    }
    Ok(Done)
}

/// Overwrites what a channel allows.
pub(super) async fn set_info(
    State(api): State<WukongApiState>,
    Body(info): Body<Info>,
) -> Result<Done, Failure> {
    put(&api, info).await.map(|_| Done)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DeleteRequest {
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
}

/// Disbands a channel: its members are told, and belong to nothing any more. One that is not
/// there needs none of it.
pub(super) async fn delete(
    State(api): State<WukongApiState>,
    Body(request): Body<DeleteRequest>,
) -> Result<Done, Failure> {
    let kind = names::kind(request.channel_type)?;
    let key = names::shared(&api.realm, kind, &request.channel_id)?;
    if !subscribers::exists(&api, &key).await? {
        return Ok(Done);
    }
    let dissolved = api
        .im
        .group(&key, Operator::Application, GroupVerb::Dissolve);
    match dissolved.await {
        Ok(_) | Err(Refusal::ChannelDisbanded) => {}
        Err(why) => return Err(why.into()),
    }
    // Whoever makes it anew begins with nobody.
    api.im.keep_members(&key, Vec::new()).await?;
    for list in [List::Deny, List::Allow] {
        let set = ListChange::Set;
        api.im.change_list(&key, list, set, Vec::new()).await?;
    }
    Ok(Done)
}

/// The key of the channel, unless it is a user.
async fn put(api: &WukongApiState, info: Info) -> Result<Option<ChannelKey>, Failure> {
    let kind = names::kind(info.channel_type)?;
    if kind == ChannelKind::DIRECT {
        let uid = names::uid("channel_id", &info.channel_id)?;
        let change = UserChange {
            ban: Some(info.ban),
            send_ban: Some(info.send_ban),
            allow_stranger: Some(info.allow_stranger),
            ..UserChange::default()
        };
        api.im.put_user(&api.realm, &uid, &change).await?;
        return Ok(None);
    }
    let key = names::shared(&api.realm, kind, &info.channel_id)?;
    let change = ChannelChange {
        ban: Some(info.ban),
        disband: Some(info.disband),
        send_ban: Some(info.send_ban),
        large: Some(info.large),
        allow_stranger: Some(info.allow_stranger),
        ..ChannelChange::default()
    };
    api.im.put_channel(&key, change).await?;
    Ok(Some(key))
}
