//! The members of a group, and what has changed of these by version (wukong-client.md Q1-2).

use std::net::SocketAddr;

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use crosstalk_core::channel::{MemberQuery, MemberRow, MemberState, Right};
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::input::Params;
use super::super::lenient;
use super::auth::Refused;
use super::groups::{SECONDS_MAX_MS, Scene, role_number};
use crate::http::state::WukongApiState;

/// Members in an answer, if the request does not say, and at most.
const DEFAULT_ROWS: i64 = 100;
const MAX_ROWS: i64 = 1000;
/// Members with a keyword who are put into the order of versions.
const MAX_CALLED: u32 = 1000;
/// Nothing is called by more characters.
const MAX_KEYWORD_CHARS: usize = 100;

/// From where members are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Since {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::int")]
    version: i64,
    #[serde(deserialize_with = "lenient::int")]
    limit: i64,
    /// Only members whose name, nickname or uid has this in it; former ones are left out.
    #[serde(deserialize_with = "lenient::text")]
    keyword: String,
}

/// Members and former members above a version, in its order; with a keyword those members
/// who are called so, up to 1,000.
pub(super) async fn sync(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(no): Path<String>,
    Params(since): Params<Since>,
) -> Result<Json<Value>, Refused> {
    let scene = Scene::of(&api, &headers, &since.login_uid, client, &no).await?;
    api.im
        .require(&scene.key, &scene.operator(), Right::See)
        .await?;
    let limit = if since.limit > 0 {
        since.limit.min(MAX_ROWS)
    } else {
        DEFAULT_ROWS
    };
    let limit = u32::try_from(limit).unwrap_or(1);
    let rows = if since.keyword.is_empty() {
        api.im
            .members_since(&scene.key, since.version, limit)
            .await?
    } else {
        called(&api, &scene, &since).await?
    };
    let mut members = Vec::with_capacity(rows.len());
    for row in rows.iter().take(limit as usize) {
        members.push(member(&api, row).await?);
    }
    Ok(Json(Value::Array(members)))
}

/// Members with the keyword in what they are called, above the version and in its order.
async fn called(
    api: &WukongApiState,
    scene: &Scene,
    since: &Since,
) -> Result<Vec<MemberRow>, Refused> {
    if since.keyword.chars().count() > MAX_KEYWORD_CHARS {
        return Ok(Vec::new());
    }
    let query = MemberQuery {
        keyword: since.keyword.clone(),
        limit: MAX_CALLED,
        ..MemberQuery::default()
    };
    let found = api.im.search_members(&scene.key, Some(&scene.user), &query);
    let mut rows = found.await?;
    rows.retain(|row| row.version > since.version);
    rows.sort_by_key(|row| row.version);
    Ok(rows)
}

async fn member(api: &WukongApiState, row: &MemberRow) -> Result<Value, Refusal> {
    let MemberRow {
        member,
        state,
        version,
    } = row;
    let uid = member.user.uid.as_str();
    let user = api.im.user(&api.realm, &member.user.uid).await;
    let profile = user.ok().and_then(|user| user.record.profile.clone());
    let profile = profile.and_then(|json| serde_json::from_str::<Value>(&json).ok());
    let text = |name: &str| {
        let text = profile.as_ref().and_then(|profile| profile[name].as_str());
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    Ok(json!({
        "uid": uid,
        "name": text("name").unwrap_or_else(|| uid.to_owned()),
        "remark": member.nick,
        "avatar": text("avatar").unwrap_or_else(|| format!("users/{uid}/avatar")),
        "role": role_number(member.role),
        "status": 1,
        "is_deleted": i32::from(*state == MemberState::Left),
        "version": version,
        "forbidden_expiration_time": member.muted_until_ms.min(SECONDS_MAX_MS) / 1000,
        "created_at": member.joined_at_ms / 1000,
    }))
}
