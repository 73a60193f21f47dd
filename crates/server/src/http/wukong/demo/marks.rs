//! Editing, deleting, reactions and pins (wukong-client.md Q1-2, Q1-4).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use axum::http::HeaderMap;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::UserNum;
use crosstalk_core::im::{ReadersQuery, Viewer};
use crosstalk_core::mark::MAX_BATCH;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{NewBody, edit_message, wukong_client_no, wukong_tag};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::{Done, Failure};
use super::super::input::Body;
use super::super::lenient;
use super::super::message::MessageObject;
use super::auth::{Refused, caller};
use super::messages::{channel, find};
use super::reactions::{Names, ReactionRow};
use super::rows::{with_marks, with_objects};
use super::users::called;
use crate::http::state::WukongApiState;

/// Rows in an answer if the request does not say.
const DEFAULT_LIMIT: u32 = 100;
/// Readers on a page.
const PAGE: u32 = 200;

/// A request about one message, and what is to become of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MarkRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::text")]
    message_id: String,
    #[serde(deserialize_with = "lenient::text")]
    client_msg_no: String,
    #[serde(deserialize_with = "lenient::texts")]
    message_ids: Vec<String>,
    /// The new payload: an object, or its JSON.
    content_edit: Value,
    #[serde(deserialize_with = "lenient::text")]
    emoji: String,
    /// Of a reaction: 1 = take it away, 0 = put it there; absent: whichever it is not.
    is_deleted: Option<u8>,
    /// Of a pin: 1 = pin, 0 = unpin; absent: whichever it is not.
    pinned: Option<u8>,
    /// Of a deletion: 1 = for everybody.
    #[serde(deserialize_with = "lenient::int")]
    mutual: i64,
}

impl MarkRequest {
    fn name(&self) -> Result<&str, Failure> {
        let mut names = [&self.message_id, &self.client_msg_no].into_iter();
        let name = names.find(|name| !name.is_empty());
        name.map(String::as_str)
            .ok_or_else(|| Failure::new("message_id must not be empty"))
    }
}

/// `POST /v1/message/edit`.
pub(super) async fn edit(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<MarkRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let message = find(&api, &user, request.name()?, &key).await?;
    let payload = match &request.content_edit {
        Value::String(json) => json.clone().into_bytes(),
        object => serde_json::to_vec(object).unwrap_or_default(),
    };
    let is_object = serde_json::from_slice::<Value>(&payload).is_ok_and(|it| it.is_object());
    if !is_object {
        return Err(Failure::new("content_edit must be a JSON object").into());
    }
    let body = NewBody {
        origin: api.origin,
        tag: wukong_tag(&payload),
        payload: payload.into(),
    };
    let by = Operator::User(user);
    match edit_message(&api.im, &api.realm, by, &message, body).await {
        Err(Refusal::TooLate) => Err(Failure::new("超过编辑时间").into()),
        edited => Ok(edited.map(|_| Done)?),
    }
}

/// `POST /v1/message/delete`: for the user, or with `mutual` for everybody.
pub(super) async fn delete(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<MarkRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let names = match request.message_ids.as_slice() {
        [] => vec![request.name()?.to_owned()],
        names if names.len() > MAX_BATCH => {
            return Err(Failure::new(format!("message_ids: 1 to {MAX_BATCH} messages")).into());
        }
        names => names.to_vec(),
    };
    let mut ids = Vec::with_capacity(names.len());
    for name in &names {
        ids.push(find(&api, &user, name, &key).await?.id);
    }
    if request.mutual == 0 {
        api.im.hide(&api.realm, &user, &ids).await?;
        return Ok(Done);
    }
    for id in ids {
        let by = Operator::User(user.clone());
        api.im.delete(&api.realm, id, by).await?;
    }
    Ok(Done)
}

/// `POST /v1/reactions`.
pub(super) async fn react(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<MarkRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let message = find(&api, &user, request.name()?, &key).await?;
    let removed = match request.is_deleted {
        Some(flag) => flag != 0,
        None => {
            let viewer = Viewer::User(user.clone());
            let tallies = api.im.tallies(&viewer, &[message.id]).await?;
            let mut tallies = tallies.iter().flatten();
            tallies.any(|tally| tally.mine && *tally.emoji == *request.emoji)
        }
    };
    api.im
        .react(&api.realm, message.id, &user, &request.emoji, removed)
        .await?;
    Ok(Done)
}

/// What is wanted of a channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    /// After this version.
    #[serde(deserialize_with = "lenient::int")]
    seq: i64,
    #[serde(deserialize_with = "lenient::count")]
    limit: u64,
}

/// `POST /v1/reaction/sync`, also as `/v1/reactions/sync`.
pub(super) async fn sync_reactions(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Vec<ReactionRow>>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let limit = match u32::try_from(request.limit) {
        Ok(0) => DEFAULT_LIMIT,
        limit => limit.unwrap_or(u32::MAX),
    };
    let viewer = Viewer::User(user.clone());
    let found = api.im.reactions_since(&viewer, &key, request.seq, limit);
    let mut rows = Vec::new();
    let mut names = Names::default();
    for (reaction, message) in found.await? {
        let name = names.of(&api, &reaction.user.uid).await;
        rows.push(ReactionRow::of(
            &reaction,
            &message,
            name,
            user.uid.as_str(),
        ));
    }
    Ok(Json(rows))
}

/// `POST /v1/message/pinned`.
pub(super) async fn pin(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<MarkRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let message = find(&api, &user, request.name()?, &key).await?;
    let pinned = match request.pinned {
        Some(flag) => flag != 0,
        None => {
            let states = api.im.states(&[message.id]).await?;
            states.first().is_none_or(|state| state.pinned_at_ms == 0)
        }
    };
    let by = Operator::User(user);
    api.im.pin(&api.realm, message.id, by, pinned).await?;
    Ok(Done)
}

/// `POST /v1/message/pinned/sync`: all that is pinned in a channel.
pub(super) async fn sync_pins(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let viewer = Viewer::User(user.clone());
    let pins = api.im.pins(&key, &viewer).await?;
    let ids: Vec<_> = pins.iter().map(|(pin, _)| pin.message).collect();
    let states = api.im.states(&ids).await?;
    let channel_id = key.id_for(user.uid.as_str());
    let row = |message: &Message| {
        let state = states.iter().find(|state| state.id == message.id);
        json!({
            "message_id": message.id.0,
            "message_id_str": message.id.to_string(),
            "client_msg_no": wukong_client_no(message),
            "message_seq": message.seq,
            "channel_id": channel_id,
            "channel_type": key.kind.0,
            "is_deleted": 0,
            "version": state.map_or(0, |state| state.version),
        })
    };
    let rows: Vec<Value> = pins.iter().map(|(_, message)| row(message)).collect();
    let messages: Vec<_> = pins.iter().map(|(_, it)| MessageObject::from(it)).collect();
    let mut messages = serde_json::to_value(messages).unwrap_or_default();
    with_objects(&mut messages);
    with_marks(&api, &user, &key, &mut messages).await?;
    Ok(Json(json!({"pinned_messages": rows, "messages": messages})))
}

/// `POST /v1/message/pinned/clear`.
pub(super) async fn clear_pins(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SyncRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let viewer = Viewer::User(user.clone());
    for (pin, _) in api.im.pins(&key, &viewer).await? {
        let by = Operator::User(user.clone());
        api.im.pin(&api.realm, pin.message, by, false).await?;
    }
    Ok(Done)
}

/// Which readers are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ReceiptQuery {
    login_uid: String,
    /// 1 (the default) = those who have read it, 0 = those who have not.
    readed: Option<u8>,
    /// After this number of one before.
    after: Option<i64>,
}

/// `GET /v1/message/{id}/receipt`.
pub(super) async fn receipt(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(query): Query<ReceiptQuery>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &query.login_uid, client.ip()).await?;
    let message = api.im.find(&api.realm, &user, &id, None).await?;
    let is_read = query.readed != Some(0);
    let viewer = Viewer::User(user);
    let wanted = ReadersQuery {
        is_read,
        after: query.after.map(UserNum),
        limit: PAGE,
    };
    let readers = api.im.readers(&api.realm, message.id, &viewer, wanted);
    let readers = readers.await?;
    let after = readers.users.last().filter(|_| readers.more);
    let after = after.map(|(user, _)| user.num.0);
    let mut rows = Vec::with_capacity(readers.users.len());
    for (user, at_ms) in &readers.users {
        let name = called(&api, &user.uid).await;
        let at = at_ms.div_euclid(1000);
        rows.push(json!({"uid": user.uid.as_str(), "name": name, "readed_at": at}));
    }
    Ok(Json(json!({
        "readed_count": readers.read_count,
        "unread_count": readers.unread_count,
        "users": rows,
        "after": after,
    })))
}
