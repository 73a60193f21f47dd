//! Kills at random moments: what was acknowledged is there, once and in order.
//!
//! Several writers keep a window of unacknowledged messages in flight when the server is killed.
//! After each restart the [`Ledger`] compares the logs with what the writers know; then they go
//! on as SDKs do: what was not acknowledged is sent again under its old client number, first.
//!
//! A second run has a disk that loses with each kill what was not synced, as a power cut does.
//!
//! `CROSSTALK_SEED` repeats a run's choices, `CROSSTALK_KILLS` sets the number of kills.

mod ledger;
mod writer;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crosstalk_tests::{Killer, Seed, Server};
use tokio::task::JoinSet;

use ledger::{Ledger, Line};
use writer::Writer;

/// The one who hears everything.
const READER: &str = "reader";
const KILLS: usize = 20;
const SETTINGS: &[&str] = &["limits.send_rate=0"];

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// As soon as this many messages have been acknowledged that were not sent before.
    Acked(usize),
    /// As soon as this many messages have been written.
    Posted(usize),
    /// This long after the first acknowledgement.
    After(Duration),
}

/// Kills the server when the moment has come; shared by the writers.
struct Trigger {
    moment: Moment,
    killer: Killer,
    posted: AtomicUsize,
    acked: AtomicUsize,
}

impl Trigger {
    fn posted(&self) {
        let count = self.posted.fetch_add(1, Ordering::Relaxed) + 1;
        if matches!(self.moment, Moment::Posted(at) if at == count) {
            self.killer.kill();
        }
    }

    fn acked(&self, is_fresh: bool) {
        let counted = match self.moment {
            Moment::Acked(_) => is_fresh,
            Moment::After(_) => true,
            Moment::Posted(_) => false,
        };
        if !counted {
            return;
        }
        let count = self.acked.fetch_add(1, Ordering::Relaxed) + 1;
        match self.moment {
            Moment::Acked(at) if at == count => self.killer.kill(),
            Moment::After(delay) if count == 1 => {
                let killer = self.killer.clone();
                tokio::spawn(async move {
                    // wait: a moment that has nothing to do with what is being sent
                    tokio::time::sleep(delay).await;
                    killer.kill();
                });
            }
            _ => {}
        }
    }
}

fn moment(seed: &mut Seed) -> Moment {
    match seed.within(0..4) {
        0 | 1 => Moment::Acked(seed.within(1..500)),
        2 => Moment::Posted(seed.within(100..900)),
        _ => Moment::After(Duration::from_micros(seed.within(0..150_000) as u64)),
    }
}

/// Everybody writes until the server is killed.
async fn write_until_killed(server: &mut Server, ledger: &mut Ledger, moment: Moment) {
    let trigger = Arc::new(Trigger {
        moment,
        killer: server.killer(),
        posted: AtomicUsize::new(0),
        acked: AtomicUsize::new(0),
    });
    let mut reader = server.login(READER).connect().await;
    reader.link().expect_a_kill();
    let mut ready = Vec::new();
    for line in ledger.take_lines() {
        let mut client = server.login(&line.writer).connect().await;
        client.link().expect_a_kill();
        ready.push(Writer::new(client, line));
    }
    // Nobody begins before all are there, since the first may bring about the end.
    let reader = tokio::spawn(writer::listen(reader));
    let mut writers = JoinSet::new();
    for writer in ready {
        writers.spawn(writer.write_until_closed(Arc::clone(&trigger)));
    }
    while let Some(line) = writers.join_next().await {
        ledger.put_line(line.expect("a writer that does not panic"));
    }
    ledger.heard(reader.await.expect("a reader that does not panic"));
    server.ended().await;
}

/// What is left of the server's data after a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loss {
    /// Everything that was written.
    Nothing,
    /// Only what was synced, as after a power cut.
    Unsynced,
}

impl Loss {
    /// Brings it about; returns how many writes are gone.
    fn after(self, server: &Server) -> usize {
        match self {
            Loss::Nothing => 0,
            Loss::Unsynced => server.lose_unsynced(),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_kills_once_and_in_order() {
    let server = Server::start_with(SETTINGS).await;
    survive(server, Loss::Nothing).await;
}

/// Each sync is slow here, so that an acknowledgement that does not wait for it is caught.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_messages_survive_power_cuts_once_and_in_order() {
    let server = Server::start_on_faulty_disk(SETTINGS).await;
    survive(server, Loss::Unsynced).await;
}

async fn survive(mut server: Server, loss: Loss) {
    let kills = std::env::var("CROSSTALK_KILLS").map_or(KILLS, |text| {
        text.parse().expect("CROSSTALK_KILLS is a number")
    });
    let mut seed = Seed::from_env();
    let lines = [
        Line::new("direct1", READER, 1),
        Line::new("direct2", READER, 1),
        Line::new("group1", "crowd", 2),
        Line::new("group2", "crowd", 2),
        Line::new("group3", "crowd", 2),
    ];
    server
        .group("crowd", &[READER, "group1", "group2", "group3"])
        .await;
    server.register(READER, 0, 0).await;
    for line in &lines {
        server.register(&line.writer, 0, 0).await;
    }
    let mut ledger = Ledger::new(lines.into());
    let mut lost = 0;

    for kill in 1..=kills {
        let moment = moment(&mut seed);
        write_until_killed(&mut server, &mut ledger, moment).await;
        lost += loss.after(&server);
        if seed.within(0..4) == 0 {
            // Being killed while it recovers must cost nothing either.
            let delay = Duration::from_micros(seed.within(0..40_000) as u64);
            server.start_and_kill_after(delay).await;
            lost += loss.after(&server);
        }
        server.start_elsewhere().await;
        ledger.check_new(&server).await;
        println!("kill {kill} of {kills} at {moment:?}: {ledger}");
    }

    for line in ledger.take_lines() {
        let client = server.login(&line.writer).connect().await;
        ledger.put_line(Writer::new(client, line).write_the_rest().await);
    }
    ledger.check_new(&server).await;
    ledger.check_all(&server).await;
    println!("at the end: {ledger}; {lost} writes to the disk were lost on the way");
    assert_eq!(
        lost > 0,
        loss == Loss::Unsynced,
        "kills that come between write and sync"
    );
}
