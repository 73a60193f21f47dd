//! Conversations as the SDKs' data sources ask a backend for them: the list with its newest
//! messages, what is kept of each by version, and how a user changes that.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use crosstalk_core::conversation::{ConversationRow, Keep, MAX_DRAFT_BYTES, Screen};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::answer::{Done, Failure};
use super::super::conversation_sync::{SyncRequest, news};
use super::super::input::{Body, OptionalBody};
use super::super::lenient;
use super::auth::{Refused, caller};
use super::messages::channel;
use super::rows::with_objects;
use crate::http::state::WukongApiState;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(flatten)]
    wanted: SyncRequest,
}

/// `POST /v1/conversation/sync`: as `/conversation/sync`, with payloads as JSON and with how
/// each conversation is kept.
pub(super) async fn sync(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<ListRequest>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let now_ms = api.im.clock().now_ms();
    let mut conversations = Vec::new();
    for (row, conversation) in news(&api, &user, request.wanted).await? {
        let mut shown = serde_json::to_value(conversation).unwrap_or_default();
        if let Some(recents) = shown.get_mut("recents") {
            with_objects(recents);
        }
        shown["stick"] = u8::from(row.pinned_at_ms > 0).into();
        shown["mute"] = u8::from(row.kept.is_muted(now_ms)).into();
        shown["offset_msg_seq"] = row.begins_after.into();
        let extra = ExtraRow::of(&row, user.uid.as_str());
        shown["extra"] = serde_json::to_value(extra).unwrap_or_default();
        conversations.push(shown);
    }
    let uid = user.uid.as_str();
    Ok(Json(
        json!({"uid": uid, "conversations": conversations, "cmds": []}),
    ))
}

/// How a user keeps a conversation.
#[derive(Debug, Serialize)]
struct ExtraRow {
    channel_id: String,
    channel_type: u8,
    browse_to: u64,
    keep_message_seq: u64,
    keep_offset_y: i64,
    draft: String,
    /// Seconds.
    draft_updated_at: i64,
    version: i64,
    top: u8,
    marked: u8,
}

impl ExtraRow {
    fn of(row: &ConversationRow, viewer: &str) -> Self {
        let (key, kept) = (&row.channel.key, &row.kept);
        Self {
            channel_id: key.id_for(viewer).to_owned(),
            channel_type: key.kind.0,
            browse_to: kept.screen.browsed_to,
            keep_message_seq: kept.screen.top_seq,
            keep_offset_y: kept.screen.top_offset,
            draft: kept.draft.to_string(),
            draft_updated_at: kept.draft_at_ms.div_euclid(1000),
            version: kept.version,
            top: (row.pinned_at_ms > 0).into(),
            marked: kept.marked.into(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ExtrasRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::int")]
    version: i64,
}

/// `POST /v1/conversation/extra/sync`: what is kept otherwise since a version.
pub(super) async fn sync_extras(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<ExtrasRequest>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let rows = api.im.kept_since(&user, request.version).await?;
    let viewer = user.uid.as_str();
    let rows: Vec<_> = rows.iter().map(|row| ExtraRow::of(row, viewer)).collect();
    Ok(Json(serde_json::to_value(rows).unwrap_or_default()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeepRequest {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::optional_int")]
    browse_to: Option<i64>,
    #[serde(deserialize_with = "lenient::optional_int")]
    keep_message_seq: Option<i64>,
    #[serde(deserialize_with = "lenient::optional_int")]
    keep_offset_y: Option<i64>,
    draft: Option<String>,
    #[serde(deserialize_with = "lenient::optional_int")]
    top: Option<i64>,
    #[serde(deserialize_with = "lenient::optional_int")]
    stick: Option<i64>,
    #[serde(deserialize_with = "lenient::optional_int")]
    mute: Option<i64>,
    #[serde(deserialize_with = "lenient::optional_int")]
    marked: Option<i64>,
    #[serde(deserialize_with = "lenient::count")]
    message_seq: u64,
    #[serde(deserialize_with = "lenient::count")]
    unread: u64,
}

/// `POST /v1/conversations/{channel_id}/{channel_type}/extra`: the draft and where the screen
/// stood. Answers the new version.
pub(super) async fn put_extra(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path((channel_id, channel_type)): Path<(String, i64)>,
    Body(request): Body<KeepRequest>,
) -> Result<Json<Value>, Refused> {
    if request
        .draft
        .as_ref()
        .is_some_and(|draft| draft.len() > MAX_DRAFT_BYTES)
    {
        return Err(Failure::new(format!("draft: at most {MAX_DRAFT_BYTES} bytes")).into());
    }
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, channel_type, &channel_id)?;
    let seq = |given: Option<i64>| given.and_then(|seq| u64::try_from(seq).ok());
    let said = [
        request.browse_to,
        request.keep_message_seq,
        request.keep_offset_y,
    ];
    let screen = said.iter().any(Option::is_some).then(|| Screen {
        browsed_to: seq(request.browse_to).unwrap_or(0),
        top_seq: seq(request.keep_message_seq).unwrap_or(0),
        top_offset: request.keep_offset_y.unwrap_or(0),
    });
    let wish = Keep {
        draft: request.draft.as_deref().map(Arc::from),
        screen,
        ..Keep::default()
    };
    let row = api.im.keep_conversation(&user, &key, wish).await?;
    Ok(Json(json!({"version": row.kept.version})))
}

/// `PUT /v1/conversation/setting`: on top, and without notifications.
pub(super) async fn put_setting(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<KeepRequest>,
) -> Result<Done, Refused> {
    let wish = Keep {
        pinned: request.top.or(request.stick).map(|top| top != 0),
        muted_until_ms: request
            .mute
            .map(|mute| if mute == 0 { 0 } else { i64::MAX }),
        marked: request.marked.map(|marked| marked != 0),
        ..Keep::default()
    };
    keep(&api, client, &headers, &request, wish).await
}

/// `PUT /v1/conversation/clearUnread`: so many are unread.
pub(super) async fn clear_unread(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<KeepRequest>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    if request.unread == 0 {
        api.im.read(&user, &key, None).await?;
    } else {
        api.im.set_unread(&user, &key, request.unread).await?;
    }
    Ok(Done)
}

/// `POST /v1/message/offset`: the history goes up to a message, for this user.
pub(super) async fn offset(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<KeepRequest>,
) -> Result<Done, Refused> {
    let to = Some(request.message_seq).filter(|seq| *seq > 0);
    let wish = Keep {
        cleared_to: Some(to.unwrap_or(u64::MAX)),
        ..Keep::default()
    };
    keep(&api, client, &headers, &request, wish).await
}

/// `DELETE /v1/conversations/{channel_id}/{channel_type}`: put away until somebody speaks.
pub(super) async fn delete(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path((channel_id, channel_type)): Path<(String, i64)>,
    OptionalBody(request): OptionalBody<KeepRequest>,
) -> Result<Done, Refused> {
    let request = KeepRequest {
        channel_id,
        channel_type,
        ..request
    };
    keep(&api, client, &headers, &request, Keep::delete(false)).await
}

async fn keep(
    api: &WukongApiState,
    client: SocketAddr,
    headers: &HeaderMap,
    request: &KeepRequest,
    wish: Keep,
) -> Result<Done, Refused> {
    let user = caller(api, headers, &request.login_uid, client.ip()).await?;
    let key = channel(api, &user, request.channel_type, &request.channel_id)?;
    api.im.keep_conversation(&user, &key, wish).await?;
    Ok(Done)
}
