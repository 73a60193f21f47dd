//! Taking messages back, and saying that they were read.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::UserRef;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;

use super::super::answer::{Done, Failure};
use super::super::input::Body;
use super::super::{lenient, names};
use super::auth::{Refused, caller};
use crate::http::state::WukongApiState;

/// Messages that one request may name.
const MAX_MESSAGES: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RevokeRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::text")]
    client_msg_no: String,
    #[serde(deserialize_with = "lenient::text")]
    message_id: String,
}

/// Takes a message back; everybody is told by a CMD.
pub(super) async fn revoke(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<RevokeRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let names = [&request.message_id, &request.client_msg_no];
    let mut names = names.into_iter().filter(|name| !name.is_empty());
    let name = names
        .next()
        .ok_or_else(|| Failure::new("message_id must not be empty"))?;
    let message = find(&api, &user, name, &key).await?;
    let by = Operator::User(user);
    api.im.revoke(&api.realm, message.id, by).await?;
    Ok(Done)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReadRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::texts")]
    message_ids: Vec<String>,
}

/// Says that messages were read; those who asked for it are told by a CMD.
pub(super) async fn readed(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<ReadRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    if request.message_ids.is_empty() || request.message_ids.len() > MAX_MESSAGES {
        let why = format!("message_ids: 1 to {MAX_MESSAGES} messages");
        return Err(Failure::new(why).into());
    }
    let mut messages = Vec::with_capacity(request.message_ids.len());
    for id in &request.message_ids {
        match find(&api, &user, id, &key).await {
            Ok(message) => messages.push(message),
            // Messages come and go; the others were read all the same.
            Err(Refusal::NoSuchMessage) => {}
            Err(why) => return Err(why.into()),
        }
    }
    api.im.read_messages(&user, &messages).await?;
    Ok(Done)
}

/// The channel that a request means.
pub(super) fn channel(
    api: &WukongApiState,
    user: &UserRef,
    channel_type: i64,
    channel_id: &str,
) -> Result<ChannelKey, Failure> {
    let kind = names::kind(channel_type)?;
    names::seen_by(&api.realm, user.uid.as_str(), kind, channel_id)
}

/// A message by the name that wukong clients have for it.
pub(super) async fn find(
    api: &WukongApiState,
    user: &UserRef,
    name: &str,
    key: &ChannelKey,
) -> Result<Message, Refusal> {
    // Client numbers of messages that are not wukong's are ids in disguise.
    let name = name.strip_prefix("x-").unwrap_or(name);
    api.im.find(&api.realm, user, name, Some(key)).await
}
