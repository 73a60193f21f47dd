//! A bit that has turned over in what is stored: the message it belongs to is set aside and
//! reported, and everything else is served.

use std::fs;
use std::path::Path;

use crosstalk_tests::wukong::{Outgoing, WukongClient};
use crosstalk_tests::{Seed, Server, fault_rounds};
use serde_json::json;

use super::pages::{Channel, DAMAGED, Row, ask, flip, history, marked, places, rows};
use super::server;
use crate::crash::ledger::READER;

pub(super) const CROWD: Channel = ("crowd", 2);
pub(super) const DIRECT: Channel = ("direct1", 1);
/// Messages in the crowd; some ten to a page.
pub(super) const COUNT: u64 = 60;

/// The name of the messages' author, who writes to both channels.
const AUTHOR: &str = "direct1";

/// Where the lengths of a row's columns begin, counted from its client number.
const LENGTHS: i64 = -27;

fn in_crowd(number: u64) -> Outgoing {
    marked("crowd", 2, number)
}

fn to_reader(number: u64) -> Outgoing {
    marked(READER, 1, number)
}

/// Writes to both channels, and returns what they show.
pub(super) async fn fill(server: &Server) -> (Vec<Row>, Vec<Row>) {
    // Who is a member of the crowd may write there.
    let add = json!({"channel_id": "crowd", "channel_type": 2, "subscribers": [AUTHOR]});
    server.wukong_ok("/channel/subscriber_add", add).await;
    let mut author = server.login(AUTHOR).connect().await;
    for number in 1..=COUNT {
        author.accepted(&in_crowd(number)).await;
        if number % 6 == 0 {
            author.accepted(&to_reader(number / 6)).await;
        }
    }
    (history(server, CROWD).await, history(server, DIRECT).await)
}

/// Both channels take new messages, under the seqs that follow.
async fn go_on(server: &Server, author: &mut WukongClient, newest: (u64, u64)) {
    let next = author.accepted(&in_crowd(1000 + newest.0)).await;
    assert_eq!(next.message_seq, newest.0 + 1);
    let next = author.accepted(&to_reader(1000 + newest.1)).await;
    assert_eq!(next.message_seq, newest.1 + 1);
    let ask = json!({"uid": READER, "version": 0, "msg_count": 5});
    let conversations = server
        .wukong_api()
        .post("/conversation/sync", ask)
        .await
        .ok();
    assert_eq!(conversations.as_array().map(Vec::len), Some(2));
}

/// The rows with the one of a seq as it is shown when it is damaged: its place, and nothing else.
fn without(rows: &[Row], seq: u64) -> Vec<Row> {
    let mut rows = rows.to_vec();
    for row in rows.iter_mut().filter(|row| row.seq == seq) {
        DAMAGED.clone_into(&mut row.payload);
    }
    rows
}

pub(super) async fn is_reported(server: &Server, seq: u64) {
    assert!(server.rest().metric("crosstalk_store_damaged_total").await > 0);
    let log = server.log();
    let line = log.lines().find(|line| {
        line.contains("a stored message is damaged") && line.contains(&format!("seq={seq}"))
    });
    assert!(line.is_some(), "no line about seq {seq} in {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_a_message_at_rest_costs_that_message() {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    let (crowd, direct) = fill(&server).await;
    server.terminate().await;
    let file = server.data_file("crosstalk.db");
    let sound = fs::read(&file).expect("the database");
    // The newest one is what conversations show, and where the next seq comes from.
    let some = (0..fault_rounds(4)).map(|_| 1 + seed.within(0..COUNT as usize) as u64);
    let some: Vec<_> = some.chain([COUNT]).collect();
    for seq in some {
        let row = in_crowd(seq);
        let bytes = [row.client_msg_no.as_bytes(), &row.payload].concat();
        let (offset, bit) = (seed.within(0..bytes.len()), seed.within(0..8));
        // Pages that have been split keep what has moved.
        for at in places(&file, &bytes) {
            flip(&file, at + offset as u64, bit as u8);
        }
        server.start_elsewhere().await;
        assert_eq!(history(&server, CROWD).await, without(&crowd, seq));
        assert_eq!(history(&server, DIRECT).await, direct);
        is_reported(&server, seq).await;
        let mut author = server.login(AUTHOR).connect().await;
        go_on(&server, &mut author, (COUNT, COUNT / 6)).await;
        assert_eq!(
            history(&server, CROWD).await[..COUNT as usize],
            without(&crowd, seq)
        );
        server.terminate().await;
        fs::write(&file, &sound).expect("the database as it was");
    }
}

/// The log is read while the server runs; what has turned over there is noticed as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_the_live_log_costs_that_message() {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    let (crowd, direct) = fill(&server).await;
    let log = server.data_file("crosstalk.db-wal");
    // Not of the last page, which is written again from memory.
    let seq = 1 + seed.within(0..COUNT as usize / 2) as u64;
    let payload = in_crowd(seq).payload;
    let found = places(&log, &payload);
    assert!(!found.is_empty(), "the message is in the log");
    let (offset, bit) = (seed.within(0..payload.len()), seed.within(0..8));
    for at in found {
        flip(&log, at + offset as u64, bit as u8);
    }
    let mut author = server.login(AUTHOR).connect().await;
    go_on(&server, &mut author, (COUNT, COUNT / 6)).await;
    let shown = history(&server, CROWD).await;
    assert_eq!(shown[..COUNT as usize], without(&crowd, seq));
    assert_eq!(history(&server, DIRECT).await[..COUNT as usize / 6], direct);
    is_reported(&server, seq).await;
    // What is moved into the database is no better.
    server.restart().await;
    assert_eq!(history(&server, CROWD).await, shown);
    let mut author = server.login(AUTHOR).connect().await;
    go_on(&server, &mut author, (COUNT + 1, COUNT / 6 + 1)).await;
}

/// Where a row's id begins, counted from its client number; the lengths of its columns and the
/// first of them follow.
const ID: i64 = -36;

/// Turns one bit over at such a place of a message in a stopped server's database.
pub(super) fn flip_in_row(file: &Path, seq: u64, offset: i64, bit: usize) {
    let bytes = in_crowd(seq).client_msg_no.into_bytes();
    let bytes = [bytes, in_crowd(seq).payload].concat();
    let end = fs::metadata(file).expect("the database").len();
    for at in places(file, &bytes) {
        if let Some(at) = at.checked_add_signed(offset).filter(|at| *at < end) {
            flip(file, at, bit as u8);
        }
    }
}

/// What is not the author's words but says how long they are, or which row they stand in, may
/// take the rows around with it. It never passes for sound, and nobody is kept from writing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_anywhere_in_a_row_is_never_served_and_stops_nobody() {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    let (crowd, direct) = fill(&server).await;
    server.terminate().await;
    let file = server.data_file("crosstalk.db");
    let sound = fs::read(&file).expect("the database");
    for round in 1..=fault_rounds(8) {
        // Every other time in the last page, to which all that is new is appended.
        let oldest = if round % 2 == 0 { COUNT - 8 } else { 1 };
        let seq = seed.within(oldest as usize..COUNT as usize + 1) as u64;
        let (offset, bit) = (
            seed.within(0..ID.unsigned_abs() as usize) as i64 + ID,
            seed.within(0..8),
        );
        println!("{round}: bit {bit} at {offset} of {seq}");
        flip_in_row(&file, seq, offset, bit);
        server.start_elsewhere().await;
        for (channel, written) in [(CROWD, &crowd), (DIRECT, &direct)] {
            let answer = ask(&server, channel, 1).await;
            if answer.status != 200 {
                assert_eq!(answer.json()["msg"], "internal");
                assert!(server.log().contains("malformed"));
                continue;
            }
            for row in rows(answer) {
                let is_sound = written.contains(&row);
                assert!(is_sound || row.payload == DAMAGED, "{channel:?}: {row:?}");
            }
        }
        let mut author = server.login(AUTHOR).connect().await;
        for next in 1..=40 {
            let ack = author.accepted(&in_crowd(1000 + next)).await;
            assert_eq!(ack.message_seq, COUNT + next);
        }
        let new = rows(ask(&server, CROWD, COUNT + 1).await);
        assert!(new.iter().all(|row| row.payload.starts_with("<<crowd 10")));
        // A row under a wrong id stands in the wrong place of its page, and may hide some of
        // those that are written beside it.
        assert!(new.len() >= 30, "{} of 40", new.len());
        server.kill().await;
        fs::write(&file, &sound).expect("the database as it was");
        fs::write(server.data_file("crosstalk.db-wal"), "").expect("an empty log");
    }
}

/// A row that SQLite itself cannot read fails the step to it, and the rest of the page is served.
#[tokio::test]
async fn a_row_whose_lengths_are_damaged_costs_that_message_only() {
    let mut server = server().await;
    let (crowd, direct) = fill(&server).await;
    server.terminate().await;
    let seq = COUNT / 2;
    flip_in_row(&server.data_file("crosstalk.db"), seq, LENGTHS + 9, 5);
    server.start_elsewhere().await;
    let others = |mut rows: Vec<Row>| {
        rows.retain(|row| row.seq != seq);
        rows
    };
    assert_eq!(others(history(&server, CROWD).await), others(crowd));
    assert_eq!(history(&server, DIRECT).await, direct);
    is_reported(&server, seq).await;
}

/// The newest message of one channel, damaged in the same way: every member's list is served.
#[tokio::test]
async fn a_row_whose_lengths_are_damaged_does_not_empty_lists_of_conversations() {
    let mut server = server().await;
    fill(&server).await;
    server.terminate().await;
    flip_in_row(&server.data_file("crosstalk.db"), COUNT, LENGTHS + 9, 5);
    server.start_elsewhere().await;
    let ask = json!({"uid": READER, "version": 0, "msg_count": 5});
    let shown = server
        .wukong_api()
        .post("/conversation/sync", ask)
        .await
        .ok();
    assert_eq!(shown.as_array().map(Vec::len), Some(2));
}

/// The doctor reads every message.
#[tokio::test]
async fn the_doctor_names_a_damaged_message() {
    let mut server = server().await;
    let (crowd, _) = fill(&server).await;
    server.terminate().await;
    let damaged = &crowd[COUNT as usize / 2];
    flip_in_row(&server.data_file("crosstalk.db"), damaged.seq, 20, 0);
    let (is_fit, said) = server.doctor().await;
    assert!(said.contains(&damaged.id.to_string()), "{is_fit}: {said}");
}
