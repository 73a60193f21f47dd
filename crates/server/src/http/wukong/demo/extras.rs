//! Extras: what became of messages, by version (wukong-client.md Q1-4).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use axum::http::HeaderMap;
use crosstalk_core::im::{Changed, Viewer};
use crosstalk_core::message::{Gone, Message, Revocation};
use crosstalk_gateway::{wukong_client_no, wukong_payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::input::Body;
use super::super::lenient;
use super::auth::{Refused, caller};
use super::messages::channel;
use crate::http::state::WukongApiState;

/// Rows in an answer if the request does not say.
const DEFAULT_LIMIT: u64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SyncRequest {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    channel_id: String,
    #[serde(deserialize_with = "lenient::int")]
    channel_type: i64,
    #[serde(deserialize_with = "lenient::int")]
    extra_version: i64,
    #[serde(deserialize_with = "lenient::count")]
    limit: u64,
}

/// What became of one message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in super::super) struct ExtraRow {
    message_id: i64,
    message_id_str: String,
    client_msg_no: String,
    channel_id: String,
    channel_type: u8,
    revoke: u8,
    revoker: String,
    readed: u8,
    readed_count: u64,
    unread_count: u64,
    content_edit: Value,
    edited_at: i64,
    is_mutual_deleted: u8,
    #[serde(skip_serializing_if = "is_zero")]
    is_pinned: u8,
    /// The viewer has deleted it for themselves.
    #[serde(skip_serializing_if = "is_zero")]
    is_deleted: u8,
    extra_version: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands over a reference
fn is_zero(flag: &u8) -> bool {
    *flag == 0
}

impl ExtraRow {
    /// The row of a message in a list that was taken back, deleted or edited; its version is
    /// to be asked for.
    pub(in super::super) fn of_message(message: &Message) -> Option<Self> {
        if message.revoked.is_none() && message.edited.is_none() {
            return None;
        }
        let channel_id = message.channel.key.id_for(message.sender.uid.as_str());
        let row = Self::bare(message, channel_id);
        Some(row.gone(message, message.revoked.as_deref()))
    }

    pub(super) fn of(changed: &Changed, viewer: &str) -> Self {
        let Changed {
            message,
            state,
            is_read,
            is_hidden,
            readers,
            ..
        } = changed;
        let asked = message.body.flags.receipt;
        let row = Self {
            readed: (*is_read).into(),
            readed_count: state.read_count,
            unread_count: if asked {
                readers.saturating_sub(state.read_count)
            } else {
                0
            },
            is_pinned: (state.pinned_at_ms > 0).into(),
            is_deleted: (*is_hidden).into(),
            extra_version: state.version,
            ..Self::bare(message, message.channel.key.id_for(viewer))
        };
        row.gone(message, state.revoked.as_ref())
    }

    /// What says that the content has gone, and how.
    fn gone(self, message: &Message, revocation: Option<&Revocation>) -> Self {
        let Some(revocation) = revocation else {
            return self;
        };
        let is_revoked = revocation.how == Gone::Revoked;
        Self {
            revoke: is_revoked.into(),
            revoker: match is_revoked {
                true => revoker(message, revocation),
                false => String::new(),
            },
            is_mutual_deleted: (!is_revoked).into(),
            ..self
        }
    }

    fn bare(message: &Message, channel_id: &str) -> Self {
        let edit = message.edited.as_deref();
        let content = edit.and_then(|_| {
            let payload = wukong_payload(message, "");
            serde_json::from_slice(&payload).ok()
        });
        Self {
            message_id: message.id.0,
            message_id_str: message.id.to_string(),
            client_msg_no: wukong_client_no(message).into_owned(),
            channel_id: channel_id.to_owned(),
            channel_type: message.channel.key.kind.0,
            revoke: 0,
            revoker: String::new(),
            readed: 0,
            readed_count: 0,
            unread_count: 0,
            content_edit: content.unwrap_or(Value::Null),
            edited_at: edit.map_or(0, |edit| edit.at_ms.div_euclid(1000)),
            is_mutual_deleted: 0,
            is_pinned: 0,
            is_deleted: 0,
            extra_version: 0,
        }
    }
}

/// Who took a message back: the application acts in its sender's name.
fn revoker(message: &Message, revocation: &Revocation) -> String {
    let by = revocation.by.as_ref().unwrap_or(&message.sender);
    by.uid.as_str().to_owned()
}

pub(super) async fn sync(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SyncRequest>,
) -> Result<Json<Vec<ExtraRow>>, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let key = channel(&api, &user, request.channel_type, &request.channel_id)?;
    let limit = match request.limit {
        0 => DEFAULT_LIMIT,
        limit => limit,
    };
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let viewer = Viewer::User(user.clone());
    let changed = api
        .im
        .changed(&viewer, &key, request.extra_version, limit)
        .await?;
    let viewer = user.uid.as_str();
    let rows = changed.iter().map(|changed| ExtraRow::of(changed, viewer));
    Ok(Json(rows.collect()))
}
