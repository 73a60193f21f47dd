//! `/api/im/blacklist…`: who is blocked (stomp.md D.b.2, Q2-31).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post};
use crosstalk_core::id::UserRef;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::friends::{user, users};
use super::no_route;
use crate::http::edge::Edge;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let blocked = "/api/im/blacklist";
    Router::new()
        .route(blocked, get(list_blocked).post(block).fallback(no_route))
        .route(
            &format!("{blocked}/check"),
            post(check_blocked).fallback(no_route),
        )
        .route(
            &format!("{blocked}/{{uid}}"),
            axum::routing::delete(unblock).fallback(no_route),
        )
}

/// `GET /blacklist?limit&cursor`.
async fn list_blocked(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let limit = input.limit()?;
    let after = input.number::<i64>("cursor")?.unwrap_or(i64::MIN);
    let relations = edge.im.relations(&login.realm, &login.user.uid).await?;
    let mut blocked: Vec<_> = relations
        .into_iter()
        .filter(|(other, relation)| relation.blocked && other.num.0 > after)
        .map(|(other, _)| other)
        .collect();
    blocked.sort_by_key(|other| other.num);
    let place = |other: &UserRef| other.num.0.to_string();
    let view = |other: UserRef| json!({"userId": other.uid.as_str()});
    Ok(Done(Page::of(blocked, limit, place, view)))
}

/// `POST /blacklist {userId}`.
async fn block(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let other = user("userId", input.need("userId")?)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    edge.im.block(realm, uid, &other, true).await?;
    Ok(Done(()))
}

/// `DELETE /blacklist/{uid}`.
async fn unblock(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(other): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let other = user("userId", &other)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    edge.im.block(realm, uid, &other, false).await?;
    Ok(Done(()))
}

/// `POST /blacklist/check {userIds}`. Nobody is told who blocks them.
async fn check_blocked(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let others = users(&input)?;
    let are = edge.im.are_blocked(&login.realm, &login.user.uid, &others);
    let pairs = others.iter().zip(are.await?);
    let list =
        pairs.map(|(other, (blocked, _))| json!({"userId": other.as_str(), "blocked": blocked}));
    Ok(Done(Page::whole(list.collect())))
}
