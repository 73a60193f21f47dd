//! stompjs, over WebSocket or through sockjs-client.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::driver::{Driver, Login};
use crate::event::{Answer, Event, Heard, Place, Sent, text};
use crate::log::Log;
use crate::process::ClientProcess;
use crate::world::{APP, Clients};

/// What every client subscribes to.
const PERSONAL: &str = "/user/queue/messages";
const RECEIPTS: &str = "/user/queue/receipts";
const ERRORS: &str = "/user/queue/errors";
const SYNC: &str = "/user/queue/sync";
const EVENTS: &str = "/user/queue/events";

/// A session of stompjs.
pub(crate) struct Stomp {
    client: ClientProcess,
    log: Arc<Log>,
    last_receipt: AtomicU64,
}

impl Stomp {
    pub(crate) async fn connect(login: Login<'_>) -> Stomp {
        let Login {
            world,
            uid,
            device,
            log,
        } = login;
        let (told, own) = (Arc::clone(&log), uid.clone());
        let client = ClientProcess::start(
            &uid,
            &ClientProcess::script("stomp/peer.mjs"),
            move |event| {
                told.push(event_of(&own, event));
            },
        );
        client
            .ask(json!({
                "cmd": "connect", "addr": world.addr(), "token": world.token(&uid),
                "headers": {"deviceId": device, "host": "im.example.org"},
                "over": match world.clients() {
                    Clients::Usual => "websocket",
                    Clients::Others => "sockjs",
                },
            }))
            .await;
        let groups = world.groups().into_iter();
        let topics = groups.map(|group| format!("/topic/group/{group}"));
        let queues = [PERSONAL, RECEIPTS, ERRORS, SYNC, EVENTS].map(str::to_owned);
        for (at, destination) in topics.chain(queues).enumerate() {
            let headers = json!({"id": format!("sub-{at}")});
            client
                .ask(json!({"cmd": "subscribe", "destination": destination, "headers": headers}))
                .await;
        }
        Stomp {
            client,
            log,
            last_receipt: AtomicU64::new(0),
        }
    }

    /// Sends to a destination and waits for the RECEIPT.
    async fn ask(&self, destination: &str, body: &Value) {
        let receipt = self.last_receipt.fetch_add(1, Ordering::Relaxed) + 1;
        self.client
            .ask(json!({
                "cmd": "ask", "destination": destination, "body": body.to_string(),
                "receipt": format!("r-{receipt}"),
            }))
            .await;
    }
}

#[async_trait(?Send)]
impl Driver for Stomp {
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        asks_receipt: bool,
    ) -> Answer {
        let content = &written["content"];
        let content = content
            .as_str()
            .map_or_else(|| content.to_string(), str::to_owned);
        let mut body = json!({
            "appId": APP, "messageId": client_id, "toId": place.id(),
            "chatType": match place {
                Place::Direct(_) => "SINGLE",
                Place::Group(_) => "GROUP",
            },
            "msgType": written["msgType"], "content": content,
        });
        if asks_receipt {
            body["extra"] = json!({"readReceipt": true});
        }
        let before = self.log.answers(client_id);
        self.client
            .ask(json!({
                "cmd": "send", "destination": "/app/chat.send", "body": body.to_string(),
            }))
            .await;
        self.log.answer(client_id, before).await
    }

    async fn revoke(&self, sent: &Sent) -> bool {
        let body = json!({"appId": APP, "messageId": sent.client_id});
        self.ask("/app/chat.revoke", &body).await;
        true
    }

    async fn read(&self, heard: &Heard) -> bool {
        self.ask(
            "/app/chat.read",
            &json!({"appId": APP, "messageId": heard.id}),
        )
        .await;
        true
    }

    async fn learns_it_was_read(&self, sent: &Sent, by: &str) -> bool {
        self.log.read(&sent.client_id, by).await;
        true
    }

    async fn fetch(&self) -> bool {
        self.ask("/app/chat.sync", &json!({"appId": APP})).await;
        true
    }

    async fn close(&self) {
        self.client.ask(json!({"cmd": "disconnect"})).await;
    }
}

fn event_of(own: &str, raw: Value) -> Event {
    if raw["event"] != "message" {
        return Event::Other(raw);
    }
    let body: Value = serde_json::from_str(raw["body"].as_str().expect("a body"))
        .unwrap_or_else(|error| panic!("{own}: {error}: {raw}"));
    let destination = raw["headers"]["destination"].as_str().expect("a header");
    if destination == RECEIPTS {
        return match body["type"].as_str() {
            Some("READ") => Event::Read {
                id: text(&body["messageId"]),
                by: body["userId"].as_str().map(str::to_owned),
            },
            _ => Event::Other(raw),
        };
    }
    let is_message = destination == PERSONAL || destination.starts_with("/topic/group/");
    if !is_message {
        return Event::Other(raw);
    }
    match body["status"].as_str() {
        Some("FAILED") => Event::Answered {
            key: text(&body["messageId"]),
            answer: Answer::Refused {
                code: body["errorCode"].as_i64().expect("a code"),
                words: text(&body["errorMessage"]),
            },
        },
        Some("REVOKED") => Event::Revoked {
            id: text(&body["id"]),
            raw: body,
        },
        // What was said before, and says something else now.
        Some("SENT") if !body["editedAt"].is_null() => Event::Other(body),
        Some("SENT") if body["fromId"] == *own => Event::Answered {
            key: text(&body["messageId"]),
            answer: Answer::Accepted {
                id: Some(text(&body["id"])),
                at_ms: body["createdAt"].as_i64(),
            },
        },
        // The author's copy with a new status; the receipt says the same.
        _ if body["fromId"] == *own => Event::Other(raw),
        _ => Event::Heard(heard(destination, &body)),
    }
}

fn heard(destination: &str, body: &Value) -> Heard {
    let from = text(&body["fromId"]);
    let place = if body["chatType"] == "GROUP" {
        let group = text(&body["groupId"]);
        assert_eq!(body["toId"], *group, "{body}");
        // A sync brings all on the personal queue (Q2-23).
        let is_its = destination == PERSONAL || destination == format!("/topic/group/{group}");
        assert!(is_its, "{destination}: {body}");
        Place::Group(group)
    } else {
        assert_eq!(body["chatType"], "SINGLE", "{body}");
        assert_eq!(destination, PERSONAL, "{body}");
        Place::Direct(from.clone())
    };
    let content = text(&body["content"]);
    // Of everything but text it is JSON.
    let is_text = body["msgType"] == "TEXT";
    let content = match serde_json::from_str(&content) {
        Ok(json) if !is_text => json,
        _ => Value::String(content),
    };
    Heard {
        from,
        place,
        id: text(&body["id"]),
        client_id: body["messageId"].as_str().map(str::to_owned),
        at_ms: body["createdAt"].as_i64().expect("ms"),
        seq: body["seq"].as_u64(),
        shown: json!({"msgType": body["msgType"], "content": content}),
    }
}
