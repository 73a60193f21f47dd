//! `/api/im/messages/send` and `/batch/send`: what `/app/chat.send` does, by REST (stomp.md
//! D.b.2, Q2-31). The body is that of the frame; a batch has `toIds` instead of `toId`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::routing::post;
use bytes::Bytes;
use crosstalk_core::deliver::Sender;
use crosstalk_core::im::Login;
use crosstalk_core::message::Accepted;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::{examine, moderate, note_reply, stomp_draft, stomp_failure, stomp_message};
use crosstalk_wire::stomp::im::{ChatSend, Code, Outcomes};
use serde_json::{Map, Value, json};

use super::answer::{Done, Failure};
use super::auth::asked;
use super::input::Input;
use super::no_route;
use crate::http::edge::Edge;

/// Receivers of one request.
const MAX_RECEIVERS: usize = 100;
/// What of a body is one of a frame.
const MEMBERS: [&str; 9] = [
    "appId",
    "appKey",
    "messageId",
    "toId",
    "chatType",
    "msgType",
    "content",
    "mentionedUserIds",
    "extra",
];

/// The calls, below `/api/im`.
pub(super) fn routes() -> Router<Edge> {
    Router::new()
        .route("/api/im/messages/send", post(send).fallback(no_route))
        .route(
            "/api/im/messages/batch/send",
            post(send_batch).fallback(no_route),
        )
}

/// The frame that a request is, for one receiver.
fn frame(input: &Input, to_id: Option<&str>) -> Result<ChatSend, Failure> {
    let mut members = Map::new();
    for name in MEMBERS {
        if let Some(value) = input.member(name) {
            members.insert(name.to_owned(), value.clone());
        } else if let Some(text) = input.raw(name) {
            members.insert(name.to_owned(), text.into());
        }
    }
    if let Some(to_id) = to_id {
        members.insert("toId".to_owned(), to_id.into());
    }
    let body = Value::Object(members).to_string();
    ChatSend::read(body.as_bytes()).map_err(|refused| Failure::because(&refused.to_string()))
}

/// Sends one.
async fn say(edge: &Edge, login: &Login, mut chat: ChatSend) -> Result<Accepted, Refusal> {
    let app = login.app.as_ref().map_or("", |app| app.as_str());
    // Another app's, as in the frame (stomp.md Q2-25).
    if chat.app_id.as_deref().is_some_and(|named| named != app) {
        return Err(Refusal::Forbidden);
    }
    let payload = Bytes::from(std::mem::take(&mut chat.content));
    let mut draft = stomp_draft(app, &chat, payload)?;
    examine(&mut draft);
    note_reply(&edge.im, &login.realm, &login.user, &mut draft).await;
    moderate(&edge.im.words(&login.realm), &mut draft);
    let sender = Sender::User(login.user.clone());
    let app = login.app.as_ref();
    let sent = edge.im.send_by(&login.realm, app, sender, draft).await;
    sent.map_err(|refused| refused.why)
}

/// `POST /messages/send`.
async fn send(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let accepted = say(&edge, &login, frame(&input, None)?).await?;
    let app = login.app.as_ref().map_or("", |app| app.as_str());
    let message = edge.im.message(accepted.id).await?;
    // A number that JSON does not have is the only way to fail.
    let shown = serde_json::to_value(stomp_message(&message, app)).unwrap_or_default();
    Ok(Done(shown))
}

/// `POST /messages/batch/send {toIds, …}`: `succeeded` has `{toId, id, seq, createdAt}`.
async fn send_batch(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<Outcomes<Value>>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    let to_ids = input.list("toIds", MAX_RECEIVERS)?;
    // What is wrong for all of them is said once.
    frame(&input, to_ids.first().map(String::as_str))?;
    let mut outcomes = Outcomes::default();
    for to_id in to_ids {
        let sent = match frame(&input, Some(&to_id)) {
            Ok(chat) => say(&edge, &login, chat).await.map_err(stomp_failure),
            Err(_) => Err((Code::BadRequest, "toId is invalid")),
        };
        let view = |accepted: Accepted| {
            json!({
                "toId": to_id,
                "id": accepted.id.to_string(),
                "seq": accepted.seq,
                "createdAt": accepted.sent_at_ms,
            })
        };
        outcomes.put(&to_id, sent.map(view));
    }
    Ok(Done(outcomes))
}
