//! T0-6 to T0-17, T0-30, T0-36: the WebSocket and the registration.

use std::time::Duration;

use crosstalk_tests::wg::{WgClient, body, envelope, login};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{leave, server};

fn code(status: &Value) -> i64 {
    body(status)["code"].as_i64().expect("a number")
}

#[tokio::test]
async fn the_websocket_is_at_its_path_and_nowhere_else() {
    let server = server(&[]).await;
    let (wg, http) = (&server.listeners().wg, &server.listeners().http);
    for (addr, path, status) in [
        (wg, "/websocket", None),
        (wg, "/websocket/", None),
        (http, "/websocket", None),
        (wg, "/other", Some(404)),
        (wg, "/websocket/x", Some(404)),
        (wg, "/", Some(404)),
        (http, "/websocket/x", Some(404)),
    ] {
        let opened = WgClient::try_open(addr, path, &[], "u1").await;
        assert_eq!(opened.err(), status, "{addr}{path}");
    }
}

#[tokio::test]
async fn the_context_can_be_another() {
    let server = server(&["wg.context=im/socket"]).await;
    let wg = &server.listeners().wg;
    assert!(
        WgClient::try_open(wg, "/im/socket", &[], "u1")
            .await
            .is_ok()
    );
    assert_eq!(
        WgClient::try_open(wg, "/websocket", &[], "u1").await.err(),
        Some(404)
    );
}

#[tokio::test]
async fn a_registration_is_answered_as_the_document_has_it() {
    let server = server(&[]).await;
    let session_id = login(&server, "u1", "web").await;
    let mut u1 = WgClient::open(&server, "u1").await;
    let status = u1.register(&session_id).await;
    assert_eq!(status["id"], "reg");
    assert_eq!(status["isSystem"], true);
    assert_eq!(status["from"], "SYSTEM");
    assert_eq!(status["to"], "u1");
    assert_eq!(
        body(&status),
        json!({"code": 200, "status": "SUCCESS", "msg": "注册成功"})
    );
    assert_eq!(code(&u1.register(&session_id).await), 200, "again");
    let other = login(&server, "u1", "app").await;
    assert_eq!(code(&u1.register(&other).await), 402, "another session");
}

#[tokio::test]
async fn before_it_everything_else_is_402_and_the_connection_stays() {
    let server = server(&[]).await;
    let session_id = login(&server, "u1", "web").await;
    let mut u1 = WgClient::open(&server, "u1").await;
    let status = u1.ask(envelope("x", 2001, "u1", "u2", "hi")).await;
    assert_eq!(body(&status)["status"], "SESSION_ERROR");
    assert_eq!(code(&status), 402);
    assert_eq!(u1.code(envelope("x", 2999, "u1", "u2", "hi")).await, 403);
    for text in ["{}", "not json"] {
        assert_eq!(u1.code(envelope("x", 1000, "u1", "u1", text)).await, 404);
    }
    let good = json!({"sessionId": session_id}).to_string();
    assert_eq!(u1.code(envelope("x", 1000, "u2", "u2", good)).await, 405);
    assert_eq!(code(&u1.register(&session_id).await), 200);
}

#[tokio::test]
async fn three_wrong_session_ids_are_enough() {
    let server = server(&[]).await;
    let mut u1 = WgClient::open(&server, "u1").await;
    for _ in 0..3 {
        assert_eq!(code(&u1.register("zzz").await), 402);
    }
    assert_eq!(u1.closed().await, 4001);
}

/// T0-13. The only test that takes as long as the deadline that it looks at.
#[tokio::test]
async fn who_never_registers_is_closed() {
    let server = server(&[]).await;
    let mut u1 = WgClient::open(&server, "u1").await;
    u1.heard_before_pong().await;
    assert_eq!(u1.closed_in(Duration::from_secs(60)).await, 4001);
}

#[tokio::test]
async fn what_is_no_message_is_401_under_a_fresh_id_and_nothing_breaks() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut ids = std::collections::HashSet::new();
    for message in [
        Message::text("hello"),
        Message::text("[1]"),
        Message::binary(b"{\"id\":\"x\"}".to_vec()),
        Message::text(r#"{"type":2001,"from":"u1","to":"u2","body":"x"}"#),
    ] {
        u1.write(message).await;
        let status = u1.status().await;
        assert_eq!(code(&status), 401, "{status}");
        assert_eq!(body(&status)["status"], "MESSAGE_ERROR");
        assert_eq!(status["to"], "u1");
        assert!(ids.insert(status["id"].to_string()));
    }
    for kind in [json!(null), json!("abc"), json!(2999), json!(9001)] {
        let message = json!({"id": "k", "type": kind, "from": "u1", "to": "u2", "body": "{}"});
        assert_eq!(u1.code(message).await, 403, "{kind}");
    }
    let numeric = json!({"id": "n", "type": "2001", "from": "u1", "to": "u2", "body": "x"});
    assert_eq!(u1.code(numeric).await, 200);
    u1.heard_before_pong().await;
}

/// T0-30.
#[tokio::test]
async fn a_newer_client_of_the_same_name_takes_the_place_of_the_older() {
    let server = server(&[]).await;
    let mut old = WgClient::registered(&server, "u1", "web").await;
    let mut app = WgClient::registered(&server, "u1", "app").await;
    let mut new = WgClient::registered(&server, "u1", "web").await;
    let status = old.status().await;
    assert_eq!(code(&status), 402);
    assert_eq!(body(&status)["msg"], "已在其他地方登录");
    assert_eq!(old.closed().await, 4002);
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    u2.send("m", "u1", "who is there?").await;
    assert_eq!(new.message().await["id"], "m");
    assert_eq!(app.message().await["id"], "m");
}

#[tokio::test]
async fn clients_of_the_same_name_may_coexist() {
    let server = server(&["wg.same_name=coexist"]).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(WgClient::registered(&server, "u1", "web").await);
    }
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    u2.send("m", "u1", "to all").await;
    for client in &mut clients {
        assert_eq!(client.message().await["id"], "m");
    }
}

/// T0-36.
#[tokio::test]
async fn a_session_id_can_be_registered_again() {
    let server = server(&[]).await;
    let session_id = login(&server, "u1", "web").await;
    for _ in 0..3 {
        let u1 = WgClient::registered_with(&server, "u1", &session_id).await;
        leave(&server, "u1", u1).await;
    }
    // Also while its channel does not know yet that it is gone.
    let mut half_open = WgClient::registered_with(&server, "u1", &session_id).await;
    let mut back = WgClient::registered_with(&server, "u1", &session_id).await;
    assert_eq!(half_open.closed().await, 4002);
    back.heard_before_pong().await;
    let mut third = WgClient::registered_with(&server, "u1", &session_id).await;
    third.heard_before_pong().await;
}
