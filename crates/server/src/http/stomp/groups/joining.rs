//! `/api/im/groups/{gid}/requests…`, `/bans…`, `/invitations` and `/api/im/group-requests`: ways
//! into a group, and who is kept out.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post};
use crosstalk_core::channel::joining::MAX_MESSAGE_CHARS;
use crosstalk_core::channel::{Decider, JoinRequest, JoinStatus, List, RequestId, Right};
use crosstalk_core::deliver::{Decision, GroupVerb};
use crosstalk_core::id::UserRef;
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::{Asked, text};
use crate::http::edge::Edge;
use crate::http::stomp::answer::{Done, Failure};
use crate::http::stomp::auth::asked;
use crate::http::stomp::no_route;

pub(super) fn routes(group: &str) -> Router<Edge> {
    Router::new()
        .route(
            &format!("{group}/requests"),
            get(list).post(join).fallback(no_route),
        )
        .route(
            &format!("{group}/requests/{{id}}/{{answer}}"),
            post(answer).fallback(no_route),
        )
        .route(
            &format!("{group}/invitations"),
            post(invite).fallback(no_route),
        )
        .route(
            &format!("{group}/bans"),
            get(banned).post(ban).fallback(no_route),
        )
        .route(
            &format!("{group}/bans/{{uid}}"),
            axum::routing::delete(unban).fallback(no_route),
        )
        .route("/api/im/group-requests", get(own).fallback(no_route))
}

/// A request as this interface shows it (Q2-31): `fromId` is who would join or has invited,
/// `toId` the group, or the one who was invited.
pub(super) fn request_view(request: &JoinRequest, now_ms: i64) -> Value {
    let uid = |user: &UserRef| user.uid.as_str().to_owned();
    let group = request.channel.key.id.to_string();
    let inviter = request.inviter.as_ref().map(uid);
    let user = uid(&request.user);
    let (from, to) = match request.decider {
        Decider::User => (inviter.clone(), user.clone()),
        Decider::Moderators => (Some(user.clone()), group.clone()),
    };
    json!({
        "id": request.id.0.to_string(),
        "fromId": from,
        "toId": to,
        "groupId": group,
        "userId": user,
        "inviterId": inviter,
        "message": request.message,
        "status": request.status_at(now_ms).name().to_ascii_uppercase(),
        "operatorId": request.by.as_ref().map(uid),
        "createdAt": request.created_at_ms,
        "expiresAt": request.expires_at_ms(),
    })
}

fn page(edge: &Edge, requests: Vec<JoinRequest>, limit: u32) -> Page<Value> {
    let now_ms = edge.im.clock().now_ms();
    let place = |request: &JoinRequest| request.id.0.to_string();
    let view = |request| request_view(&request, now_ms);
    Page::of(requests, limit, place, view)
}

async fn list(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let limit = asked.input.limit()?;
    let before = asked.input.number("cursor")?.map(RequestId);
    let requests = edge
        .im
        .join_requests(&asked.key, &asked.operator(), before, limit + 1)
        .await?;
    Ok(Done(page(&edge, requests, limit)))
}

async fn own(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let limit = input.limit()?;
    let before = input.number("cursor")?.map(RequestId);
    let requests = edge
        .im
        .join_requests_of(&login.user, before, limit + 1)
        .await?;
    Ok(Done(page(&edge, requests, limit)))
}

/// `POST …/requests {message?, token?}`: joins, or asks to.
async fn join(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let message = text(&asked.input, "message", MAX_MESSAGE_CHARS)?;
    let verb = GroupVerb::Join {
        message: message.unwrap_or_default(),
        link: asked.input.get("token").map(str::to_owned),
    };
    let changed = asked.act(&edge, verb).await?;
    let now_ms = edge.im.clock().now_ms();
    let mut pending = changed.requests.iter();
    let pending = pending.find(|request| request.status == JoinStatus::Pending);
    Ok(Done(json!({
        "joined": pending.is_none(),
        "request": pending.map(|request| request_view(request, now_ms)),
    })))
}

async fn answer(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, id, answer)): Path<(String, String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let decision = match answer.as_str() {
        "accept" => Decision::Accept,
        "reject" => Decision::Reject,
        "cancel" => Decision::Cancel,
        _ => return Err(Failure::no_route()),
    };
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let id = id.parse().map(RequestId);
    let id = id.map_err(|_| Failure::field("id", "is invalid"))?;
    let changed = asked.act(&edge, GroupVerb::Decide(id, decision)).await?;
    let mut requests = changed.requests.iter();
    let answered = requests.find(|request| request.id == id);
    let answered = answered.ok_or(Refusal::Internal)?;
    Ok(Done(request_view(answered, edge.im.clock().now_ms())))
}

async fn invite(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let message = text(&asked.input, "message", MAX_MESSAGE_CHARS)?.unwrap_or_default();
    let users = asked.users(&edge, "userIds").await?;
    let changed = asked.act(&edge, GroupVerb::Invite(users, message)).await?;
    Ok(Done(page(&edge, changed.requests, u32::MAX)))
}

async fn banned(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    edge.im
        .require(&asked.key, &asked.operator(), Right::Ban)
        .await?;
    let users = edge.im.list(&asked.key, List::Deny).await?;
    let view = |user: &UserRef| json!({"userId": user.uid.as_str()});
    Ok(Done(Page::whole(users.iter().map(view).collect())))
}

async fn ban(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let users = asked.users(&edge, "userIds").await?;
    asked.act(&edge, GroupVerb::Ban(users)).await?;
    Ok(Done(()))
}

async fn unban(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, uid)): Path<(String, String)>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let user = asked.user(&edge, "userId", &uid).await?;
    asked.act(&edge, GroupVerb::Unban(vec![user])).await?;
    Ok(Done(()))
}
