//! `/channel/messagesync`: ranges, directions and their edges.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;
use serde_json::{Value, json};

const DOWN: u8 = 0;
const UP: u8 = 1;

/// A server on which bob has written 100 messages to alice, and as many to a group.
async fn hundred() -> Server {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    server.group("g1", &["alice", "bob"]).await;
    let mut bob = server.client("bob").await;
    let mut posted = Vec::new();
    for at in 1..=100 {
        posted.push(bob.post(&Outgoing::direct("alice", &format!("{at}"))).await);
        posted.push(bob.post(&Outgoing::group("g1", &format!("{at}"))).await);
    }
    for client_seq in posted {
        assert_eq!(bob.ack_of(client_seq).await.reason, 1);
    }
    server
}

async fn ask(
    server: &Server,
    channel: (&str, u8),
    range: (u64, u64),
    limit: u64,
    mode: u8,
) -> Value {
    let body = json!({
        "login_uid": "alice", "channel_id": channel.0, "channel_type": channel.1,
        "start_message_seq": range.0, "end_message_seq": range.1, "limit": limit, "pull_mode": mode,
    });
    server
        .wukong_api()
        .post("/channel/messagesync", body)
        .await
        .ok()
}

fn seqs(answer: &Value) -> Vec<u64> {
    let messages = answer["messages"].as_array().expect("messages");
    messages
        .iter()
        .filter_map(|message| message["message_seq"].as_u64())
        .collect()
}

#[tokio::test]
async fn ranges_are_as_clients_expect_them() {
    let server = hundred().await;
    // start, end, limit, mode → first, last, more
    let cases = [
        ((0, 0), 20, DOWN, (81, 100), 1),
        ((0, 0), 20, UP, (81, 100), 1),
        ((0, 0), 1000, DOWN, (1, 100), 0),
        ((80, 60), 30, DOWN, (61, 80), 0),
        ((80, 60), 10, DOWN, (71, 80), 1),
        ((80, 0), 10, DOWN, (71, 80), 1),
        ((5, 0), 10, DOWN, (1, 5), 0),
        ((200, 0), 150, DOWN, (1, 100), 0),
        ((60, 80), 30, UP, (60, 79), 0),
        ((60, 80), 10, UP, (60, 69), 1),
        ((95, 0), 10, UP, (95, 100), 0),
        ((1, 0), 10, UP, (1, 10), 1),
        ((60, 61), 10, UP, (60, 60), 0),
    ];
    for channel in [("bob", 1), ("g1", 2)] {
        for ((start, end), limit, mode, (first, last), more) in cases {
            let answer = ask(&server, channel, (start, end), limit, mode).await;
            let case = format!("{channel:?} {start}..{end} limit {limit} mode {mode}");
            assert_eq!(seqs(&answer), (first..=last).collect::<Vec<_>>(), "{case}");
            assert_eq!(answer["more"], more, "{case}");
            assert_eq!(answer["start_message_seq"], start, "{case}: echoed");
            assert_eq!(answer["end_message_seq"], end, "{case}: echoed");
        }
    }
}

#[tokio::test]
async fn empty_ranges_are_empty() {
    let server = hundred().await;
    for (start, end, mode) in [
        (0, 50, DOWN),
        (50, 60, DOWN),
        (60, 60, UP),
        (101, 0, UP),
        (80, 70, UP),
    ] {
        let answer = ask(&server, ("bob", 1), (start, end), 10, mode).await;
        assert_eq!(
            seqs(&answer),
            Vec::<u64>::new(),
            "{start}..{end} mode {mode}"
        );
        assert_eq!(answer["more"], 0, "{start}..{end} mode {mode}");
    }
}

#[tokio::test]
async fn no_limit_is_a_sensible_one() {
    let server = hundred().await;
    let answer = ask(&server, ("bob", 1), (0, 0), 0, DOWN).await;
    let count = seqs(&answer).len();
    assert!((10..=100).contains(&count), "{count}");
    assert_eq!(seqs(&answer).last(), Some(&100));
}

#[tokio::test]
async fn unknown_channels_are_empty() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    for channel in [("nobody", 1), ("nowhere", 2)] {
        let answer = ask(&server, channel, (0, 0), 10, DOWN).await;
        let empty = json!({
            "start_message_seq": 0, "end_message_seq": 0, "more": 0, "messages": [],
        });
        assert_eq!(answer, empty, "{channel:?}");
    }
}

/// What was not stored leaves no hole behind.
#[tokio::test]
async fn seqs_have_no_holes() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    for at in 0..30 {
        let message = Outgoing::direct("alice", "x");
        bob.accepted(&if at % 3 == 0 {
            message.no_persist()
        } else {
            message
        })
        .await;
    }
    let answer = ask(&server, ("bob", 1), (0, 0), 100, DOWN).await;
    assert_eq!(seqs(&answer), (1..=20).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_row_says_everything_about_its_message() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    let message = Outgoing::direct("alice", "全部").setting(0x80);
    let ack = bob.accepted(&message).await;
    let answer = ask(&server, ("bob", 1), (0, 0), 10, DOWN).await;
    let row = &answer["messages"][0];
    assert_eq!(
        row["header"],
        json!({"no_persist": 0, "red_dot": 1, "sync_once": 0})
    );
    assert_eq!(row["setting"], 0x80);
    assert_eq!(row["message_id"].as_i64(), Some(ack.message_id));
    assert_eq!(row["message_idstr"], ack.message_id.to_string());
    assert_eq!(row["client_msg_no"], message.client_msg_no);
    assert_eq!(row["message_seq"], 1);
    assert_eq!(row["from_uid"], "bob");
    // The half of the channel that is not the sender, whoever looks.
    assert_eq!(
        (&row["channel_id"], &row["channel_type"]),
        (&json!("alice"), &json!(1))
    );
    assert_eq!(row["expire"], 0);
    assert!(
        row["timestamp"]
            .as_u64()
            .is_some_and(|it| it.to_string().len() == 10),
        "{row}"
    );
    assert_eq!(row["payload"], BASE64_STANDARD.encode(&message.payload));
}

#[tokio::test]
async fn the_newest_seq_is_told() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let mut bob = server.client("bob").await;
    for seq in 1..=3 {
        bob.accepted(&Outgoing::direct("alice", "x")).await;
        for (viewer, peer) in [("alice", "bob"), ("bob", "alice")] {
            let path = format!(
                "/channel/max_message_seq?channel_id={peer}&channel_type=1&login_uid={viewer}"
            );
            let answer = server.wukong_api().get(&path).await.ok();
            assert_eq!(answer["message_seq"], seq, "as {viewer} sees it");
        }
    }
}
