//! T2-10 to T2-12, T2-32: the implicit subscription, and leaving it.

use std::time::{Duration, Instant};

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{MESSAGES, StompClient, body};
use serde_json::json;

/// Until the implicit subscription is in force.
async fn six_seconds() {
    let begun = Instant::now();
    crosstalk_tests::eventually("six seconds", async || {
        (begun.elapsed() > Duration::from_secs(6)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_never_subscribes_hears_all_the_same_and_who_does_late_hears_it_again() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::connected(&server, "bob").await;
    alice.text("m-0", "bob", "at once").await;
    six_seconds().await;
    alice.text("m-1", "bob", "after six seconds").await;
    for id in ["m-0", "m-1"] {
        let frame = bob.message("auto").await;
        assert_eq!(frame.header("destination"), Some(MESSAGES));
        assert_eq!(body(&frame)["id"], id);
    }
    bob.subscribe("sub-1", MESSAGES).await;
    alice.text("m-2", "bob", "now").await;
    for id in ["m-0", "m-1", "m-2"] {
        assert_eq!(bob.body("sub-1").await["id"], id);
    }
    let more = bob.heard_so_far().await;
    assert!(more.is_empty(), "{more:?}");
    bob.subscribe("sync", "/user/queue/sync").await;
    bob.done("chat.sync", &json!({})).await;
    assert_eq!(bob.body("sync").await["count"], 0, "they are delivered now");
}

#[tokio::test]
async fn who_subscribes_at_once_hears_everything_by_that_and_once() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::connected(&server, "bob").await;
    alice.text("m-0", "bob", "before").await;
    bob.subscribe("sub-1", MESSAGES).await;
    alice.text("m-1", "bob", "after").await;
    for id in ["m-0", "m-1"] {
        assert_eq!(bob.body("sub-1").await["id"], id);
    }
    let more = bob.heard_so_far().await;
    assert!(more.is_empty(), "{more:?}");
}

#[tokio::test]
async fn what_is_unsubscribed_is_silent_and_waits_for_a_sync() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    bob.say("UNSUBSCRIBE\nid:messages\nreceipt:u\n\n\0").await;
    bob.receipt("u").await;
    alice.text("m-1", "bob", "hi").await;
    let heard = bob.heard_so_far().await;
    assert!(
        heard
            .iter()
            .all(|it| it.header("destination") != Some(MESSAGES)),
        "{heard:?}"
    );
    bob.subscribe("again", MESSAGES).await;
    bob.done("chat.sync", &json!({})).await;
    assert_eq!(bob.body("again").await["id"], "m-1");
}
