//! Router-level tests of `/im/sign` and `/im/chat-sign`, on a messenger over a store in memory.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{HeaderMap, Request};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin, ForeignLogins};
use crosstalk_gateway::{Gateway, GatewaySettings};
use crosstalk_wire::gyyx::{ChatRight, ConnectQuery, Key, SignMethod};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::config::{Config, Gyyx, GyyxAppSettings, Sign, SignAnswer};
use crate::http::edge::Edge;
use crate::http::v1::tests::im;
use crate::http::v1::tests::im::START_MS;

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
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    /// The signed URL.
    fn url(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["data"].as_str().expect("a URL").to_owned()
    }

    /// The code of a failure, which is the status, too.
    fn failed(&self) -> u16 {
        let body = self.json();
        assert_eq!(body["code"], self.status, "{self:?}");
        assert!(body.get("data").is_none(), "{self:?}");
        self.status
    }
}

impl Api {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Gyyx)) -> Self {
        let (im, clock, _) = im::start_with_store().await;
        let mut config = Config::default();
        change(&mut config.gyyx);
        let edge = Edge {
            im: Arc::clone(&im),
            gateway: Gateway::new(Arc::clone(&im), GatewaySettings::default()),
            admin_key: "admin".into(),
            config: Arc::new(config),
            bound: Arc::default(),
        };
        let client = SocketAddr::from(([203, 0, 113, 7], 1234));
        let routes = super::site(&edge).layer(MockConnectInfo(client));
        Self { routes, im, clock }
    }

    fn app(&self) -> App {
        self.im.apps().get(&AppId::default()).expect("the app")
    }

    async fn token(&self, uid: &str) -> String {
        let uid = Uid::parse(uid).expect("a uid");
        let issued = self.im.issue_token(&self.app(), &uid, 3600, None).await;
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
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self.routes.clone().oneshot(request).await;
        let (parts, body) = response.expect("an answer").into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).expect("UTF-8"),
        }
    }

    async fn sign(&self, user: &str, headers: &[(&str, &str)]) -> Answer {
        let path = format!("/im/sign?appId=default&userId={user}");
        self.ask("GET", &path, headers, "").await
    }
}

/// The query of a signed URL, which the app's secret must have signed.
fn query(url: &str, app: &App, method: SignMethod) -> ConnectQuery {
    let (root, query) = url.split_once('?').expect("a query");
    assert_eq!(root, "ws://im.example:8080");
    let query = ConnectQuery::parse(query).expect("all parameters");
    let key = Key {
        method,
        secret: app.secret.as_bytes(),
    };
    assert!(query.is_signed_by(key), "{url}");
    query
}

#[tokio::test]
async fn a_user_token_in_either_header_gets_a_signed_url() {
    let api = Api::start().await;
    let token = api.token("48057").await;
    let bearer = format!("Bearer {token}");
    for header in [
        ("token", token.as_str()),
        ("authorization", bearer.as_str()),
    ] {
        let answer = api.sign("48057", &[header]).await;
        let body = answer.json();
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!(200), &json!("success"))
        );
        assert_eq!(
            (&body["url"], &body["heartbeat"]),
            (&body["data"], &json!(30))
        );
        assert_eq!(answer.headers["cache-control"], "no-store");
        let query = query(&answer.url(), &api.app(), SignMethod::Hmac);
        assert_eq!(
            (query.user_id.as_str(), query.version.as_str()),
            ("48057", "1.10")
        );
        assert_eq!(query.sign.len(), 32);
        assert_eq!(query.tx_no.len(), 13);
    }
}

#[tokio::test]
async fn parameters_come_in_a_form_and_in_json_too() {
    let api = Api::start().await;
    let token = api.token("48057").await;
    let headers = [("token", token.as_str())];
    let asked = [
        ("/im/sign", "appId=default&userId=48057&version=2.0"),
        (
            "/im/sign",
            "{\"appId\":\"default\",\"userId\":48057,\"version\":\"2.0\"}",
        ),
        ("/im/sign?appId=default&userId=48057&version=2.0", ""),
    ];
    for (path, body) in asked {
        let answer = api.ask("POST", path, &headers, body).await;
        let query = query(&answer.url(), &api.app(), SignMethod::Hmac);
        assert_eq!(
            (query.user_id.as_str(), query.version.as_str()),
            ("48057", "2.0")
        );
    }
    for body in [
        "{",
        "[]",
        "appId=default",
        "{\"appId\":\"default\",\"userId\":\"a b\"}",
    ] {
        let answer = api.ask("POST", "/im/sign", &headers, body).await;
        assert_eq!(answer.failed(), 400, "{body}");
    }
    let answer = api.ask("GET", "/im/sign", &headers, "").await;
    assert_eq!(answer.text, "{\"code\":400,\"message\":\"参数错误\"}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_in_the_dialects_words() {
    let api = Api::start().await;
    let body = format!("appId={}", "x".repeat(3 << 20));
    for path in ["/im/sign", "/im/chat-sign"] {
        assert_eq!(api.ask("POST", path, &[], &body).await.failed(), 400);
    }
}

#[tokio::test]
async fn who_is_not_logged_in_gets_401() {
    let api = Api::start().await;
    let token = api.token("48057").await;
    assert_eq!(api.sign("48057", &[]).await.failed(), 401);
    assert_eq!(api.sign("48057", &[("token", "guess")]).await.failed(), 401);
    let others = api.sign("48058", &[("token", token.as_str())]).await;
    assert_eq!(others.failed(), 401);
    let path = "/im/sign?appId=nowhere&userId=48057";
    let answer = api.ask("GET", path, &[("token", &token)], "").await;
    assert_eq!(answer.failed(), 401, "an app that does not exist");
}

#[tokio::test]
async fn the_business_server_signs_for_everybody_of_its_app() {
    let api = Api::start().await;
    let secret = api.app().secret.to_string();
    let answer = api.sign("nobody-yet", &[("token", &secret)]).await;
    let signed = query(&answer.url(), &api.app(), SignMethod::Hmac);
    assert_eq!(signed.user_id, "nobody-yet");
    let other = AppId::parse("other").expect("an app id");
    let put = api.im.apps().put(&other, &Realm::default(), "other").await;
    let foreign = put.expect("an app").secret.to_string();
    assert_eq!(
        api.sign("48057", &[("token", &foreign)]).await.failed(),
        403
    );
}

/// A URL is void once the user's tokens are revoked; one that is signed afterwards is not, in
/// the very same moment.
#[tokio::test]
async fn urls_are_signed_later_than_what_voids_them() {
    let api = Api::start().await;
    let uid = Uid::parse("48057").expect("a uid");
    let _ = api.token("48057").await;
    api.im
        .revoke_tokens(&Realm::default(), &uid)
        .await
        .expect("revoked");
    let state = api.im.user(&Realm::default(), &uid).await.expect("a user");
    let voided_ms = state.record.tokens_after_ms;
    assert!(voided_ms >= START_MS);
    let (token, secret) = (api.token("48057").await, api.app().secret.to_string());
    for credential in [token, secret] {
        let answer = api.sign("48057", &[("token", &credential)]).await;
        let signed = query(&answer.url(), &api.app(), SignMethod::Hmac);
        assert!(signed.tx_no_ms() > Some(voided_ms), "{signed:?}");
    }
}

#[tokio::test]
async fn banned_users_get_403_and_guessing_is_slowed_down() {
    let api = Api::start().await;
    let token = api.token("48057").await;
    let uid = Uid::parse("48057").expect("a uid");
    let ban = crosstalk_core::directory::UserChange {
        ban: Some(true),
        ..Default::default()
    };
    api.im
        .put_user(&Realm::default(), &uid, &ban)
        .await
        .expect("a user");
    assert_eq!(api.sign("48057", &[("token", &token)]).await.failed(), 403);
    let mut last = 0;
    for _ in 0..30 {
        last = api.sign("bob", &[("token", "guess")]).await.failed();
    }
    assert_eq!(last, 429);
}

#[tokio::test]
async fn the_answer_has_the_form_that_is_configured() {
    let api = Api::with(|gyyx| gyyx.sign_answer = SignAnswer::Object).await;
    let token = api.token("48057").await;
    let body = api.sign("48057", &[("token", &token)]).await.json();
    assert_eq!(body["data"]["url"], body["url"]);
    let api = Api::with(|gyyx| gyyx.sign_answer = SignAnswer::Plain).await;
    let token = api.token("48057").await;
    let answer = api.sign("48057", &[("token", &token)]).await;
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    query(&answer.text, &api.app(), SignMethod::Hmac);
}

#[tokio::test]
async fn apps_have_settings_of_their_own() {
    let api = Api::with(|gyyx| {
        gyyx.url = "wss://chat.example".to_owned();
        gyyx.heartbeat_secs = 20;
        gyyx.apps.push(GyyxAppSettings {
            id: "default".to_owned(),
            sign: Some(Sign::Md5),
            chat_sign: None,
            heartbeat_secs: Some(7),
            codes: None,
        });
    })
    .await;
    let token = api.token("48057").await;
    let answer = api.sign("48057", &[("token", &token)]).await;
    assert_eq!(answer.json()["heartbeat"], 7);
    let url = answer.url();
    let rest = url.strip_prefix("wss://chat.example?").expect("the URL");
    query(
        &format!("ws://im.example:8080?{rest}"),
        &api.app(),
        SignMethod::Md5,
    );
}

/// Knows one cookie, and notes what it was asked.
#[derive(Default)]
struct Host(Mutex<Vec<ForeignLogin>>);

#[async_trait]
impl ForeignLogins for Host {
    fn serves(&self, _: &AppId) -> bool {
        true
    }

    async fn identify(&self, login: &ForeignLogin) -> Result<ForeignIdentity, Refusal> {
        self.0.lock().push(login.clone());
        if login.headers.cookie.as_deref() != Some("sid=1") {
            return Err(Refusal::NotAuthenticated);
        }
        Ok(ForeignIdentity {
            uid: Uid::parse("48057").map_err(|_| Refusal::Internal)?,
            issued_at_ms: 0,
            expires_at_ms: None,
            roles: Vec::new(),
        })
    }
}

#[tokio::test]
async fn a_host_applications_login_counts_and_its_cookies_do_not_go_everywhere() {
    let api = Api::with(|gyyx| gyyx.allowed_origins.push("https://app.example".into())).await;
    let host = Arc::new(Host::default());
    api.im.set_foreign_logins(Arc::clone(&host) as _);
    let cookie = ("cookie", "sid=1");
    for origin in [
        None,
        Some("https://app.example"),
        Some("http://im.example:8080"),
    ] {
        let origin = origin.map(|origin| ("origin", origin));
        let headers: Vec<_> = [cookie].into_iter().chain(origin).collect();
        let answer = api.sign("48057", &headers).await;
        query(&answer.url(), &api.app(), SignMethod::Hmac);
    }
    let asked = host.0.lock()[0].clone();
    assert_eq!((asked.dialect, asked.route.as_str()), ("gyyx", "/im/sign"));
    assert_eq!(asked.query, "appId=default&userId=48057");
    assert_eq!(
        asked.claimed_uid.map(|uid| uid.to_string()),
        Some("48057".to_owned())
    );
    let evil = [cookie, ("origin", "https://evil.example")];
    assert_eq!(api.sign("48057", &evil).await.failed(), 401);
    assert_eq!(api.sign("48058", &[cookie]).await.failed(), 401);
}

#[tokio::test]
async fn pages_may_ask_as_the_list_of_origins_says() {
    let api = Api::with(|gyyx| gyyx.allowed_origins.push("https://app.example".into())).await;
    for (origin, with_cookies) in [
        ("https://app.example", true),
        ("https://any.example", false),
    ] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "token,content-type"),
        ];
        for path in ["/im/sign", "/im/chat-sign"] {
            let answer = api.ask("OPTIONS", path, &headers, "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            let allows = answer.headers.get("access-control-allow-credentials");
            assert_eq!(allows.is_some(), with_cookies, "{origin}");
            let names = answer.headers["access-control-allow-headers"].to_str();
            assert!(names.expect("names").contains("token"));
        }
    }
    let api = Api::with(|gyyx| gyyx.allowed_origins = vec!["https://app.example".into()]).await;
    let answer = api
        .sign("48057", &[("origin", "https://any.example")])
        .await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn chat_rights_are_the_business_servers_to_grant() {
    let api = Api::start().await;
    let secret = api.app().secret.to_string();
    let body = json!({"appId": "default", "userId": "48057", "receiveUserId": "48058"});
    let ask = async |headers: &[(&str, &str)]| {
        api.ask("POST", "/im/chat-sign", headers, &body.to_string())
            .await
    };
    let bearer = format!("Bearer {secret}");
    let answer = ask(&[("authorization", &bearer)]).await;
    assert_eq!(answer.status, 200);
    let sign = answer.json()["data"]["receiveSign"]
        .as_str()
        .expect("a signature")
        .to_owned();
    let right = ChatRight {
        app_id: "default",
        user_id: "48057",
        receive_user_id: "48058",
    };
    let now_secs = START_MS / 1000;
    assert_eq!(
        right.check(secret.as_bytes(), &sign, now_secs + 600),
        Ok(())
    );
    assert!(
        right
            .check(secret.as_bytes(), &sign, now_secs + 601)
            .is_err()
    );
    let token = api.token("48057").await;
    assert_eq!(ask(&[("token", &token)]).await.failed(), 401);
    assert_eq!(ask(&[]).await.failed(), 401);
    api.clock.advance_ms(1_000);
    assert_ne!(ask(&[("token", &secret)]).await.text, answer.text);
    let short = api
        .ask(
            "POST",
            "/im/chat-sign",
            &[("token", &secret)],
            "appId=default",
        )
        .await;
    assert_eq!(short.failed(), 400);
}
