//! What the parts count, as `/metrics` shows it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crosstalk_backends::sqlite::Sqlite;
use crosstalk_core::im::Im;
use crosstalk_gateway::Gateway;

use super::core::Core;
use crate::consumers::Consumers;
use crate::http::metrics::{Reading, read};

/// Reads all of it.
pub(super) fn readings(
    core: &Core,
    gateway: &Arc<Gateway>,
    consumers: &Arc<Consumers>,
) -> impl Fn() -> Vec<Reading> + Send + Sync + 'static {
    let (im, store) = (Arc::clone(&core.im), Arc::clone(&core.store));
    let gateway = Arc::clone(gateway);
    let consumers = Arc::clone(consumers);
    move || {
        let mut all = of_messenger(&im);
        all.extend(of_gateway(&gateway));
        all.extend(of_store(&store));
        all.extend(of_consumers(&consumers));
        all
    }
}

fn of_messenger(im: &Im) -> Vec<Reading> {
    let counters = im.counters();
    let count = |name, help, counter: &AtomicU64| Reading::counter(name, help, read(counter));
    vec![
        Reading::gauge("sessions", "Sessions open", im.hub().session_count() as u64),
        Reading::gauge(
            "users_online",
            "Users with a session",
            im.hub().user_count() as u64,
        ),
        Reading::gauge(
            "lane_queue_length",
            "Jobs that wait in the lanes",
            im.queued() as u64,
        ),
        count(
            "messages_stored",
            "Messages accepted and stored",
            &counters.stored,
        ),
        count(
            "messages_passed",
            "Messages passed on without storing",
            &counters.passed,
        ),
        count(
            "messages_duplicate",
            "Sends repeated and answered again",
            &counters.duplicates,
        ),
        count(
            "messages_refused",
            "Sends refused by a rule",
            &counters.refused,
        ),
        count(
            "messages_failed",
            "Sends that the store failed to take",
            &counters.failed,
        ),
        count(
            "messages_delivered",
            "Messages put into mailboxes",
            &counters.delivered,
        ),
        count(
            "messages_missed",
            "Messages that found a mailbox full",
            &counters.missed,
        ),
    ]
}

fn of_gateway(gateway: &Gateway) -> Vec<Reading> {
    let stats = gateway.stats();
    let connections = stats.connections as u64;
    vec![
        Reading::gauge("connections", "Client connections open", connections),
        Reading::counter(
            "connections_accepted",
            "Client connections accepted",
            stats.accepted,
        ),
        Reading::counter(
            "connections_refused",
            "Connections beyond a limit",
            stats.refused,
        ),
        Reading::counter(
            "gateway_received_bytes",
            "Bytes from clients",
            stats.bytes_in,
        ),
        Reading::counter("gateway_sent_bytes", "Bytes to clients", stats.bytes_out),
        Reading::counter("gateway_sent_frames", "Frames to clients", stats.frames_out),
    ]
}

/// Readings of one name stand together.
fn of_consumers(consumers: &Consumers) -> Vec<Reading> {
    let lags = consumers.lags();
    let behind = lags.iter().map(|lag| {
        let help = "Age of the oldest thing that a consumer has yet to do";
        Reading::gauge("consumer_behind_milliseconds", help, lag.behind_ms)
            .of("consumer", &lag.consumer)
    });
    let done = lags.iter().map(|lag| {
        Reading::counter("consumer_done", "Messages and events done", lag.done)
            .of("consumer", &lag.consumer)
    });
    let failed = lags.iter().map(|lag| {
        Reading::counter(
            "consumer_failed",
            "Times that a consumer failed",
            lag.failed,
        )
        .of("consumer", &lag.consumer)
    });
    behind.chain(done).chain(failed).collect()
}

fn of_store(store: &Sqlite) -> Vec<Reading> {
    let stats = store.stats();
    let (count, gauge) = (Reading::counter, Reading::gauge);
    vec![
        count("store_commits", "Transactions committed", stats.commits),
        count(
            "store_commits_retried",
            "Merged transactions taken apart",
            stats.retried,
        ),
        count(
            "store_commit_milliseconds",
            "Time spent in commits",
            stats.commit_ms_total,
        ),
        count("store_reads", "Queries answered", stats.reads),
        count(
            "store_key_lookups",
            "Client numbers looked up on disk",
            stats.key_lookups,
        ),
        count(
            "store_checkpoints",
            "Times the log was moved into the database",
            stats.checkpoints,
        ),
        count(
            "store_checkpoints_cut",
            "Such moves cut short",
            stats.checkpoints_cut,
        ),
        count("store_damaged", "Damaged messages met", stats.damaged),
        gauge(
            "store_wal_bytes",
            "Size of what is in the write-ahead log",
            stats.wal_bytes,
        ),
        gauge(
            "store_checkpoint_milliseconds",
            "Time of the last move",
            stats.last_checkpoint_ms,
        ),
        gauge(
            "store_write_queue_length",
            "Writes that wait",
            stats.queue_len,
        ),
        gauge(
            "store_read_queue_length",
            "Queries that wait",
            stats.read_queue_len,
        ),
        gauge(
            "store_advances_pending",
            "Senders' advances not written yet",
            stats.advances,
        ),
    ]
}
