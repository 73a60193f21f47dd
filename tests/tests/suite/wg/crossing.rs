//! T0-43: messages from and to another dialect.

use crosstalk_tests::wg::{WgClient, body};
use crosstalk_tests::wukong::Outgoing;
use serde_json::json;

use super::server;

#[tokio::test]
async fn what_a_wukong_user_sends_arrives_in_this_dialects_words() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut alice = server.client("alice").await;
    let ack = alice.send(&Outgoing::direct("u1", "你好\n😀")).await;
    let message = u1.message().await;
    assert_eq!(message["type"], 2001);
    assert_eq!(message["id"], ack.message_id.to_string());
    assert_eq!(message["body"], "你好\n😀");
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!("alice"), &json!("u1"))
    );
    let image = json!({"type": 2, "url": "http://f/1.png", "width": 1, "height": 1});
    let image = alice
        .send(&Outgoing::bytes("u1", 1, image.to_string()))
        .await;
    let message = u1.message().await;
    assert_eq!(
        (&message["type"], &message["body"]),
        (&json!(2001), &json!("[图片] http://f/1.png"))
    );

    // It is acknowledged under the id that it has here.
    u1.receipt(&image.message_id.to_string(), "alice", 200, "已接收")
        .await;
    assert!(u1.heard_before_pong().await.is_empty());
    assert!(u1.said().is_empty());

    let path = format!("/v1/messages/{}/revoke", image.message_id);
    server
        .admin()
        .post(&path, json!({"operator": "alice"}))
        .await
        .ok();
    let recall = u1.message().await;
    assert_eq!(
        (&recall["type"], &recall["from"]),
        (&json!(3001), &json!("SYSTEM"))
    );
    assert_eq!(recall["isSystem"], true);
    assert_eq!(
        body(&recall),
        json!({
            "title": "消息撤回", "msg": "alice撤回了一条消息", "target": null,
            "serviceId": image.message_id.to_string(),
        })
    );
}

#[tokio::test]
async fn what_is_sent_here_arrives_at_a_wukong_user_who_acknowledges() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut alice = server.client("alice").await;
    assert_eq!(u1.send("c-1", "alice", "你好\n😀").await, "发送成功");
    let received = alice.message().await;
    assert_eq!(received.text(), "你好\n😀");
    let receipt = u1.message().await;
    assert_eq!(
        (&receipt["type"], &receipt["id"]),
        (&json!(9101), &json!("c-1"))
    );
    assert_eq!(receipt["from"], "alice");
    assert_eq!(body(&receipt)["code"], 200);
}
