//! Router-level tests of `/api/im`, on a messenger over a store in memory.

#![allow(clippy::too_many_lines, reason = "each is one story")]

mod administration;
mod documented;
mod friends;
mod groups;

mod conversations;

mod editing;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Credential, Im, LoginRequest, LoginScope, OpenSession};
use crosstalk_core::session::{Delivery, Ending, Offline, Session};
use crosstalk_gateway::{Dialect, Gateway, GatewaySettings};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::config::Config;
use crate::http::edge::Edge;
use crate::http::v1::tests::im;
use crate::http::v1::tests::im::START_MS;

const LOGIN: &str = "/api/im/auth/login";
const REFRESH: &str = "/api/im/auth/refresh";
const LOGOUT: &str = "/api/im/auth/logout";

/// The routes with their messenger.
struct Api {
    routes: Router,
    im: Arc<Im>,
    clock: Arc<ManualClock>,
}

/// An answer, which has the dialect's form.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn data(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.body["code"], 200);
        assert_eq!(self.body["status"], "0");
        assert_eq!(self.body["message"], "success");
        &self.body["data"]
    }

    fn failed(&self) -> (u16, &str) {
        assert_eq!(self.body["code"], self.status, "{self:?}");
        assert_eq!(self.body["status"], "1");
        assert_eq!(self.body["data"], Value::Null);
        (
            self.status,
            self.body["message"].as_str().expect("a reason"),
        )
    }
}

impl Api {
    async fn start() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let (im, clock, _) = im::start_with_store().await;
        let settings = super::settings(&config.stomp).expect("settings");
        let edge = Edge {
            im: Arc::clone(&im),
            gateway: Gateway::new(
                Arc::clone(&im),
                GatewaySettings::default().with(Dialect::Stomp, settings),
            ),
            admin_key: "admin".into(),
            config: Arc::new(config),
            bound: Arc::default(),
        };
        let client = SocketAddr::from(([203, 0, 113, 7], 1234));
        let routes = super::router(&edge).layer(MockConnectInfo(client));
        Self { routes, im, clock }
    }

    fn app(&self) -> App {
        self.im.apps().get(&AppId::default()).expect("the app")
    }

    async fn sig(&self, uid: &str) -> String {
        let uid = Uid::parse(uid).expect("a uid");
        let issued = self.im.issue_token(&self.app(), &uid, 60, None).await;
        issued.expect("a token").token
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "im.example:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned()));
        let response = self
            .routes
            .clone()
            .oneshot(request.expect("a request"))
            .await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    async fn post(&self, path: &str, bearer: &str, body: &Value) -> Answer {
        let bearer = format!("Bearer {bearer}");
        let headers = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
        ];
        self.ask("POST", path, &headers, &body.to_string()).await
    }

    async fn login(&self, uid: &str) -> String {
        let body = json!({"appId": "default", "userId": uid, "userSig": self.sig(uid).await});
        let answer = self.ask("POST", LOGIN, &[], &body.to_string()).await;
        answer.data()["token"].as_str().expect("a token").to_owned()
    }

    /// A session of the dialect's, opened with a token.
    async fn session(&self, token: &str, device: &str) -> Arc<Session> {
        let scope = LoginScope::Token(Realm::default());
        let mut login = LoginRequest::new(scope, "stomp", "/ws/im", [127, 0, 0, 1].into());
        login.credentials = vec![token.to_owned()];
        let request = OpenSession {
            credential: Credential::Login(Box::new(login)),
            origin: Dialect::Stomp.origin(),
            device_id: device.into(),
            device_flag: 0,
            delivery: Delivery::plain(Offline::Pull, true),
            sync_own: true,
            max_sessions: 10,
            peer: [127, 0, 0, 1].into(),
        };
        self.im.open_session(request).await.expect("a session")
    }
}

#[tokio::test]
async fn a_user_sig_is_changed_for_a_token_however_it_is_sent() {
    let api = Api::start().await;
    let sig = api.sig("alice").await;
    let json = json!({"appId": "default", "userId": "alice", "userSig": sig}).to_string();
    let form = format!("appKey=default&userId=alice&userSig={sig}");
    let form_type = [("content-type", "application/x-www-form-urlencoded")];
    let answers = [
        api.ask("POST", LOGIN, &[], &json).await,
        api.ask("POST", LOGIN, &form_type, &form).await,
        api.ask("POST", &format!("{LOGIN}?{form}"), &[], "").await,
    ];
    for answer in answers {
        let data = answer.data();
        assert_eq!(data["userId"], "alice");
        assert_eq!(data["appId"], "default");
        let week_ms = 7 * 24 * 3600 * 1000;
        // Tokens end at full seconds.
        assert_eq!(data["expiresAt"], (START_MS + week_ms) / 1000 * 1000);
        assert_eq!(data["wsUrl"], "ws://im.example:8080/ws/im");
        let token = data["token"].as_str().expect("a token");
        let identity = api
            .im
            .verify_user_token(token)
            .await
            .expect("a token of ours");
        assert_eq!(identity.user.uid.as_str(), "alice");
    }
}

#[tokio::test]
async fn the_address_is_what_the_operator_says() {
    let mut config = Config::default();
    config.server.public.http = "https://im.example.org/".to_owned();
    let api = Api::with(config).await;
    let body = json!({"appId": "default", "userId": "alice", "userSig": api.sig("alice").await});
    let answer = api.ask("POST", LOGIN, &[], &body.to_string()).await;
    assert_eq!(answer.data()["wsUrl"], "wss://im.example.org/ws/im");
}

#[tokio::test]
async fn wrong_logins_are_told_what_is_wrong() {
    let api = Api::start().await;
    let sig = api.sig("alice").await;
    let cases = [
        (
            json!({"userId": "alice", "userSig": sig}),
            400,
            "appId is missing",
        ),
        (
            json!({"appId": "default", "userSig": sig}),
            400,
            "userId is missing",
        ),
        (
            json!({"appId": "default", "userId": "a b", "userSig": sig}),
            400,
            "userId is invalid",
        ),
        (
            json!({"appId": "default", "userId": "alice"}),
            401,
            "Unauthorized",
        ),
        (
            json!({"appId": "default", "userId": "bob", "userSig": sig}),
            401,
            "Unauthorized",
        ),
        (
            json!({"appId": "other", "userId": "alice", "userSig": sig}),
            401,
            "Unauthorized",
        ),
        (
            json!({"appId": "default", "userId": "alice", "userSig": "x.y.z"}),
            401,
            "Unauthorized",
        ),
    ];
    for (body, status, why) in cases {
        let answer = api.ask("POST", LOGIN, &[], &body.to_string()).await;
        assert_eq!(answer.failed(), (status, why), "{body}");
    }
    let answer = api.ask("POST", LOGIN, &[], "{").await;
    assert_eq!(answer.failed(), (400, "Invalid JSON"));
    api.clock.advance_ms(100_000);
    let body = json!({"appId": "default", "userId": "alice", "userSig": sig});
    let answer = api.ask("POST", LOGIN, &[], &body.to_string()).await;
    assert_eq!(answer.failed(), (401, "Unauthorized"), "it has ended");
}

#[tokio::test]
async fn a_token_is_renewed_while_it_holds() {
    let api = Api::start().await;
    let token = api.login("alice").await;
    api.clock.advance_ms(3_600_000);
    let answer = api.post(REFRESH, &token, &Value::Null).await;
    let data = answer.data();
    assert_eq!(data["userId"], "alice");
    let week_ms = 7 * 24 * 3600 * 1000;
    let ends = (START_MS + 3_600_000 + week_ms) / 1000 * 1000;
    assert_eq!(data["expiresAt"], ends);
    let answer = api.ask("POST", REFRESH, &[], "").await;
    assert_eq!(answer.failed(), (401, "Unauthorized"));
    api.clock.advance_ms(week_ms);
    let answer = api.post(REFRESH, &token, &Value::Null).await;
    assert_eq!(answer.failed(), (401, "Unauthorized"));
}

#[tokio::test]
async fn a_logout_ends_the_tokens_sessions_and_no_others() {
    let api = Api::start().await;
    let phone = api.login("alice").await;
    api.clock.advance_ms(5_000);
    let tablet = api.login("alice").await;
    let (on_phone, on_tablet) = (
        api.session(&phone, "phone").await,
        api.session(&tablet, "tablet").await,
    );
    assert_eq!(
        api.post(LOGOUT, &phone, &Value::Null).await.data(),
        &Value::Null
    );
    let ending = |session: &Session| session.mailbox.drain(false).ending;
    assert_eq!(ending(&on_phone), Some(Ending::Kicked));
    assert_eq!(ending(&on_tablet), None);
    let all = json!({"all": true});
    assert_eq!(api.post(LOGOUT, &tablet, &all).await.data(), &Value::Null);
    assert_eq!(ending(&on_tablet), Some(Ending::Kicked));
    for token in [phone, tablet] {
        let answer = api.post(LOGOUT, &token, &Value::Null).await;
        assert_eq!(answer.failed(), (401, "Unauthorized"));
    }
}

#[tokio::test]
async fn administrators_make_user_sigs_and_users_do_not() {
    let api = Api::start().await;
    let path = "/api/im/admin/users/carol/usersig";
    for secret in ["admin".to_owned(), api.app().secret.to_string()] {
        let answer = api.post(path, &secret, &json!({"expireSeconds": 60})).await;
        let data = answer.data();
        assert_eq!(data["expiresAt"], (START_MS + 60_000) / 1000 * 1000);
        let sig = data["userSig"].as_str().expect("a userSig");
        let body = json!({"appId": "default", "userId": "carol", "userSig": sig});
        let login = api.ask("POST", LOGIN, &[], &body.to_string()).await;
        assert_eq!(login.data()["userId"], "carol");
    }
    let token = api.login("alice").await;
    let answer = api.post(path, &token, &Value::Null).await;
    assert_eq!(answer.failed(), (403, "Forbidden"));
    let answer = api.ask("POST", path, &[], "").await;
    assert_eq!(answer.failed(), (401, "Unauthorized"));
    let answer = api.post(path, "nonsense", &Value::Null).await;
    assert_eq!(answer.failed(), (401, "Unauthorized"));
    let answer = api.post(path, "admin", &json!({"appId": "other"})).await;
    assert_eq!(answer.failed(), (404, "App not found"));
    let answer = api.post(path, "admin", &json!({"expireSeconds": 0})).await;
    assert_eq!(answer.failed(), (400, "expireSeconds is invalid"));
    let answer = api
        .post("/api/im/admin/users/a%20b/usersig", "admin", &Value::Null)
        .await;
    assert_eq!(answer.failed(), (400, "userId is invalid"));
}

#[tokio::test]
async fn what_is_not_there_is_answered_in_the_same_form() {
    let api = Api::start().await;
    for (method, path) in [("GET", "/api/im/nope"), ("GET", LOGIN), ("POST", "/api/im")] {
        let answer = api.ask(method, path, &[], "").await;
        assert_eq!(answer.failed().0, 404, "{method} {path}");
    }
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_the_answers() {
    let mut config = Config::default();
    config.stomp.allowed_origins = vec!["https://app.example".to_owned()];
    let api = Api::with(config).await;
    let asked = |origin| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization"),
        ];
        let api = &api;
        async move { api.ask("OPTIONS", LOGIN, &headers, "").await.headers }
    };
    let headers = asked("https://app.example").await;
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(headers["access-control-allow-headers"], "authorization");
    let headers = asked("https://evil.example").await;
    assert!(!headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn messages_are_sent_by_rest_one_or_many() {
    let api = Api::start().await;
    for uid in ["alice", "bob", "carol"] {
        api.sig(uid).await;
    }
    let sig = api.sig("alice").await;
    let bearer = format!("Bearer {sig}");
    let auth = [("authorization", bearer.as_str())];
    let ask = async |path: &str, body: Value| api.ask("POST", path, &auth, &body.to_string()).await;
    let one = json!({
        "messageId": "m-1", "toId": "bob", "chatType": "SINGLE", "msgType": "TEXT",
        "content": "hi", "mentionedUserIds": ["bob"],
    });
    let sent = ask("/api/im/messages/send", one.clone()).await;
    let data = sent.data();
    assert_eq!(
        (&data["id"], &data["status"]),
        (&json!("m-1"), &json!("SENT"))
    );
    assert_eq!(
        (&data["fromId"], &data["toId"]),
        (&json!("alice"), &json!("bob"))
    );
    assert_eq!(data["mentionedUserIds"], json!(["bob"]));
    let again = ask("/api/im/messages/send", one.clone()).await;
    assert_eq!(again.data()["seq"], data["seq"], "a retry");
    let mut other = one.clone();
    other["content"] = "other".into();
    assert_eq!(ask("/api/im/messages/send", other).await.failed().0, 409);
    let mut nobody = one.clone();
    (nobody["toId"], nobody["messageId"]) = ("nobody".into(), "m-2".into());
    assert_eq!(ask("/api/im/messages/send", nobody).await.failed().0, 404);
    let missing = ask("/api/im/messages/send", json!({"toId": "bob"})).await;
    assert_eq!(missing.failed().0, 400);
    let batch = json!({
        "toIds": ["bob", "carol", "nobody"], "chatType": "SINGLE", "msgType": "TEXT",
        "content": "to all",
    });
    let sent = ask("/api/im/messages/batch/send", batch).await;
    let data = sent.data();
    let to = |list: &str, name: &str| -> Vec<String> {
        let list = data[list].as_array().expect("a list").iter();
        list.map(|it| it[name].as_str().expect("an id").to_owned())
            .collect()
    };
    assert_eq!(to("succeeded", "toId"), ["bob", "carol"]);
    assert_eq!(to("failed", "id"), ["nobody"]);
    assert_eq!(data["failed"][0]["code"], 404);
    let nobody = ask("/api/im/messages/batch/send", json!({"toIds": []})).await;
    assert_eq!(nobody.failed().0, 400);
    let stranger = api
        .ask("POST", "/api/im/messages/send", &[], &one.to_string())
        .await;
    assert_eq!(stranger.failed().0, 401);
}
