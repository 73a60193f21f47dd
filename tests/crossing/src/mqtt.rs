//! MQTT.js or paho-mqtt, with a session that outlives the connection.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use crosstalk_tests::Http;
use serde_json::{Value, json};

use crate::driver::{Driver, Login};
use crate::event::{Answer, Event, Heard, Place, Sent, text};
use crate::log::Log;
use crate::process::ClientProcess;
use crate::world::{APP, Clients, World};

/// The type of messages that tell or order something.
const BACKGROUND: u8 = 7;
/// Who says what the server says.
const SYSTEM: &str = "SYSTEM";
/// The smallest reason code of a refusal.
const REFUSED: i64 = 0x80;
/// How long the session stays.
const SESSION_SECS: u32 = 3600;

/// A device.
pub(crate) struct Mqtt {
    client: ClientProcess,
    log: Arc<Log>,
    names: Names,
    last_command: AtomicU64,
    device: String,
    http: Http,
}

/// Accounts are all that clients see of users.
#[derive(Clone)]
struct Names {
    own: String,
    /// Accounts by uid.
    accounts: HashMap<String, String>,
}

impl Mqtt {
    pub(crate) async fn connect(login: Login<'_>) -> Mqtt {
        let Login {
            world,
            uid,
            device,
            log,
        } = login;
        let registered = world.register_mqtt(&uid, &device).await;
        let names = Names {
            own: text(&registered["account"]),
            accounts: world.accounts().clone(),
        };
        assert_eq!(names.account(&uid), names.own, "one account per user");
        let (told, seen) = (Arc::clone(&log), names.clone());
        let (script, url, version) = client_of(world);
        let client = ClientProcess::start(&uid, &ClientProcess::script(script), move |event| {
            for event in seen.events_of(event) {
                told.push(event);
            }
        });
        let connected = client.ask(json!({
            "cmd": "connect", "url": url, "version": version,
            "clientId": device, "username": names.own, "password": registered["token"],
            "clean": false, "sessionExpiry": SESSION_SECS,
        }));
        let connected = connected.await;
        assert_eq!(connected["code"], 0, "{connected}");
        if connected["sessionPresent"] == false {
            let subscribed = client.ask(json!({"cmd": "subscribe", "topic": names.own, "qos": 1}));
            assert_eq!(subscribed.await["granted"], json!([1]));
        }
        Mqtt {
            client,
            log,
            names,
            last_command: AtomicU64::new(0),
            device,
            http: world.server().rest().bearer(&text(&registered["token"])),
        }
    }

    /// Publishes an envelope; returns the reason code of the PUBACK.
    async fn publish(&self, to: &str, id: &str, kind: &Value, content: &Value) -> i64 {
        let envelope = json!({
            "id": id, "from": self.names.own, "to": to, "tenantNo": APP, "target": "",
            "type": kind, "content": content, "timestamp": 0,
            "isBackground": *kind == BACKGROUND,
        });
        let published = self.client.ask(json!({
            "cmd": "publish", "topic": "im/send", "payload": envelope.to_string(),
        }));
        published.await["code"].as_i64().expect("a reason code")
    }

    /// Publishes an order to the server, which must be carried out.
    async fn order(&self, to: &str, name: &str, content: &Value) {
        let id = self.last_command.fetch_add(1, Ordering::Relaxed);
        let id = format!("order-{}-{id}", self.device);
        let content = json!({"type": name, "content": content});
        let code = self.publish(to, &id, &json!(BACKGROUND), &content).await;
        assert!(code < REFUSED, "{name} {content}: {code}");
    }
}

#[async_trait(?Send)]
impl Driver for Mqtt {
    async fn send(
        &self,
        place: &Place,
        client_id: &str,
        written: &Value,
        _asks_receipt: bool,
    ) -> Answer {
        let before = self.log.answers(client_id);
        let to = self.names.address(place);
        let code = self.publish(&to, client_id, &written["type"], &written["content"]);
        if code.await < REFUSED {
            return Answer::Accepted {
                id: None,
                at_ms: None,
            };
        }
        // The message says more than the reason code.
        self.log.answer(client_id, before).await
    }

    async fn revoke(&self, sent: &Sent) -> bool {
        let to = self.names.address(&sent.place);
        self.order(&to, "revoke", &json!({"id": sent.client_id}))
            .await;
        true
    }

    async fn read(&self, heard: &Heard) -> bool {
        let to = self.names.address(&heard.place);
        self.order(&to, "read", &json!({"ids": [heard.id]})).await;
        true
    }

    async fn learns_it_was_read(&self, sent: &Sent, by: &str) -> bool {
        self.log.read(&sent.client_id, by).await;
        true
    }

    /// The session brings it by itself.
    async fn fetch(&self) -> bool {
        true
    }

    async fn history(&self, place: &Place) -> Option<String> {
        let target = self.names.address(place);
        let path = format!("/im/v1/messages/history?target={target}&limit=100&deliver=http");
        let answer = self.http.get(&path).await.ok();
        Some(answer["data"]["messages"].to_string())
    }

    async fn close(&self) {
        self.client.ask(json!({"cmd": "disconnect"})).await;
    }
}

/// The client's script, where it connects to, and the version of MQTT.
fn client_of(world: &World) -> (&'static str, String, u8) {
    match world.clients() {
        Clients::Usual => ("mqtt/peer.mjs", format!("ws://{}/mqtt", world.addr()), 5),
        Clients::Others => {
            let addr = &world.server().listeners().mqtt_tcp;
            ("paho/peer.py", format!("mqtt://{addr}"), 4)
        }
    }
}

impl Names {
    fn account<'n>(&'n self, uid: &'n str) -> &'n str {
        // Without one, users are named by their uid.
        self.accounts.get(uid).map_or(uid, String::as_str)
    }

    fn uid(&self, account: &str) -> String {
        if account == SYSTEM {
            return SYSTEM.to_owned();
        }
        let user = self.accounts.iter().find(|(_, of)| *of == account);
        let (uid, _) = user.unwrap_or_else(|| panic!("{account} is nobody's account"));
        uid.clone()
    }

    /// What stands in `to`.
    fn address(&self, place: &Place) -> String {
        match place {
            Place::Direct(uid) => self.account(uid).to_owned(),
            Place::Group(group) => group.clone(),
        }
    }

    fn events_of(&self, raw: Value) -> Vec<Event> {
        if raw["event"] != "message" {
            return vec![Event::Other(raw)];
        }
        assert_eq!(raw["topic"], *self.own, "{raw}");
        let payload = raw["payload"].as_str().expect("a payload");
        let envelope: Value =
            serde_json::from_str(payload).unwrap_or_else(|error| panic!("{error}: {raw}"));
        if envelope["type"] == BACKGROUND {
            return self.told(&envelope);
        }
        // The own copy of another device.
        if envelope["from"] == *self.own || envelope["target"] == *self.own {
            return vec![Event::Other(envelope)];
        }
        vec![Event::Heard(self.heard(&envelope))]
    }

    fn told(&self, envelope: &Value) -> Vec<Event> {
        let what = &envelope["content"]["content"];
        match envelope["content"]["type"].as_str() {
            Some("revoke") => vec![Event::Revoked {
                id: text(&what["id"]),
                raw: envelope.clone(),
            }],
            Some("read") => {
                let several = what["ids"].as_array().cloned();
                let ids = several.unwrap_or_else(|| vec![what["id"].clone()]);
                let by = what["reader"].as_str().map(|account| self.uid(account));
                let read = ids.iter().map(|id| Event::Read {
                    id: text(id),
                    by: by.clone(),
                });
                read.collect()
            }
            Some("error") => vec![Event::Answered {
                key: text(&what["id"]),
                answer: Answer::Refused {
                    code: what["code"].as_i64().expect("a code"),
                    words: text(&what["msg"]),
                },
            }],
            _ => vec![Event::Other(envelope.clone())],
        }
    }

    fn heard(&self, envelope: &Value) -> Heard {
        assert_eq!(envelope["to"], *self.own, "{envelope}");
        assert_eq!(envelope["tenantNo"], APP, "{envelope}");
        let (from, target) = (text(&envelope["from"]), text(&envelope["target"]));
        // S3-11, S3-13: in groups `from` is the group and `target` the sender.
        let (from, place) = if target.is_empty() {
            let uid = self.uid(&from);
            (uid.clone(), Place::Direct(uid))
        } else {
            (self.uid(&target), Place::Group(from))
        };
        Heard {
            from,
            place,
            id: text(&envelope["id"]),
            client_id: None,
            at_ms: envelope["timestamp"].as_i64().expect("ms"),
            seq: None,
            shown: json!({"type": envelope["type"], "content": envelope["content"]}),
        }
    }
}
