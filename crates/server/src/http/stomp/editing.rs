//! `/api/im/messages/…`: reading, taking back, editing and deleting what was said (stomp.md
//! D.b.2, Q2-20 … Q2-23).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::routing::{get, post, put};
use crosstalk_core::channel::ChannelKey;
use crosstalk_core::deliver::Operator;
use crosstalk_core::id::MessageId;
use crosstalk_core::im::{Fetch, HistoryQuery, Login, Viewer};
use crosstalk_core::mark::MAX_BATCH;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{
    Dialect, NewBody, edit_message, signed_for, stomp_edit_failure, stomp_failure, stomp_message,
};
use crosstalk_wire::stomp::im::{ChatType, ConversationId, Outcomes, Page};
use serde_json::Value;

use super::answer::{Done, Failure};
use super::auth::asked;
use super::conversations::channel_of;
use super::input::Input;
use super::{marks, no_route};
use crate::http::edge::Edge;

/// How far back what waits for somebody goes, in ms.
const OFFLINE_MS: i64 = 30 * 24 * 3600 * 1000;
/// Numbers below this are seqs, others are ids.
const FIRST_ID: u64 = 1 << 40;
/// The type of a content, if the request does not say and the message was another dialect's.
const TEXT: &str = "TEXT";
/// The longest name of a type, bytes.
const TYPE_BYTES: usize = 64;

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    let base = "/api/im/messages";
    let path = |rest: &str| format!("{base}/{rest}");
    Router::new()
        .route(&path("history"), get(history).fallback(no_route))
        .route(&path("offline"), get(offline).fallback(no_route))
        .route(&path("read"), post(read).fallback(no_route))
        .route(&path("batch/revoke"), post(revoke_batch).fallback(no_route))
        .route(&path("batch/delete"), post(delete_batch).fallback(no_route))
        .route(&path("{id}"), put(edit).delete(delete).fallback(no_route))
        .route(&path("{id}/revoke"), post(revoke).fallback(no_route))
        .merge(marks::routes())
}

fn by(login: &Login) -> Operator {
    Operator::User(login.user.clone())
}

pub(super) fn viewer(login: &Login) -> Viewer {
    Viewer::User(login.user.clone())
}

fn shown(edge: &Edge, login: &Login, message: &Message) -> Value {
    let app = login.app.as_ref().map_or("", |app| app.as_str());
    let message = signed_for(&edge.im, Dialect::Stomp.origin(), message);
    // A number that JSON does not have is the only way to fail.
    serde_json::to_value(stomp_message(&message, app)).unwrap_or_default()
}

/// The message that a client means by an id (data-model.md §4).
pub(super) async fn find(edge: &Edge, login: &Login, id: &str) -> Result<Message, Refusal> {
    edge.im.find(&login.realm, &login.user, id, None).await
}

/// The channel of a conversation, named by its id or by kind and target.
fn channel(login: &Login, input: &Input) -> Result<ChannelKey, Failure> {
    let id = match input.get("conversationId") {
        Some(id) => ConversationId::parse(id)
            .ok_or_else(|| Failure::field("conversationId", "is invalid"))?,
        None => {
            let kind = input.get("chatType").unwrap_or(ChatType::Single.as_str());
            let id = format!("{kind}:{}", input.need("targetId")?);
            ConversationId::parse(&id).ok_or_else(|| Failure::field("chatType", "is invalid"))?
        }
    };
    channel_of(login, &id, "targetId")
}

/// `GET /messages/history?chatType&targetId&before&limit`: newest first towards older ones;
/// `before` is a `seq`, an `id`, or the `cursor` of the answer before.
async fn history(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let key = channel(&login, &input)?;
    let limit = input.limit()?;
    let before = input.get("before").or_else(|| input.get("cursor"));
    let to = match before {
        None => i64::MAX.unsigned_abs(),
        Some(text) => match text.parse().ok().filter(|seq| *seq < FIRST_ID) {
            Some(seq) => seq,
            None => {
                let found = edge.im.find(&login.realm, &login.user, text, Some(&key));
                found.await?.seq
            }
        },
    };
    let query = HistoryQuery {
        from: 1,
        to: to.saturating_sub(1),
        limit: limit + 1,
        newest: true,
    };
    let mut messages = edge.im.history(&key, &viewer(&login), query).await?;
    let has_more = messages.len() > limit as usize;
    if has_more {
        messages.remove(0);
    }
    let first = messages.first().filter(|_| has_more);
    let cursor = first.map(|first| first.seq.to_string());
    // Of what is for others there is nothing to show.
    messages.retain(|message| !message.is_concealed);
    let list = messages
        .iter()
        .rev()
        .map(|message| shown(&edge, &login, message));
    Ok(Done(Page {
        list: list.collect(),
        has_more,
        cursor,
    }))
}

/// `GET /messages/offline?cursor&limit`: what the user has not read yet of the last 30 days,
/// oldest first.
async fn offline(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Page<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let rows = edge.im.conversations(&login.user).await?;
    let read: BTreeMap<_, _> = rows
        .iter()
        .map(|row| (row.channel.num, row.read_seq))
        .collect();
    let now_ms = edge.im.clock().now_ms();
    let fetch = Fetch {
        of: None,
        from_ms: Some(now_ms.saturating_sub(OFFLINE_MS)),
        before_ms: None,
        after: input.number("cursor")?.map(MessageId),
        limit: input.limit()?,
    };
    let found = edge.im.fetch_history(&login.user, &fetch).await?;
    let is_unread = |message: &&Arc<Message>| {
        let read = read.get(&message.channel.num);
        message.sender.num != login.user.num
            && message.revoked.is_none()
            && read.is_some_and(|read| message.seq > *read)
    };
    let unread = found.messages.iter().filter(is_unread);
    Ok(Done(Page {
        list: unread
            .map(|message| shown(&edge, &login, message))
            .collect(),
        has_more: found.more,
        cursor: found
            .through
            .filter(|_| found.more)
            .map(|id| id.to_string()),
    }))
}

/// `POST /messages/read {messageId | messageIds | conversationId, seq?}`: each conversation is
/// read up to the newest of them.
async fn read(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let mut ids = Vec::new();
    if input.member("messageIds").is_some() || input.raw("messageIds").is_some() {
        ids = input.list("messageIds", MAX_BATCH)?;
    }
    ids.extend(input.get("messageId").map(str::to_owned));
    if ids.is_empty() {
        let key = channel(&login, &input)?;
        edge.im
            .read(&login.user, &key, input.number("seq")?)
            .await?;
        return Ok(Done(()));
    }
    let mut up_to: Vec<(ChannelKey, u64)> = Vec::new();
    for id in &ids {
        let message = find(&edge, &login, id).await?;
        let key = &message.channel.key;
        match up_to.iter_mut().find(|(known, _)| known == key) {
            Some((_, seq)) => *seq = message.seq.max(*seq),
            None => up_to.push((key.clone(), message.seq)),
        }
    }
    for (key, seq) in up_to {
        edge.im.read(&login.user, &key, Some(seq)).await?;
    }
    Ok(Done(()))
}

/// `POST /messages/{id}/revoke`.
async fn revoke(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (_, login) = asked(&edge, client, request).await?;
    let message = find(&edge, &login, &id).await?;
    let revoked = edge.im.revoke(&login.realm, message.id, by(&login)).await?;
    Ok(Done(shown(&edge, &login, &revoked.message)))
}

/// `PUT /messages/{id} {content, msgType?}`.
async fn edit(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let message = find(&edge, &login, &id).await?;
    let content = match input.member("content") {
        Some(object @ (Value::Object(_) | Value::Array(_))) => object.to_string(),
        _ => input.need("content")?.to_owned(),
    };
    let origin = Dialect::Stomp.origin();
    let body = |tag: &str| NewBody {
        origin,
        tag: tag.into(),
        payload: content.into(),
    };
    let body = match input.get("msgType") {
        Some(kind) if kind.len() > TYPE_BYTES => {
            return Err(Failure::field("msgType", "is too long"));
        }
        Some(kind) => body(kind),
        None => body(TEXT).in_kind(&message),
    };
    let edited = edit_message(&edge.im, &login.realm, by(&login), &message, body).await;
    let edited = edited.map_err(stomp_edit_failure)?;
    Ok(Done(shown(&edge, &login, &edited.message)))
}

/// `DELETE /messages/{id}`: from the user's own view; with `scope=all` for everybody.
async fn delete(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    remove(&edge, &login, &id, is_for_all(&input)?).await?;
    Ok(Done(()))
}

fn is_for_all(input: &Input) -> Result<bool, Failure> {
    match input.get("scope") {
        None | Some("me") => Ok(false),
        Some("all") => Ok(true),
        Some(_) => Err(Failure::field("scope", "must be me or all")),
    }
}

async fn remove(edge: &Edge, login: &Login, id: &str, for_all: bool) -> Result<(), Refusal> {
    let message = find(edge, login, id).await?;
    if for_all {
        edge.im.delete(&login.realm, message.id, by(login)).await?;
        return Ok(());
    }
    let ids = [message.id];
    let hidden = edge.im.hide(&login.realm, &login.user, &ids).await?;
    match hidden.is_empty() {
        true => Err(Refusal::NoSuchMessage),
        false => Ok(()),
    }
}

/// `POST /messages/batch/revoke {messageIds}`: each by itself.
async fn revoke_batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Outcomes<String>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let mut outcomes = Outcomes::default();
    for id in input.list("messageIds", MAX_BATCH)? {
        let done = async {
            let message = find(&edge, &login, &id).await?;
            edge.im.revoke(&login.realm, message.id, by(&login)).await
        };
        let done = done.await.map(|_| id.clone()).map_err(stomp_failure);
        outcomes.put(&id, done);
    }
    Ok(Done(outcomes))
}

/// `POST /messages/batch/delete {messageIds, scope?}`: each by itself.
async fn delete_batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Outcomes<String>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let for_all = is_for_all(&input)?;
    let mut outcomes = Outcomes::default();
    for id in input.list("messageIds", MAX_BATCH)? {
        let done = remove(&edge, &login, &id, for_all).await;
        let done = done.map(|()| id.clone()).map_err(stomp_failure);
        outcomes.put(&id, done);
    }
    Ok(Done(outcomes))
}
