//! gyyx over a raw WebSocket, as its front ends speak it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::driver::{Driver, Login};
use crate::event::{Answer, Event, Heard, Place, Sent, text};
use crate::log::Log;
use crate::socket::Socket;
use crate::world::APP;

const HEARTBEAT: u16 = 20;
const SERVER_HAS_IT: u16 = 30;
const UNREAD: u16 = 102;
const SEND: u16 = 130;
const PUSHED: u16 = 140;
const RECEIVED: u16 = 141;
const HISTORY: u16 = 161;
const ROW: u16 = 162;
const TOTAL: u16 = 180;
const RECALL: u16 = 190;
const READ: u16 = 198;
/// The content type of text.
const TEXT: u8 = 1;

/// A front end.
pub(crate) struct Gyyx {
    socket: Socket,
    log: Arc<Log>,
    base: Base,
    last_unique: AtomicU64,
}

/// What stands in every frame of this client.
#[derive(Clone)]
struct Base {
    uid: String,
    device: String,
}

impl Base {
    fn frame(&self, code: u16, unique: &str, fields: Value) -> Value {
        let mut frame = json!({
            "appId": APP, "deviceId": self.device, "mark": null, "msgType": code,
            "timestamp": 0, "unique": unique, "userId": self.uid, "version": "1.10",
        });
        let fields = match fields {
            Value::Object(fields) => fields,
            other => panic!("{other} are no fields"),
        };
        frame.as_object_mut().expect("an object").extend(fields);
        frame
    }
}

impl Gyyx {
    pub(crate) async fn connect(login: Login<'_>) -> Gyyx {
        let Login {
            world,
            uid,
            device,
            log,
        } = login;
        let http = world.as_user(world.server().rest(), &uid);
        let signed = http
            .get(&format!("/im/sign?appId={APP}&userId={uid}"))
            .await
            .ok();
        let url = signed["data"].as_str().expect("a URL");
        // The document's form has no path.
        let url = match url.split_once('?') {
            Some((place, query)) => format!("{}/?{query}", place.trim_end_matches('/')),
            None => panic!("{url} has no parameters"),
        };
        let base = Base {
            uid: uid.clone(),
            device,
        };
        let (told, own) = (Arc::clone(&log), base.clone());
        let socket = Socket::open(&uid, &url, move |frame| {
            let mut answers = Vec::new();
            if frame["msgType"] == PUSHED {
                let fields = json!({
                    "messageId": frame["messageId"], "receiveUserId": frame["userId"],
                });
                answers.push(own.frame(RECEIVED, &text(&frame["unique"]), fields));
            }
            told.push(event_of(&own.uid, frame));
            answers
        })
        .await;
        let client = Gyyx {
            socket,
            log,
            base,
            last_unique: AtomicU64::new(0),
        };
        client
            .frame_with("101", |frame| frame["msgType"] == 101)
            .await;
        let beat = client.base.frame(HEARTBEAT, "beat", json!({}));
        client.socket.write(&beat).await;
        client
            .frame_with("21", |frame| frame["msgType"] == 21)
            .await;
        client
    }

    /// An id for a request.
    fn unique(&self) -> String {
        let number = self.last_unique.fetch_add(1, Ordering::Relaxed);
        format!("{}-request-{number}", self.base.device)
    }

    /// Waits for a frame that is no message and no answer to one.
    async fn frame_with(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.log
            .wait(format!("frame {what}"), |events| {
                let frames = events.iter().filter_map(|event| match event {
                    Event::Other(raw) => Some(raw),
                    _ => None,
                });
                frames.into_iter().find(|frame| fits(frame)).cloned()
            })
            .await
    }

    /// Writes a request and waits for its 30, which comes first or, after a list, last.
    /// Returns what was asked under.
    async fn ask(&self, code: u16, fields: Value) -> String {
        let unique = self.unique();
        self.socket
            .write(&self.base.frame(code, &unique, fields))
            .await;
        self.frame_with(&format!("30 for {code}"), |frame| {
            let is_done = frame["msgType"] == SERVER_HAS_IT && frame["receiveMsgType"] == code;
            is_done && frame["unique"] == *unique
        })
        .await;
        unique
    }
}

#[async_trait(?Send)]
impl Driver for Gyyx {
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        _asks_receipt: bool,
    ) -> Answer {
        let message = &written["message"];
        let message = message
            .as_str()
            .map_or_else(|| message.to_string(), str::to_owned);
        let fields = json!({
            "receiveUserId": place.address(), "contentType": written["contentType"],
            "message": message, "receiveSign": "",
        });
        let before = self.log.answers(client_id);
        self.socket
            .write(&self.base.frame(SEND, client_id, fields))
            .await;
        self.log.answer(client_id, before).await
    }

    async fn revoke(&self, sent: &Sent) -> bool {
        let fields = json!({
            "messageId": sent.id, "receiveUserId": sent.place.address(), "retractTime": 0,
        });
        self.ask(RECALL, fields).await;
        true
    }

    async fn read(&self, heard: &Heard) -> bool {
        let fields = json!({
            "messageId": heard.id, "receiveUserId": heard.place.address(),
        });
        self.ask(READ, fields).await;
        true
    }

    async fn learns_it_was_read(&self, sent: &Sent, by: &str) -> bool {
        let id = sent.id.as_deref().expect("a 131 has the id");
        self.log.read(id, by).await;
        true
    }

    async fn fetch(&self) -> bool {
        self.ask(UNREAD, json!({})).await;
        true
    }

    async fn history(&self, place: &Place) -> Option<String> {
        let fields = json!({"pageIndex": 1, "pageSize": 100, "sender": place.address()});
        let unique = self.ask(HISTORY, fields).await;
        self.log.look(|events| {
            let is_row = |frame: &Value| frame["msgType"] == ROW && frame["unique"] == *unique;
            let rows = events.iter().filter_map(|event| match event {
                Event::Other(raw) if is_row(raw) => Some(raw.clone()),
                _ => None,
            });
            Some(rows.collect::<Value>().to_string())
        })
    }

    async fn unread(&self) -> Option<u64> {
        let unique = self.unique();
        let ask = self.base.frame(TOTAL, &unique, json!({}));
        self.socket.write(&ask).await;
        let is_answer = |frame: &Value| frame["msgType"] == TOTAL && frame["unique"] == *unique;
        let answer = self.frame_with("180", is_answer).await;
        Some(text(&answer["message"]).parse().expect("a number"))
    }

    async fn close(&self) {
        self.socket.close().await;
        self.frame_with("the end", |frame| frame["event"] == "closed")
            .await;
    }
}

fn event_of(own: &str, raw: Value) -> Event {
    let refused = |code: i64| Event::Answered {
        key: text(&raw["unique"]),
        answer: Answer::Refused {
            code,
            words: raw["message"].as_str().unwrap_or_default().to_owned(),
        },
    };
    match raw["msgType"].as_i64() {
        Some(code @ (10 | 132 | 133)) => refused(code),
        Some(131) => Event::Answered {
            key: text(&raw["unique"]),
            answer: Answer::Accepted {
                id: Some(text(&raw["messageId"])),
                at_ms: raw["sendTime"].as_i64(),
            },
        },
        Some(140) => Event::Heard(heard(&raw)),
        Some(192) => Event::Revoked {
            id: text(&raw["messageId"]),
            raw,
        },
        Some(199) if raw["userId"] != *own => Event::Read {
            id: text(&raw["messageId"]),
            by: raw["userId"].as_str().map(str::to_owned),
        },
        _ => Event::Other(raw),
    }
}

fn heard(raw: &Value) -> Heard {
    let (from, to) = (text(&raw["userId"]), text(&raw["receiveUserId"]));
    let place = to.strip_prefix("group:").map_or_else(
        || Place::Direct(from.clone()),
        |group| Place::Group(group.to_owned()),
    );
    let message = text(&raw["message"]);
    // Of everything but text it is JSON.
    let message = match serde_json::from_str(&message) {
        Ok(json) if raw["contentType"] != TEXT => json,
        _ => Value::String(message),
    };
    assert_eq!(raw["receiveSign"], "", "{raw}");
    Heard {
        from,
        place,
        id: text(&raw["messageId"]),
        client_id: None,
        at_ms: raw["sendTime"].as_i64().expect("ms"),
        seq: None,
        shown: json!({"contentType": raw["contentType"], "message": message}),
    }
}
