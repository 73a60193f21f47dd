//! Friends, in the style of the demo backend and under the names that its ecosystem's clients
//! call: asking, answering, the list by version, and who is blocked. The `token` that answers a
//! request is the request's id, which the CMD `friendRequest` has as `request_id`.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Path, State};
use axum::http::HeaderMap;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use crosstalk_core::im::{KeepFriend, WantedRequests};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Answer, FriendChange, FriendRequest, MAX_CLOSED, MAX_OPEN_INCOMING, RequestStatus, Sides,
    WhichFriends,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::answer::{Done, Failure};
use super::super::input::{Body, Params};
use super::super::{lenient, names};
use super::auth::{Refused, caller};
use super::groups::Who;
use super::users::{Other, shown};
use crate::http::state::WukongApiState;

/// Requests that are remembered of one user, and listed at most.
const MAX_REQUESTS: u32 = MAX_OPEN_INCOMING + MAX_CLOSED;
/// Requests in a page, if the caller does not say.
const DEFAULT_PAGE: u64 = 20;
/// Friends in an answer, if the caller does not say, and at most.
const DEFAULT_FRIENDS: u64 = 100;
const MAX_FRIENDS: u64 = 1000;

pub(super) fn routes() -> Router<WukongApiState> {
    Router::new()
        .route("/v1/friend/apply", post(apply).get(applications))
        .route("/v1/friend/sure", post(accept))
        .route("/v1/friend/refuse/{to_uid}", put(refuse))
        .route("/v1/friend/sync", get(sync))
        .route("/v1/friend/remark", put(remark))
        .route("/v1/friends/{uid}", delete(end))
        .route("/v1/user/blacklist/{uid}", post(block).delete(unblock))
        .route("/v1/user/blacklists", get(blocked))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Application {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    to_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    remark: String,
}

/// Asks somebody to be a friend.
async fn apply(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<Application>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let to = names::uid("to_uid", &request.to_uid)?;
    api.im.spend(user.num)?;
    let ask = KeepFriend {
        message: request.remark,
        keep: FriendChange::default(),
    };
    api.im.ask_friend(&api.realm, &user.uid, &to, &ask).await?;
    Ok(Done)
}

/// A page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Page {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::count")]
    page_index: u64,
    #[serde(deserialize_with = "lenient::count")]
    page_size: u64,
}

/// Who has asked the user, the newest first.
async fn applications(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Params(page): Params<Page>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &page.login_uid, client.ip()).await?;
    let found = api
        .im
        .friend_requests(&api.realm, &user.uid, asked_of(None))
        .await?;
    let size = match page.page_size {
        0 => DEFAULT_PAGE,
        size => size,
    };
    let skip = page
        .page_index
        .max(1)
        .saturating_sub(1)
        .saturating_mul(size);
    let rows = found.iter().filter_map(row);
    let rows = rows.skip(usize::try_from(skip).unwrap_or(usize::MAX));
    let rows = rows.take(usize::try_from(size).unwrap_or(usize::MAX));
    Ok(Json(Value::Array(rows.collect())))
}

/// All requests to a user that are remembered.
fn asked_of(status: Option<RequestStatus>) -> WantedRequests {
    WantedRequests {
        incoming: true,
        status,
        before: None,
        limit: MAX_REQUESTS,
    }
}

/// A request as the one sees it who was asked; `None` if there is nothing left of it.
fn row(request: &FriendRequest) -> Option<Value> {
    let status = match request.status {
        RequestStatus::Pending => 0,
        RequestStatus::Accepted => 1,
        RequestStatus::Rejected => 2,
        RequestStatus::Expired | RequestStatus::Cancelled => return None,
    };
    Some(json!({
        "id": request.id,
        "uid": request.to.uid.as_str(),
        "to_uid": request.from.uid.as_str(),
        "remark": request.message,
        "status": status,
        "token": request.id.to_string(),
        "created_at": request.created_at_ms / 1000,
    }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Acceptance {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::text")]
    token: String,
}

/// The one who was asked is a friend now.
async fn accept(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<Acceptance>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let id = request.token.parse().map_err(|_| Refusal::NoSuchRequest)?;
    let answer = Answer::Accept(FriendChange::default());
    let answered = api.im.answer_friend(&api.realm, &user.uid, id, answer);
    answered.await?;
    Ok(Done)
}

/// The one who was asked, by the user of the path, does not want to.
async fn refuse(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(from): Path<String>,
    Params(query): Params<Who>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &query.login_uid, client.ip()).await?;
    let from = names::uid("to_uid", &from)?;
    let waiting = Some(RequestStatus::Pending);
    let found = api
        .im
        .friend_requests(&api.realm, &user.uid, asked_of(waiting))
        .await?;
    let request = found.iter().find(|request| request.from.uid == from);
    let id = request.ok_or(Refusal::NoSuchRequest)?.id;
    let answered = api
        .im
        .answer_friend(&api.realm, &user.uid, id, Answer::Reject);
    answered.await?;
    Ok(Done)
}

/// From where friends are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Since {
    #[serde(deserialize_with = "lenient::text")]
    login_uid: String,
    #[serde(deserialize_with = "lenient::int")]
    version: i64,
    #[serde(deserialize_with = "lenient::count")]
    limit: u64,
}

/// Friends and former friends above a version, in its order.
async fn sync(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Params(since): Params<Since>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &since.login_uid, client.ip()).await?;
    let limit = match since.limit {
        0 => DEFAULT_FRIENDS,
        limit => limit.min(MAX_FRIENDS),
    };
    let limit = u32::try_from(limit).unwrap_or(1);
    let which = WhichFriends::Since(since.version);
    let friends = api.im.friends(&api.realm, &user.uid, which, limit).await?;
    let mut rows = Vec::with_capacity(friends.len());
    for friend in &friends {
        let mut row = match api.im.user(&api.realm, &friend.user.uid).await {
            Ok(state) => shown(&api, &user, &state.record, Some(friend)).await?,
            // Of who is gone only that is left.
            Err(Refusal::NoSuchUser) => {
                let uid = friend.user.uid.as_str().into();
                [("uid".to_owned(), uid)].into_iter().collect()
            }
            Err(why) => return Err(why.into()),
        };
        row.insert("version".to_owned(), friend.version.into());
        let is_deleted = u8::from(!friend.is_friend);
        row.insert("is_deleted".to_owned(), is_deleted.into());
        rows.push(Value::Object(row));
    }
    Ok(Json(Value::Array(rows)))
}

/// What the user calls a friend.
async fn remark(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<Other>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &request.login_uid, client.ip()).await?;
    let other = names::uid("uid", &request.uid)?;
    let change = FriendChange {
        remark: Some(request.remark),
        ..FriendChange::default()
    };
    let changed = api.im.change_friend(&api.realm, &user.uid, &other, change);
    changed.await?;
    Ok(Done)
}

/// Ends a friendship, on both sides.
async fn end(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Path(other): Path<String>,
    Params(who): Params<Who>,
) -> Result<Done, Refused> {
    let user = caller(&api, &headers, &who.login_uid, client.ip()).await?;
    let other = [names::uid("uid", &other)?];
    let ended = api.im.unfriend(&api.realm, &user.uid, &other, Sides::Both);
    ended.await?;
    Ok(Done)
}

async fn block(
    api: State<WukongApiState>,
    client: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    other: Path<String>,
    who: Params<Who>,
) -> Result<Done, Refused> {
    set_blocked(api, client, &headers, other, who, true).await
}

async fn unblock(
    api: State<WukongApiState>,
    client: ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    other: Path<String>,
    who: Params<Who>,
) -> Result<Done, Refused> {
    set_blocked(api, client, &headers, other, who, false).await
}

async fn set_blocked(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: &HeaderMap,
    Path(other): Path<String>,
    Params(who): Params<Who>,
    blocked: bool,
) -> Result<Done, Refused> {
    let user = caller(&api, headers, &who.login_uid, client.ip()).await?;
    let other = names::uid("uid", &other)?;
    let done = api.im.block(&api.realm, &user.uid, &other, blocked);
    match done.await {
        Err(Refusal::InvalidArgument) => Err(Failure::new("uid: not oneself").into()),
        done => Ok(done.map(|()| Done)?),
    }
}

/// Whom the user blocks.
async fn blocked(
    State(api): State<WukongApiState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Params(who): Params<Who>,
) -> Result<Json<Value>, Refused> {
    let user = caller(&api, &headers, &who.login_uid, client.ip()).await?;
    let relations = api.im.relations(&api.realm, &user.uid).await?.into_iter();
    let blocked = relations.filter(|(_, relation)| relation.blocked);
    let uids: Vec<_> = blocked.map(|(other, _)| other.uid).collect();
    let users = api.im.users(&api.realm, &uids).await?;
    let rows = users.iter().map(|record| {
        let profile = crosstalk_core::directory::Profile::of(record.profile.as_deref());
        let uid = record.user.uid.as_str();
        let name = profile.name.filter(|name| !name.is_empty());
        json!({"uid": uid, "name": name.unwrap_or_else(|| uid.to_owned())})
    });
    Ok(Json(Value::Array(rows.collect())))
}
