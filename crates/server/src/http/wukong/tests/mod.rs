//! Router-level tests of this API, on a messenger over a store in memory.

#![allow(clippy::too_many_lines, reason = "each is one story")]

mod auditing;
mod channels;
mod conversations;
mod demo;
mod documented;
mod groups;
mod guard;
mod history;
mod lookup;
mod send;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crosstalk_core::clock::ManualClock;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Credential, Im, OpenSession};
use crosstalk_core::message::Message;
use crosstalk_core::session::{Delivery, Event, Offline, Session};
use crosstalk_gateway::WUKONG_ORIGIN;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::HandedOut;
use crate::http::state::{Readiness, RouteAddresses, WukongApiState};
use crate::http::v1::tests::im;

/// The payload of most messages: `{"type":1,"content":"hi"}`.
const PAYLOAD: &str = "eyJ0eXBlIjoxLCJjb250ZW50IjoiaGkifQ==";

/// The API with its messenger.
struct Api {
    routes: Router,
    im: Arc<Im>,
    clock: Arc<ManualClock>,
    /// Messages that were said: the clock's random numbers repeat too soon to name them.
    said: AtomicUsize,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Api {
    async fn start() -> Self {
        Self::with_token(None).await
    }

    async fn with_token(manager_token: Option<&str>) -> Self {
        let (im, clock, apps) = im::start_with_store().await;
        let state = WukongApiState {
            im: Arc::clone(&im),
            realm: Realm::default(),
            manager_token: manager_token.map(Into::into),
            demo_open: false,
            origin: WUKONG_ORIGIN,
            routes: RouteAddresses {
                tcp: "127.0.0.1:5100".to_owned(),
                ws: "ws://127.0.0.1:5200".to_owned(),
                wss: String::new(),
            },
            ready: Readiness::new(apps),
            handed_out: HandedOut::default(),
        };
        Self {
            routes: super::router(state),
            im,
            clock,
            said: AtomicUsize::new(0),
        }
    }

    async fn send(&self, mut request: Request<Body>) -> Answer {
        let client = SocketAddr::from(([203, 0, 113, 9], 1));
        request.extensions_mut().insert(ConnectInfo(client));
        let response = self
            .routes
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder().method(method).uri(path).body(body);
        self.send(request.expect("a request")).await
    }

    /// The body of a POST that must succeed.
    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.call("POST", path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// A POST that must be answered with `{"status":200}`.
    async fn done(&self, path: &str, body: Value) {
        assert_eq!(
            self.post(path, body).await,
            json!({"status": 200}),
            "{path}"
        );
    }

    /// The message of a POST that must fail.
    async fn refused(&self, path: &str, body: Value) -> String {
        let answer = self.call("POST", path, body).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (400, &json!(400)),
            "{path}"
        );
        answer.body["msg"].as_str().expect("a message").to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.call("GET", path, Value::Null).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    /// Sends one message, with a red dot, and returns what is told of it.
    async fn say(&self, from: &str, kind: u8, id: &str) -> Value {
        let number = self.said.fetch_add(1, Ordering::Relaxed);
        let message = json!({
            "header": {"red_dot": 1}, "client_msg_no": format!("n-{number}"),
            "from_uid": from, "channel_id": id, "channel_type": kind, "payload": PAYLOAD,
        });
        self.post("/message/send", message).await["data"].clone()
    }

    /// Whether the server has ever given this name a number.
    async fn is_known(&self, uid: &str) -> bool {
        let uid = Uid::parse(uid).expect("a uid");
        let found = self.im.find_user(&Realm::default(), &uid).await;
        found.expect("an answer").is_some()
    }

    /// Opens a session with a token registered for the web.
    async fn session(&self, uid: &str) -> Arc<Session> {
        let token = json!({"uid": uid, "token": "t", "device_flag": 1, "device_level": 1});
        self.done("/user/token", token).await;
        self.try_session(uid, "t").await.expect("a session")
    }

    async fn try_session(&self, uid: &str, token: &str) -> Option<Arc<Session>> {
        let request = OpenSession {
            credential: Credential::Token {
                realm: Realm::default(),
                uid: Uid::parse(uid).expect("a uid"),
                token: token.to_owned(),
                dialect: "test",
            },
            origin: WUKONG_ORIGIN,
            device_id: "d1".into(),
            device_flag: 1,
            delivery: Delivery::plain(Offline::Sync, true),
            sync_own: true,
            max_sessions: 0,
            peer: [127, 0, 0, 1].into(),
        };
        self.im.open_session(request).await.ok()
    }
}

/// What waits for a session.
fn received(session: &Session) -> Vec<Arc<Message>> {
    let events = session.mailbox.drain(false).events;
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Message(message) => Some(message),
            Event::Notice(_) => None,
        })
        .collect()
}

fn seqs(messages: &Value) -> Vec<u64> {
    let messages = messages.as_array().expect("a list");
    messages
        .iter()
        .map(|message| message["message_seq"].as_u64().expect("a seq"))
        .collect()
}
