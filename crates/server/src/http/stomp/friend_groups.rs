//! `/api/im/friend-groups…`: the groups that a user sorts friends into (stomp.md D.b.2, Q2-31).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, put};
use crosstalk_core::im::Login;
use crosstalk_core::relation::friend::FriendGroup;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::friends::{MAX_USERS, id};
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let groups = "/api/im/friend-groups";
    Router::new()
        .route(
            groups,
            get(list_groups)
                .post(create_group)
                .put(order_groups)
                .delete(delete_named_group)
                .fallback(no_route),
        )
        .route(
            &format!("{groups}/{{id}}"),
            put(rename_group).delete(delete_group).fallback(no_route),
        )
}

fn group_view(group: &FriendGroup) -> Value {
    json!({
        "groupId": group.id.to_string(),
        "name": group.name,
        "order": group.position,
        "count": group.members,
    })
}

/// `GET /friend-groups`.
async fn list_groups(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let groups = edge.im.friend_groups(&login.realm, &login.user.uid).await?;
    Ok(Done(Page::whole(groups.iter().map(group_view).collect())))
}

/// `POST /friend-groups {name}`.
async fn create_group(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    named_group(&edge, &input, &login, None).await
}

async fn named_group(
    edge: &Edge,
    input: &Input,
    login: &Login,
    group: Option<i64>,
) -> Result<Done<Value>, Failure> {
    let name = input.need("name")?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let group = edge.im.name_friend_group(realm, uid, group, name).await?;
    Ok(Done(group_view(&group)))
}

/// `PUT /friend-groups/{id} {name}`.
async fn rename_group(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(group): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    named_group(&edge, &input, &login, Some(id("groupId", &group)?)).await
}

/// `PUT /friend-groups {groupId, name}`: another name; `{groupIds}`: another order.
async fn order_groups(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    if let Some(group) = input.get("groupId") {
        return named_group(&edge, &input, &login, Some(id("groupId", group)?)).await;
    }
    let ids = input.list("groupIds", MAX_USERS)?;
    let ids = ids.iter().map(|text| id("groupIds", text));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    let groups = edge.im.order_friend_groups(realm, uid, &ids).await?;
    let list = Page::whole(groups.iter().map(group_view).collect());
    Ok(Done(serde_json::to_value(list).unwrap_or_default()))
}

/// `DELETE /friend-groups/{id}`.
async fn delete_group(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(group): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    deleted_group(&edge, &login, &group).await
}

/// `DELETE /friend-groups {groupId}`.
async fn delete_named_group(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    deleted_group(&edge, &login, input.need("groupId")?).await
}

async fn deleted_group(edge: &Edge, login: &Login, group: &str) -> Result<Done<()>, Failure> {
    let group = id("groupId", group)?;
    let (realm, uid) = (&login.realm, &login.user.uid);
    edge.im.delete_friend_group(realm, uid, group).await?;
    Ok(Done(()))
}
