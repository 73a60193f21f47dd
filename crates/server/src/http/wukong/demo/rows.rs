//! Message rows as a business backend gives them to the SDKs: the payload is a JSON object
//! (wukong-client.md Q1-2).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::id::{MessageId, UserRef};
use crosstalk_core::im::Viewer;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::history::{SyncRequest, stretch};
use super::super::input::Body;
use super::super::lenient;
use super::auth::{Refused, caller};
use super::extras::ExtraRow;
use super::messages::channel;
use super::reactions::{Names, ReactionRow};
use crate::http::state::WukongApiState;

/// The number of a payload that is no JSON object.
const OPAQUE: u8 = 97;
/// Reactions to one message that its row has.
const MAX_REACTIONS: u32 = 1000;

/// Has the payloads of message objects say what they are in JSON.
pub(super) fn with_objects(messages: &mut Value) {
    for message in messages.as_array_mut().into_iter().flatten() {
        let coded = message["payload"].as_str().unwrap_or_default();
        let object = STANDARD.decode(coded).ok();
        let object = object.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let object = object.filter(Value::is_object);
        message["payload"] = object.unwrap_or_else(|| json!({"type": OPAQUE, "content": coded}));
        if message.get("is_deleted").is_none() {
            message["is_deleted"] = 0.into();
        }
        if message.get("reactions").is_none() {
            message["reactions"] = json!([]);
        }
        if message.get("message_extra").is_none() {
            message["message_extra"] = Value::Null;
        }
    }
}

/// Has the rows with these seqs, which their viewer has deleted, say so and nothing else: they
/// keep their type, without which the SDKs pass over them (Q1-5).
fn emptied(rows: &mut Value, hidden: &[u64]) {
    for row in rows.as_array_mut().into_iter().flatten() {
        let seq = row["message_seq"].as_u64();
        if seq.is_some_and(|seq| hidden.binary_search(&seq).is_ok()) {
            let kind = row["payload"]["type"].take();
            row["payload"] = json!({"type": kind, "content": ""});
            row["is_deleted"] = 1.into();
            row["reactions"] = json!([]);
            if let Some(extra) = row["message_extra"].as_object_mut() {
                extra.insert("content_edit".to_owned(), Value::Null);
            }
        }
    }
}

/// Has rows of a channel's messages say what became of them, as the extras do, and how users
/// reacted to them.
pub(super) async fn with_marks(
    api: &WukongApiState,
    user: &UserRef,
    key: &ChannelKey,
    rows: &mut Value,
) -> Result<(), Refused> {
    let Some(rows) = rows.as_array_mut() else {
        return Ok(());
    };
    let ids = rows.iter().map(|row| row["message_id"].as_i64());
    let ids: Vec<_> = ids.map(|id| MessageId(id.unwrap_or_default())).collect();
    let viewer = Viewer::User(user.clone());
    let uid = user.uid.as_str();
    let changed = api.im.changed_among(&viewer, key, &ids).await?;
    let of_each = api.im.reactions_to(&ids, MAX_REACTIONS).await?;
    let mut names = Names::default();
    for ((row, id), of_it) in rows.iter_mut().zip(&ids).zip(of_each) {
        // Whatever was done to a message has left a state of it.
        let Some(changed) = changed.iter().find(|changed| changed.message.id == *id) else {
            continue;
        };
        row["message_extra"] = json!(ExtraRow::of(changed, uid));
        let mut reactions = Vec::with_capacity(of_it.len());
        for reaction in of_it {
            let name = names.of(api, &reaction.user.uid).await;
            reactions.push(ReactionRow::of(&reaction, &changed.message, name, uid));
        }
        row["reactions"] = json!(reactions);
    }
    Ok(())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ChannelRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(flatten)]
    wanted: SyncRequest,
}

/// `POST /v1/message/channel/sync`: a stretch of a channel. Unlike `/channel/messagesync` it
/// shows nobody what they may not see.
pub(super) async fn sync_channel(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<ChannelRequest>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let (answer, hidden) = stretch(&api, &user, &key, &request.wanted).await?;
    let mut answer = serde_json::to_value(answer).unwrap_or_default();
    with_objects(&mut answer["messages"]);
    with_marks(&api, &user, &key, &mut answer["messages"]).await?;
    emptied(&mut answer["messages"], &hidden);
    Ok(Json(answer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_objects() {
        let row = |payload: &[u8]| json!({"payload": STANDARD.encode(payload)});
        let mut rows = json!([row(b"{\"type\":1}"), row(b"[1]"), row(&[0xff]), row(b"")]);
        with_objects(&mut rows);
        assert_eq!(rows[0]["payload"], json!({"type": 1}));
        assert_eq!(rows[1]["payload"], json!({"type": 97, "content": "WzFd"}));
        assert_eq!(rows[2]["payload"], json!({"type": 97, "content": "/w=="}));
        assert_eq!(rows[3]["payload"], json!({"type": 97, "content": ""}));
        assert_eq!(
            (&rows[0]["is_deleted"], &rows[0]["reactions"]),
            (&json!(0), &json!([]))
        );
    }
}
