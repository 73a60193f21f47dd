//! `/api/im/friends…`: a user's friends, and requests to become one (stomp.md D.b.2, Q2-31).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post, put};
use crosstalk_core::id::{Uid, UserNum};
use crosstalk_core::im::{KeepFriend, Login, WantedRequests};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Answer, Friend, FriendChange, FriendRequest, RequestStatus, Sides, WhichFriends,
};
use crosstalk_gateway::stomp_failure;
use crosstalk_wire::stomp::im::{Code, Outcomes, Page};
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// Users who are named at once.
pub(super) const MAX_USERS: usize = 100;
/// The longest keyword, characters.
const MAX_KEYWORD: usize = 64;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let friends = "/api/im/friends";
    Router::new()
        .route(friends, get(list).fallback(no_route))
        .route(
            &format!("{friends}/requests"),
            get(requests).post(ask).fallback(no_route),
        )
        .route(
            &format!("{friends}/requests/{{id}}/{{answer}}"),
            post(answer).fallback(no_route),
        )
        .route(
            &format!("{friends}/batch/{{op}}"),
            post(batch).fallback(no_route),
        )
        .route(&format!("{friends}/check"), post(check).fallback(no_route))
        .route(
            &format!("{friends}/{{uid}}"),
            put(change).delete(delete).fallback(no_route),
        )
}

pub(super) fn user(field: &str, text: &str) -> Result<Uid, Failure> {
    Uid::parse(text).map_err(|_| Failure::field(field, "is invalid"))
}

/// The users in the list `userIds`.
pub(super) fn users(input: &Input) -> Result<Vec<Uid>, Failure> {
    let mut users: Vec<Uid> = Vec::new();
    for text in input.list("userIds", MAX_USERS)? {
        let uid = user("userIds", &text)?;
        if !users.contains(&uid) {
            users.push(uid);
        }
    }
    Ok(users)
}

pub(super) fn id(field: &str, text: &str) -> Result<i64, Failure> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0);
    id.ok_or_else(|| Failure::field(field, "is invalid"))
}

/// How a friend is to be kept: `remark`, and `groupId`, also called `group`; an empty one is
/// none.
fn keep(input: &Input) -> Result<FriendChange, Failure> {
    let named = |field| input.raw(field).map(|text| (field, text));
    let group = match named("groupId").or_else(|| named("group")) {
        None => None,
        Some((_, "" | "0")) => Some(0),
        Some((field, text)) => Some(id(field, text)?),
    };
    Ok(FriendChange {
        remark: input.raw("remark").map(str::to_owned),
        group,
    })
}

fn group_of(group: i64) -> Option<String> {
    (group != 0).then(|| group.to_string())
}

fn friend_view(friend: &Friend) -> Value {
    json!({
        "userId": friend.user.uid.as_str(),
        "nickname": friend.name,
        "remark": friend.remark,
        "groupId": group_of(friend.group),
        "createdAt": friend.since_ms,
        "version": friend.version,
        "isFriend": friend.is_friend,
    })
}

fn request_view(request: &FriendRequest) -> Value {
    json!({
        "id": request.id.to_string(),
        "fromId": request.from.uid.as_str(),
        "toId": request.to.uid.as_str(),
        "message": request.message,
        "status": request.status.name().to_uppercase(),
        "createdAt": request.created_at_ms,
        "expiresAt": request.expires_at_ms(),
    })
}

/// `GET /friends?limit&cursor&keyword&groupId&since`.
async fn list(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let limit = input.limit()?;
    let cursor = input.number::<i64>("cursor")?;
    let since = input.number::<i64>("since")?;
    let keyword = input.get("keyword").unwrap_or_default();
    if keyword.chars().count() > MAX_KEYWORD {
        return Err(Failure::field("keyword", "is too long"));
    }
    let which = match since {
        Some(since) => WhichFriends::Since(cursor.unwrap_or(since)),
        None => WhichFriends::Now {
            after: UserNum(cursor.unwrap_or(i64::MIN)),
            keyword: keyword.to_owned(),
            group: input.number("groupId")?,
        },
    };
    let (realm, uid) = (&login.realm, &login.user.uid);
    let friends = edge.im.friends(realm, uid, which, limit + 1).await?;
    let place = |friend: &Friend| match since {
        Some(_) => friend.version.to_string(),
        None => friend.user.num.0.to_string(),
    };
    let view = |friend| friend_view(&friend);
    Ok(Done(Page::of(friends, limit, place, view)))
}

/// `POST /friends/requests {userId, message?, remark?, groupId?}`.
async fn ask(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let to = match input.get("userId") {
        Some(to) => user("userId", to)?,
        None => user("toId", input.need("toId")?)?,
    };
    let ask = KeepFriend {
        message: input.raw("message").unwrap_or_default().to_owned(),
        keep: keep(&input)?,
    };
    edge.im.spend(login.user.num)?;
    let from = &login.user.uid;
    let asked = edge.im.ask_friend(&login.realm, from, &to, &ask).await?;
    Ok(Done(request_view(&asked.request)))
}

/// `GET /friends/requests?direction=incoming|outgoing&status&limit&cursor`.
async fn requests(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let incoming = match input.get("direction") {
        None | Some("incoming") => true,
        Some("outgoing") => false,
        Some(_) => return Err(Failure::field("direction", "is invalid")),
    };
    let status = match input.get("status") {
        None => None,
        Some(name) => {
            let status = RequestStatus::parse(&name.to_lowercase());
            Some(status.ok_or_else(|| Failure::field("status", "is invalid"))?)
        }
    };
    let (limit, before) = (input.limit()?, input.number("cursor")?);
    let (realm, uid) = (&login.realm, &login.user.uid);
    let wanted = WantedRequests {
        incoming,
        status,
        before,
        limit: limit + 1,
    };
    let found = edge.im.friend_requests(realm, uid, wanted);
    let place = |request: &FriendRequest| request.id.to_string();
    let view = |request| request_view(&request);
    Ok(Done(Page::of(found.await?, limit, place, view)))
}

/// `POST /friends/requests/{id}/accept {remark?, groupId?}`, `/reject`, `/cancel`.
async fn answer(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((request_id, word)): Path<(String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let answer = match word.as_str() {
        "accept" => Answer::Accept(keep(&input)?),
        "reject" => Answer::Reject,
        "cancel" => Answer::Cancel,
        _ => return Err(Failure::no_route()),
    };
    let id = id("id", &request_id)?;
    let (realm, by) = (&login.realm, &login.user.uid);
    let request = edge.im.answer_friend(realm, by, id, answer).await?;
    Ok(Done(request_view(&request)))
}

/// `PUT /friends/{uid} {remark?, groupId?}`.
async fn change(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(other): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let other = user("userId", &other)?;
    let change = keep(&input)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let friend = edge.im.change_friend(realm, uid, &other, change).await?;
    Ok(Done(friend_view(&friend)))
}

/// Both sides, unless `both` says no.
fn sides(input: &Input) -> Result<Sides, Failure> {
    Ok(if input.flag("both")?.unwrap_or(true) {
        Sides::Both
    } else {
        Sides::One
    })
}

/// `DELETE /friends/{uid}?both`.
async fn delete(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(other): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let other = user("userId", &other)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let ended = edge
        .im
        .unfriend(realm, uid, &[other], sides(&input)?)
        .await?;
    if ended.contains(&true) {
        Ok(Done(()))
    } else {
        Err(Refusal::NotFound.into())
    }
}

/// What became of one of several.
fn done<T>(other: &Uid, outcome: Result<T, Refusal>) -> Result<String, (Code, &'static str)> {
    let done = |_| other.as_str().to_owned();
    outcome.map(done).map_err(stomp_failure)
}

/// `POST /friends/batch/add {userIds, message?}`, `/batch/delete {userIds, both?}`,
/// `/batch/check {userIds}`.
async fn batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(op): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let mut outcomes = Outcomes::default();
    match op.as_str() {
        "add" => {
            let ask = KeepFriend {
                message: input.raw("message").unwrap_or_default().to_owned(),
                keep: FriendChange::default(),
            };
            for other in users(&input)? {
                let asked = match edge.im.spend(login.user.num) {
                    Ok(()) => edge.im.ask_friend(realm, uid, &other, &ask).await,
                    Err(why) => Err(why),
                };
                outcomes.put(other.as_str(), done(&other, asked));
            }
        }
        "delete" => {
            let others = users(&input)?;
            let ended = edge.im.unfriend(realm, uid, &others, sides(&input)?);
            for (other, ended) in others.iter().zip(ended.await?) {
                let ended = ended.then_some(()).ok_or(Refusal::NotFound);
                outcomes.put(other.as_str(), done(other, ended));
            }
        }
        "check" => return checked(&edge, &input, &login).await,
        _ => return Err(Failure::no_route()),
    }
    // Strings and numbers always encode.
    Ok(Done(serde_json::to_value(outcomes).unwrap_or_default()))
}

/// `POST /friends/check {userIds}`.
async fn check(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    checked(&edge, &input, &login).await
}

async fn checked(edge: &Edge, input: &Input, login: &Login) -> Result<Done<Value>, Failure> {
    let others = users(input)?;
    let are = edge.im.are_friends(&login.realm, &login.user.uid, &others);
    let pairs = others.iter().zip(are.await?);
    let list = pairs.map(
        |(other, (is, has))| json!({"userId": other.as_str(), "isFriend": is, "isFriendOf": has}),
    );
    let list = Page::whole(list.collect());
    Ok(Done(serde_json::to_value(list).unwrap_or_default()))
}
