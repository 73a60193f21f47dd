//! Users, as the demo backend has them (wukong-client.md Q1-2): logging in, what people see of
//! somebody, where clients connect.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::conversation::ConversationRow;
use crosstalk_core::directory::{Profile, UserRecord};
use crosstalk_core::id::{Uid, UserRef};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{Friend, WhichFriends};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::answer::{Failure, failure};
use super::super::input::{Body, Params};
use super::super::routes::{Addresses, addresses};
use super::super::users::{TokenRequest, registration};
use super::super::{lenient, names};
use super::auth::{Refused, caller, is_manager};
use super::groups::Who;
use crate::http::state::WukongApiState;

/// Beginnings of addresses to which clients are sent for a picture.
const PICTURES: [&str; 2] = ["https://", "http://"];

pub(super) fn routes() -> Router<WukongApiState> {
    Router::new()
        .route("/v1/user/login", post(login))
        .route("/v1/users/{uid}", get(show))
        .route("/v1/users/{uid}/route", get(route))
        .route("/v1/users/{uid}/avatar", get(avatar))
}

/// Logs a user in. With the manager token the token is registered, as with `/user/token`; a
/// user shows that it is theirs.
async fn login(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<TokenRequest>,
) -> Result<Json<Value>, Refused> {
    let uid = names::uid("uid", &request.uid)?;
    if request.token.is_empty() {
        return Err(Failure::new("token must not be empty").into());
    }
    let token = request.token.clone();
    if is_manager(&api, &headers) {
        let registration = registration(&api, request)?;
        let registered = api.im.register_flag_token(&api.realm, &uid, &registration);
        registered.await?;
    } else {
        let checked = api.im.check_token(&api.realm, &uid, &token, client.ip());
        match checked.await {
            Ok(_) => {}
            Err(Refusal::NotAuthenticated) => {
                let why = "the token is not the user's";
                return Err(Refused::Caller(StatusCode::UNAUTHORIZED, why));
            }
            Err(why) => return Err(why.into()),
        }
    }
    let state = api.im.user(&api.realm, &uid).await?;
    let name = name(&state.record, &profile(&state.record));
    Ok(Json(
        json!({"uid": uid.as_str(), "name": name, "token": token}),
    ))
}

fn profile(record: &UserRecord) -> Profile {
    Profile::of(record.profile.as_deref())
}

fn name(record: &UserRecord, profile: &Profile) -> String {
    let given = profile.name.clone().filter(|name| !name.is_empty());
    given.unwrap_or_else(|| record.user.uid.as_str().to_owned())
}

/// What a user is called: by their profile, else by the uid.
pub(super) async fn called(api: &WukongApiState, uid: &Uid) -> String {
    match api.im.user(&api.realm, uid).await {
        Ok(state) => name(&state.record, &profile(&state.record)),
        Err(_) => uid.as_str().to_owned(),
    }
}

/// What `viewer` sees of a user, and what the user is to them.
async fn show(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(uid): Path<String>,
    Params(who): Params<Who>,
) -> Result<Json<Value>, Refused> {
    let viewer = caller(&api, &headers, &who.login_uid, client.ip()).await?;
    let uid = names::uid("uid", &uid)?;
    let state = api.im.user(&api.realm, &uid).await?;
    let friend = friend_of(&api, &viewer, &state.record.user).await?;
    let user = shown(&api, &viewer, &state.record, friend.as_ref());
    Ok(Json(user.await?.into()))
}

/// How a viewer keeps somebody as a friend, if so.
pub(super) async fn friend_of(
    api: &WukongApiState,
    viewer: &UserRef,
    other: &UserRef,
) -> Result<Option<Friend>, Refusal> {
    let which = WhichFriends::These(vec![other.num]);
    let friends = api.im.friends(&api.realm, &viewer.uid, which, 1).await?;
    Ok(friends.into_iter().find(|friend| friend.is_friend))
}

/// A user as a viewer sees them; `friend` is how the viewer keeps them.
pub(super) async fn shown(
    api: &WukongApiState,
    viewer: &UserRef,
    record: &UserRecord,
    friend: Option<&Friend>,
) -> Result<Map<String, Value>, Refusal> {
    let (realm, uid) = (&api.realm, &record.user.uid);
    let others = std::slice::from_ref(uid);
    let relation = |are: Vec<(bool, bool)>| are.first().copied().unwrap_or_default();
    let (follow, followed) = relation(api.im.are_friends(realm, &viewer.uid, others).await?);
    let (blocks, _) = relation(api.im.are_blocked(realm, &viewer.uid, others).await?);
    let presence = api.im.presence(realm, Some(viewer), others).await?;
    let presence = presence.first();
    let kept = kept(api, viewer, uid).await?;
    let now_ms = api.im.clock().now_ms();
    let profile = profile(record);
    let mut user = Map::new();
    let mut put = |member: &str, value: Value| user.insert(member.to_owned(), value);
    put("uid", uid.as_str().into());
    put("name", name(record, &profile).into());
    let remark = friend.map(|friend| friend.remark.clone());
    put("remark", remark.unwrap_or_default().into());
    let avatar = profile.avatar.filter(|avatar| !avatar.is_empty());
    let avatar = avatar.unwrap_or_else(|| format!("users/{}/avatar", uid.as_str()));
    put("avatar", avatar.into());
    let is_male = profile.gender.as_deref() == Some("male");
    put("sex", u8::from(is_male).into());
    let mute = kept.as_ref().is_some_and(|row| row.kept.is_muted(now_ms));
    put("mute", u8::from(mute).into());
    let top = kept.is_some_and(|row| row.pinned_at_ms > 0);
    put("top", u8::from(top).into());
    put("follow", u8::from(follow).into());
    put("be_deleted", u8::from(follow && !followed).into());
    put("status", if blocks { 2 } else { 1 }.into());
    let online = presence.is_some_and(|presence| presence.online);
    put("online", u8::from(online).into());
    let last = presence.filter(|presence| !presence.online);
    let last = last.map_or(0, |presence| presence.last_seen_at_ms / 1000);
    put("last_offline", last.into());
    if viewer.num == record.user.num {
        put("phone", profile.phone.unwrap_or_default().into());
        put("email", profile.email.unwrap_or_default().into());
    }
    Ok(user)
}

/// The viewer's conversation with somebody, if there is one.
async fn kept(
    api: &WukongApiState,
    viewer: &UserRef,
    other: &Uid,
) -> Result<Option<ConversationRow>, Refusal> {
    let key = ChannelKey::direct(&api.realm, &viewer.uid, other);
    match api.im.conversation(viewer, &key).await {
        Ok(row) => Ok(Some(row)),
        Err(Refusal::NoSuchChannel | Refusal::NotAMember) => Ok(None),
        Err(why) => Err(why),
    }
}

/// Where a user's clients connect.
async fn route(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(uid): Path<String>,
) -> Result<Json<Addresses>, Refused> {
    caller(&api, &headers, &uid, client.ip()).await?;
    Ok(Json(addresses(&api)))
}

/// Sends a client to a user's picture.
async fn avatar(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(uid): Path<String>,
    Params(who): Params<Who>,
) -> Result<Response, Refused> {
    caller(&api, &headers, &who.login_uid, client.ip()).await?;
    let uid = names::uid("uid", &uid)?;
    let state = api.im.user(&api.realm, &uid).await?;
    Ok(picture(profile(&state.record).avatar.as_deref()))
}

/// The way to a picture, if there is one.
pub(super) fn picture(address: Option<&str>) -> Response {
    let address = address.filter(|address| PICTURES.iter().any(|it| address.starts_with(it)));
    let address = address.and_then(|address| header::HeaderValue::from_str(address).ok());
    match address {
        Some(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
        None => failure(StatusCode::NOT_FOUND, "there is no picture"),
    }
}

/// Somebody else, by whom a request acts, and on whom.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Other {
    #[serde(deserialize_with = "lenient::text")]
    pub(super) login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) uid: String,
    #[serde(deserialize_with = "lenient::text")]
    pub(super) remark: String,
}
