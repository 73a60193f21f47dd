//! A re-send is the same message: one copy, one answer.

use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;
use serde_json::json;

async fn stored(server: &Server, viewer: &str, channel: &str, channel_type: u8) -> usize {
    let ask = json!({
        "login_uid": viewer, "channel_id": channel, "channel_type": channel_type,
        "start_message_seq": 0, "end_message_seq": 0, "limit": 1000, "pull_mode": 0,
    });
    let answer = server
        .wukong_api()
        .post("/channel/messagesync", ask)
        .await
        .ok();
    answer["messages"].as_array().expect("messages").len()
}

#[tokio::test]
async fn a_resend_is_answered_like_the_first_and_delivered_once() {
    let server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    for message in [
        Outgoing::direct("bob", "once"),
        Outgoing::group("g1", "once"),
    ] {
        let first = alice.accepted(&message).await;
        for _ in 0..3 {
            let again = alice.accepted(&message).await;
            assert_eq!(
                (again.message_id, again.message_seq),
                (first.message_id, first.message_seq)
            );
        }
        let (channel, channel_type) = (&message.channel_id, message.channel_type);
        alice
            .accepted(&Outgoing::text(channel, channel_type, "next"))
            .await;
        bob.hears("once").await;
        bob.hears("next").await;
    }
    assert_eq!(stored(&server, "bob", "alice", 1).await, 2);
    assert_eq!(stored(&server, "bob", "g1", 2).await, 2);
}

/// As an SDK does that lost its connection: all that was not answered again, in one go.
#[tokio::test]
async fn resends_in_flight_at_the_same_time_are_one_message() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let message = Outgoing::direct("bob", "impatient");
    let mut posted = Vec::new();
    for _ in 0..20 {
        posted.push(alice.post(&message).await);
    }
    let mut answers = Vec::new();
    for client_seq in posted {
        let ack = alice.ack_of(client_seq).await;
        answers.push((ack.reason, ack.message_id, ack.message_seq));
    }
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!((answers[0].0, answers[0].2), (1, 1));
    alice.accepted(&Outgoing::direct("bob", "next")).await;
    bob.hears("impatient").await;
    bob.hears("next").await;
}

#[tokio::test]
async fn a_resend_after_a_restart_is_still_the_same_message() {
    let mut server = Server::start().await;
    let mut alice = server.client("alice").await;
    let message = Outgoing::direct("bob", "before and after");
    let first = alice.accepted(&message).await;
    for graceful in [true, false] {
        if graceful {
            server.restart().await;
        } else {
            server.kill().await;
            server.start_again().await;
        }
        let mut alice = server.login("alice").connect().await;
        let again = alice.accepted(&message).await;
        assert_eq!(
            (again.message_id, again.message_seq),
            (first.message_id, first.message_seq)
        );
    }
    assert_eq!(stored(&server, "alice", "bob", 1).await, 1);
}

#[tokio::test]
async fn a_resend_from_another_device_is_the_same_message() {
    let server = Server::start().await;
    let mut phone = server.client("alice").await;
    server.register("alice", 1, 0).await;
    let mut web = server.login("alice").flag(1).connect().await;
    let message = Outgoing::direct("bob", "anywhere");
    let first = phone.accepted(&message).await;
    let again = web.accepted(&message).await;
    assert_eq!(
        (again.message_id, again.message_seq),
        (first.message_id, first.message_seq)
    );
}

#[tokio::test]
async fn the_same_number_with_other_content_is_another_message() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let first = alice
        .accepted(&Outgoing::direct("bob", "one").numbered("n"))
        .await;
    let second = alice
        .accepted(&Outgoing::direct("bob", "two").numbered("n"))
        .await;
    assert_ne!(first.message_id, second.message_id);
    assert_eq!((first.message_seq, second.message_seq), (1, 2));
    bob.hears("one").await;
    bob.hears("two").await;
}

#[tokio::test]
async fn a_number_belongs_to_its_sender_and_its_channel() {
    let server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    let ours = alice
        .accepted(&Outgoing::group("g1", "same").numbered("n"))
        .await;
    let theirs = bob
        .accepted(&Outgoing::group("g1", "same").numbered("n"))
        .await;
    let elsewhere = alice
        .accepted(&Outgoing::direct("bob", "same").numbered("n"))
        .await;
    assert_eq!(
        (ours.message_seq, theirs.message_seq, elsewhere.message_seq),
        (1, 2, 1)
    );
    assert_ne!(ours.message_id, theirs.message_id);
    assert_ne!(ours.message_id, elsewhere.message_id);
}

/// Refusals are not remembered: the same message may pass later.
#[tokio::test]
async fn a_refused_message_may_be_sent_again() {
    let server = Server::start().await;
    server.group("g1", &["bob"]).await;
    let mut alice = server.client("alice").await;
    let message = Outgoing::group("g1", "let me in");
    assert_eq!(alice.refused(&message).await, 3);
    let add = json!({"channel_id": "g1", "channel_type": 2, "subscribers": ["alice"]});
    server.wukong_ok("/channel/subscriber_add", add).await;
    assert_eq!(alice.accepted(&message).await.message_seq, 1);
}
