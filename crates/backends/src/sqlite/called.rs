//! Finding messages by what their clients call them: their numbers and names, of any age.
//!
//! The newest keys may wait in the writer's memory, so the writer is asked first, without
//! writing anything; then the tables. A key that is written down between the two is met twice
//! and none is missed.

use std::cmp::Reverse;

use crosstalk_core::id::MessageId;
use crosstalk_core::log::{Called, MAX_CALLED};
use crosstalk_core::message::{Message, client_key};
use crosstalk_core::store::StoreResult;
use rusqlite::Connection;

use super::error::{DbResult, unless_damaged};
use super::work::Tx;
use super::{Shared, Sqlite, dedup, log};

/// The statement that tells whether a message is called so. The key is only a hash.
pub(super) const IS_CALLED: &str = "SELECT 1 FROM message m \
     CROSS JOIN channel c ON c.num = m.channel \
     WHERE m.id = ?1 AND (m.client_no = ?2 OR m.name = ?2) AND c.realm = ?3 \
     AND (?4 IS NULL OR m.sender = ?4) AND (?5 IS NULL OR m.channel = ?5)";

impl Sqlite {
    /// The newest messages that are called so.
    pub(super) async fn called(&self, called: &Called, limit: u32) -> StoreResult<Vec<Message>> {
        let Some(key) = client_key(&called.realm, &called.text) else {
            return Ok(Vec::new());
        };
        let look = move |tx: &Tx<'_>| Ok(tx.dedup.waiting_of(key, MAX_CALLED as usize));
        let waiting = self.write(look).await?;
        let called = called.clone();
        self.read(move |conn, shared| {
            let mut ids = waiting;
            ids.extend(written(conn, key)?);
            ids.sort_unstable_by_key(|id| Reverse(*id));
            ids.dedup();
            ids.truncate(MAX_CALLED as usize);
            newest(conn, shared, &called, &ids, limit)
        })
        .await
    }
}

/// One snapshot: a table may be dropped beside it.
fn written(conn: &Connection, key: i64) -> DbResult<Vec<i64>> {
    let snapshot = conn.unchecked_transaction()?;
    let ids = dedup::written_of(conn, key, MAX_CALLED)?;
    snapshot.finish()?;
    Ok(ids)
}

fn newest(
    conn: &Connection,
    shared: &Shared,
    called: &Called,
    ids: &[i64],
    limit: u32,
) -> DbResult<Vec<Message>> {
    let mut messages = Vec::new();
    for &id in ids {
        if messages.len() >= limit as usize {
            break;
        }
        // What cannot be read is called nothing.
        if unless_damaged(is_called(conn, called, id))? == Some(true) {
            let found = unless_damaged(log::read_one(conn, shared, MessageId(id)))?;
            messages.extend(found.flatten());
        }
    }
    Ok(messages)
}

fn is_called(conn: &Connection, called: &Called, id: i64) -> DbResult<bool> {
    let mut find = conn.prepare_cached(IS_CALLED)?;
    Ok(find.exists(rusqlite::params![
        id,
        &*called.text,
        called.realm.as_str(),
        called.sender.map(|user| user.0),
        called.channel.map(|log| log.0),
    ])?)
}
