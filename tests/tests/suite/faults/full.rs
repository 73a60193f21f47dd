//! A disk without space: whoever sends is told, everything else goes on, and it ends by itself.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::{Seed, Server, fault_rounds};
use serde_json::json;

use super::author::{Authors, SYSTEM_ERROR};
use super::{ledger, server};
use crate::crash::ledger::READER;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_told_to_senders_and_forgotten_when_there_is_space() {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    let mut ledger = ledger();
    for round in 1..=fault_rounds(5) {
        let authors = Authors::start(&server, &mut ledger).await;
        authors.accepted(seed.within(1..200)).await;
        // What is left is used up in the middle of a write.
        let space = seed.within(0..400_000);
        server.faults().leave_space(Some(space as u64));
        authors.refused(200).await;
        assert!(server.faults().refused_writes() > 0);
        everything_but_writing_works(&server).await;
        writing_is_refused(&server).await;
        server.faults().leave_space(None);
        authors.accepted(100).await;
        authors.stop(&mut ledger).await;
        ledger.check_new(&server).await;
        ledger.check_refused_are_absent();
        if seed.within(0..2) == 0 {
            server.kill().await;
        } else {
            server.terminate().await;
        }
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
        println!("{round}: full after {space} more bytes: {ledger}");
    }
    let authors = Authors::start(&server, &mut ledger).await;
    authors.accepted(100).await;
    authors.stop(&mut ledger).await;
    ledger.check_new(&server).await;
    ledger.check_all(&server).await;
}

async fn everything_but_writing_works(server: &Server) {
    let mut reader = server.login(READER).connect().await;
    reader.ping().await;
    let ask = json!({
        "login_uid": READER, "channel_id": "crowd", "channel_type": 2, "limit": 10,
        "start_message_seq": 0, "end_message_seq": 0, "pull_mode": 0,
    });
    let page = server.wukong_api().post("/channel/messagesync", ask).await;
    assert!(
        !page.ok()["messages"]
            .as_array()
            .expect("messages")
            .is_empty()
    );
    let conversations = server
        .wukong_api()
        .post(
            "/conversation/sync",
            json!({"uid": READER, "version": 0, "msg_count": 1}),
        )
        .await
        .ok();
    assert_eq!(
        conversations.as_array().map(Vec::len),
        Some(2),
        "{conversations}"
    );
    server.rest().get("/healthz").await.ok();
}

/// All of this is too large for what a message of the authors' did not fit into any more.
async fn writing_is_refused(server: &Server) {
    let text = "large".repeat(4_000);
    let message = json!({
        "from": "direct1", "to": {"kind": "direct", "id": READER},
        "content": {"type": "text", "text": text},
    });
    let answer = server.admin().post("/v1/messages", message).await;
    answer.problem(503, "unavailable");
    let message = json!({
        "from_uid": "direct1", "channel_id": READER, "channel_type": 1,
        "payload": BASE64_STANDARD.encode(&text),
    });
    let newcomers: Vec<_> = (0..2000).map(|at| format!("newcomer{at}")).collect();
    let group = json!({"channel_id": "new", "channel_type": 2, "subscribers": newcomers});
    for (path, body) in [("/message/send", message), ("/channel", group)] {
        let answer = server.wukong_api().post(path, body).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        assert_eq!(answer.json()["msg"], "unavailable", "{path}");
    }
    let rest = server.rest();
    assert!(rest.metric("crosstalk_messages_failed_total").await > 0);
    assert!(server.log().contains("database or disk is full"));
}

/// What is needed for a start does not fit either; and nothing is harmed by trying.
#[tokio::test]
async fn a_server_that_cannot_start_on_a_full_disk_starts_when_there_is_space() {
    let mut server = server().await;
    let mut author = server.login("direct1").connect().await;
    let message = Outgoing::direct(READER, "before");
    let place = author.accepted(&message).await;
    for orderly in [true, false] {
        if orderly {
            server.terminate().await;
        } else {
            server.kill().await;
        }
        server.faults().leave_space(Some(0));
        let said = server.refuses_to_start().await;
        assert!(said.contains("crosstalk.db"), "{said}");
        server.faults().leave_space(None);
        server.start_elsewhere().await;
        let mut author = server.login("direct1").connect().await;
        let again = author.accepted(&message).await;
        assert_eq!(again.message_id, place.message_id);
    }
}

/// Reading goes on, but nothing can be sent.
#[tokio::test]
async fn a_full_disk_shows_in_readyz() {
    let server = server().await;
    let mut author = server.login("direct1").connect().await;
    server.faults().leave_space(Some(0));
    let message = Outgoing::direct(READER, "too much");
    assert_eq!(author.refused(&message).await, SYSTEM_ERROR);
    server
        .rest()
        .get("/readyz")
        .await
        .problem(503, "unavailable");
    server.faults().leave_space(None);
    author.accepted(&message).await;
    server.rest().get("/readyz").await.ok();
}
