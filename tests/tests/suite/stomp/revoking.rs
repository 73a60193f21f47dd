//! T2-26, T2-27: taking back.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{StompClient, group_message};
use serde_json::json;

#[tokio::test]
async fn both_sides_see_the_same_id_without_content() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    alice.text("m-001", "bob", "oops").await;
    let sent = alice.body("messages").await;
    bob.message("messages").await;
    alice
        .done(
            "chat.revoke",
            &json!({"appId": "default", "messageId": "m-001"}),
        )
        .await;
    for client in [&mut alice, &mut bob] {
        let shown = client.body("messages").await;
        assert_eq!(shown["id"], "m-001");
        assert_eq!(
            (&shown["status"], &shown["msgType"]),
            (&json!("REVOKED"), &json!("REVOKED"))
        );
        assert_eq!(
            (&shown["content"], &shown["operatorId"]),
            (&json!(""), &json!("alice"))
        );
        assert_eq!(shown["createdAt"], sent["createdAt"]);
        assert_eq!(shown["seq"], sent["seq"]);
        assert!(shown["revokedAt"].as_i64() >= sent["createdAt"].as_i64());
    }
    let history = "/v1/channels/direct/bob/messages";
    let token = server.user_token("alice").await;
    let history = server.rest().bearer(&token).get(history).await;
    let text = String::from_utf8_lossy(&history.body).into_owned();
    assert!(!text.contains("oops"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_taken_back_fails_with_its_id() {
    let server = Server::start_with(&["im.revoke_window_secs=1"]).await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    alice.text("m-1", "bob", "stays").await;
    bob.message("messages").await;
    alice.message("messages").await;
    bob.send("chat.revoke", &json!({"messageId": "m-1"})).await;
    let failed = bob.body("messages").await;
    assert_eq!(
        (&failed["id"], &failed["errorCode"]),
        (&json!("m-1"), &json!(403))
    );
    bob.send("chat.revoke", &json!({"messageId": "nope"})).await;
    let failed = bob.body("messages").await;
    assert_eq!(
        (&failed["id"], &failed["errorCode"]),
        (&json!("nope"), &json!(404))
    );
    let sent = std::time::Instant::now();
    crosstalk_tests::eventually("the end of the window", async || {
        (sent.elapsed().as_millis() > 1_100).then_some(())
    })
    .await;
    alice
        .send("chat.revoke", &json!({"messageId": "m-1"}))
        .await;
    let failed = alice.body("messages").await;
    let expected = (
        &json!("FAILED"),
        &json!(409),
        &json!("Revoke window expired"),
    );
    assert_eq!(
        (
            &failed["status"],
            &failed["errorCode"],
            &failed["errorMessage"]
        ),
        expected
    );
}

#[tokio::test]
async fn a_send_and_its_revocation_may_come_in_one_breath() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let sends: String = (0..20)
        .map(|n| {
            let sent = crosstalk_tests::stomp::message(&format!("m-{n}"), "alice", "x");
            format!(
                "SEND\ndestination:/app/chat.send\n\n{sent}\0\
                 SEND\ndestination:/app/chat.revoke\nreceipt:r-{n}\n\n{{\"messageId\":\"m-{n}\"}}\0"
            )
        })
        .collect();
    alice.say(&sends).await;
    alice.receipt("r-19").await;
    let mut shown: Vec<Vec<String>> = vec![Vec::new(); 20];
    for _ in 0..40 {
        let message = alice.body("messages").await;
        let id = message["id"].as_str().and_then(|id| id.strip_prefix("m-"));
        let n: usize = id.and_then(|n| n.parse().ok()).expect("an id of ours");
        let status = message["status"].as_str().expect("a status");
        shown[n].push(status.to_owned());
    }
    for statuses in shown {
        assert_eq!(statuses, ["SENT", "REVOKED"]);
    }
}

#[tokio::test]
async fn in_a_group_it_goes_where_the_message_went() {
    let server = Server::start().await;
    for uid in ["alice", "bob"] {
        server.user_token(uid).await;
    }
    server.group("g", &["alice", "bob"]).await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    bob.subscribe("topic", "/topic/group/g").await;
    alice
        .done("chat.send", &group_message("m-1", "g", "oops"))
        .await;
    assert_eq!(bob.body("topic").await["status"], "SENT");
    alice
        .done("chat.revoke", &json!({"messageId": "m-1"}))
        .await;
    let shown = bob.body("topic").await;
    assert_eq!(
        (&shown["id"], &shown["status"]),
        (&json!("m-1"), &json!("REVOKED"))
    );
}
