//! WuKongIM's JavaScript SDK; what its applications do over HTTP is done here over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_tests::{Http, eventually, wukong_bundle};
use serde_json::{Value, json};

use crate::driver::{Driver, Login};
use crate::event::{Answer, Event, Heard, Place, Sent, text};
use crate::log::Log;
use crate::process::ClientProcess;

/// The SDK's device flag.
const WEB: u8 = 1;
/// The reason of a success, in CONNACK and SENDACK.
const SUCCESS: i64 = 1;

/// A user of the SDK.
pub(crate) struct Wukong {
    client: ClientProcess,
    log: Arc<Log>,
    uid: String,
    api: Http,
}

impl Wukong {
    pub(crate) async fn connect(login: Login<'_>) -> Wukong {
        let Login {
            world, uid, log, ..
        } = login;
        let server = world.server();
        let token = server.register(&uid, WEB, 0).await;
        let told = Arc::clone(&log);
        let client = ClientProcess::start(&uid, wukong_bundle().await, move |event| {
            told.push(event_of(event));
        });
        let listeners = server.listeners();
        client
            .ask(json!({
                "cmd": "connect", "uid": uid, "token": token,
                "addr": format!("ws://{}", listeners.wukong_ws), "httpApi": listeners.wukong_api,
            }))
            .await;
        log.wait("the SDK's connection", |events| {
            let is_up = |event: &Event| match event {
                Event::Other(raw) => raw["event"] == "status" && raw["reasonCode"] == SUCCESS,
                _ => false,
            };
            events.iter().any(is_up).then_some(())
        })
        .await;
        let api = world.as_user(server.wukong_api(), &uid);
        Wukong {
            client,
            log,
            uid,
            api,
        }
    }

    /// The extra of a message: what has happened to it since.
    async fn extra(&self, place: &Place, id: &str) -> Option<Value> {
        let ask = json!({
            "channel_id": place.id(), "channel_type": place.channel_type(),
            "extra_version": 0, "limit": 100, "source": "web",
        });
        let rows = self.api.post("/v1/message/extra/sync", ask).await.ok();
        let rows = rows.as_array().expect("rows").clone();
        rows.into_iter().find(|row| row["message_id_str"] == *id)
    }
}

#[async_trait(?Send)]
impl Driver for Wukong {
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        asks_receipt: bool,
    ) -> Answer {
        let posted = self.client.ask(json!({
            "cmd": "post", "to": place.id(), "type": place.channel_type(), "content": written,
            "clientMsgNo": client_id, "receipt": asks_receipt,
        }));
        let client_seq = posted.await["clientSeq"].to_string();
        self.log.answer(&client_seq, 0).await
    }

    async fn revoke(&self, sent: &Sent) -> bool {
        let body = json!({
            "channel_id": sent.place.id(), "channel_type": sent.place.channel_type(),
            "message_id": sent.id, "client_msg_no": sent.client_id,
        });
        let answer = self.api.post("/v1/message/revoke", body).await.ok();
        assert_eq!(answer["status"], 200, "{}: {answer}", self.uid);
        true
    }

    async fn read(&self, heard: &Heard) -> bool {
        let body = json!({
            "channel_id": heard.place.id(), "channel_type": heard.place.channel_type(),
            "message_ids": [heard.id],
        });
        let answer = self.api.post("/v1/message/readed", body).await.ok();
        assert_eq!(answer["status"], 200, "{}: {answer}", self.uid);
        true
    }

    async fn learns_it_was_read(&self, sent: &Sent, _by: &str) -> bool {
        let Place::Direct(peer) = &sent.place else {
            panic!("only receipts of direct messages are asked for");
        };
        self.log
            .wait("the command syncMessageExtra", |events| {
                let is_it = |event: &Event| match event {
                    Event::Other(raw) => {
                        raw["cmd"] == "syncMessageExtra" && raw["param"]["channel_id"] == **peer
                    }
                    _ => false,
                };
                events.iter().any(is_it).then_some(())
            })
            .await;
        let id = sent.id.as_deref().expect("a SENDACK has the id");
        eventually(format!("{}: readed_count of {id}", self.uid), async || {
            let extra = self.extra(&sent.place, id).await?;
            (extra["readed_count"] == 1).then_some(())
        })
        .await;
        true
    }

    async fn fetch(&self) -> bool {
        false
    }

    async fn history(&self, place: &Place) -> Option<String> {
        let asked = self.client.ask(json!({
            "cmd": "history", "channel": place.id(), "type": place.channel_type(), "limit": 100,
        }));
        Some(asked.await["messages"].to_string())
    }

    async fn unread(&self) -> Option<u64> {
        let conversations = self.client.ask(json!({"cmd": "conversations"})).await;
        let rows = conversations["conversations"].as_array().expect("a list");
        Some(rows.iter().filter_map(|row| row["unread"].as_u64()).sum())
    }

    async fn close(&self) {
        self.client.ask(json!({"cmd": "disconnect"})).await;
    }
}

fn event_of(raw: Value) -> Event {
    match raw["event"].as_str() {
        Some("message") => Event::Heard(heard(&raw)),
        Some("ack") => {
            let reason = raw["reasonCode"].as_i64().expect("a reason");
            let id = raw["messageID"].as_str().map(str::to_owned);
            Event::Answered {
                key: raw["clientSeq"].to_string(),
                answer: if reason == SUCCESS {
                    Answer::Accepted { id, at_ms: None }
                } else {
                    Answer::Refused {
                        code: reason,
                        words: String::new(),
                    }
                },
            }
        }
        Some("cmd") if raw["cmd"] == "messageRevoke" => Event::Revoked {
            id: text(&raw["param"]["message_id"]),
            raw,
        },
        _ => Event::Other(raw),
    }
}

fn heard(raw: &Value) -> Heard {
    let channel = text(&raw["channelID"]);
    Heard {
        from: text(&raw["fromUID"]),
        place: if raw["channelType"] == 1 {
            Place::Direct(channel)
        } else {
            Place::Group(channel)
        },
        id: text(&raw["messageID"]),
        client_id: raw["clientMsgNo"].as_str().map(str::to_owned),
        at_ms: raw["timestamp"].as_i64().expect("seconds") * 1000,
        seq: raw["messageSeq"].as_u64(),
        shown: raw["content"].clone(),
    }
}
