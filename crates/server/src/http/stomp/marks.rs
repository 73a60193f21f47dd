//! `/api/im/messages/{id}/…`: reactions, and who has read what was said.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post};
use crosstalk_core::id::UserNum;
use crosstalk_core::im::ReadersQuery;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::editing::{find, viewer};
use super::no_route;
use crate::http::edge::Edge;

/// The calls.
pub(super) fn routes() -> Router<Edge> {
    let path = |rest: &str| format!("/api/im/messages/{{id}}/{rest}");
    Router::new()
        .route(
            &path("reactions"),
            post(react)
                .delete(unreact)
                .get(reactions)
                .fallback(no_route),
        )
        .route(&path("receipts"), get(receipts).fallback(no_route))
}

/// `POST /messages/{id}/reactions {emoji}`.
async fn react(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    mark(&edge, client, &id, request, false).await
}

/// `DELETE /messages/{id}/reactions {emoji}`.
async fn unreact(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    mark(&edge, client, &id, request, true).await
}

async fn mark(
    edge: &Edge,
    client: SocketAddr,
    id: &str,
    request: Request,
    removed: bool,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(edge, client, request).await?;
    let emoji = input.need("emoji")?;
    let message = find(edge, &login, id).await?;
    edge.im
        .react(&login.realm, message.id, &login.user, emoji, removed)
        .await?;
    Ok(Done(()))
}

/// `GET /messages/{id}/reactions`: how often which was put there.
async fn reactions(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let message = find(&edge, &login, &id).await?;
    let tallies = edge.im.tallies(&viewer(&login), &[message.id]).await?;
    let list = tallies
        .into_iter()
        .flatten()
        .map(|tally| json!({"emoji": &*tally.emoji, "count": tally.count, "mine": tally.mine}));
    Ok(Done(Page::whole(list.collect())))
}

/// `GET /messages/{id}/receipts?state=read|unread&cursor&limit`: who has read it, for its
/// author and who moderates the channel.
async fn receipts(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let is_read = match input.get("state") {
        None | Some("read") => true,
        Some("unread") => false,
        Some(_) => return Err(Failure::field("state", "must be read or unread")),
    };
    let message = find(&edge, &login, &id).await?;
    let after = input.number("cursor")?.map(UserNum);
    let query = ReadersQuery {
        is_read,
        after,
        limit: input.limit()?,
    };
    let viewer = viewer(&login);
    let readers = edge.im.readers(&login.realm, message.id, &viewer, query);
    let readers = readers.await?;
    let last = readers.users.last().filter(|_| readers.more);
    let cursor = last.map(|(user, _)| user.num.0.to_string());
    let list = readers.users.iter().map(|(user, at_ms)| {
        let mut reader = json!({"userId": user.uid.as_str()});
        // Of messages that did not ask for it nobody has noted when.
        if *at_ms > 0 {
            reader["readAt"] = (*at_ms).into();
        }
        reader
    });
    Ok(Done(json!({
        "readCount": readers.read_count,
        "unreadCount": readers.unread_count,
        "list": list.collect::<Vec<Value>>(),
        "hasMore": readers.more,
        "cursor": cursor,
    })))
}
