//! T2-28 to T2-30: what was sent while nobody was there.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{MESSAGES, StompClient, body, group_message, message};
use crosstalk_wire::stomp::Frame;
use serde_json::{Value, json};

fn of(frames: &[Frame], subscription: &str) -> Vec<Value> {
    let of = frames
        .iter()
        .filter(|it| it.header("subscription") == Some(subscription));
    of.map(body).collect()
}

async fn sync(client: &mut StompClient) -> (Vec<Value>, Value) {
    client.done("chat.sync", &json!({"appId": "default"})).await;
    let frames = client.heard_so_far().await;
    let mut ends = of(&frames, "sync");
    assert_eq!(ends.len(), 1, "{frames:?}");
    (of(&frames, "messages"), ends.remove(0))
}

#[tokio::test]
async fn nothing_is_pushed_and_a_sync_gives_it_once_in_order() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    server.group("g", &["alice", "bob"]).await;
    alice.text("m-1", "bob", "one").await;
    alice
        .done("chat.send", &group_message("m-2", "g", "two"))
        .await;
    alice.text("m-3", "bob", "three").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    let early = bob.heard_so_far().await;
    assert!(of(&early, "messages").is_empty(), "{early:?}");
    let (given, end) = sync(&mut bob).await;
    let ids: Vec<_> = given.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, ["m-1", "m-2", "m-3"]);
    assert_eq!((&end["count"], &end["hasMore"]), (&json!(3), &json!(false)));
    assert!(end["cursor"].is_string());
    let (given, end) = sync(&mut bob).await;
    assert!(given.is_empty(), "{given:?}");
    assert_eq!(end, json!({"count": 0, "hasMore": false, "cursor": null}));
    bob.say("DISCONNECT\nreceipt:bye\n\n\0").await;
    bob.receipt("bye").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    assert!(sync(&mut bob).await.0.is_empty(), "nor in the next session");
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_and_nothing_else() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    for n in 1..=3 {
        alice.text(&format!("m-{n}"), "bob", "hi").await;
    }
    let phone = "deviceId:phone\n";
    let mut bob = StompClient::connected_with(&server, "bob", phone).await;
    bob.subscribe_as("messages", MESSAGES, "client-individual")
        .await;
    bob.done("chat.sync", &json!({})).await;
    for _ in 0..2 {
        let frame = bob.message("messages").await;
        let ack = frame.header("ack").expect("an ack");
        bob.say(&format!("ACK\nid:{ack}\n\n\0")).await;
    }
    bob.say("DISCONNECT\nreceipt:bye\n\n\0").await;
    bob.receipt("bye").await;
    bob.closed().await;
    let mut bob = StompClient::connected_with(&server, "bob", phone).await;
    bob.subscribe_all().await;
    let (given, _) = sync(&mut bob).await;
    let ids: Vec<_> = given.iter().map(|it| it["id"].clone()).collect();
    assert_eq!(ids, ["m-3"]);
}

#[tokio::test]
async fn each_device_that_has_a_name_gets_its_own() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    alice.text("m-1", "bob", "hi").await;
    for device in ["deviceId:phone\n", "deviceId:tablet\n"] {
        let mut bob = StompClient::connected_with(&server, "bob", device).await;
        bob.subscribe_all().await;
        assert_eq!(sync(&mut bob).await.0.len(), 1, "{device}");
    }
}

#[tokio::test]
async fn new_messages_wait_until_a_sync_has_ended() {
    let server = Server::start_with(&["limits.send_rate=0"]).await;
    let mut alice = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    let sends: String = (0..1_000)
        .map(|n| {
            let sent = message(&format!("old-{n}"), "bob", "x");
            format!("SEND\ndestination:/app/chat.send\nreceipt:old-{n}\n\n{sent}\0")
        })
        .collect();
    alice.say(&sends).await;
    alice.receipt("old-999").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    bob.say("SEND\ndestination:/app/chat.sync\nreceipt:synced\n\n{\"limit\":1000}\0")
        .await;
    for n in 0..20 {
        alice
            .send("chat.send", &message(&format!("new-{n}"), "bob", "x"))
            .await;
    }
    let mut ids = Vec::new();
    while ids.len() < 1_020 {
        ids.push(
            bob.body("messages").await["id"]
                .as_str()
                .expect("an id")
                .to_owned(),
        );
    }
    let expected = (0..1_000).map(|n| format!("old-{n}"));
    let expected: Vec<_> = expected
        .chain((0..20).map(|n| format!("new-{n}")))
        .collect();
    assert_eq!(ids, expected);
    bob.receipt("synced").await;
}

#[tokio::test]
async fn revocations_of_the_time_away_are_replayed() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let phone = "deviceId:phone\n";
    let mut bob = StompClient::connected_with(&server, "bob", phone).await;
    bob.subscribe_all().await;
    alice.text("m-1", "bob", "seen").await;
    bob.message("messages").await;
    bob.say("DISCONNECT\nreceipt:bye\n\n\0").await;
    bob.receipt("bye").await;
    bob.closed().await;
    alice.text("m-2", "bob", "not seen").await;
    for id in ["m-1", "m-2"] {
        alice.done("chat.revoke", &json!({"messageId": id})).await;
    }
    let mut bob = StompClient::connected_with(&server, "bob", phone).await;
    bob.subscribe_all().await;
    let (given, _) = sync(&mut bob).await;
    let mut shown: Vec<_> = given
        .iter()
        .map(|it| (&it["id"], &it["status"], &it["content"]))
        .collect();
    shown.sort_by_key(|(id, ..)| id.as_str());
    let gone = |id| (id, json!("REVOKED"), json!(""));
    let (one, two) = (json!("m-1"), json!("m-2"));
    let (a, b) = (gone(&one), gone(&two));
    assert_eq!(shown, [(a.0, &a.1, &a.2), (b.0, &b.1, &b.2)], "each once");
}
