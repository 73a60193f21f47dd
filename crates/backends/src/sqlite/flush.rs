//! Writing down what waits in memory: senders' own advances (`advance`) and keys of client
//! numbers (`pending`). Both can be worked out again from the log, so they need not be in the
//! commit of their message; after a crash the log behind `meta.flushed_through` is replayed.
//!
//! It is done in passes, every few seconds while there is traffic, each over what was there
//! when it began, in the order of the tables. A pass is cut into slices that share the
//! transactions of the messages, so that none of them waits long.

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, UserNum};
use crosstalk_core::message::{client_key, digest};
use rusqlite::{Connection, Row};

use super::advance::{self, Advances, Key, Place};
use super::dedup::Dedup;
use super::error::{DbError, DbResult, unless_damaged};
use super::names;
use super::pending::KeyId;
use super::rows;

/// Rows of each kind that a slice has at least. It has as many as the transaction has
/// messages if those are more: what waits never grows faster than it is written.
const SLICE: usize = 1024;

/// Rows of the log read at once when it is replayed.
const REPLAY: i64 = 20_000;

/// The writer's progress in writing down.
pub(super) struct Flush {
    every_ms: u64,
    limit: usize,
    began_ms: u64,
    through: i64,
    pass: Option<Pass>,
}

/// One pass over everything that was there when it began. `through` is the newest message
/// then: when the pass is over, what belongs to messages up to it is in the database.
struct Pass {
    advances: Vec<Key>,
    done: usize,
    through: i64,
}

/// What one slice has written; it counts when its transaction is committed.
pub(super) struct Slice {
    rows: Vec<(Key, Place)>,
    advances: usize,
    last_key: Option<KeyId>,
    is_last: bool,
}

impl Flush {
    /// Reads how far it came.
    pub(super) fn new(
        conn: &Connection,
        every_ms: u64,
        limit: usize,
        mono_ms: u64,
    ) -> DbResult<Self> {
        let sql = "SELECT flushed_through FROM meta";
        let through = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(Self {
            every_ms,
            limit,
            began_ms: mono_ms,
            through,
            pass: None,
        })
    }

    /// Works out again what had not been written down.
    pub(super) fn replay(
        mut self,
        conn: &Connection,
        advances: &Advances,
        dedup: &mut Dedup,
        now_ms: i64,
    ) -> DbResult<Self> {
        let mut after = self.through;
        loop {
            // The ids alone are read even where a row cannot be.
            let sql = "SELECT max(id), count(*) FROM \
                       (SELECT id FROM message WHERE id > ?1 ORDER BY id LIMIT ?2)";
            let mut next = conn.prepare_cached(sql)?;
            let next = next.query_row([after, REPLAY], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let (Some(last), count): (Option<i64>, i64) = next else {
                return Ok(self);
            };
            if unless_damaged(replay(conn, [after, last], advances, dedup))?.is_none() {
                replay_one_by_one(conn, [after, last], advances, dedup)?;
            }
            after = last;
            if count < REPLAY {
                return Ok(self);
            }
            if advances.len() + dedup.waiting() >= self.limit {
                self.all(conn, advances, dedup, after, now_ms)?;
            }
        }
    }

    /// Begins a pass if it is time. `last` is the newest committed message.
    pub(super) fn begin(
        &mut self,
        advances: &Advances,
        dedup: &mut Dedup,
        mono_ms: u64,
        last: i64,
    ) {
        if self.pass.is_some() {
            return;
        }
        let time = mono_ms.saturating_sub(self.began_ms) >= self.every_ms && last > self.through;
        if time || advances.len() + dedup.waiting() >= self.limit {
            self.began_ms = mono_ms;
            self.start(advances, dedup, last);
        }
    }

    fn start(&mut self, advances: &Advances, dedup: &mut Dedup, through: i64) {
        dedup.begin_pass();
        self.pass = Some(Pass {
            advances: advances.keys(),
            done: 0,
            through,
        });
    }

    /// Writes the next slice of the pass, if one is under way, beside `items` messages.
    pub(super) fn slice(
        &self,
        conn: &Connection,
        advances: &Advances,
        dedup: &Dedup,
        items: usize,
        now_ms: i64,
    ) -> DbResult<Option<Slice>> {
        let Some(pass) = &self.pass else {
            return Ok(None);
        };
        let limit = items.max(SLICE);
        let rest = &pass.advances[pass.done..];
        let keys = &rest[..rest.len().min(limit)];
        let mut slice = Slice {
            rows: Vec::new(),
            advances: keys.len(),
            last_key: None,
            is_last: false,
        };
        for key in keys {
            let Some(place) = advances.now(*key) else {
                continue;
            };
            advance::write(conn, *key, place, now_ms)?;
            slice.rows.push((*key, place));
        }
        let (last_key, written) = dedup.write_slice(conn, limit)?;
        slice.last_key = last_key;
        slice.is_last = rest.len() == keys.len() && written < limit;
        if slice.is_last {
            let mut through = conn.prepare_cached("UPDATE meta SET flushed_through = ?1")?;
            through.execute([pass.through])?;
        }
        Ok(Some(slice))
    }

    /// A slice was committed.
    pub(super) fn committed(&mut self, advances: &Advances, dedup: &mut Dedup, slice: &Slice) {
        advances.written(&slice.rows);
        dedup.slice_written(slice.last_key);
        let Some(pass) = &mut self.pass else { return };
        pass.done += slice.advances;
        if slice.is_last {
            dedup.finish_pass();
            self.through = pass.through;
            self.pass = None;
        }
    }

    /// Writes everything down, each slice in its own transaction. `last` as in `begin`.
    pub(super) fn all(
        &mut self,
        conn: &Connection,
        advances: &Advances,
        dedup: &mut Dedup,
        last: i64,
        now_ms: i64,
    ) -> DbResult<()> {
        if last <= self.through {
            return Ok(());
        }
        // A pass that is under way does not know of the newest.
        self.start(advances, dedup, last);
        while self.pass.is_some() {
            let transaction = conn.unchecked_transaction()?;
            let Some(slice) = self.slice(conn, advances, dedup, SLICE * 8, now_ms)? else {
                break;
            };
            transaction.commit()?;
            self.committed(advances, dedup, &slice);
        }
        Ok(())
    }
}

/// Works out again what belongs to the messages after one id and up to another.
fn replay(
    conn: &Connection,
    bounds: [i64; 2],
    advances: &Advances,
    dedup: &mut Dedup,
) -> DbResult<()> {
    let sql = "SELECT m.id, m.sender, m.channel, m.seq, m.ordinal, c.log, c.realm, \
               m.sent_at, m.client_no, m.origin, m.tag, m.payload, m.flags, m.name \
               FROM message m CROSS JOIN channel c ON c.num = m.channel \
               WHERE m.id > ?1 AND m.id <= ?2 ORDER BY m.id";
    let mut read = conn.prepare_cached(sql)?;
    let mut found = read.query(bounds)?;
    while let Some(row) = found.next()? {
        replay_advance(row, advances)?;
        if let Err(error) = replay_key(row, dedup) {
            // At worst a retry of it is stored twice; that keeps nobody from starting.
            let id: i64 = row.get(0)?;
            tracing::error!(id, %error, "the key of a damaged message is lost");
        }
    }
    Ok(())
}

/// The same where a row cannot be read; doing it again does no harm.
fn replay_one_by_one(
    conn: &Connection,
    bounds: [i64; 2],
    advances: &Advances,
    dedup: &mut Dedup,
) -> DbResult<()> {
    let sql = "SELECT id FROM message WHERE id > ?1 AND id <= ?2";
    let mut ids = conn.prepare_cached(sql)?;
    let ids = ids.query_map(bounds, |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        if unless_damaged(replay(conn, [id - 1, id], advances, dedup))?.is_none() {
            tracing::error!(id, "the key of a message that cannot be read is lost");
        }
    }
    Ok(())
}

fn replay_advance(row: &Row<'_>, advances: &Advances) -> DbResult<()> {
    if row.get::<_, i64>(5)? == LogKind::Chat as i64 {
        let key = (UserNum(row.get(1)?), ChannelNum(row.get(2)?));
        let place = Place {
            seq: rows::count(row, 3)?,
            ordinal: rows::count(row, 4)?,
        };
        advances.stage(key, place);
        advances.settle(&[key], true);
    }
    Ok(())
}

/// The keys (of its number and of its name) and the digest that the message had when it was appended. A revoked message has lost
/// them; its key was written down when it was erased (`revoke`).
fn replay_key(row: &Row<'_>, dedup: &mut Dedup) -> DbResult<()> {
    if rows::is_revoked(row.get(12)?) {
        return Ok(());
    }
    let text = |at: usize| row.get_ref(at)?.as_str().map_err(|error| corrupt(&error));
    let name = row.get_ref(13)?.as_str_or_null();
    let name = name.map_err(|error| corrupt(&error))?.unwrap_or_default();
    let realm = names::realm(row, 6)?;
    let keys = [text(8)?, name].map(|called| client_key(&realm, called));
    if keys == [None; 2] {
        return Ok(());
    }
    let payload = row
        .get_ref(11)?
        .as_blob()
        .map_err(|error| corrupt(&error))?;
    let digest = digest(rows::origin(row.get(9)?), text(10)?, payload);
    for key in keys.into_iter().flatten() {
        dedup.replay((key, row.get(0)?), digest, row.get(7)?);
    }
    Ok(())
}

fn corrupt(error: &rusqlite::types::FromSqlError) -> DbError {
    DbError::Corrupt(error.to_string())
}
