//! Router-level tests of this dialect's routes, on a messenger over a store in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::Im;
use crosstalk_gateway::{Dialect, Gateway, GatewaySettings};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::config::{Config, Mqtt};
use crate::http::edge::Edge;
use crate::http::v1::tests::im;

/// The routes with their messenger.
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
    json: Value,
}

impl Answer {
    /// What a success gives.
    fn data(&self) -> &Value {
        assert_eq!(
            (self.status, &self.json["code"]),
            (200, &json!(200)),
            "{self:?}"
        );
        &self.json["data"]
    }

    /// The code of a failure, which is the status, too.
    fn failed(&self) -> u16 {
        assert_eq!(self.json["code"], self.status, "{self:?}");
        assert!(self.json.get("data").is_none(), "{self:?}");
        self.status
    }
}

impl Api {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Mqtt)) -> Self {
        let (im, clock, _) = im::start_with_store().await;
        let mut config = Config::default();
        change(&mut config.mqtt);
        let settings = super::settings(&config.mqtt, &im).expect("settings");
        let settings = GatewaySettings::default().with(Dialect::Mqtt, settings);
        let edge = Edge {
            im: Arc::clone(&im),
            gateway: Gateway::new(Arc::clone(&im), settings),
            admin_key: "admin".into(),
            config: Arc::new(config),
            bound: Arc::default(),
        };
        let client = SocketAddr::from(([203, 0, 113, 7], 1234));
        let routes = super::router(&edge).layer(MockConnectInfo(client));
        Self { routes, im, clock }
    }

    fn app(&self) -> App {
        self.im.apps().get(&AppId::default()).expect("an app")
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let answer = self.routes.clone().oneshot(request).await;
        let answer = answer.expect("an answer");
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }

    async fn post(&self, path: &str, bearer: &str, body: Value) -> Answer {
        let bearer = format!("Bearer {bearer}");
        let headers = [("authorization", bearer.as_str())];
        self.ask("POST", path, &headers, &body.to_string()).await
    }

    async fn get(&self, path: &str, bearer: &str) -> Answer {
        let bearer = format!("Bearer {bearer}");
        self.ask("GET", path, &[("authorization", &bearer)], "")
            .await
    }

    async fn register(&self, uid: &str, device: &str) -> Value {
        let secret = self.app().secret;
        let body = json!({"userId": uid, "deviceId": device}).to_string();
        let headers = [("x-tenant-token", &*secret)];
        let answer = self.ask("POST", "/im/v1/register", &headers, &body).await;
        answer.data().clone()
    }
}

#[tokio::test]
async fn the_apps_secret_and_a_user_token_register() {
    let api = Api::start().await;
    let by_app = api.register("ann", "d1").await;
    let uid = Uid::parse("ann").expect("a uid");
    let app = api.app();
    let token = api.im.issue_token(&app, &uid, 60, None);
    let token = token.await.expect("a token").token;
    let body = json!({"userId": "ann", "deviceId": "d1", "tenantNo": "default"});
    let by_user = api.post("/im/v1/register", &token, body.clone()).await;
    assert_eq!(by_user.data()["account"], by_app["account"]);
    // By alias, too.
    let aliased = json!({"userId": by_app["account"], "deviceId": "d1"});
    let by_alias = api.post("/im/v1/register", &token, aliased).await;
    assert_eq!(by_alias.data()["account"], by_app["account"]);
    assert_eq!(
        api.post("/im/v1/register", "nonsense", body).await.failed(),
        401
    );
    let bad = api.ask("POST", "/im/v1/register", &[], "[]").await;
    assert_eq!(bad.failed(), 400);
}

#[tokio::test]
async fn what_is_announced_is_what_the_operator_says() {
    let api = Api::with(|mqtt| {
        mqtt.host = "im.example.com".to_owned();
        (mqtt.port, mqtt.tls_port, mqtt.ws_port) = (1883, 8883, 443);
    })
    .await;
    let server = api.register("ann", "d1").await["server"].clone();
    let expected = json!({
        "host": "im.example.com", "port": 1883, "tlsPort": 8883, "wsPort": 443,
        "wsPath": "/mqtt", "keepAlive": 60,
    });
    assert_eq!(server, expected);
    let unbound = Api::start().await.register("ann", "d1").await;
    assert_eq!(unbound["server"]["port"], Value::Null);
}

#[tokio::test]
async fn a_registrations_token_expires_and_is_revoked_with_the_users() {
    let api = Api::with(|mqtt| mqtt.token_days = 1).await;
    let push = async |token: &Value| {
        let token = token["token"].as_str().expect("a token");
        api.post("/im/v1/push/off", token, json!({})).await
    };
    let first = api.register("ann", "d1").await;
    push(&first).await.data();
    api.clock.advance_ms(24 * 3_600_000);
    assert_eq!(push(&first).await.failed(), 401);
    let second = api.register("ann", "d1").await;
    push(&second).await.data();
    api.clock.advance_ms(1);
    let uid = Uid::parse("ann").expect("a uid");
    let revoked = api.im.revoke_tokens(&Realm::default(), &uid).await;
    revoked.expect("revoked");
    assert_eq!(push(&second).await.failed(), 401);
    push(&api.register("ann", "d1").await).await.data();
}

#[tokio::test]
async fn a_device_that_is_logged_out_can_do_nothing_any_more() {
    let api = Api::start().await;
    let one = api.register("ann", "d1").await;
    let token = one["token"].as_str().expect("a token");
    api.register("ann", "d2").await;
    let out = json!({"deviceId": "d2"});
    api.post("/im/v1/logout", token, out).await.data();
    let foreign = json!({"deviceId": "nobody's"});
    assert_eq!(
        api.post("/im/v1/logout", token, foreign).await.failed(),
        404
    );
    api.post("/im/v1/logout", token, json!({})).await.data();
    assert_eq!(
        api.post("/im/v1/push/on", token, json!({})).await.failed(),
        403
    );
    let devices = api.get("/im/v1/devices?userId=ann", "admin").await;
    let states: Vec<_> = devices
        .data()
        .as_array()
        .expect("devices")
        .iter()
        .map(|it| it["state"].clone())
        .collect();
    assert_eq!(states, ["logged_out", "logged_out"]);
    assert_eq!(api.get("/im/v1/devices", "admin").await.failed(), 400);
    assert_eq!(
        api.get("/im/v1/devices?userId=ann", token).await.failed(),
        401
    );
}

#[tokio::test]
async fn an_access_token_speaks_for_its_app_for_two_hours() {
    let api = Api::start().await;
    let ask = json!({"appId": "default", "appSecret": &*api.app().secret});
    let answer = api
        .ask("POST", "/im/v1/app/token", &[], &ask.to_string())
        .await;
    assert_eq!(answer.data()["expiresIn"], 7200);
    let token = answer.data()["accessToken"]
        .as_str()
        .expect("a token")
        .to_owned();
    let group = json!({"groupId": "g1", "name": "一组", "members": ["ann", "bob"]});
    let made = api.post("/im/v1/app/groups", &token, group.clone()).await;
    assert_eq!(*made.data(), json!({"groupId": "g1", "memberCount": 2}));
    let fewer = json!({"groupId": "g1", "members": ["bob"]});
    let made = api.post("/im/v1/app/groups", &token, fewer).await;
    assert_eq!(made.data()["memberCount"], 1, "visible at once");
    // It is known who has put whom there.
    let query = crosstalk_core::admin::AuditQuery {
        target: Some("g1".to_owned()),
        limit: 9,
        ..Default::default()
    };
    let acts = api.im.audit().acts(&query).await.expect("acts");
    let last = &acts.first().expect("an act").entry;
    assert_eq!(
        (&*last.actor, &*last.action, acts.len()),
        ("app:default", "POST /im/v1/app/groups", 2)
    );
    assert_eq!(last.subjects, ["g1", "bob"]);
    for body in [
        json!({"appId": "default", "appSecret": "wrong"}),
        json!({"appId": "nobody", "appSecret": "x"}),
    ] {
        let refused = api
            .ask("POST", "/im/v1/app/token", &[], &body.to_string())
            .await;
        assert_eq!(refused.failed(), 401);
    }
    let forged = format!("{}x", &token[..token.len() - 1]);
    assert_eq!(
        api.post("/im/v1/app/groups", &forged, group.clone())
            .await
            .failed(),
        401
    );
    api.clock.advance_ms(7_201_000);
    assert_eq!(
        api.post("/im/v1/app/groups", &token, group).await.failed(),
        401
    );
}

#[tokio::test]
async fn pulling_needs_a_token_and_the_unmissed_a_connection() {
    let api = Api::start().await;
    let ann = api.register("ann", "d1").await;
    let token = ann["token"].as_str().expect("a token");
    for path in ["/im/v1/messages/history", "/im/v1/messages/offline"] {
        assert_eq!(api.get(path, "nonsense").await.failed(), 401, "{path}");
        assert_eq!(api.get(path, token).await.failed(), 409, "{path}");
    }
    let path = "/im/v1/messages/history?deliver=http";
    let nothing = api.get(path, token).await;
    let expected = json!({"count": 0, "more": false, "cursor": "", "messages": []});
    assert_eq!(*nothing.data(), expected);
    let who = api
        .get("/im/v1/messages/history?deliver=http&target=nobody", token)
        .await;
    assert_eq!(who.failed(), 404);
    let when = api
        .get("/im/v1/messages/history?startTime=yesterday", token)
        .await;
    assert_eq!(when.failed(), 400);
}

#[tokio::test]
async fn pages_of_allowed_origins_may_read_the_answers() {
    let api = Api::with(|mqtt| mqtt.allowed_origins = vec!["https://app.example".to_owned()]).await;
    let of = async |origin: &str| {
        let headers = [("origin", origin)];
        let answer = api.ask("POST", "/im/v1/register", &headers, "{}").await;
        answer.headers.get("access-control-allow-origin").cloned()
    };
    assert_eq!(
        of("https://app.example").await.expect("allowed"),
        "https://app.example"
    );
    assert_eq!(of("https://other.example").await, None);
}

#[tokio::test]
async fn what_no_handler_sees_is_told_in_the_same_frame() {
    let api = Api::start().await;
    let long = "x".repeat(super::BODY_BYTES + 1);
    let answer = api.ask("POST", "/im/v1/register", &[], &long).await;
    assert_eq!(answer.failed(), 413);
    let answer = api.ask("GET", "/im/v1/register", &[], "").await;
    assert_eq!(answer.failed(), 405);
    let answer = api.ask("POST", "/im/v1/nothing/here", &[], "{}").await;
    assert_eq!(answer.failed(), 404);
}
