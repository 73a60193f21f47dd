//! Router-level tests of the dialect's routes, on a messenger over a store in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request, header};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::Uid;
use crosstalk_core::im::Im;
use crosstalk_gateway::{Dialect, Gateway, GatewaySettings};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::compose::Bound;
use crate::config::{Config, LoginData, Wg};
use crate::http::edge::Edge;
use crate::http::v1::tests::im;

const WEB: &str = "/app/websocket/client/login/web";

/// The routes of `listen.wg` with their messenger.
struct Api {
    routes: Router,
    im: Arc<Im>,
    clock: Arc<ManualClock>,
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
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Wg)) -> Self {
        let (im, clock, _) = im::start_with_store().await;
        let mut config = Config::default();
        change(&mut config.wg);
        let plug = super::settings(&config.wg, &im).expect("settings");
        let settings = GatewaySettings::default().with(Dialect::Wg, plug);
        let mut bound = Bound::default();
        bound.add("wg", SocketAddr::from(([127, 0, 0, 1], 8081)));
        let edge = Edge {
            im: Arc::clone(&im),
            gateway: Gateway::new(Arc::clone(&im), settings),
            admin_key: "admin".into(),
            config: Arc::new(config),
            bound: Arc::new(bound),
        };
        let client = SocketAddr::from(([203, 0, 113, 7], 1234));
        let routes = super::site(&edge).layer(MockConnectInfo(client));
        Self { routes, im, clock }
    }

    async fn token(&self, uid: &str) -> String {
        let app = self.im.apps().get(&AppId::default()).expect("the app");
        let uid = Uid::parse(uid).expect("a uid");
        let issued = self.im.issue_token(&app, &uid, 3600, None).await;
        issued.expect("a token").token
    }

    async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_string()));
        let asked = self
            .routes
            .clone()
            .oneshot(request.expect("a request"))
            .await;
        let (parts, body) = asked.expect("an answer").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, &Value::Null).await
    }
}

#[tokio::test]
async fn a_login_is_answered_in_either_form() {
    for shape in [LoginData::Text, LoginData::Object] {
        let api = Api::with(|wg| wg.login_data = shape).await;
        let token = api.token("u1").await;
        let answer = api.get(WEB, &[("token", &token)]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let kind = &answer.headers[header::CONTENT_TYPE];
        assert_eq!(kind, "application/json; charset=utf-8");
        let login = json!({
            "sessionId": answer.body["sessionId"], "url": "ws://127.0.0.1:8081/websocket",
            "expiresIn": 1800,
        });
        let data = match shape {
            LoginData::Text => answer.body["sessionId"].clone(),
            LoginData::Object => login.clone(),
        };
        let mut expected = json!({"code": 200, "msg": "成功", "data": data});
        for (name, value) in login.as_object().expect("members") {
            expected[name] = value.clone();
        }
        assert_eq!(answer.body, expected);
    }
}

#[tokio::test]
async fn each_place_of_a_token_will_do_and_two_must_agree() {
    let api = Api::start().await;
    let (u1, u2) = (api.token("u1").await, api.token("u2").await);
    let (u1, u2) = (u1.as_str(), u2.as_str());
    let bearer = format!("Bearer {u1}");
    let query = format!("{WEB}?token={u1}");
    let cases = [
        (WEB, vec![("token", u1)], 200),
        (WEB, vec![("authorization", bearer.as_str())], 200),
        (query.as_str(), vec![], 200),
        (
            &query,
            vec![("token", u1), ("authorization", bearer.as_str())],
            200,
        ),
        (query.as_str(), vec![("token", u2)], 401),
        (WEB, vec![], 401),
        (WEB, vec![("token", "")], 401),
        (WEB, vec![("authorization", "Basic dTE6")], 401),
    ];
    for (path, headers, status) in cases {
        let answer = api.get(path, &headers).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        assert_eq!(answer.body["code"], status);
    }
}

#[tokio::test]
async fn a_name_is_looked_at_before_the_token_and_the_method_before_both() {
    let api = Api::start().await;
    let bad = "/api/websocket/client/login/%E7%BD%91";
    assert_eq!(api.get(bad, &[]).await.status, 400);
    for method in ["POST", "PUT", "PATCH"] {
        let answer = api.ask(method, bad, &[], &Value::Null).await;
        assert_eq!(answer.status, 405, "{method}");
        assert_eq!(answer.headers[header::ALLOW], "GET");
    }
    for path in [
        "/api/websocket/client/login/",
        "/api/websocket/client/login",
        "/api/websocket/client/login/a/b",
        "/app/websocket/online",
        "/websocket/x",
        "/",
    ] {
        let answer = api.get(path, &[]).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (404, &json!(404)),
            "{path}"
        );
    }
}

#[tokio::test]
async fn who_guesses_tokens_is_asked_to_wait() {
    let api = Api::start().await;
    let mut statuses = Vec::new();
    for _ in 0..400 {
        let answer = api.get(WEB, &[("token", "guess")]).await;
        assert_eq!(answer.body["code"], answer.status);
        statuses.push(answer.status);
    }
    assert_eq!((statuses[0], statuses[399]), (401, 429));
}

#[tokio::test]
async fn banned_users_are_told_so() {
    let api = Api::start().await;
    let token = api.token("u1").await;
    let change = crosstalk_core::directory::UserChange {
        ban: Some(true),
        ..Default::default()
    };
    let uid = Uid::parse("u1").expect("a uid");
    let put = api.im.put_user(&Default::default(), &uid, &change).await;
    put.expect("a user");
    let answer = api.get(WEB, &[("token", &token)]).await;
    assert_eq!((answer.status, &answer.body["code"]), (403, &json!(403)));
}

#[tokio::test]
async fn a_logout_needs_the_login() {
    let api = Api::start().await;
    let token = api.token("u1").await;
    let out = async |headers: &[(&str, &str)]| {
        let answer = api.ask("DELETE", WEB, headers, &Value::Null).await;
        (answer.status, answer.body)
    };
    assert_eq!(out(&[]).await.0, 401);
    let done = (200, json!({"code": 200, "msg": "成功"}));
    assert_eq!(out(&[("token", &token)]).await, done);
    api.clock.advance_ms(2 * 3600 * 1000);
    assert_eq!(out(&[("token", &token)]).await.0, 401, "it has expired");
}

#[tokio::test]
async fn the_manager_needs_the_admin_key() {
    let api = Api::start().await;
    let online = "/api/websocket/online";
    for (key, status) in [
        ("Bearer admin", 200),
        ("bearer admin", 200),
        ("Bearer x", 401),
        ("admin", 401),
    ] {
        let answer = api.get(online, &[("authorization", key)]).await;
        assert_eq!(answer.status, status, "{key}");
    }
    let admin = [("authorization", "Bearer admin")];
    assert_eq!(
        api.get(online, &admin).await.body,
        json!({"rows": [], "total": 0})
    );
    let message = json!({"channelIds": ["7"], "message": {"type": 2001, "body": "x"}});
    let sent = api
        .ask("POST", "/api/websocket/send", &admin, &message)
        .await;
    assert_eq!(sent.body, json!({"code": 200, "msg": "成功", "data": 0}));
    let query = crosstalk_core::admin::AuditQuery {
        target: Some("7".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let acts = api.im.audit().acts(&query).await.expect("acts");
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].entry.action, "POST /api/websocket/send");
    assert!(!acts[0].entry.asked.contains('x'), "no texts");
    let many: Vec<String> = (0..1001).map(|at| format!("u{at}")).collect();
    let query = format!("{online}?userIds={}", many.join(","));
    assert_eq!(api.get(&query, &admin).await.status, 400);
}

#[tokio::test]
async fn pages_may_read_the_answers_as_the_list_says() {
    let api = Api::with(|wg| {
        wg.allowed_origins = vec!["*".into(), "https://ours.example".into()];
    })
    .await;
    let asked = [
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "token, authorization"),
    ];
    for (origin, credentials) in [
        ("https://ours.example", true),
        ("https://else.example", false),
    ] {
        let mut headers = asked.to_vec();
        headers.push(("origin", origin));
        let answer = api.ask("OPTIONS", WEB, &headers, &Value::Null).await;
        assert_eq!(answer.status, 200, "a preflight");
        let named = |name: header::HeaderName| answer.headers.get(name).cloned();
        assert_eq!(
            named(header::ACCESS_CONTROL_ALLOW_ORIGIN).expect("it"),
            origin
        );
        let headers = named(header::ACCESS_CONTROL_ALLOW_HEADERS).expect("them");
        assert_eq!(headers, "token, authorization");
        let with = named(header::ACCESS_CONTROL_ALLOW_CREDENTIALS).is_some();
        assert_eq!(with, credentials, "{origin}");
    }
}
