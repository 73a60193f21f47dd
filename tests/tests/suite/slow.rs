//! A client that does not read, and everybody else.

use std::sync::Arc;

use crosstalk_tests::wukong::{Outgoing, WukongClient};
use crosstalk_tests::{Server, within};
use tokio::sync::Semaphore;

/// Enough to fill socket buffers and mailboxes on the way.
const MESSAGES: usize = 6000;
const PAYLOAD_BYTES: usize = 2048;
/// Messages that wait for their acknowledgement.
const WINDOW: usize = 64;

fn numbered(at: usize) -> Outgoing {
    let mut payload = at.to_string().into_bytes();
    payload.push(b' ');
    payload.resize(PAYLOAD_BYTES, b'.');
    Outgoing::bytes("g1", 2, payload)
}

fn number(payload: &[u8]) -> usize {
    let digits: Vec<_> = payload
        .iter()
        .copied()
        .take_while(u8::is_ascii_digit)
        .collect();
    String::from_utf8(digits)
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("a number first")
}

async fn send_all(alice: &mut WukongClient) {
    let mut posted = 0;
    let mut answered = 0;
    while answered < MESSAGES {
        if posted < MESSAGES && posted - answered < WINDOW {
            alice.post(&numbered(posted)).await;
            posted += 1;
        } else {
            assert_eq!(alice.any_ack().await.map(|ack| ack.reason), Some(1));
            answered += 1;
        }
    }
}

/// Reads until the last message is there; every one must come, in order. Repeats are allowed,
/// since delivery is at least once.
async fn hears_all(client: &mut WukongClient) {
    let mut expected = 0;
    while expected < MESSAGES {
        let message = client.message().await;
        let at = number(&message.payload);
        assert!(at <= expected, "{at} without {expected}");
        assert_eq!(message.packet.message_seq, at as u64 + 1);
        if at == expected {
            expected += 1;
        }
    }
}

#[tokio::test]
async fn a_slow_reader_holds_up_nobody_and_misses_nothing() {
    let server = Server::start_with(&["limits.send_rate=0"]).await;
    server.group("g1", &["alice", "slow", "quick"]).await;
    let mut alice = server.client("alice").await;
    let mut slow = server.client("slow").await;
    let mut quick = server.client("quick").await;

    let finished = Arc::new(Semaphore::new(0));
    let signal = Arc::clone(&finished);
    let reader = tokio::spawn(async move {
        hears_all(&mut quick).await;
        signal.add_permits(1);
        quick
    });
    send_all(&mut alice).await;
    within("the quick reader's last message", finished.acquire())
        .await
        .expect("a signal")
        .forget();
    reader.await.expect("the quick reader is content");

    hears_all(&mut slow).await;
    alice.accepted(&Outgoing::group("g1", "now live")).await;
    loop {
        let message = slow.message().await;
        if message.payload.starts_with(b"{") {
            assert_eq!(message.text(), "now live");
            return;
        }
    }
}
