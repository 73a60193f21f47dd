//! Logins that the host application has given already decide on every login route and CONNECT:
//! by its hook, and by a rule for its own JWTs. Pages of any origin may connect.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use crosstalk_tests::gyyx::{GyyxClient, code};
use crosstalk_tests::mqtt::{self, MqttClient};
use crosstalk_tests::stomp::StompClient;
use crosstalk_tests::wg::{self, WgClient};
use crosstalk_tests::wukong::random_keys;
use crosstalk_tests::{Http, Server, within};
use crosstalk_wire::mqtt::{ReasonCode, Version};
use crosstalk_wire::wukong::binary::Packet;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;

use super::wg_app::App;

const WG_LOGIN: &str = "/app/websocket/client/login/web";

/// Each way in, with a credential of the host application's. True if it led in as `uid`.
async fn ways_in(server: &Server, uid: &str, credential: &str) -> Vec<(&'static str, bool)> {
    let rest = server.rest().header("token", credential);
    let mut ways = Vec::new();

    let connect = format!("login:{uid}\nAuthorization:Bearer {credential}\n");
    let mut client = StompClient::open(server, "").await;
    client
        .say(&format!(
            "CONNECT\naccept-version:1.2\nhost:h\n{connect}\n\0"
        ))
        .await;
    let answer = client.frame().await;
    ways.push(("stomp CONNECT", answer.header("user-name") == Some(uid)));
    let login = json!({"appId": "default", "userId": uid, "userSig": credential});
    let answer = server.rest().post("/api/im/auth/login", login).await.json();
    ways.push(("stomp login", answer["data"]["userId"] == uid));

    let connect = mqtt::connect(Version::V5, "d1", true, uid, credential);
    let (_, connack) = MqttClient::connect(server, &connect).await;
    ways.push(("mqtt CONNECT", connack.reason == ReasonCode::Success));
    let register = json!({"tenantNo": "default", "userId": uid, "deviceId": "d2", "os": 2});
    let answer = rest.post("/im/v1/register", register).await.json();
    ways.push(("mqtt register", answer["data"]["account"].is_string()));

    let answer = rest
        .get(&format!("/im/sign?appId=default&userId={uid}"))
        .await
        .json();
    let signed = match answer["data"].as_str() {
        Some(url) => code(&GyyxClient::open(url).await.any().await) == 101,
        None => false,
    };
    ways.push(("gyyx sign", signed));

    let answer = Http::at(&server.listeners().wg)
        .header("token", credential)
        .get(WG_LOGIN)
        .await
        .json();
    let registered = match answer["sessionId"].as_str() {
        Some(id) => {
            let mut client = WgClient::open(server, uid).await;
            wg::body(&client.register(id).await)["code"] == 200
        }
        None => false,
    };
    ways.push(("wg login", registered));

    let keys = random_keys();
    let login = server.login(uid).token(credential);
    let mut link = login.link().await;
    link.write(&login.packet(&keys)).await;
    let connack = within("a CONNACK", link.read()).await;
    let is_in = matches!(&connack, Some(Packet::Connack(connack)) if connack.reason == 1);
    ways.push(("wukong CONNECT", is_in));
    ways
}

fn all(ways: &[(&'static str, bool)], expected: bool) {
    let odd: Vec<_> = ways
        .iter()
        .filter(|(_, led_in)| *led_in != expected)
        .collect();
    assert!(odd.is_empty(), "expected {expected}: {odd:?}");
}

#[tokio::test]
async fn the_hook_decides_on_every_way_in() {
    let mut app = App::start(|question| {
        let shown = [
            &question["headers"]["token"],
            &question["headers"]["authorization"],
        ];
        if shown
            .iter()
            .any(|it| it.as_str().is_some_and(|it| it.ends_with("host-u1")))
        {
            (200, json!({"uid": "u1"}))
        } else {
            (401, json!({}))
        }
    })
    .await;
    let url = format!("auth.default.hook.url={}", app.url());
    let server = Server::start_with(&[&url, "auth.default.hook.secret=s"]).await;
    all(&ways_in(&server, "u1", "host-u1").await, true);
    let first = app.asked().await;
    assert!(first.header("x-crosstalk-signature").starts_with("sha256="));
    all(&ways_in(&server, "u1", "host-wrong").await, false);
    // Somebody else's credential leads nobody in under another name.
    all(&ways_in(&server, "u2", "host-u1").await, false);
}

#[tokio::test]
async fn an_application_that_does_not_answer_lets_nobody_in() {
    let server = Server::start_with(&[
        "auth.default.hook.url=http://127.0.0.1:9/gone",
        "auth.default.hook.secret=s",
    ])
    .await;
    all(&ways_in(&server, "u1", "host-u1").await, false);
}

/// A JWT of the host application's own.
fn jwt(uid: &str, key: &str) -> String {
    let part = |json: Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let header = part(json!({"alg": "HS256", "typ": "JWT"}));
    let claims = part(json!({"account": uid, "iss": "shop", "exp": 4_000_000_000_u64}));
    let text = format!("{header}.{claims}");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("keys of any length");
    mac.update(text.as_bytes());
    let signature = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{text}.{signature}")
}

#[tokio::test]
async fn a_rule_for_jwts_decides_on_every_way_in() {
    let key = "the shop's own key, which is long enough";
    let key_setting = format!("auth.default.jwt.key={key}");
    let server = Server::start_with(&[
        "auth.default.jwt.algorithm=HS256",
        &key_setting,
        "auth.default.jwt.uid_claim=account",
        "auth.default.jwt.issuer=shop",
    ])
    .await;
    all(&ways_in(&server, "u1", &jwt("u1", key)).await, true);
    all(
        &ways_in(
            &server,
            "u1",
            &jwt("u1", "another key of that length, or so"),
        )
        .await,
        false,
    );
    all(&ways_in(&server, "u2", &jwt("u1", key)).await, false);
}

/// Whether a WebSocket opens for a page of a foreign origin.
async fn opens(server: &Server, path: &str, subprotocol: &str) -> bool {
    let addr = &server.listeners().http;
    let request = format!("ws://{addr}{path}").into_client_request();
    let mut request = request.expect("an address");
    let headers = request.headers_mut();
    headers.insert(
        "origin",
        HeaderValue::from_static("https://elsewhere.example"),
    );
    if !subprotocol.is_empty() {
        let value = HeaderValue::from_str(subprotocol).expect("a header value");
        headers.insert("sec-websocket-protocol", value);
    }
    within("a handshake", connect_async(request)).await.is_ok()
}

#[tokio::test]
async fn pages_of_any_origin_may_connect_unless_origins_are_listed() {
    let paths = [
        ("/ws/im", "v12.stomp"),
        ("/ws/im/websocket", ""),
        ("/ws/im/0/s/websocket", ""),
        ("/ws", ""),
        ("/websocket", ""),
        ("/mqtt", "mqtt"),
        ("/", "mqtt"),
        ("/", ""),
        ("/wk", ""),
    ];
    let open = Server::start().await;
    for (path, subprotocol) in paths {
        assert!(
            opens(&open, path, subprotocol).await,
            "{path} {subprotocol}"
        );
    }
    let ours = |dialect: &str| format!("{dialect}.allowed_origins=[\"https://ours.example\"]");
    let settings = ["wukong", "stomp", "mqtt", "gyyx", "wg"].map(ours);
    let listed: Vec<&str> = settings.iter().map(String::as_str).collect();
    let listed = Server::start_with(&listed).await;
    for (path, subprotocol) in paths {
        assert!(
            !opens(&listed, path, subprotocol).await,
            "{path} {subprotocol}"
        );
    }
}
