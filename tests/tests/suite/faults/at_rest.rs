//! Files of a server that does not run, cut short or damaged at their end.

use std::fs::{self, File};

use crosstalk_tests::{Seed, Server, fault_rounds};

use super::pages::{Channel, flip, history, marked};
use super::server;
use crate::crash::ledger::READER;

const DIRECT: Channel = ("direct1", 1);
const COUNT: u64 = 30;

/// Sends messages, each with a commit of its own; returns the size of the log after each.
async fn fill(server: &Server) -> Vec<u64> {
    let mut author = server.login("direct1").connect().await;
    let log = server.data_file("crosstalk.db-wal");
    let mut sizes = Vec::new();
    for number in 1..=COUNT {
        author.accepted(&marked(READER, 1, number)).await;
        sizes.push(fs::metadata(&log).expect("the log").len());
    }
    sizes
}

/// What was acknowledged before the log had grown to `size` is there, and new messages follow it.
async fn serves_what_lay_before(server: &mut Server, sizes: &[u64], size: u64) -> usize {
    let kept = sizes.iter().filter(|it| **it <= size).count();
    server.start_elsewhere().await;
    let rows = history(server, DIRECT).await;
    let payloads: Vec<_> = rows.iter().map(|row| row.payload.clone()).collect();
    let expected: Vec<_> = (1..=kept as u64)
        .map(|number| String::from_utf8(marked(READER, 1, number).payload).expect("a text"))
        .collect();
    assert_eq!(payloads, expected, "{kept} of {COUNT} messages");
    // What is lost is sent again, as the same messages; what is there is not stored twice.
    let mut author = server.login("direct1").connect().await;
    for number in 1..=COUNT {
        let ack = author.accepted(&marked(READER, 1, number)).await;
        assert_eq!(ack.message_seq, number);
    }
    let rows = history(server, DIRECT).await;
    assert_eq!(rows.len() as u64, COUNT);
    assert!(rows.is_sorted_by(|one, next| one.seq + 1 == next.seq && one.id < next.id));
    kept
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_cut_short_is_served_up_to_there() {
    let mut seed = Seed::from_env();
    for round in 1..=fault_rounds(3) {
        let mut server = server().await;
        let sizes = fill(&server).await;
        server.kill().await;
        let end = sizes[sizes.len() - 1];
        // Hardly ever at the end of a commit: inside of a page.
        let size = sizes[0] + seed.within(1..(end - sizes[0]) as usize) as u64;
        let log = File::options()
            .write(true)
            .open(server.data_file("crosstalk.db-wal"));
        log.expect("the log").set_len(size).expect("a shorter log");
        let kept = serves_what_lay_before(&mut server, &sizes, size).await;
        println!("{round}: {size} of {end} bytes, {kept} of {COUNT} messages");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_with_a_damaged_page_is_served_up_to_there() {
    let mut seed = Seed::from_env();
    for round in 1..=fault_rounds(3) {
        let mut server = server().await;
        let sizes = fill(&server).await;
        server.kill().await;
        let end = sizes[sizes.len() - 1];
        // In the last commit, and anywhere.
        let from = if round == 1 {
            sizes[sizes.len() - 2]
        } else {
            sizes[0]
        };
        let at = from + seed.within(0..(end - from) as usize) as u64;
        flip(
            &server.data_file("crosstalk.db-wal"),
            at,
            seed.within(0..8) as u8,
        );
        let kept = serves_what_lay_before(&mut server, &sizes, at).await;
        println!("{round}: byte {at} of {end}, {kept} of {COUNT} messages");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_cut_short_is_refused_and_left_as_it_is() {
    let mut seed = Seed::from_env();
    let mut server = server().await;
    fill(&server).await;
    server.terminate().await;
    let path = server.data_file("crosstalk.db");
    let sound = fs::read(&path).expect("the database");
    for round in 1..=fault_rounds(4) {
        let mut size = 1 + seed.within(0..sound.len() - 1);
        if round % 2 == 0 {
            size = size.next_multiple_of(4096).min(sound.len() - 4096);
        }
        println!("{round}: {size} of {} bytes", sound.len());
        fs::write(&path, &sound[..size]).expect("a shorter database");
        let said = server.refuses_to_start().await;
        assert!(said.contains("crosstalk.db"), "{said}");
        // So short that its head is incomplete, it is none at all.
        let says_why = said.contains("malformed") || said.contains("not a database");
        assert!(says_why, "{said}");
        let (is_fit, told) = server.doctor().await;
        assert!(!is_fit, "{told}");
        assert!(told.contains("crosstalk.db"), "{told}");
        assert!(
            fs::read(&path).expect("the database") == sound[..size],
            "untouched"
        );
    }
    fs::write(&path, &sound).expect("the database as it was");
    server.start_elsewhere().await;
    assert_eq!(history(&server, DIRECT).await.len() as u64, COUNT);
}
