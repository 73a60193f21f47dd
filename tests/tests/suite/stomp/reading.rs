//! Q2-22, Q2-30: receipts, and events of presence and of one's own other devices.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{StompClient, body, message};
use serde_json::json;

#[tokio::test]
async fn authors_learn_that_what_they_sent_was_delivered_and_read() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "user_001").await;
    let mut bob = StompClient::ready(&server, "user_002").await;
    let mut sent = message("m-001", "user_002", "read this");
    sent["extra"] = json!({"readReceipt": true});
    alice.done("chat.send", &sent).await;
    let receipt = alice.body("receipts").await;
    assert_eq!(
        (&receipt["type"], &receipt["messageId"]),
        (&json!("DELIVERED"), &json!("m-001"))
    );
    assert_eq!(receipt["userId"], "user_002");
    bob.message("messages").await;
    bob.done(
        "chat.read",
        &json!({"appId": "default", "messageId": "m-001"}),
    )
    .await;
    let receipt = alice.body("receipts").await;
    assert_eq!(
        (&receipt["type"], &receipt["messageId"]),
        (&json!("READ"), &json!("m-001"))
    );
    assert!(receipt["at"].is_i64());
    let mut statuses = Vec::new();
    for _ in 0..3 {
        let shown = alice.body("messages").await;
        assert_eq!(
            (&shown["id"], &shown["content"]),
            (&json!("m-001"), &json!("read this"))
        );
        statuses.push(shown["status"].clone());
    }
    assert_eq!(statuses, ["SENT", "DELIVERED", "READ"]);
}

#[tokio::test]
async fn who_does_not_ask_is_not_shown_the_message_again() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    alice.text("m-1", "bob", "x").await;
    assert_eq!(alice.body("receipts").await["type"], "DELIVERED");
    bob.message("messages").await;
    bob.done("chat.read", &json!({"conversationId": "SINGLE:alice"}))
        .await;
    assert_eq!(alice.body("receipts").await["type"], "READ");
    assert_eq!(alice.body("messages").await["status"], "SENT");
    let more = alice.heard_so_far().await;
    assert!(
        more.iter()
            .all(|it| it.header("subscription") != Some("messages")),
        "{more:?}"
    );
}

#[tokio::test]
async fn ones_other_devices_learn_what_was_read() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut phone = StompClient::ready(&server, "bob").await;
    let mut tablet = StompClient::ready(&server, "bob").await;
    alice.text("m-1", "bob", "x").await;
    phone.message("messages").await;
    phone.done("chat.read", &json!({"messageId": "m-1"})).await;
    loop {
        let event = tablet.body("events").await;
        if event["event"] == "READ" {
            assert_eq!(event["conversationId"], "SINGLE:alice");
            assert_eq!(event["seq"], 1);
            break;
        }
    }
    let heard = phone.heard_so_far().await;
    let told = heard
        .iter()
        .filter(|it| it.header("subscription") == Some("events"));
    let told: Vec<_> = told.map(body).collect();
    assert!(
        told.iter().all(|event| event["event"] != "READ"),
        "{told:?}"
    );
}

#[tokio::test]
async fn those_who_talk_with_somebody_learn_that_they_come_and_go() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    alice.text("m-1", "bob", "x").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    let event = alice.body("events").await;
    assert_eq!(
        (&event["event"], &event["userId"]),
        (&json!("ONLINE"), &json!("bob"))
    );
    bob.say("DISCONNECT\n\n\0").await;
    bob.closed().await;
    let event = alice.body("events").await;
    assert_eq!(
        (&event["event"], &event["userId"]),
        (&json!("OFFLINE"), &json!("bob"))
    );
}

/// The system has a name of its own in this dialect, also in the names of conversations.
#[tokio::test]
async fn what_the_system_says_is_read_like_anything_else() {
    let server = Server::start().await;
    let mut phone = StompClient::ready(&server, "alice").await;
    let mut tablet = StompClient::ready(&server, "alice").await;
    for by_id in [false, true] {
        let body = json!({
            "to": {"kind": "direct", "id": "alice"}, "content": {"type": "text", "text": "hi"},
        });
        server.admin().post("/v1/messages", body).await.ok();
        let heard = phone.body("messages").await;
        assert_eq!(heard["fromId"], "SYSTEM");
        let target = if by_id {
            json!({"messageId": heard["id"]})
        } else {
            json!({"conversationId": "SINGLE:SYSTEM"})
        };
        phone.done("chat.read", &target).await;
        let event = tablet.body("events").await;
        let (kind, conversation) = (&event["event"], &event["conversationId"]);
        assert_eq!(
            (kind, conversation),
            (&json!("READ"), &json!("SINGLE:SYSTEM"))
        );
        assert_eq!(event["seq"], heard["seq"]);
    }
}
