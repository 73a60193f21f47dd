//! `GET /api/im/messages/search` and `GET /api/im/groups/search` (stomp.md D.b.2).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::routing::get;
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::id::Uid;
use crosstalk_core::im::{Login, SearchQuery, Viewer};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::search::{Term, highlights, terms};
use crosstalk_gateway::{Dialect, searchable, signed_for, stomp_message};
use crosstalk_wire::stomp::im::Page;
use serde_json::{Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::input::Input;
use super::{groups, no_route};
use crate::http::edge::Edge;

/// The longest keyword, in characters.
const MAX_KEYWORD_CHARS: usize = 200;
/// Messages in a page, if the request does not say, and at most.
const DEFAULT_SIZE: u32 = 20;
const MAX_SIZE: u32 = 100;
/// Pages that can be turned to by their number; beyond them by `cursor` only.
const MAX_PAGE: u32 = 50;
/// Groups in an answer at most.
const MAX_GROUPS: usize = 100;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    Router::new()
        .route("/api/im/messages/search", get(messages).fallback(no_route))
        .route("/api/im/groups/search", get(find_groups).fallback(no_route))
}

fn keyword(input: &Input) -> Result<&str, Failure> {
    let keyword = input.need("keyword")?;
    if keyword.chars().count() > MAX_KEYWORD_CHARS {
        return Err(Failure::field("keyword", "is too long"));
    }
    Ok(keyword)
}

/// The channel that `chatType` and `targetId` name.
fn channel(login: &Login, input: &Input) -> Result<Option<ChannelKey>, Failure> {
    let (kind, target) = match (input.get("chatType"), input.get("targetId")) {
        (_, None) => return Ok(None),
        (None, Some(_)) => return Err(Failure::field("chatType", "is missing beside targetId")),
        (Some(kind), Some(target)) => (kind, target),
    };
    match kind {
        "SINGLE" => {
            let peer = Uid::parse(target);
            let peer = peer.map_err(|_| Failure::field("targetId", "is invalid"))?;
            Ok(Some(ChannelKey::direct(
                &login.realm,
                &login.user.uid,
                &peer,
            )))
        }
        "GROUP" => Ok(Some(groups::key(&login.realm, "targetId", target)?)),
        _ => Err(Failure::field("chatType", "must be SINGLE or GROUP")),
    }
}

/// What a type of the dialect is called elsewhere.
fn kind(msg_type: &str) -> String {
    msg_type.to_ascii_lowercase()
}

/// `GET /messages/search?keyword&chatType&targetId&msgType&from&to&page&size`: `from` and `to`
/// are times in ms, or `from` is a user; pages count from 1.
async fn messages(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let terms: Vec<Term> = match input.get("keyword") {
        None if input.get("msgType").is_some() => Vec::new(),
        _ => terms(keyword(&input)?),
    };
    if terms.is_empty() && input.get("keyword").is_some() {
        return Err(Failure::field("keyword", "has no letter and no digit"));
    }
    let size = input.number::<u32>("size")?.unwrap_or(DEFAULT_SIZE);
    let size = size.clamp(1, MAX_SIZE);
    let page = input.number::<u32>("page")?.unwrap_or(1).max(1);
    let cursor = input.get("cursor").map(|cursor| {
        let place = edge.im.open_place(cursor);
        place.ok_or_else(|| Failure::field("cursor", "is invalid"))
    });
    let cursor = cursor.transpose()?;
    if page > MAX_PAGE {
        return Err(Failure::field("page", "is too high; go on with cursor"));
    }
    let mut query = SearchQuery {
        terms: terms.clone(),
        from: sender(&input)?,
        of: channel(&login, &input)?,
        kind: input.get("msgType").map(kind),
        since_ms: input.get("from").and_then(|from| from.parse().ok()),
        until_ms: input.number("to")?,
        before: cursor,
        limit: size,
    };
    edge.im.spend(login.user.num)?;
    let viewer = Viewer::User(login.user.clone());
    // Who turns pages looks at those before again: what comes meanwhile moves nothing much.
    let mut left = if cursor.is_some() { 1 } else { page };
    loop {
        let found = edge.im.search(&login.realm, &viewer, query.clone()).await;
        let found = match found {
            Err(Refusal::NoSuchChannel) => return Ok(Done(Page::whole(Vec::new()))),
            found => found?,
        };
        left -= 1;
        if left == 0 {
            let app = login.app.as_ref().map_or("", |app| app.as_str());
            let next = found.next.map(|next| edge.im.seal_place(next));
            let shown = found.messages.iter().map(|message| {
                let text = searchable(message).map(|it| it.text).unwrap_or_default();
                json!({
                    "message": stomp_message(&signed_for(&edge.im, Dialect::Stomp.origin(), message), app),
                    "highlights": highlights(&text, &terms),
                })
            });
            return Ok(Done(Page {
                list: shown.collect(),
                has_more: next.is_some(),
                cursor: next,
            }));
        }
        let Some(next) = found.next else {
            return Ok(Done(Page::whole(Vec::new())));
        };
        query.before = Some(next);
    }
}

/// The user in `from`, or in `fromId`: digits alone are a time.
fn sender(input: &Input) -> Result<Option<Uid>, Failure> {
    let from = input
        .get("from")
        .filter(|from| from.parse::<i64>().is_err());
    let Some(named) = input.get("fromId").or(from) else {
        return Ok(None);
    };
    let uid = Uid::parse(named).map_err(|_| Failure::field("fromId", "is invalid"))?;
    Ok(Some(uid))
}

/// `GET /groups/search?keyword`: the user's groups by name or id.
async fn find_groups(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let keyword = keyword(&input)?;
    edge.im.spend(login.user.num)?;
    let found = edge
        .im
        .find_groups(&login.user, keyword, MAX_GROUPS)
        .await?;
    let mut list = Vec::with_capacity(found.len());
    for key in &found {
        list.push(groups::shown(&edge, key).await?);
    }
    Ok(Done(
        json!({"list": list, "hasMore": false, "cursor": null}),
    ))
}
