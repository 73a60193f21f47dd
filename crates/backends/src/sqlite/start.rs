//! Starting: open, catch up, start the threads.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, mpsc};

use super::advance::{Advances, Flush};
use super::checkpoint::Checkpoints;
use super::dedup::{Dedup, Filling};
use super::error::{DbError, DbResult};
use super::heads::Heads;
use super::names::Names;
use super::open::Place;
use super::options::SqliteOptions;
use super::stats::Counters;
use super::work::Work;
use super::writer::{self, Writer};
use super::{Shared, Sqlite, reader};

/// Items that may wait for the writer; callers wait when it is full.
const QUEUE: usize = 1024;

/// Content of messages that may be in flight, in KiB; callers wait when there is more.
pub(super) const ROOM_KIB: usize = 64 << 10;

/// Opens a store.
pub(super) fn open(options: &SqliteOptions) -> DbResult<Sqlite> {
    let place = Place::take(options)?;
    let conn = place.writer()?;
    let shared = Arc::new(Shared {
        clock: Arc::clone(&options.clock),
        ids: Arc::clone(&options.ids),
        names: Names::new(),
        advances: Advances::new(),
        counters: Counters::default(),
    });
    let (writes, queue) = mpsc::channel(QUEUE);
    let (writer, fillings) = prepare(conn, options, &shared, queue)?;
    let connections: DbResult<Vec<Connection>> = (0..options.reader_threads.max(1))
        .map(|_| place.reader())
        .collect();
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
    options: &SqliteOptions,
    shared: &Arc<Shared>,
    queue: mpsc::Receiver<Work>,
) -> DbResult<(Writer, Vec<Filling>)> {
    let now_ms = options.clock.now_ms();
    let newest = writer::newest(&conn)?;
    options.ids.raise(newest);
    let every_ms = u64::try_from(options.flush_every.as_millis()).unwrap_or(u64::MAX);
    let now = (options.clock.mono_ms(), now_ms);
    let limit = options.flush_rows.max(1);
    let flush = Flush::replay(&conn, &shared.advances, every_ms, limit, now)?;
    let (dedup, fillings) = Dedup::open(&conn, now_ms, options.filter_bytes)?;
    let checkpoints = Checkpoints::watch(&mut conn, options.wal_limit_bytes)?;
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
