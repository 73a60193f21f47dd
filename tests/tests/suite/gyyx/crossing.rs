//! The other dialect that has been there all along (T4-49; all pairs are crossed elsewhere).

use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;
use serde_json::json;

#[tokio::test]
async fn wukong_and_gyyx_understand_each_other() {
    let server = Server::start().await;
    let mut alice = server.gyyx("alice").await;
    let mut bob = server.client("bob").await;
    bob.accepted(&Outgoing::direct("alice", "你好 👋")).await;
    let pushed = alice.any().await;
    assert_eq!(
        (&pushed["contentType"], &pushed["message"]),
        (&json!(1), &json!("你好 👋"))
    );
    assert_eq!(
        (&pushed["userId"], &pushed["receiveUserId"]),
        (&json!("bob"), &json!("alice"))
    );
    alice.ask(180, json!({})).await;
    assert_eq!(alice.hear(180).await["message"], "1");
    let sent = alice.send("bob", "back").await;
    bob.hears("back").await;
    alice
        .ask(190, json!({"messageId": sent["messageId"]}))
        .await;
    alice.hear(191).await;
    let command = bob.message().await.json();
    assert_eq!(
        (&command["type"], &command["cmd"]),
        (&json!(99), &json!("messageRevoke"))
    );
    assert_eq!(command["param"]["message_id"], sent["messageId"]);
}
