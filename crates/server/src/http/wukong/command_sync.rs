//! Commands for clients that were away (protocols/wukong.md §4.7): what the command logs of a
//! user and of their channels have that the user has not acknowledged here, rendered as it was
//! for those who were there. How far a user is, is durable; what was handed out and not yet
//! acknowledged is only remembered, as in the original: without an acknowledgement it comes
//! again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use crosstalk_core::delivered::DeviceKey;
use crosstalk_core::id::{MessageId, UserNum, UserRef};
use crosstalk_gateway::wukong_is_told;
use quick_cache::sync::Cache;
use serde::Deserialize;

use super::answer::{Done, Failure};
use super::input::Body;
use super::message::MessageObject;
use super::{lenient, names};
use crate::http::state::WukongApiState;

/// Commands in an answer, if the caller does not say.
const DEFAULT_LIMIT: u32 = 200;
/// Commands in an answer at most.
const MAX_LIMIT: u32 = 1000;
/// Users of whom it is remembered what they were handed.
const REMEMBERED: usize = 100_000;
/// The reader that stands for all devices of a user. Devices of these clients read logs by
/// themselves: nothing else is kept in its place.
const READER: &str = "command sync";

/// How far each user was handed commands and has not acknowledged them.
#[derive(Clone)]
pub struct HandedOut(Arc<Cache<UserNum, MessageId>>);

impl Default for HandedOut {
    fn default() -> Self {
        Self(Arc::new(Cache::new(REMEMBERED)))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    #[serde(deserialize_with = "lenient::count")]
    limit: u64,
}

/// The oldest commands that a user has not acknowledged.
pub(super) async fn sync(
    State(api): State<WukongApiState>,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Vec<MessageObject>>, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Json(Vec::new()));
    };
    let limit = match u32::try_from(request.limit) {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) => limit.min(MAX_LIMIT),
        Err(_) => MAX_LIMIT,
    };
    let reader = reader(&api, &user);
    let commands = api.im.commands(&reader, limit, wukong_is_told).await?;
    if commands.messages.is_empty() {
        api.handed_out.0.remove(&user.num);
    } else {
        api.handed_out.0.insert(user.num, commands.through);
    }
    let viewer = user.uid.as_str();
    let shown = commands.messages.iter();
    let shown = shown.map(|message| MessageObject::seen_by(message, viewer));
    Ok(Json(shown.collect()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AckRequest {
    #[serde(deserialize_with = "lenient::text")]
    uid: String,
    #[serde(deserialize_with = "lenient::count")]
    last_message_seq: u64,
}

/// The user has what was handed out last. Without a hand-out before it there is nothing to
/// acknowledge.
pub(super) async fn acknowledge(
    State(api): State<WukongApiState>,
    Body(request): Body<AckRequest>,
) -> Result<Done, Failure> {
    let uid = names::uid("uid", &request.uid)?;
    if request.last_message_seq == 0 {
        return Err(Failure::new("last_message_seq must not be 0"));
    }
    let Some(user) = api.im.find_user(&api.realm, &uid).await? else {
        return Ok(Done);
    };
    if let Some(through) = api.handed_out.0.get(&user.num) {
        api.im.take_commands(&reader(&api, &user), through).await?;
        // Unless more was handed out meanwhile.
        let is_same = |latest: &MessageId| *latest == through;
        api.handed_out.0.remove_if(&user.num, is_same);
    }
    Ok(Done)
}

fn reader(api: &WukongApiState, user: &UserRef) -> DeviceKey {
    DeviceKey {
        user: user.num,
        origin: api.origin,
        id: READER.into(),
    }
}
