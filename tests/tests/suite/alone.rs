//! One dialect alone: what is switched off has neither listeners nor routes, and what is left
//! works.

use crosstalk_tests::wg::WgClient;
use crosstalk_tests::{Http, Server};
use serde_json::{Map, Value, json};

const OTHERS: [&str; 4] = [
    "dialects.wukong.enabled=false",
    "dialects.stomp.enabled=false",
    "dialects.mqtt.enabled=false",
    "dialects.gyyx.enabled=false",
];

#[tokio::test]
async fn wg_alone_has_no_others_listeners_or_routes_and_works() {
    let server = Server::start_with(&OTHERS).await;
    let text = std::fs::read_to_string(server.listeners_file()).expect("a file");
    let named: Map<String, Value> = serde_json::from_str(&text).expect("JSON");
    let names: Vec<_> = named.keys().map(String::as_str).collect();
    assert_eq!(names, ["http", "wg"]);

    let http = server.rest();
    for path in [
        "/ws/im",
        "/ws/im/info",
        "/ws",
        "/mqtt",
        "/wk",
        "/im/sign",
        "/im/chat-sign",
        "/im/v1/app/list",
        "/api/im/auth/login",
        "/api/im/messages",
        "/api/file/upload",
        "/",
    ] {
        let status = http.get(path).await.status;
        assert_eq!(status, 404, "GET {path}");
        if path != "/" {
            let status = http.post(path, json!({})).await.status;
            assert_eq!(status, 404, "POST {path}");
        }
        // Nor is it there for who asks for a WebSocket.
        let opened = WgClient::try_open(&server.listeners().http, path, &[], "u1").await;
        assert_eq!(opened.err(), Some(404), "WebSocket {path}");
    }

    server.user_token("u2").await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    u1.send("m", "u2", "hi").await;
    assert_eq!(u2.message().await["id"], "m");
    let rows = server.admin().get("/api/websocket/online").await.ok();
    assert_eq!(rows["total"], 2);
}

#[tokio::test]
async fn without_wg_nothing_of_it_is_there() {
    let server = Server::start_with(&["dialects.wg.enabled=false"]).await;
    assert_eq!(server.listeners().wg, "");
    let token = server.user_token("u1").await;
    let user: Http = server.rest().header("token", &token);
    for path in [
        "/websocket",
        "/api/websocket/client/login/web",
        "/app/websocket/client/login/web",
        "/api/websocket/online",
    ] {
        assert_eq!(user.get(path).await.status, 404, "{path}");
    }
    server.client("u1").await.ping().await;
}
