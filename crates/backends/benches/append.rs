//! What a stored message costs: time, CPU and bytes written, by the size of a commit.
//!
//! The workload is that of the design: 10,000 channels, a client number per message, an
//! fsync per commit. CPU and bytes are read from `/proc/self` and so are the whole
//! process's; where there is none they are 0. `APPEND_BENCH_MESSAGES` sets how many messages
//! are measured (a profiler wants fewer), `APPEND_BENCH_SIZES` the sizes of commits.

#![allow(clippy::unwrap_used, reason = "a bench that fails has nobody to tell")]

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use criterion::{Criterion, Throughput};
use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::channel::{ChannelRef, Channels, LogKind, MemberChange, MemberRole};
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::contract::{append, group, numbered, store, user};
use crosstalk_core::conversation::Inbox;
use crosstalk_core::directory::{Directory, UserRecord};
use crosstalk_core::id::{Realm, Snowflake, Uid, UserRef};
use crosstalk_core::log::{Append, Log, Page};
use tokio::runtime::Runtime;

const CHANNELS: usize = 10_000;

/// How many messages are measured, and half as many before that.
fn measured() -> usize {
    let asked = std::env::var("APPEND_BENCH_MESSAGES").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(200_000)
}

fn sizes() -> Vec<usize> {
    let asked = std::env::var("APPEND_BENCH_SIZES").ok();
    let asked = asked.as_deref().unwrap_or("16,256");
    asked.split(',').filter_map(|n| n.parse().ok()).collect()
}

struct Bed {
    runtime: Runtime,
    db: Arc<Sqlite>,
    logs: Vec<Arc<ChannelRef>>,
    alice: UserRef,
    said: usize,
    _dir: tempfile::TempDir,
}

impl Bed {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
        let options = SqliteOptions::new(dir.path().join("im.db"), clock, ids);
        let db = Arc::new(Sqlite::open(options).unwrap());
        let (alice, logs) = runtime.block_on(async {
            let opened = (0..CHANNELS).map(|n| {
                let db = Arc::clone(&db);
                async move {
                    db.open(&group(&format!("g{n}")), LogKind::Chat, true)
                        .await
                        .unwrap()
                        .unwrap()
                }
            });
            (
                user(&*db, "alice").await,
                futures_util::future::join_all(opened).await,
            )
        });
        Self {
            runtime,
            db,
            logs,
            alice,
            said: 0,
            _dir: dir,
        }
    }

    fn batch(&mut self, size: usize) -> Vec<Append> {
        let payload = "x".repeat(150);
        (0..size)
            .map(|_| {
                self.said += 1;
                // A step that is coprime to their number visits all channels in turn.
                let log = &self.logs[(self.said * 7919) % CHANNELS];
                append(
                    log,
                    &self.alice,
                    numbered(&format!("client-{}", self.said), &payload),
                )
            })
            .collect()
    }

    fn say(&mut self, size: usize) {
        let batch = self.batch(size);
        self.runtime.block_on(store(&*self.db, batch));
    }
}

/// What the process has used so far.
#[derive(Clone, Copy)]
struct Spent {
    user_us: u64,
    system_us: u64,
    written_bytes: u64,
}

fn spent() -> Spent {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|n| n.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let written = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    // A tick is 10 ms.
    Spent {
        user_us: ticks(11) * 10_000,
        system_us: ticks(12) * 10_000,
        written_bytes: written.and_then(|n| n.parse().ok()).unwrap_or(0),
    }
}

#[expect(clippy::print_stderr, reason = "a bench reports to whoever runs it")]
fn report(size: usize) {
    let mut bed = Bed::new();
    for _ in 0..measured() / 2 / 256 {
        bed.say(256);
    }
    let before = spent();
    let begun = Instant::now();
    let mut took = Vec::new();
    for _ in 0..measured() / size {
        let batch = bed.batch(size);
        let begun = Instant::now();
        bed.runtime.block_on(store(&*bed.db, batch));
        took.push(begun.elapsed());
    }
    let seconds = begun.elapsed().as_secs_f64();
    let after = spent();
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)].as_micros();
    let count = (measured() / size * size) as u64;
    let each = |us: u64| us as f64 / count as f64;
    let stats = bed.db.stats();
    eprintln!(
        "commits of {size}: {:.0} messages/s; per message {:.1} µs CPU in user space, {:.1} in \
         the kernel, {} bytes written; a commit took p50 {} p99 {} max {} µs; {} checkpoints, \
         the last in {} ms; {} look-ups of client numbers",
        count as f64 / seconds,
        each(after.user_us - before.user_us),
        each(after.system_us - before.system_us),
        (after.written_bytes - before.written_bytes) / count,
        at(50),
        at(99),
        at(100),
        stats.checkpoints,
        stats.last_checkpoint_ms,
        stats.key_lookups,
    );
}

fn latencies(criterion: &mut Criterion) {
    let mut bed = Bed::new();
    let mut appends = criterion.benchmark_group("append");
    for size in [1, 16, 256] {
        appends.throughput(Throughput::Elements(size as u64));
        appends.bench_function(format!("{size}"), |bench| bench.iter(|| bed.say(size)));
    }
    appends.finish();
    let log = Arc::clone(&bed.logs[0]);
    let lines = (0..200)
        .map(|_| append(&log, &bed.alice, numbered("", "x")))
        .collect();
    bed.runtime.block_on(store(&*bed.db, lines));
    let (num, alice) = (log.num, bed.alice.num);
    let page = Page {
        from: 1,
        to: u64::MAX,
        limit: 50,
        newest: true,
    };
    criterion.bench_function("newest 50 of a log", |bench| {
        bench.iter(|| black_box(bed.runtime.block_on(bed.db.page(&log, page)).unwrap()));
    });
    criterion.bench_function("one conversation", |bench| {
        bench.iter(|| {
            black_box(
                bed.runtime
                    .block_on(bed.db.conversation(alice, num))
                    .unwrap(),
            )
        });
    });
}

/// A user with 2,000 conversations, and a group of 100,000.
#[expect(clippy::print_stderr, reason = "a bench reports to whoever runs it")]
fn crowds(criterion: &mut Criterion) {
    let mut bed = Bed::new();
    let bob = bed.runtime.block_on(user(&*bed.db, "bob"));
    bed.runtime.block_on(async {
        for log in &bed.logs[..2000] {
            let join = MemberChange::Join(bob.clone(), MemberRole::Member);
            bed.db.change_members(log.num, &[join]).await.unwrap();
        }
    });
    for _ in 0..40 {
        bed.say(1000);
    }
    criterion.bench_function("2,000 conversations", |bench| {
        bench.iter(|| black_box(bed.runtime.block_on(bed.db.conversations(bob.num)).unwrap()));
    });
    let num = bed.logs[0].num;
    let uids: Vec<Uid> = (0..100_000)
        .map(|n| Uid::parse(&format!("user{n}")).unwrap())
        .collect();
    let users = bed
        .runtime
        .block_on(bed.db.intern(&Realm::default(), &uids))
        .unwrap();
    let join = |user: UserRecord| MemberChange::Join(user.user, MemberRole::Member);
    let joins: Vec<_> = users.into_iter().map(join).collect();
    let begun = Instant::now();
    for chunk in joins.chunks(5_000) {
        bed.runtime
            .block_on(bed.db.change_members(num, chunk))
            .unwrap();
    }
    eprintln!(
        "100,000 members in chunks of 5,000: {} ms",
        begun.elapsed().as_millis()
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    if !std::env::args().any(|arg| arg == "--test") {
        sizes().into_iter().for_each(report);
    }
    latencies(&mut criterion);
    crowds(&mut criterion);
    criterion.final_summary();
}
