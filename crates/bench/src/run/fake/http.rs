//! The routes.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hits;
use super::state::{State, Stored, View, next};

/// Answers requests with a body of a known length.
pub(super) async fn serve(mut stream: TcpStream, state: &State) {
    let mut input = BytesMut::new();
    loop {
        let (head, body) = loop {
            let text = String::from_utf8_lossy(&input).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    line.to_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse::<usize>()
                        .ok()
                });
                if body.len() >= length.unwrap_or(0) {
                    break (head.to_owned(), body.to_owned());
                }
            }
            if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                return;
            }
        };
        input.clear();
        let target = head.split_whitespace().nth(1).unwrap_or_default();
        let body: Value = serde_json::from_str(&body).unwrap_or_default();
        let (status, answer) = match answer(state, target, &body) {
            Some(answer) => ("200 OK", answer),
            None => (
                "400 Bad Request",
                "{\"msg\":\"no\",\"status\":400}".to_owned(),
            ),
        };
        let length = answer.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{answer}");
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

fn answer(state: &State, target: &str, body: &Value) -> Option<String> {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let texts = |key: &str| {
        let all = body[key].as_array().into_iter().flatten();
        let all = all.filter_map(Value::as_str).map(str::to_owned);
        all.collect::<Vec<String>>()
    };
    let done = Some("{\"status\":200}".to_owned());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match path {
        "/user/token" => {
            state.tokens.lock().insert(text("uid"), text("token"));
            done
        }
        "/channel" | "/channel/subscriber_add" => {
            state.add_members(&text("channel_id"), texts("subscribers").into_iter());
            done
        }
        "/message/send" => {
            let payload = STANDARD.decode(text("payload")).expect("base64");
            let to = (text("channel_id"), body["channel_type"] == 2);
            state.take(&text("from_uid"), (&to.0, to.1), "", payload);
            done
        }
        "/message/sendbatch" => {
            let payload = STANDARD.decode(text("payload")).expect("base64");
            for uid in texts("subscribers") {
                state.take(&text("from_uid"), (&uid, false), "", payload.clone());
            }
            Some("{\"fail_uids\":[],\"reason\":[]}".to_owned())
        }
        "/conversations/clearUnread" => done,
        "/conversation/sync" => Some(conversations(state, body).to_string()),
        "/channel/messagesync" => history(state, body),
        "/metrics" => Some("crosstalk_store_commits_total 1\n".to_owned()),
        _ => {
            let uid = path
                .strip_prefix("/v1/users/")?
                .strip_suffix("/conversations")?;
            Some(listed(state, uid, query).to_string())
        }
    }
}

fn number(body: &Value, key: &str) -> u64 {
    body[key].as_u64().unwrap_or(0)
}

fn conversations(state: &State, body: &Value) -> Value {
    let uid = body["uid"].as_str().expect("a uid");
    let known = body["last_msg_seqs"].as_str().unwrap_or_default();
    let known: HashMap<&str, u64> = known
        .split('|')
        .filter_map(|one| {
            let mut parts = one.split(':');
            let (id, _, seq) = (parts.next()?, parts.next()?, parts.next()?);
            Some((id, seq.parse().ok()?))
        })
        .collect();
    let (page, size) = (number(body, "page"), number(body, "page_size") as usize);
    let views = state.views(uid);
    let skip = size * (page.max(1) - 1) as usize;
    let take = if page == 0 { usize::MAX } else { size };
    let mut shown = Vec::new();
    for view in views.into_iter().skip(skip).take(take) {
        let from = known.get(view.name.as_str()).copied().unwrap_or(0) + 1;
        let at_most = state.mischief.recents_at_most.unwrap_or(usize::MAX);
        let count = (number(body, "msg_count") as usize).min(at_most);
        let news: Vec<&Stored> = view.log.iter().filter(|it| it.place >= from).collect();
        if news.is_empty() {
            continue;
        }
        let mut recents: Vec<Value> = news
            .iter()
            .rev()
            .take(count)
            .map(|it| shown_as(it))
            .collect();
        let nth = next(&state.shown);
        if hits(nth, state.mischief.hide_every) {
            continue;
        }
        if hits(nth, state.mischief.jumble_every) {
            recents.reverse();
        }
        let unread = view.last + u64::from(hits(nth, state.mischief.miscount_every));
        let one = json!({"channel_id": view.name, "channel_type": 1 + u8::from(view.is_group),
            "unread": unread, "last_msg_seq": view.last, "recents": recents});
        if hits(nth, state.mischief.double_every) {
            shown.push(one.clone());
        }
        shown.push(one);
    }
    Value::Array(shown)
}

fn shown_as(message: &Stored) -> Value {
    json!({"message_seq": message.place, "payload": STANDARD.encode(&message.payload)})
}

fn history(state: &State, body: &Value) -> Option<String> {
    if hits(next(&state.pages), state.mischief.fail_every) {
        return None;
    }
    let uid = body["login_uid"].as_str()?;
    let channel = body["channel_id"].as_str()?;
    let views = state.views(uid);
    let view: Option<&View> = views.iter().find(|view| view.name == channel);
    let log = view.map_or(&[][..], |view| &view.log);
    let (start, limit) = (
        number(body, "start_message_seq"),
        number(body, "limit") as usize,
    );
    let messages: Vec<Value> = if body["pull_mode"] == 1 {
        let newer = log.iter().filter(|it| it.place >= start);
        newer.take(limit).map(shown_as).collect()
    } else {
        let newest = &log[log.len().saturating_sub(limit)..];
        newest.iter().map(shown_as).collect()
    };
    Some(json!({"more": 0, "messages": messages}).to_string())
}

/// The REST interface's list.
fn listed(state: &State, uid: &str, query: &str) -> Value {
    let parameter = |key: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.into_iter().find(|(name, _)| *name == key);
        found.and_then(|(_, value)| value.parse::<usize>().ok())
    };
    let (skip, limit) = (
        parameter("cursor").unwrap_or(0),
        parameter("limit").unwrap_or(50),
    );
    let views = state.views(uid);
    let items = views.iter().skip(skip).take(limit).map(|view| {
        let kind = if view.is_group { "group" } else { "direct" };
        json!({"channel": {"kind": kind, "id": view.name}, "unread": view.last,
            "last_seq": view.last, "last_message": {"seq": view.last}})
    });
    let items: Vec<Value> = items.collect();
    let end = skip + items.len();
    let next_cursor = (end < views.len()).then(|| end.to_string());
    json!({"items": items, "next_cursor": next_cursor})
}
