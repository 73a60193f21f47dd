//! Connections that do nothing: what does the server spend on one?

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Bench, Outcome};
use crate::account::Tally;
use crate::clock::SECOND_NS;
use crate::drive::{Shared, drive};
use crate::measure::Probe;
use crate::options::IdleOptions;
use crate::report::{IdleReport, LatencyReport, ServerReport};
use crate::scenario::{Names, Plan};
use crate::stamp::MIN_CONTENT_BYTES;

/// Read buffer of a client that gets nothing.
const CHUNK_BYTES: usize = 512;
/// How long the server gets to put away what set-up left behind.
const SETTLE: Duration = Duration::from_secs(1);

impl Bench<'_> {
    /// Connects, waits and reports.
    pub(super) async fn idle(&self, options: &IdleOptions, names: &Names) -> Result<Outcome> {
        let probe = self.probe()?;
        let logins = names.logins(options.connections);
        let plan = Plan {
            logins,
            groups: Vec::new(),
            senders: Vec::new(),
        };
        self.set_up(&plan).await?;
        self.pause(SETTLE).await;
        // Before the connections, and when they are held.
        let sample = || probe.as_ref().map(Probe::sample).transpose();
        let before = sample()?;
        let connect_ns = self.clock.now_ns();
        let connector = self.connector(CHUNK_BYTES)?;
        let connecting = async { Ok(connector.connect_all(&plan.logins, &self.progress).await) };
        let connected = self.unless_interrupted(connecting).await?;
        let hold_ns = self.clock.now_ns();

        let (count, failed) = (connected.clients.len() as u64, connected.failures);
        let shared = Arc::new(self.idle_shared(names, plan.logins.len()));
        let mut clients = JoinSet::new();
        for client in connected.clients {
            clients.spawn(drive(client, None, Arc::clone(&shared)));
        }
        let (held, own) = (sample()?, Probe::own().sample()?);
        self.hold(options.seconds).await;
        let secs = (self.clock.now_ns() - hold_ns) as f64 / SECOND_NS as f64;
        let after = sample()?;
        shared.close.cancel();
        let (mut broken_connections, mut broken_why) = (0, None);
        while let Some(client) = clients.join_next().await {
            let (_, books) = client.context("a client broke down")?;
            if books.broken.is_some() {
                broken_connections += 1;
                broken_why = broken_why.or(books.broken);
            }
        }
        let connect_secs = (hold_ns - connect_ns) as f64 / SECOND_NS as f64;
        let grown = before
            .zip(after)
            .map(|(before, after)| after.rss_bytes as f64 - before.rss_bytes as f64);
        let report = IdleReport {
            connections: count,
            failed,
            first_failure: connected.first_failure.map(|error| format!("{error:#}")),
            logins_per_s: count as f64 / connect_secs.max(f64::EPSILON),
            login: LatencyReport::new(&connected.login),
            held_secs: secs,
            broken_connections,
            broken_why,
            rss_before_bytes: before.map(|sample| sample.rss_bytes),
            rss_after_bytes: after.map(|sample| sample.rss_bytes),
            bytes_per_connection: grown
                .filter(|_| count > 0)
                .map(|grown| grown / count as f64),
        };
        let server = held
            .zip(after)
            .map(|(held, after)| ServerReport::new(&held, &after, secs, 0, 0));
        let generator = self.generator(&own, secs)?;
        Ok(Outcome {
            load: None,
            idle: Some(report),
            server,
            generator,
            hints: Vec::new(),
        })
    }

    async fn hold(&self, seconds: u64) {
        for second in 0..seconds {
            self.progress
                .step(&format!("holding, {} s left", seconds - second));
            self.pause(Duration::from_secs(1)).await;
        }
    }

    /// Waits, but not on after an interrupt.
    async fn pause(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.interrupt.comes() => {}
        }
    }

    fn idle_shared(&self, names: &Names, clients: usize) -> Shared {
        Shared {
            clock: self.clock,
            run: names.run,
            payload: MIN_CONTENT_BYTES,
            measure_ns: 0,
            stop_ns: AtomicU64::new(u64::MAX),
            senders: AtomicU64::new(0),
            tally: Tally::new(1),
            close: CancellationToken::new(),
            audiences: vec![None; clients],
        }
    }
}
