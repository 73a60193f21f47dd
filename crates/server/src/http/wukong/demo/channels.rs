//! What clients show of a channel, whether a person or a group (wukong-client.md Q1-2), under
//! the names that the ecosystem's clients read.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use crosstalk_core::channel::ChannelKind;
use crosstalk_core::refusal::Refusal;
use serde_json::{Value, json};

use super::super::answer::Failure;
use super::super::input::Params;
use super::super::names;
use super::auth::{Refused, caller};
use super::groups::{Scene, Who};
use super::users::{friend_of, picture, shown};
use crate::http::state::WukongApiState;

pub(super) fn routes() -> Router<WukongApiState> {
    Router::new()
        .route("/v1/channels/{channel_id}/{channel_type}", get(show))
        .route("/v1/groups/{no}/avatar", get(avatar))
}

async fn show(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path((channel_id, channel_type)): Path<(String, i64)>,
    Params(who): Params<Who>,
) -> Result<Json<Value>, Refused> {
    let channel = json!({"channel_id": channel_id, "channel_type": channel_type});
    match names::kind(channel_type)? {
        ChannelKind::DIRECT => {
            let viewer = caller(&api, &headers, &who.login_uid, client.ip()).await?;
            let uid = names::uid("channel_id", &channel_id)?;
            let state = api.im.user(&api.realm, &uid).await?;
            let friend = friend_of(&api, &viewer, &state.record.user).await?;
            let user = shown(&api, &viewer, &state.record, friend.as_ref()).await?;
            Ok(Json(json!({
                "channel": channel,
                "name": user["name"],
                "logo": user["avatar"],
                "remark": user["remark"],
                "status": user["status"],
                "online": user["online"],
                "last_offline": user["last_offline"],
                "stick": user["top"],
                "mute": user["mute"],
                "follow": user["follow"],
                "be_deleted": user["be_deleted"],
            })))
        }
        ChannelKind::GROUP => {
            let scene = Scene::of(&api, &headers, &who.login_uid, client, &channel_id).await?;
            let Json(group) = scene.shown(&api).await?;
            let row = match api.im.conversation(&scene.user, &scene.key).await {
                Err(Refusal::NotAMember | Refusal::NoSuchChannel) => None,
                row => Some(row?),
            };
            let now_ms = api.im.clock().now_ms();
            let stick = row.as_ref().is_some_and(|row| row.pinned_at_ms > 0);
            let mute = row.is_some_and(|row| row.kept.is_muted(now_ms));
            Ok(Json(json!({
                "channel": channel,
                "name": group["name"],
                "logo": group["avatar"],
                "remark": group["remark"],
                "status": group["status"],
                "stick": u8::from(stick),
                "mute": u8::from(mute),
                "notice": group["notice"],
                "forbidden": group["forbidden"],
                "invite": group["invite"],
            })))
        }
        _ => Err(Failure::new("channel_type must be 1 or 2").into()),
    }
}

/// Sends a client to a group's picture.
async fn avatar(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Params(who): Params<Who>,
) -> Result<Response, Refused> {
    let scene = Scene::of(&api, &headers, &who.login_uid, client, &no).await?;
    let Json(group) = scene.shown(&api).await?;
    Ok(picture(group["avatar"].as_str()))
}
