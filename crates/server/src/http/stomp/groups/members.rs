//! `/api/im/groups/{gid}/members…`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, put};
use crosstalk_core::channel::member::MAX_NICK_CHARS;
use crosstalk_core::channel::{Member, MemberQuery, MemberRole};
use crosstalk_core::deliver::GroupVerb;
use crosstalk_core::id::UserNum;
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::joining::request_view;
use super::{Asked, text};
use crate::http::edge::Edge;
use crate::http::stomp::answer::{Done, Failure};
use crate::http::stomp::no_route;

/// The longest keyword, characters.
const MAX_KEYWORD: usize = 64;
/// The longest message of a request, characters.
const MAX_MESSAGE: usize = 500;

pub(super) fn routes(group: &str) -> Router<Edge> {
    let members = format!("{group}/members");
    Router::new()
        .route(
            &members,
            get(list).post(add).delete(remove).fallback(no_route),
        )
        .route(
            &format!("{members}/{{uid}}"),
            put(change).delete(remove_one).get(one).fallback(no_route),
        )
}

fn role_name(role: MemberRole) -> &'static str {
    match role {
        MemberRole::Owner => "OWNER",
        MemberRole::Administrator => "ADMIN",
        MemberRole::Member => "MEMBER",
    }
}

fn view(member: &Member, now_ms: i64) -> Value {
    let muted = member.muted_until_ms > now_ms;
    let until = Some(member.muted_until_ms).filter(|at| muted && *at != i64::MAX);
    json!({
        "userId": member.user.uid.as_str(),
        "nick": member.nick,
        "role": role_name(member.role),
        "muted": muted,
        "mutedUntil": until,
        "joinedAt": (member.joined_at_ms > 0).then_some(member.joined_at_ms),
    })
}

async fn list(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.belongs(&edge).await?;
    let limit = asked.input.limit()?;
    let after: Option<i64> = asked.input.number("cursor")?;
    let query = MemberQuery {
        at_least: match asked.input.get("role") {
            Some(name) => role(name)?,
            None => MemberRole::Member,
        },
        keyword: text(&asked.input, "keyword", MAX_KEYWORD)?.unwrap_or_default(),
        after: after.map(UserNum),
        limit: limit + 1,
    };
    let by = Some(&asked.login.user);
    let members = edge.im.search_members(&asked.key, by, &query).await?;
    let members = members.into_iter().map(|row| row.member).collect();
    let now_ms = edge.im.clock().now_ms();
    let place = |member: &Member| member.user.num.0.to_string();
    let view = |member| view(&member, now_ms);
    Ok(Done(Page::of(members, limit, place, view)))
}

fn role(name: &str) -> Result<MemberRole, Failure> {
    match name.to_ascii_uppercase().as_str() {
        "OWNER" => Ok(MemberRole::Owner),
        "ADMIN" => Ok(MemberRole::Administrator),
        "MEMBER" => Ok(MemberRole::Member),
        _ => Err(Failure::field("role", "is OWNER, ADMIN or MEMBER")),
    }
}

async fn one(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, uid)): Path<(String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    asked.belongs(&edge).await?;
    shown(&edge, &asked, &uid).await
}

pub(super) async fn shown(edge: &Edge, asked: &Asked, uid: &str) -> Result<Done<Value>, Failure> {
    let user = asked.user(edge, "userId", uid).await?;
    let member = edge.im.member(&asked.key, &user).await?;
    Ok(Done(view(&member, edge.im.clock().now_ms())))
}

async fn add(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let message = text(&asked.input, "message", MAX_MESSAGE)?.unwrap_or_default();
    let users = asked.users(&edge, "userIds").await?;
    let changed = asked.act(&edge, GroupVerb::Add(users, message)).await?;
    let now_ms = edge.im.clock().now_ms();
    let requests = changed.requests.iter();
    let requests: Vec<_> = requests
        .map(|request| request_view(request, now_ms))
        .collect();
    Ok(Done(json!({
        "memberCount": changed.members,
        "requests": requests,
    })))
}

async fn remove(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let users = asked.users(&edge, "userIds").await?;
    let changed = asked.act(&edge, GroupVerb::Remove(users)).await?;
    Ok(Done(json!({"memberCount": changed.members})))
}

async fn remove_one(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, uid)): Path<(String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let user = asked.user(&edge, "userId", &uid).await?;
    let changed = asked.act(&edge, GroupVerb::Remove(vec![user])).await?;
    Ok(Done(json!({"memberCount": changed.members})))
}

async fn change(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, uid)): Path<(String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let user = asked.user(&edge, "userId", &uid).await?;
    let mut verbs = Vec::new();
    if let Some(name) = asked.input.get("role") {
        let role = role(name)?;
        if role == MemberRole::Owner {
            return Err(Failure::field("role", "becomes OWNER by a transfer"));
        }
        verbs.push(GroupVerb::Role(user.clone(), role));
    }
    if let Some(nick) = text(&asked.input, "nick", MAX_NICK_CHARS)? {
        verbs.push(GroupVerb::Nick(user.clone(), nick));
    }
    if verbs.is_empty() {
        return Err(Failure::because("Nothing to change"));
    }
    for verb in verbs {
        asked.act(&edge, verb).await?;
    }
    shown(&edge, &asked, &uid).await
}
