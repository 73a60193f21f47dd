//! What a business backend does through WuKongIM's HTTP API besides lists and history.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;
use serde_json::{Value, json};

fn payload(text: &str) -> String {
    BASE64_STANDARD.encode(json!({"type": 1, "content": text}).to_string())
}

fn message(from: &str, to: &str, channel_type: u8, text: &str) -> Value {
    json!({
        "header": {"no_persist": 0, "red_dot": 1, "sync_once": 0},
        "from_uid": from, "channel_id": to, "channel_type": channel_type, "payload": payload(text),
    })
}

#[tokio::test]
async fn a_message_in_a_users_name_is_stored_and_delivered() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let send = message("alice", "bob", 1, "你好");
    let answer = server.wukong_api().post("/message/send", send).await.ok();
    let data = &answer["data"];
    assert_eq!(
        (&answer["status"], &data["message_seq"]),
        (&json!(200), &json!(1)),
        "{answer}"
    );
    let heard = bob.hears("你好").await.packet;
    assert_eq!(
        data["message_id"].as_i64(),
        Some(heard.message_id),
        "{answer}"
    );
    assert_eq!(
        data["message_idstr"],
        heard.message_id.to_string(),
        "{answer}"
    );
    assert_eq!(data["client_msg_no"], heard.client_msg_no, "{answer}");
    assert_eq!(
        (heard.from_uid.as_str(), heard.channel_id.as_str()),
        ("alice", "alice")
    );
    assert!(heard.flags.red_dot);
    // It was not sent by any of her devices, so all of them get it.
    assert_eq!(alice.hears("你好").await.packet.channel_id, "bob");
}

#[tokio::test]
async fn a_resend_of_the_backend_is_the_same_message() {
    let server = Server::start().await;
    let mut bob = server.client("bob").await;
    let mut once = message("alice", "bob", 1, "once");
    once["client_msg_no"] = json!("order-1");
    let first = server
        .wukong_api()
        .post("/message/send", once.clone())
        .await
        .ok();
    let again = server.wukong_api().post("/message/send", once).await.ok();
    assert_eq!(first, again);
    server
        .wukong_ok("/message/send", message("alice", "bob", 1, "next"))
        .await;
    bob.hears("once").await;
    bob.hears("next").await;
}

/// Clients know the system by its empty name.
#[tokio::test]
async fn the_system_speaks_without_a_name_and_without_asking() {
    let server = Server::start().await;
    server.group("g1", &["alice"]).await;
    let mut alice = server.client("alice").await;
    server
        .wukong_ok("/message/send", message("", "g1", 2, "to a group"))
        .await;
    let heard = alice.hears("to a group").await.packet;
    assert_eq!(
        (heard.from_uid.as_str(), heard.channel_id.as_str()),
        ("", "g1")
    );
    server
        .wukong_ok("/message/send", message("", "alice", 1, "to a user"))
        .await;
    assert_eq!(alice.hears("to a user").await.packet.from_uid, "");
}

#[tokio::test]
async fn a_batch_is_a_direct_message_to_each() {
    let server = Server::start().await;
    let mut bob = server.client("bob").await;
    let mut carol = server.client("carol").await;
    let batch = json!({
        "header": {"red_dot": 1}, "from_uid": "alice", "subscribers": ["bob", "carol"],
        "payload": payload("to each of you"),
    });
    let answer = server
        .wukong_api()
        .post("/message/sendbatch", batch)
        .await
        .ok();
    assert_eq!(answer["fail_uids"], json!([]), "{answer}");
    for client in [&mut bob, &mut carol] {
        assert_eq!(
            client.hears("to each of you").await.packet.channel_id,
            "alice"
        );
    }
}

#[tokio::test]
async fn impossible_requests_are_400_with_a_reason() {
    let server = Server::start().await;
    let mut no_payload = message("alice", "bob", 1, "x");
    no_payload["payload"] = json!("");
    let mut not_base64 = message("alice", "bob", 1, "x");
    not_base64["payload"] = json!("?");
    for (path, body) in [
        ("/message/send", no_payload),
        ("/message/send", not_base64),
        ("/message/send", message("alice", "", 1, "x")),
        (
            "/user/token",
            json!({"uid": "a@b", "token": "t", "device_flag": 0, "device_level": 0}),
        ),
        (
            "/user/token",
            json!({"uid": "", "token": "t", "device_flag": 0, "device_level": 0}),
        ),
        (
            "/user/token",
            json!({"uid": "____system", "token": "t", "device_flag": 0}),
        ),
        ("/channel", json!({"channel_id": "a#b", "channel_type": 2})),
        ("/channel", json!({"channel_id": "g", "channel_type": 0})),
        (
            "/channel",
            json!({"channel_id": "u", "channel_type": 1, "subscribers": ["x"]}),
        ),
    ] {
        let asked = format!("{path} {body}");
        let answer = server.wukong_api().post(path, body).await;
        assert_eq!(answer.status, 400, "{asked}: {}", answer.text());
        let json = answer.json();
        assert_eq!(json["status"], 400, "{asked}: {json}");
        assert!(
            json["msg"].as_str().is_some_and(|msg| !msg.is_empty()),
            "{asked}: {json}"
        );
    }
    let broken = server
        .wukong_api()
        .post_text("/message/send", "{broken")
        .await;
    assert_eq!(broken.status, 400);
}

#[tokio::test]
async fn clients_are_told_where_the_server_listens() {
    let server = Server::start().await;
    let listeners = server.listeners();
    let route = server
        .wukong_api()
        .get("/route?uid=alice&intranet=0")
        .await
        .ok();
    assert_eq!(route["tcp_addr"], listeners.wukong_tcp);
    assert_eq!(route["ws_addr"], format!("ws://{}", listeners.wukong_ws));
    let batch = server
        .wukong_api()
        .post("/route/batch", json!(["alice", "bob"]))
        .await
        .ok();
    assert_eq!(batch[0]["tcp_addr"], listeners.wukong_tcp, "{batch}");
    assert_eq!(
        server.wukong_api().get("/health").await.ok()["status"],
        "ok"
    );
}

#[tokio::test]
async fn a_manager_token_shuts_out_who_does_not_have_it() {
    let server = Server::start_with(&["wukong.manager_token=open-sesame"]).await;
    let api = server.wukong_api();
    let ask = json!({"uid": "alice", "token": "t", "device_flag": 0, "device_level": 0});
    for api in [api.clone(), api.clone().header("token", "wrong")] {
        let refused = api.post("/user/token", ask.clone()).await;
        assert_eq!(
            (refused.status, refused.body.len()),
            (401, 0),
            "{}",
            refused.text()
        );
    }
    assert_eq!(
        api.header("token", "open-sesame")
            .post("/user/token", ask)
            .await
            .ok()["status"],
        200
    );
    server
        .login("alice")
        .token("t")
        .connect()
        .await
        .ping()
        .await;
}

/// Without a manager token any page in a browser could ask for anything.
#[tokio::test]
async fn without_a_manager_token_browsers_are_refused() {
    let server = Server::start().await;
    let browser = server.wukong_api().header("origin", "http://evil.example");
    let ask = json!({"uid": "alice", "token": "t", "device_flag": 0, "device_level": 0});
    let refused = browser.post("/user/token", ask).await;
    assert!((400..500).contains(&refused.status), "{refused:?}");
    assert!(
        !refused.headers.contains_key("access-control-allow-origin"),
        "{refused:?}"
    );
    assert_eq!(
        server
            .login("alice")
            .token("t")
            .refused()
            .await
            .map(|it| it.reason),
        Some(2)
    );
}

#[tokio::test]
async fn resetting_subscribers_replaces_them() {
    let server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let mut carol = server.client("carol").await;
    let reset = json!({
        "channel_id": "g1", "channel_type": 2, "reset": 1, "subscribers": ["alice", "carol"],
    });
    server.wukong_ok("/channel/subscriber_add", reset).await;
    assert_eq!(bob.refused(&Outgoing::group("g1", "?")).await, 3);
    carol.accepted(&Outgoing::group("g1", "hello")).await;
    alice.hears("hello").await;
    let nobody = json!({"channel_id": "g1", "channel_type": 2});
    server
        .wukong_ok("/channel/subscriber_remove_all", nobody)
        .await;
    assert_eq!(alice.refused(&Outgoing::group("g1", "?")).await, 3);
}

/// The commands that wait for a user, as their payloads say.
async fn missed(server: &Server, uid: &str) -> Vec<Value> {
    let asked = json!({"uid": uid, "limit": 100});
    let commands = server.wukong_api().post("/message/sync", asked).await.ok();
    let commands = commands.as_array().expect("a list");
    let payload = |command: &Value| {
        let bytes = BASE64_STANDARD.decode(command["payload"].as_str().expect("a text"));
        serde_json::from_slice(&bytes.expect("base64")).expect("JSON")
    };
    commands.iter().map(payload).collect()
}

/// Whoever was away gets by `/message/sync` what the others were told at once.
#[tokio::test]
async fn missed_commands_wait_until_they_are_acknowledged() {
    let mut server = Server::start().await;
    server.group("g1", &["alice", "bob", "carol"]).await;
    let mut alice = server.client("alice").await;
    let ack = async |server: &Server, uid: &str| {
        let ack = json!({"uid": uid, "last_message_seq": 1});
        server.wukong_ok("/message/syncack", ack).await;
    };
    // How the group came to be.
    for uid in ["bob", "carol"] {
        missed(&server, uid).await;
        ack(&server, uid).await;
    }
    let command = json!({"type": 99, "cmd": "reload", "param": {"n": 1}});
    server
        .wukong_ok(
            "/message/send",
            json!({
                "header": {"sync_once": 1}, "from_uid": "carol", "channel_id": "g1",
                "channel_type": 2, "payload": BASE64_STANDARD.encode(command.to_string()),
            }),
        )
        .await;
    let live = alice.message().await;
    assert!(live.packet.flags.sync_once);
    assert_eq!(live.payload, command.to_string().as_bytes());
    assert_eq!(missed(&server, "bob").await, std::slice::from_ref(&command));
    assert_eq!(
        missed(&server, "bob").await,
        std::slice::from_ref(&command),
        "not acknowledged"
    );
    ack(&server, "bob").await;
    assert_eq!(missed(&server, "bob").await, [] as [Value; 0]);
    server.restart().await;
    assert_eq!(missed(&server, "bob").await, [] as [Value; 0]);
    assert_eq!(
        missed(&server, "carol").await,
        [command],
        "each by themselves"
    );
    assert_eq!(missed(&server, "dave").await, [] as [Value; 0]);
}
