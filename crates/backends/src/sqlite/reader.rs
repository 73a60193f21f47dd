//! The threads that read, each with its own connection. They share one queue; whoever is
//! free takes the next query. When the queue is full, callers wait.

use std::sync::Arc;

use crosstalk_core::store::{StoreError, StoreResult};
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::error::{DbResult, stopped};
use super::stats::add;

/// Queries that may wait.
pub(super) const QUEUE: usize = 1024;

/// One item of the readers' queue.
pub(super) enum Read {
    /// A query that answers its caller itself.
    Query(Box<dyn FnOnce(&Connection) + Send>),
    /// Serve what is queued, then stop.
    Close,
}

/// The queue as all reader threads hold it: one waits in it, the others for their turn.
pub(super) type Queue = Arc<Mutex<mpsc::Receiver<Read>>>;

/// A reader thread's loop.
pub(super) fn run(conn: &Connection, queue: &Queue, shared: &Shared) {
    loop {
        let next = {
            let mut queue = queue.lock();
            let next = queue.blocking_recv();
            if matches!(next, Some(Read::Close)) {
                queue.close();
            }
            next
        };
        match next {
            Some(Read::Query(query)) => {
                query(conn);
                add(&shared.counters.reads, 1);
            }
            Some(Read::Close) => {}
            None => return,
        }
    }
}

/// Has a query answered by a reader.
///
/// # Errors
/// The query's own, or `Unavailable` when the store has stopped.
pub(super) async fn ask<T: Send + 'static>(
    queue: Option<&mpsc::Sender<Read>>,
    query: impl FnOnce(&Connection) -> DbResult<T> + Send + 'static,
) -> StoreResult<T> {
    let (done, answer) = oneshot::channel();
    let query = Box::new(move |conn: &Connection| {
        // A caller that is gone by now is not worth the work.
        if !done.is_closed() {
            let _ = done.send(query(conn).map_err(StoreError::from));
        }
    });
    let queue = queue.ok_or_else(stopped)?;
    queue
        .send(Read::Query(query))
        .await
        .map_err(|_| stopped())?;
    answer.await.map_err(|_| stopped())?
}
