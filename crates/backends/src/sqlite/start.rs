//! Starting: open, catch up, start the threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc};

use super::advance::Advances;
use super::checkpoint::Checkpoints;
use super::dedup::{Dedup, Filling};
use super::error::{DbError, DbResult};
use super::flush::Flush;
use super::heads::Heads;
use super::names::Names;
use super::open::Place;
use super::options::SqliteOptions;
use super::stats::Counters;
use super::work::Work;
use super::writer::{self, Writer};
use super::{Shared, Sqlite, directory, reader, user_names};

/// Items that may wait for the writer; callers wait when it is full.
const QUEUE: usize = 1024;

/// Content of messages that may be in flight, in KiB; callers wait when there is more.
pub(super) const ROOM_KIB: usize = 64 << 10;

/// The numbers among the options.
#[derive(Clone, Copy)]
struct Tuning {
    flush_every_ms: u64,
    flush_rows: usize,
    filter_bytes: usize,
    wal_limit_bytes: u64,
}

impl Tuning {
    fn of(options: &SqliteOptions) -> Self {
        Self {
            flush_every_ms: u64::try_from(options.flush_every.as_millis()).unwrap_or(u64::MAX),
            flush_rows: options.flush_rows.max(1),
            filter_bytes: options.filter_bytes,
            wal_limit_bytes: options.wal_limit_bytes,
        }
    }
}

/// Opens a store.
pub(super) fn open(options: SqliteOptions) -> DbResult<Sqlite> {
    let place = Place::take(&options)?;
    let mut conn = place.writer()?;
    directory::name_unnamed(&mut conn, &options.aliases)?;
    user_names::bring_up(&mut conn)?;
    let readers = options.reader_threads.max(1);
    let tuning = Tuning::of(&options);
    let shared = Arc::new(Shared {
        clock: options.clock,
        ids: options.ids,
        aliases: options.aliases,
        names: Names::new(),
        advances: Advances::new(),
        counters: Counters::default(),
        #[cfg(test)]
        failing_commits: std::sync::atomic::AtomicU32::new(0),
    });
    let (writes, queue) = mpsc::channel(QUEUE);
    let (writer, fillings) = prepare(conn, tuning, &shared, queue)?;
    let connections: DbResult<Vec<Connection>> = (0..readers).map(|_| place.reader()).collect();
    let connections = connections?;
    let filler = place.reader()?;

    let (reads, queue) = mpsc::channel(reader::QUEUE);
    let queue: reader::Queue = Arc::new(Mutex::new(queue));
    let stop = Arc::new(AtomicBool::new(false));
    // From here on a failure drops what was started, which ends it.
    let store = Sqlite {
        shared: Arc::clone(&shared),
        writes: Some(writes),
        reads: Some(reads),
        room: Arc::new(Semaphore::new(ROOM_KIB)),
        stop: Arc::clone(&stop),
        threads: Mutex::default(),
        place: Mutex::new(Some(place)),
    };
    let thread = spawn("sqlite-writer", move || writer.run())?;
    store.threads.lock().writer.push(thread);
    let start = |thread: JoinHandle<()>| store.threads.lock().readers.push(thread);
    for conn in connections {
        let (queue, shared) = (Arc::clone(&queue), Arc::clone(&shared));
        start(spawn("sqlite-reader", move || {
            reader::run(&conn, &queue, &shared);
        })?);
    }
    if !fillings.is_empty() {
        start(spawn("sqlite-filter", move || {
            fill(&filler, &fillings, &stop);
        })?);
    }
    Ok(store)
}

fn prepare(
    mut conn: Connection,
    tuning: Tuning,
    shared: &Arc<Shared>,
    queue: mpsc::Receiver<Work>,
) -> DbResult<(Writer, Vec<Filling>)> {
    let Tuning {
        flush_every_ms,
        flush_rows,
        ..
    } = tuning;
    let now_ms = shared.clock.now_ms();
    let newest = writer::newest(&conn)?;
    shared.ids.raise(newest);
    let flush = Flush::new(&conn, flush_every_ms, flush_rows, shared.clock.mono_ms())?;
    let (mut dedup, fillings) = Dedup::open(&conn, now_ms, tuning.filter_bytes)?;
    let flush = flush.replay(&conn, &shared.advances, &mut dedup, now_ms)?;
    let waiting = dedup.waiting() as u64;
    shared.counters.keys.store(waiting, Ordering::Relaxed);
    let checkpoints = Checkpoints::watch(&mut conn, tuning.wal_limit_bytes)?;
    let writer = Writer {
        checkpoints,
        conn,
        shared: Arc::clone(shared),
        queue,
        heads: Heads::new(),
        dedup,
        flush,
        last: newest.0,
        staged: Vec::new(),
    };
    Ok((writer, fillings))
}

fn fill(conn: &Connection, fillings: &[Filling], stop: &AtomicBool) {
    for filling in fillings {
        if let Err(error) = filling.run(conn, stop) {
            // Look-ups then go to the database: slower, and as right as before.
            tracing::warn!(%error, "the filter of client numbers could not be filled");
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> DbResult<JoinHandle<()>> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map_err(|error| DbError::Unavailable(format!("no thread can be started: {error}")))
}
