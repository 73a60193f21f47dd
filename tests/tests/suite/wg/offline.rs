//! T0-31, T0-32: what is sent to whoever is away.

use crosstalk_tests::wg::{WgClient, login};
use serde_json::{Value, json};

use super::{leave, server};

async fn ids(client: &mut WgClient, count: usize) -> Vec<Value> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(client.message().await["id"].clone());
    }
    ids
}

#[tokio::test]
async fn what_was_sent_meanwhile_follows_the_registration() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    for id in ["a", "b", "c"] {
        assert_eq!(u1.send(id, "u2", id).await, "接收人不在线,已转离线");
    }
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    assert_eq!(u2.kept(), 0, "its 9001 comes first");
    let mut last_ms = 0;
    for id in ["a", "b", "c"] {
        let message = u2.message().await;
        assert_eq!((&message["id"], &message["body"]), (&json!(id), &json!(id)));
        assert_eq!(message["from"], "u1");
        let sent_ms = message["timestamp"].as_i64().expect("a time");
        assert!(last_ms <= sent_ms);
        last_ms = sent_ms;
    }
    assert_eq!(u1.send("d", "u2", "live").await, "发送成功");
    assert_eq!(u2.message().await["id"], "d");
}

/// The client has never acknowledged anything: what was written to it is delivered.
#[tokio::test]
async fn what_was_written_does_not_come_again() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let session_id = login(&server, "u2", "web").await;
    let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
    for id in ["a", "b"] {
        u1.send(id, "u2", id).await;
    }
    assert_eq!(ids(&mut u2, 2).await, ["a", "b"]);
    leave(&server, "u2", u2).await;
    u1.send("c", "u2", "c").await;
    let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
    assert_eq!(ids(&mut u2, 1).await, ["c"]);
    assert!(u2.heard_before_pong().await.is_empty());
    // Another client of the user's is another device.
    let mut app = WgClient::registered(&server, "u2", "app").await;
    assert_eq!(ids(&mut app, 3).await, ["a", "b", "c"]);
}

/// T0-32.
#[tokio::test]
async fn what_an_acknowledging_client_has_not_acknowledged_comes_again() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let session_id = login(&server, "u2", "web").await;
    let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
    for id in ["a", "b", "c"] {
        u1.send(id, "u2", id).await;
    }
    assert_eq!(ids(&mut u2, 3).await, ["a", "b", "c"]);
    for id in ["a", "b"] {
        u2.receipt(id, "u1", 200, "已接收").await;
        assert_eq!(u1.message().await["id"], id);
    }
    leave(&server, "u2", u2).await;
    // The session is known to acknowledge: it comes until it is acknowledged.
    for _ in 0..2 {
        let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
        assert_eq!(ids(&mut u2, 1).await, ["c"]);
        assert!(u2.heard_before_pong().await.is_empty());
        leave(&server, "u2", u2).await;
    }
    let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
    assert_eq!(ids(&mut u2, 1).await, ["c"]);
    u2.receipt("c", "u1", 200, "已接收").await;
    assert_eq!(u1.message().await["id"], "c");
    leave(&server, "u2", u2).await;
    let mut u2 = WgClient::registered_with(&server, "u2", &session_id).await;
    assert!(u2.heard_before_pong().await.is_empty());
}

/// A newer client of the name goes on where the older one was, though that did not leave.
#[tokio::test]
async fn whoever_takes_a_name_over_is_not_given_everything_again() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut old = WgClient::registered(&server, "u2", "web").await;
    u1.send("a", "u2", "a").await;
    assert_eq!(ids(&mut old, 1).await, ["a"]);
    old.heard_before_pong().await;
    let mut new = WgClient::registered(&server, "u2", "web").await;
    u1.send("b", "u2", "b").await;
    assert_eq!(ids(&mut new, 1).await, ["b"]);
}

#[tokio::test]
async fn what_was_recalled_before_it_arrived_never_does() {
    let server = server(&[]).await;
    let text = |text: &str| {
        json!({
            "from": "u1", "to": {"kind": "direct", "id": "u2"},
            "content": {"type": "text", "text": text},
        })
    };
    let sent = server.admin().post("/v1/messages", text("gone")).await.ok();
    let kept = server.admin().post("/v1/messages", text("kept")).await.ok();
    let id = sent["id"].as_str().expect("an id");
    let path = format!("/v1/messages/{id}/revoke");
    server.admin().post(&path, json!({})).await.ok();
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let message = u2.message().await;
    assert_eq!(
        (&message["id"], &message["body"]),
        (&kept["id"], &json!("kept"))
    );
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    u1.send("end", "u2", "end").await;
    assert_eq!(
        u2.message().await["id"],
        "end",
        "not even that it was recalled"
    );
}
