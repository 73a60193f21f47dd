//! Kills at random moments: what was acknowledged is there, once and in order.
//!
//! Several writers keep a window of unacknowledged messages in flight when the server is killed,
//! or told to stop. After each restart the [`Ledger`] compares the logs with what the writers
//! know; then they go on as SDKs do: what was not acknowledged is sent again under its old client
//! number, first.
//!
//! Further runs have a disk that loses with each kill what was not synced, as a power cut does:
//! all of it, or all but some sectors that had reached the disk by themselves.
//!
//! `CROSSTALK_SEED` repeats a run's choices, `CROSSTALK_FAULT_ROUNDS` sets the number of kills.

mod ballast;
pub(crate) mod ledger;
mod moment;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use crosstalk_tests::{Cut, PATIENCE, SLOW_SYNC, Seed, Server, fault_rounds};
use tokio::task::JoinSet;

use ledger::{Ledger, Line, READER};
use moment::{Moment, Trigger, micros};
use writer::Writer;

const SETTINGS: &[&str] = &["limits.send_rate=0"];

/// How long everybody writes before the moment must have come.
const LONGEST: Duration = PATIENCE.saturating_mul(4);

/// Everybody writes until the server has ended.
async fn write_until_the_end(server: &mut Server, ledger: &mut Ledger, moment: Moment) {
    let mut reader = server.login(READER).connect().await;
    reader.link().expect_a_kill();
    let mut ready = Vec::new();
    for line in ledger.take_lines() {
        let mut client = server.login(&line.writer).connect().await;
        client.link().expect_a_kill();
        ready.push(Writer::new(client, line));
    }
    // Nobody begins before all are there, since the first may bring about the end.
    let trigger = Arc::new(Trigger::new(moment, server));
    let reader = tokio::spawn(writer::listen(reader));
    let mut writers = JoinSet::new();
    for writer in ready {
        writers.spawn(writer.write_until_closed(Arc::clone(&trigger)));
    }
    let the_end = async {
        while let Some(line) = writers.join_next().await {
            ledger.put_line(line.expect("a writer that does not panic"));
        }
    };
    let ended = tokio::time::timeout(LONGEST, the_end).await;
    assert!(ended.is_ok(), "{moment:?}: not within {LONGEST:?}");
    ledger.heard(reader.await.expect("a reader that does not panic"));
    let status = server.ended().await;
    if matches!(moment, Moment::Stopped(_)) {
        assert!(status.success(), "after SIGTERM the server ended: {status}");
    }
}

/// What is left of the server's data after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Everything that was written.
    Nothing,
    /// Only what was synced, as after a power cut.
    Unsynced,
    /// What was synced, and of the rest whatever the disk had come to.
    Torn,
}

impl Loss {
    /// Brings it about.
    fn after(self, server: &Server, seed: &mut Seed) -> Cut {
        match self {
            Loss::Nothing => Cut::default(),
            Loss::Unsynced => server.cut_power(None),
            Loss::Torn => server.cut_power(Some(seed)),
        }
    }
}

/// A run: who writes, how it ends each time, and how often.
struct Run {
    lines: Vec<Line>,
    loss: Loss,
    moment: fn(&mut Seed) -> Moment,
    /// Whether the log is nearly full each time.
    has_ballast: bool,
    rounds: usize,
}

impl Run {
    fn new(loss: Loss, moment: fn(&mut Seed) -> Moment, rounds: usize) -> Run {
        Run {
            lines: lines(),
            loss,
            moment,
            has_ballast: false,
            rounds: fault_rounds(rounds),
        }
    }
}

fn lines() -> Vec<Line> {
    vec![
        Line::new("direct1", READER, 1),
        Line::new("direct2", READER, 1),
        Line::new("group1", "crowd", 2),
        Line::new("group2", "crowd", 2),
        Line::new("group3", "crowd", 2),
    ]
}

async fn on_a_slow_disk() -> Server {
    let server = Server::start_with_faults(SETTINGS).await;
    // An acknowledgement that does not wait for the sync is caught then.
    server.faults().slow_syncs(SLOW_SYNC);
    server
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_kills_once_and_in_order() {
    let run = Run::new(Loss::Nothing, Moment::soon, 20);
    survive(Server::start_with(SETTINGS).await, run).await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_power_cuts_once_and_in_order() {
    let run = Run::new(Loss::Unsynced, Moment::soon, 15);
    survive(on_a_slow_disk().await, run).await;
}

/// Of what was not synced some sectors have reached the disk: the last page of the log or of the
/// database is torn.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_torn_writes_once_and_in_order() {
    let run = Run::new(Loss::Torn, Moment::soon, 20);
    survive(on_a_slow_disk().await, run).await;
}

/// The log is moved into the database while everybody writes, and is then written over.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_torn_writes_while_the_log_is_moved() {
    let mut run = Run::new(Loss::Torn, Moment::moving, 3);
    run.has_ballast = true;
    survive(on_a_slow_disk().await, run).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_orderly_restarts_under_load_once_and_in_order() {
    let run = Run::new(Loss::Nothing, Moment::stopped, 6);
    survive(Server::start_with(SETTINGS).await, run).await;
}

async fn survive(mut server: Server, run: Run) {
    let Run {
        lines,
        loss,
        moment,
        has_ballast,
        rounds,
    } = run;
    let mut seed = Seed::from_env();
    let uids: Vec<_> = lines.iter().map(|line| line.writer.clone()).collect();
    let members: Vec<_> = std::iter::once(READER)
        .chain(uids.iter().map(String::as_str))
        .collect();
    server.group("crowd", &members).await;
    for uid in &members {
        server.register(uid, 0, 0).await;
    }
    let mut ledger = Ledger::new(lines);
    let mut cuts = Cut::default();

    for round in 1..=rounds {
        let moment = moment(&mut seed);
        let ballast = if has_ballast {
            ballast::fill_log(&server).await
        } else {
            0
        };
        write_until_the_end(&mut server, &mut ledger, moment).await;
        cuts += loss.after(&server, &mut seed);
        if seed.within(0..4) == 0 {
            // Being killed while it recovers must cost nothing either.
            let delay = micros(&mut seed, 40_000);
            server.start_and_kill_after(delay).await;
            cuts += loss.after(&server, &mut seed);
        }
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
        ballast::check(&server, ballast).await;
        println!("{round} of {rounds} at {moment:?}: {ledger}");
    }

    for line in ledger.take_lines() {
        let client = server.login(&line.writer).connect().await;
        ledger.put_line(Writer::new(client, line).write_the_rest().await);
    }
    ledger.check_new(&server).await;
    ledger.check_all(&server).await;
    println!("at the end: {ledger}; {cuts:?}");
    let is_lossless = cuts == Cut::default();
    assert_eq!(
        is_lossless,
        loss == Loss::Nothing,
        "kills between write and sync"
    );
}

/// Before the first start has come to its end there is nothing to lose; but what it leaves must
/// not keep the next one from starting.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_in_the_first_start_does_not_prevent_the_next() {
    let mut seed = Seed::from_env();
    for round in 1..=fault_rounds(6) {
        let count = seed.within(1..4);
        let delays: Vec<Duration> = (0..count).map(|_| micros(&mut seed, 120_000)).collect();
        println!("{round}: cuts after {delays:?}");
        let mut server = Server::start_after_power_cuts(&delays, &mut seed).await;
        let mut ledger = Ledger::new(vec![Line::new("direct1", READER, 1)]);
        server.register(READER, 0, 0).await;
        server.register("direct1", 0, 0).await;
        write_until_the_end(&mut server, &mut ledger, Moment::Acked(1)).await;
        // The first messages are as safe as any: the files have their names for good.
        server.cut_power(None);
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
    }
}
