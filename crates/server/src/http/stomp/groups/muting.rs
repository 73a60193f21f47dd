//! `/api/im/groups/{gid}/mute` and `/members/{uid}/mute`: who may not speak, and for how long.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::post;
use crosstalk_core::channel::ChannelChange;
use crosstalk_core::deliver::GroupVerb;
use serde_json::Value;

use super::{Asked, members, update};
use crate::http::edge::Edge;
use crate::http::stomp::answer::{Done, Failure};
use crate::http::stomp::input::Input;
use crate::http::stomp::no_route;

pub(super) fn routes(group: &str) -> Router<Edge> {
    Router::new()
        .route(&format!("{group}/mute"), post(mute_all).fallback(no_route))
        .route(
            &format!("{group}/members/{{uid}}/mute"),
            post(mute).fallback(no_route),
        )
}

/// Until when somebody is to be muted: `mutedUntil` (ms since 1970) or `duration` (seconds),
/// also called `until` and `seconds`; 0 and `muted` false are not at all, `muted` true alone is
/// for good. One of them must be there: nobody is silenced for ever by what a request leaves out.
fn muted_until(input: &Input, now_ms: i64) -> Result<i64, Failure> {
    let until: Option<i64> = match input.number("mutedUntil")? {
        Some(until) => Some(until),
        None => input.number("until")?,
    };
    let seconds: Option<u32> = match input.number("duration")? {
        Some(seconds) => Some(seconds),
        None => input.number("seconds")?,
    };
    match (input.flag("muted")?, until, seconds) {
        (Some(false), _, _) => Ok(0),
        (_, Some(until), _) if until < 0 => Err(Failure::field("mutedUntil", "is invalid")),
        (_, Some(until), _) => Ok(until),
        (_, None, Some(0)) => Ok(0),
        (_, None, Some(seconds)) => Ok(now_ms.saturating_add(i64::from(seconds) * 1000)),
        (Some(true), None, None) => Ok(i64::MAX),
        (None, None, None) => Err(Failure::because("mutedUntil, duration or muted is needed")),
    }
}

async fn mute_all(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(gid): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let until_ms = muted_until(&asked.input, edge.im.clock().now_ms())?;
    let change = ChannelChange {
        muted_until_ms: Some(until_ms),
        ..ChannelChange::default()
    };
    update(&edge, &asked, change).await
}

async fn mute(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path((gid, uid)): Path<(String, String)>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let asked = Asked::read(&edge, client, &gid, request).await?;
    let until_ms = muted_until(&asked.input, edge.im.clock().now_ms())?;
    let user = asked.user(&edge, "userId", &uid).await?;
    asked.act(&edge, GroupVerb::Mute(user, until_ms)).await?;
    members::shown(&edge, &asked, &uid).await
}
