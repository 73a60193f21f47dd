//! One order per channel for everybody, and receivers that decide how fast they are served.

use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_tests::wukong::{Outgoing, WukongClient};
use crosstalk_tests::{JsPeer, Server};
use tokio::task::JoinSet;

const WRITERS: usize = 4;
const EACH: usize = 100;

/// What a listener is given, in its order: seq, sender and text.
async fn everything(mut client: WukongClient) -> Vec<(u64, String, String)> {
    let mut heard = Vec::new();
    while heard.len() < WRITERS * EACH {
        let message = client.message().await;
        let text = message.text();
        heard.push((message.packet.message_seq, message.packet.from_uid, text));
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_members_hear_all_writers_in_the_same_order() {
    let server = Server::start().await;
    let writers: Vec<_> = (0..WRITERS).map(|at| format!("writer{at}")).collect();
    let listeners: Vec<_> = (0..4).map(|at| format!("listener{at}")).collect();
    let members: Vec<_> = writers
        .iter()
        .chain(&listeners)
        .map(String::as_str)
        .collect();
    server.group("g1", &members).await;

    let mut hearing = JoinSet::new();
    for (at, uid) in listeners.iter().enumerate() {
        let over = if at % 2 == 0 { Tcp } else { Ws };
        hearing.spawn(everything(server.client_as(uid, over, 5).await));
    }
    let mut writing = JoinSet::new();
    for uid in &writers {
        let mut client = server.client(uid).await;
        writing.spawn(async move {
            let mut posted = Vec::new();
            for at in 0..EACH {
                posted.push(client.post(&Outgoing::group("g1", &at.to_string())).await);
            }
            let mut seqs = Vec::new();
            for client_seq in posted {
                seqs.push(client.ack_of(client_seq).await.message_seq);
            }
            assert!(
                seqs.is_sorted_by(|before, after| before < after),
                "{seqs:?}"
            );
        });
    }
    while let Some(written) = writing.join_next().await {
        written.expect("a writer that does not panic");
    }

    let mut orders = Vec::new();
    while let Some(heard) = hearing.join_next().await {
        orders.push(heard.expect("a listener that does not panic"));
    }
    let seqs: Vec<_> = orders[0].iter().map(|(seq, _, _)| *seq).collect();
    assert_eq!(seqs, (1..=(WRITERS * EACH) as u64).collect::<Vec<_>>());
    for uid in &writers {
        let own = orders[0].iter().filter(|(_, from, _)| from == uid);
        let texts: Vec<_> = own.map(|(_, _, text)| text.clone()).collect();
        assert_eq!(
            texts,
            (0..EACH).map(|at| at.to_string()).collect::<Vec<_>>(),
            "{uid}"
        );
    }
    for order in &orders {
        assert_eq!(*order, orders[0]);
    }
}

async fn post_numbers(alice: &mut WukongClient, count: usize) {
    for at in 0..count {
        alice
            .accepted(&Outgoing::direct("bob", &at.to_string()))
            .await;
    }
}

/// Who acknowledges nothing is given a thousand messages, and the rest once it does.
#[tokio::test]
async fn acknowledgements_make_room_for_more() {
    let server = Server::start_with(&["limits.send_rate=0"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    bob.ack_by_hand();
    post_numbers(&mut alice, 1100).await;
    let mut heard = Vec::new();
    for at in 0..1000 {
        heard.push(bob.hears(&at.to_string()).await);
    }
    bob.ping().await;
    assert_eq!(bob.unheard(), 0, "no more than a thousand");
    for message in &heard {
        bob.ack(message).await;
    }
    for at in 1000..1100 {
        let message = bob.hears(&at.to_string()).await;
        bob.ack(&message).await;
    }
    bob.ping().await;
}

/// More than fit without acknowledgements: those of the SDK are understood.
#[tokio::test]
async fn the_sdk_acknowledges_what_it_hears() {
    let server = Server::start_with(&["limits.send_rate=0"]).await;
    let mut alice = server.client("alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    post_numbers(&mut alice, 1200).await;
    for at in 0..1200 {
        bob.hears(&at.to_string()).await;
    }
}
