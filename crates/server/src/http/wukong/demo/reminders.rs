//! Reminders that a message mentions a user (`@`), in the shapes of the demo backend: rows by
//! version, and a list of those that are done with.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use crosstalk_core::id::MessageId;
use crosstalk_core::im::{Reminder, ReminderQuery};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::answer::{Done, Failure};
use super::super::lenient;
use super::auth::{Refused, caller};
use crate::http::state::WukongApiState;
use crate::http::wukong::input::{Body, Either};

/// Somebody was mentioned: the only kind that there is.
const MENTIONED: u8 = 1;
/// What lists show for it.
const TEXT: &str = "[有人@我]";
/// Rows of an answer, if the request does not say.
const DEFAULT_LIMIT: i64 = 100;
/// Rows of an answer, or ids of a request, at most.
const MAX: usize = 500;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::int")]
    version: i64,
    #[serde(deserialize_with = "lenient::int")]
    limit: i64,
    #[serde(deserialize_with = "lenient::texts")]
    channel_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: i64,
    channel_id: String,
    channel_type: u8,
    message_id: String,
    message_seq: u64,
    reminder_type: u8,
    /// Whom it is for; empty = everybody in the channel.
    uid: String,
    publisher: String,
    text: &'static str,
    data: Value,
    is_locate: u8,
    version: i64,
    done: u8,
}

impl Row {
    fn of(reminder: &Reminder, uid: &str) -> Self {
        let message = &reminder.message;
        let key = &message.channel.key;
        Self {
            id: message.id.0,
            channel_id: key.id_for(uid).to_owned(),
            channel_type: key.kind.0,
            message_id: message.id.to_string(),
            message_seq: message.seq,
            reminder_type: MENTIONED,
            uid: if reminder.is_all {
                String::new()
            } else {
                uid.to_owned()
            },
            publisher: message.sender.uid.as_str().to_owned(),
            text: TEXT,
            data: Value::Object(serde_json::Map::new()),
            is_locate: 1,
            version: reminder.version,
            done: reminder.is_done.into(),
        }
    }
}

/// `POST /v1/message/reminder/sync {version, limit, channel_ids}`: what has changed since a
/// version, ascending by it.
pub(super) async fn sync(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Vec<Row>>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let limit = if request.limit > 0 {
        request.limit
    } else {
        DEFAULT_LIMIT
    };
    let max = i64::try_from(MAX).unwrap_or(i64::MAX);
    let query = ReminderQuery {
        after_version: Some(request.version.max(0)),
        limit: u32::try_from(limit.min(max)).unwrap_or(1),
        ..ReminderQuery::default()
    };
    let found = api.im.reminders(&user, &query).await?;
    let uid = user.uid.as_str();
    let rows = found.items.iter().map(|reminder| Row::of(reminder, uid));
    let wanted = &request.channel_ids;
    let rows = rows.filter(|row| wanted.is_empty() || wanted.contains(&row.channel_id));
    Ok(Json(rows.collect()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DoneRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::texts")]
    ids: Vec<String>,
}

/// `POST /v1/message/reminder/done [ids]`, or `{login_uid, ids}`.
pub(super) async fn done(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Either(request): Either<DoneRequest>,
) -> Result<Done, Refused> {
    let request = match request {
        Ok(request) => request,
        Err(ids) => DoneRequest {
            ids,
            ..DoneRequest::default()
        },
    };
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    if request.ids.is_empty() || request.ids.len() > MAX {
        return Err(Failure::new(format!("ids: 1 to {MAX} reminders")).into());
    }
    let id = |text: &String| text.parse().ok().map(MessageId);
    let ids: Option<Vec<MessageId>> = request.ids.iter().map(id).collect();
    let ids = ids.ok_or_else(|| Failure::new("ids: each is a decimal number"))?;
    api.im.reminders_done(&user, &ids).await?;
    Ok(Done)
}
