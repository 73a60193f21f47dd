//! Stopping in good order.

use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_wire::wukong::binary::LATEST_VERSION;
use serde_json::json;

/// Clients take DISCONNECT for a logout, so a stop is a plain close.
#[tokio::test]
async fn sigterm_closes_without_a_disconnect_and_ends_with_success() {
    let mut server = Server::start().await;
    let mut clients = Vec::new();
    for at in 0..10 {
        let over = if at % 2 == 0 { Tcp } else { Ws };
        clients.push(
            server
                .client_as(&format!("user{at}"), over, LATEST_VERSION)
                .await,
        );
    }
    server.send_sigterm().await;
    for client in &mut clients {
        assert_eq!(client.closed().await, []);
    }
    let status = server.ended().await;
    assert!(status.success(), "{status}");
    assert!(!server.listeners_file().exists(), "nobody listens any more");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let mut server = Server::start().await;
    let _alice = server.client("alice").await;
    let _silent = server.login("bob").link().await;
    server.rest().get("/healthz").await;
    server.terminate().await;
}

/// Whoever was answered before the end finds the message after it.
#[tokio::test]
async fn what_was_acknowledged_before_the_end_is_there_after_it() {
    let mut server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut posted = 0;
    for at in 0..400 {
        alice.post(&Outgoing::direct("bob", &at.to_string())).await;
        posted += 1;
    }
    server.send_sigterm().await;
    let mut acked = Vec::new();
    while let Some(ack) = alice.any_ack().await {
        if ack.reason == 1 {
            acked.push((ack.message_seq, ack.message_id.to_string()));
        }
    }
    server.ended().await;
    server.start_again().await;
    let ask = json!({
        "login_uid": "alice", "channel_id": "bob", "channel_type": 1, "limit": 1000,
        "start_message_seq": 0, "end_message_seq": 0, "pull_mode": 0,
    });
    let answer = server
        .wukong_api()
        .post("/channel/messagesync", ask)
        .await
        .ok();
    let messages = answer["messages"].as_array().expect("messages");
    assert!(messages.len() <= posted, "nothing twice");
    acked.sort();
    for (seq, id) in acked {
        let at = usize::try_from(seq).expect("a small number") - 1;
        assert_eq!(messages[at]["message_idstr"], id, "seq {seq}");
    }
}
