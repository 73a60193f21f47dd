//! A wall clock that steps: order, ids and seqs do not.

use crosstalk_tests::wukong::{Outgoing, WukongClient};
use crosstalk_tests::{Http, Server};
use serde_json::json;

use super::pages::{Channel, history};
use super::server;
use crate::crash::ledger::READER;

pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 24 * HOUR;
/// Client numbers are kept by the week.
const WEEK: i64 = 7 * DAY;

/// Who writes to the reader.
pub(super) const AUTHOR: &str = "direct1";
const DIRECT: Channel = (AUTHOR, 1);

pub(super) fn numbered(number: u64) -> Outgoing {
    Outgoing::bytes(READER, 1, number.to_string()).numbered(&format!("clock-{number}"))
}

/// Writes some messages, which the reader hears in their order under the seqs that follow.
async fn write(author: &mut WukongClient, reader: &mut WukongClient, newest: &mut u64) {
    for _ in 0..3 {
        *newest += 1;
        let ack = author.accepted(&numbered(*newest)).await;
        assert_eq!(ack.message_seq, *newest);
        let heard = reader.message().await;
        let place = (heard.packet.message_id, heard.packet.message_seq);
        assert_eq!(place, (ack.message_id, ack.message_seq));
        assert_eq!(heard.payload, newest.to_string().as_bytes());
    }
}

/// Everything is there in the order of its writing, and ids rise with seqs.
async fn is_in_order(server: &Server, newest: u64) {
    let rows = history(server, DIRECT).await;
    let expected: Vec<_> = (1..=newest).map(|seq| (seq, seq.to_string())).collect();
    let found: Vec<_> = rows
        .iter()
        .map(|row| (row.seq, row.payload.clone()))
        .collect();
    assert_eq!(found, expected);
    assert!(rows.is_sorted_by(|one, next| one.id < next.id), "{rows:?}");
}

/// REST in the name of a user.
fn as_user(server: &Server, token: &str) -> Http {
    server.rest().bearer(token)
}

pub(super) async fn conversations(server: &Server, token: &str) -> u16 {
    let path = format!("/v1/users/{AUTHOR}/conversations");
    as_user(server, token).get(&path).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stepping_clock_changes_no_order() {
    let mut server = server().await;
    let mut author = server.login(AUTHOR).connect().await;
    let mut reader = server.login(READER).connect().await;
    let mut newest = 0;
    write(&mut author, &mut reader, &mut newest).await;
    for (off_by, restarts) in [
        (-HOUR, false),
        (-WEEK, true),
        (DAY, false),
        (0, false),
        (WEEK, true),
        (-HOUR, true),
        (0, true),
    ] {
        server.faults().set_clock_off_by(off_by);
        // Who is connected stays connected.
        write(&mut author, &mut reader, &mut newest).await;
        if restarts {
            server.restart().await;
            reader = server.login(READER).connect().await;
        }
        author = server.login(AUTHOR).connect().await;
        write(&mut author, &mut reader, &mut newest).await;
        is_in_order(&server, newest).await;
        // A retry is a retry whenever it comes.
        for number in 1..=newest {
            assert_eq!(author.accepted(&numbered(number)).await.message_seq, number);
        }
        let token = server.user_token(AUTHOR).await;
        assert_eq!(conversations(&server, &token).await, 200, "off by {off_by}");
        let ask = json!({"uid": READER, "version": 0, "msg_count": 1});
        let shown = server
            .wukong_api()
            .post("/conversation/sync", ask)
            .await
            .ok();
        assert_eq!(shown[0]["last_msg_seq"], newest);
        assert_eq!(shown[0]["unread"], newest);
    }
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

/// What was made while the clock was ahead does not hold before its time, but what is made
/// afterwards does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_from_the_future_does_not_hold_yet() {
    let server = server().await;
    server.faults().set_clock_off_by(DAY);
    let ahead = server.user_token(AUTHOR).await;
    assert_eq!(conversations(&server, &ahead).await, 200);
    server.faults().set_clock_off_by(0);
    assert_eq!(conversations(&server, &ahead).await, 401);
    let now = server.user_token(AUTHOR).await;
    assert_eq!(conversations(&server, &now).await, 200);
    server.login(AUTHOR).token(&now).connect().await;
}

/// Whoever looks for the cause is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_notices_a_clock_that_was_set_back() {
    let mut server = server().await;
    server.faults().set_clock_off_by(DAY);
    let mut author = server.login(AUTHOR).connect().await;
    author.accepted(&numbered(1)).await;
    server.terminate().await;
    let (is_fit, said) = server.doctor().await;
    assert!(is_fit, "{said}");
    assert!(said.contains("behind the newest message"), "{said}");
}

async fn revoke(server: &Server) {
    let path = format!("/v1/users/{AUTHOR}/tokens/revoke");
    server.admin().post(&path, json!({})).await.ok();
}

/// Tokens that are made after a revocation are dated after it, and hold at once.
#[tokio::test]
async fn a_revocation_while_the_clock_was_ahead_lets_new_tokens_in() {
    let server = server().await;
    server.faults().set_clock_off_by(DAY);
    revoke(&server).await;
    server.faults().set_clock_off_by(0);
    let token = server.user_token(AUTHOR).await;
    assert_eq!(conversations(&server, &token).await, 200);
}

/// The revocation is made by a clock that is behind: it voids what was issued before all the same.
#[tokio::test]
async fn a_revocation_while_the_clock_was_behind_keeps_old_tokens_out() {
    let server = server().await;
    let token = server.user_token(AUTHOR).await;
    server.faults().set_clock_off_by(-HOUR);
    revoke(&server).await;
    server.faults().set_clock_off_by(0);
    assert_eq!(conversations(&server, &token).await, 401);
}
