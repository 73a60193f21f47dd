//! Connections that do nothing: what does the server spend on one?

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::spent::Moment;
use super::{Bench, Outcome};
use crate::account::Tally;
use crate::clock::SECOND_NS;
use crate::drive::{Shared, drive};
use crate::options::IdleOptions;
use crate::report::{Findings, IdleReport, LatencyReport, Work};
use crate::scenario::{self, Names};
use crate::stamp::MIN_CONTENT_BYTES;

/// Read buffer of a client that gets nothing.
const CHUNK_BYTES: usize = 512;
/// How long the server gets to put away what set-up left behind.
const SETTLE: Duration = Duration::from_secs(1);

impl Bench<'_> {
    /// Connects, waits and reports.
    pub(super) async fn idle(&self, options: &IdleOptions, names: &Names) -> Result<Outcome> {
        let probe = self.probe()?;
        let mut plan = scenario::idle(options, names);
        self.set_up(&mut plan).await?;
        self.pause(SETTLE).await;
        let before = self.moment(probe.as_ref())?;
        let connector = self.connector(plan.logins.len(), CHUNK_BYTES)?;
        let connecting = async { Ok(connector.connect_all(&plan.logins, &self.progress).await) };
        let connected = self.unless_interrupted(connecting).await?;
        let connected_ns = self.clock.now_ns();

        let (count, failed) = (connected.clients.len() as u64, connected.failures);
        let shared = Arc::new(self.idle_shared(names, plan.logins.len()));
        let mut clients = JoinSet::new();
        for client in connected.clients {
            clients.spawn(drive(client, None, Arc::clone(&shared)));
        }
        let held = self.moment_before(probe.as_ref()).await?;
        self.hold(options.seconds).await;
        let after = self.moment_after(probe.as_ref()).await?;
        shared.close.cancel();
        let (mut broken_connections, mut broken_why) = (0, None);
        while let Some(client) = clients.join_next().await {
            let (_, books) = client.context("a client broke down")?;
            if books.broken.is_some() {
                broken_connections += 1;
                broken_why = broken_why.or(books.broken);
            }
        }
        let connect_secs = (connected_ns - before.at_ns) as f64 / SECOND_NS as f64;
        let spent = self.spent(&held, &after, Work::default());
        let rss = |moment: &Moment| moment.server.as_ref().map(|sample| sample.rss_bytes);
        let (rss_before_bytes, rss_after_bytes) = (rss(&before), rss(&after));
        let grown = rss_before_bytes.zip(rss_after_bytes);
        let grown = grown.map(|(before, after)| after as f64 - before as f64);
        let each = |all: f64| (count > 0).then(|| all / count as f64);
        let report = IdleReport {
            connections: count,
            failed,
            first_failure: connected.first_failure.map(|error| format!("{error:#}")),
            logins_per_s: count as f64 / connect_secs.max(f64::EPSILON),
            login: LatencyReport::new(&connected.login),
            server_cpu_ms_per_login: before.server_cpu_ms_until(&held).and_then(each),
            held_secs: spent.secs,
            broken_connections,
            broken_why,
            rss_before_bytes,
            rss_after_bytes,
            bytes_per_connection: grown.and_then(each),
        };
        Ok(Outcome {
            findings: Findings {
                idle: Some(report),
                ..Findings::default()
            },
            spent,
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
            trips: None,
        }
    }
}
