//! T0-33 to T0-35: 9101 in both directions.

use crosstalk_tests::wg::{WgClient, body};
use serde_json::json;

use super::server;

#[tokio::test]
async fn the_first_client_that_acknowledges_is_told_to_the_sender_once() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut web = WgClient::registered(&server, "u2", "web").await;
    let mut app = WgClient::registered(&server, "u2", "app").await;
    u1.send("c-2", "u2", "hi").await;
    for client in [&mut web, &mut app] {
        assert_eq!(client.message().await["id"], "c-2");
    }
    assert!(
        u1.heard_before_pong().await.is_empty(),
        "nobody has said so yet"
    );
    web.receipt("c-2", "u1", 200, "已接收").await;
    let receipt = u1.message().await;
    assert_eq!(
        (&receipt["type"], &receipt["id"]),
        (&json!(9101), &json!("c-2"))
    );
    assert_eq!(
        (&receipt["from"], &receipt["to"]),
        (&json!("u2"), &json!("u1"))
    );
    assert_eq!(receipt["isSystem"], false);
    assert_eq!(
        body(&receipt),
        json!({"code": 200, "status": "SUCCESS", "msg": "已接收"})
    );
    app.receipt("c-2", "u1", 200, "已接收").await;
    web.receipt("c-2", "u1", 200, "已接收").await;
    // A valid one has no 9001: the next is that of the next message.
    app.send("next", "u1", "sentinel").await;
    assert_eq!(u1.message().await["id"], "next", "not told twice");
}

#[tokio::test]
async fn what_a_client_cannot_use_is_told_in_its_words() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    u1.send("c-2", "u2", "hi").await;
    u2.message().await;
    u2.receipt("c-2", "u1", 407, "解析失败").await;
    let receipt = u1.message().await;
    assert_eq!(
        (&receipt["type"], &receipt["id"]),
        (&json!(9101), &json!("c-2"))
    );
    assert_eq!(receipt["from"], "u2");
    assert_eq!(
        body(&receipt),
        json!({"code": 407, "status": "RECEIVE_ERROR", "msg": "解析失败"})
    );
}

#[tokio::test]
async fn a_receipt_for_what_was_never_received_is_407() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    for id in ["nonsense", "7412", "0"] {
        u2.receipt(id, "u1", 200, "已接收").await;
        let status = u2.status().await;
        assert_eq!(status["id"], id);
        assert_eq!(body(&status)["code"], 407);
        assert_eq!(body(&status)["status"], "RECEIVE_ERROR");
    }
    // Nor for what one has sent oneself, or what others were sent.
    u2.send("own", "u1", "x").await;
    u1.send("secret", "u3", "x").await;
    for id in ["own", "secret"] {
        u2.receipt(id, "u1", 200, "已接收").await;
        assert_eq!(body(&u2.status().await)["code"], 407, "{id}");
    }
    assert_eq!(u1.message().await["id"], "own");
    assert!(u1.heard_before_pong().await.is_empty());
}

/// Two senders whose clients count their messages alike.
#[tokio::test]
async fn receipts_find_the_message_of_their_sender() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let mut u3 = WgClient::registered(&server, "u3", "web").await;
    u1.send("1", "u3", "from u1").await;
    u3.message().await;
    u2.send("1", "u3", "from u2").await;
    u3.message().await;
    u3.receipt("1", "u2", 200, "已接收").await;
    assert_eq!(u2.message().await["id"], "1");
    assert!(u1.heard_before_pong().await.is_empty());
    u3.receipt("1", "u1", 200, "已接收").await;
    assert_eq!(u1.message().await["id"], "1");
}
