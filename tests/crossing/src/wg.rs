//! wg over a raw WebSocket.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::driver::{Driver, Login};
use crate::event::{Answer, Event, Heard, Place, Sent, text};
use crate::log::Log;
use crate::socket::Socket;

const REGISTER: u16 = 1000;
const TEXT: u16 = 2001;
const NOTICE: u16 = 3001;
const STATUS: u16 = 9001;
/// The title of the notice that says that a message was taken back.
const RECALLED: &str = "消息撤回";

/// A client that does not acknowledge.
pub(crate) struct Wg {
    socket: Socket,
    log: Arc<Log>,
    uid: String,
}

impl Wg {
    pub(crate) async fn connect(login: Login<'_>) -> Wg {
        let Login {
            world,
            uid,
            device,
            log,
        } = login;
        let http = world.as_user(world.server().rest(), &uid);
        let path = format!("/app/websocket/client/login/{device}");
        let answer = http.get(&path).await.ok();
        let (told, own) = (Arc::clone(&log), uid.clone());
        let url = format!("ws://{}/websocket", world.addr());
        let socket = Socket::open(&uid, &url, move |frame| {
            told.push(event_of(&own, frame));
            Vec::new()
        });
        let client = Wg {
            socket: socket.await,
            log,
            uid: uid.clone(),
        };
        let body = json!({"sessionId": answer["data"]}).to_string();
        let registered = client.ask("register", REGISTER, &uid, &body);
        let _ = registered.await.accepted();
        client
    }

    /// Writes a message and waits for its 9001.
    async fn ask(&self, id: &str, kind: u16, to: &str, body: &str) -> Answer {
        let before = self.log.answers(id);
        let message = json!({
            "id": id, "type": kind, "isSystem": false, "from": self.uid, "to": to,
            "body": body, "timestamp": null,
        });
        self.socket.write(&message).await;
        self.log.answer(id, before).await
    }
}

#[async_trait(?Send)]
impl Driver for Wg {
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        _asks_receipt: bool,
    ) -> Answer {
        let kind = written["type"]
            .as_u64()
            .and_then(|kind| kind.try_into().ok());
        let body = &written["body"];
        let body = body
            .as_str()
            .map_or_else(|| body.to_string(), str::to_owned);
        let kind = kind.expect("a type");
        self.ask(client_id, kind, &place.address(), &body).await
    }

    async fn revoke(&self, _sent: &Sent) -> bool {
        false
    }

    async fn read(&self, _heard: &Heard) -> bool {
        false
    }

    async fn learns_it_was_read(&self, _sent: &Sent, _by: &str) -> bool {
        false
    }

    /// The server pushes it after the registration.
    async fn fetch(&self) -> bool {
        true
    }

    async fn close(&self) {
        self.socket.close().await;
        self.log
            .wait("the end", |events| {
                let is_end = |event: &Event| match event {
                    Event::Other(raw) => raw["event"] == "closed",
                    _ => false,
                };
                events.iter().any(is_end).then_some(())
            })
            .await;
    }
}

fn event_of(own: &str, raw: Value) -> Event {
    let kind = raw["type"].as_u64().and_then(|kind| kind.try_into().ok());
    match kind {
        Some(STATUS) => {
            let body = parsed(&raw["body"]);
            let code = body["code"].as_i64().expect("a code");
            let answer = if code == 200 {
                Answer::Accepted {
                    id: None,
                    at_ms: None,
                }
            } else {
                Answer::Refused {
                    code,
                    words: text(&body["msg"]),
                }
            };
            Event::Answered {
                key: text(&raw["id"]),
                answer,
            }
        }
        Some(NOTICE) if parsed(&raw["body"])["title"] == RECALLED => {
            assert_eq!(
                (&raw["from"], &raw["isSystem"]),
                (&json!("SYSTEM"), &json!(true))
            );
            Event::Revoked {
                id: text(&parsed(&raw["body"])["serviceId"]),
                raw,
            }
        }
        Some(TEXT | NOTICE | 3003) => Event::Heard(heard(own, &raw)),
        _ => Event::Other(raw),
    }
}

fn heard(own: &str, raw: &Value) -> Heard {
    let (from, to) = (text(&raw["from"]), text(&raw["to"]));
    let place = to.strip_prefix("group:").map_or_else(
        || {
            assert_eq!(to, own, "{raw}");
            Place::Direct(from.clone())
        },
        |group| Place::Group(group.to_owned()),
    );
    let body = if raw["type"] == TEXT {
        raw["body"].clone()
    } else {
        parsed(&raw["body"])
    };
    Heard {
        from,
        place,
        id: text(&raw["id"]),
        client_id: None,
        at_ms: raw["timestamp"].as_i64().expect("ms"),
        seq: None,
        shown: json!({"type": raw["type"], "body": body}),
    }
}

/// The JSON in a body.
fn parsed(body: &Value) -> Value {
    let body = text(body);
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}
