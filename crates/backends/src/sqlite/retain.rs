//! Retention: dropping the oldest messages, a bounded step at a time.
//!
//! Messages stand in the order of their ids, and in each log ids rise with seqs: what goes is
//! the front of the table and of every log. Beside each channel stays the last place that was
//! dropped (`channel.first_seq`, `first_ordinal`): unread begins behind it, and a log that has
//! lost everything goes on from there.
//!
//! What can go is found by a reader, for a second reason beside that it costs the writer no
//! time: once SQLite has met damage in a transaction, it writes nothing more in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::log::Retained;
use crosstalk_core::store::{StoreError, StoreErrorKind, StoreResult};
use rusqlite::{Connection, OptionalExtension, Row};

use super::advance::{self, Place};
use super::error::{DbResult, unless_damaged};
use super::rows::{self, count};
use super::work::Tx;
use super::{Sqlite, carried, dedup, directed, hidden};

/// A step ends early once it has this much content to drop: freeing it reads it.
const STEP_BYTES: u64 = 8 << 20;

/// Keys of client numbers that one step drops besides.
const STEP_KEYS: u32 = 20_000;

/// The next messages to go. A row that is not where the index has it cannot be deleted:
/// SQLite would refuse it.
pub(super) const OLDEST: &str = "SELECT id, channel, seq, ordinal, sender, \
     length(payload) + ifnull(length(extra), 0), \
     EXISTS (SELECT 1 FROM message AS place INDEXED BY message_place \
         WHERE place.channel = m.channel AND place.seq = m.seq \
         AND place.ordinal = m.ordinal AND place.id = m.id), \
     m.audience IS NOT NULL OR m.carried IS NOT NULL OR (m.flags & 8) <> 0 \
     FROM message AS m WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";

/// A message that is old enough.
#[derive(Clone, Copy)]
struct Old {
    id: i64,
    channel: i64,
    seq: i64,
    ordinal: i64,
    sender: i64,
    /// It is for some users only, or has asked for receipts.
    has_more: bool,
}

/// What is met at the front of the table.
struct Found {
    id: i64,
    /// The content it holds.
    bytes: u64,
    /// `None` = it is damaged and cannot be dropped.
    message: Option<Old>,
}

impl Sqlite {
    /// Drops the next messages from `from` on and below `before`.
    pub(super) async fn retain_step(
        &self,
        from: MessageId,
        before: MessageId,
        limit: u32,
    ) -> StoreResult<Retained> {
        let front = self
            .read(move |conn, _| front(conn, [from.0, before.0], limit))
            .await?;
        let bytes: u64 = front.iter().map(|found| found.bytes).sum();
        let is_all = front.len() < limit as usize && bytes < STEP_BYTES;
        let dropped = self.drop_messages(&front).await?;
        let next = match front.last() {
            Some(last) if !is_all => Some(MessageId(last.id + 1)),
            _ => {
                let before_ms = before.given_at_ms();
                let forget = move |tx: &Tx<'_>| dedup::forget(tx.conn, before_ms, STEP_KEYS);
                self.write(forget).await?.then_some(before)
            }
        };
        Ok(Retained { dropped, next })
    }

    /// Drops messages together; if one of them stands on a page that is not what it was,
    /// each by itself.
    async fn drop_messages(&self, front: &[Found]) -> StoreResult<u64> {
        let report = |id| rows::report(&self.shared, id, "a damaged message cannot be dropped");
        let damaged = front.iter().filter(|found| found.message.is_none());
        damaged.for_each(|found| report(found.id));
        let sound: Arc<[Old]> = front.iter().filter_map(|found| found.message).collect();
        let all = Arc::clone(&sound);
        let together = self.write(move |tx| drop_all(tx, &all)).await;
        let is_damage = |error: &StoreError| error.kind == StoreErrorKind::Corrupt;
        if !together.as_ref().is_err_and(is_damage) {
            return together;
        }
        let mut dropped = 0;
        for message in sound.iter().copied() {
            match self.write(move |tx| drop_all(tx, &[message])).await {
                Ok(gone) => dropped += gone,
                Err(error) if is_damage(&error) => report(message.id),
                Err(error) => return Err(error),
            }
        }
        Ok(dropped)
    }
}

/// What stands at one id and after it, below another: at most `limit`, and less if it is
/// large.
fn front(conn: &Connection, [from, below]: [i64; 2], limit: u32) -> DbResult<Vec<Found>> {
    if let Some(found) = unless_damaged(read(conn, [from, below], limit))? {
        return Ok(found);
    }
    // A row cannot be read. Its id can: each is looked at by itself.
    let sql = "SELECT id FROM message WHERE id >= ?1 AND id < ?2 ORDER BY id LIMIT ?3";
    let mut find = conn.prepare_cached(sql)?;
    let ids = find.query_map([from, below, i64::from(limit)], |row| row.get(0))?;
    let mut front = Vec::new();
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        let unreadable = Found {
            id,
            bytes: 0,
            message: None,
        };
        let found = unless_damaged(read(conn, [id, id + 1], 1))?;
        front.extend(found.unwrap_or_else(|| vec![unreadable]));
    }
    Ok(front)
}

fn read(conn: &Connection, [from, below]: [i64; 2], limit: u32) -> DbResult<Vec<Found>> {
    let mut find = conn.prepare_cached(OLDEST)?;
    let mut rows = find.query([from, below, i64::from(limit)])?;
    let (mut found, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let next = Found {
            id: row.get(0)?,
            bytes: count(row, 5).unwrap_or(0),
            message: old(row).ok().filter(|_| row.get(6) == Ok(true)),
        };
        bytes += next.bytes;
        found.push(next);
        if bytes >= STEP_BYTES {
            break;
        }
    }
    Ok(found)
}

fn old(row: &Row<'_>) -> rusqlite::Result<Old> {
    Ok(Old {
        id: row.get(0)?,
        channel: row.get(1)?,
        seq: row.get(2)?,
        ordinal: row.get(3)?,
        sender: row.get(4)?,
        has_more: row.get(7)?,
    })
}

/// Drops messages and what was kept for them. Returns how many there were.
fn drop_all(tx: &Tx<'_>, messages: &[Old]) -> DbResult<u64> {
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
        return Ok(0);
    };
    let mut delete = tx
        .conn
        .prepare_cached("DELETE FROM message WHERE id = ?1")?;
    let mut dropped = 0;
    for message in messages {
        if message.has_more {
            forget(tx, message)?;
        }
        dropped += delete.execute([message.id])? as u64;
    }
    keep_advances(tx, messages)?;
    let sql = "DELETE FROM message_state WHERE id BETWEEN ?1 AND ?2";
    tx.conn.prepare_cached(sql)?.execute([first.id, last.id])?;
    for sql in [
        "DELETE FROM message_version WHERE message BETWEEN ?1 AND ?2",
        "DELETE FROM reaction WHERE message BETWEEN ?1 AND ?2",
        "DELETE FROM search_index WHERE rowid BETWEEN ?1 AND ?2",
    ] {
        tx.conn.prepare_cached(sql)?.execute([first.id, last.id])?;
    }
    let sql = "UPDATE channel SET first_seq = ?2 + 1, first_ordinal = ?3 \
               WHERE num = ?1 AND first_seq <= ?2";
    let mut begin = tx.conn.prepare_cached(sql)?;
    let places = messages.iter().map(|m| (m.channel, (m.seq, m.ordinal)));
    for (channel, (seq, ordinal)) in places.collect::<BTreeMap<_, _>>() {
        begin.execute([channel, seq, ordinal])?;
        hidden::forget(tx.conn, channel, seq)?;
    }
    let sql = "UPDATE meta SET dropped_through = max(dropped_through, ?1)";
    tx.conn.prepare_cached(sql)?.execute([last.id])?;
    Ok(dropped)
}

/// Drops what a message has in other tables beside its state.
fn forget(tx: &Tx<'_>, message: &Old) -> DbResult<()> {
    let sql = "DELETE FROM receipt WHERE message = ?1";
    tx.conn.prepare_cached(sql)?.execute([message.id])?;
    carried::forget(tx.conn, message.channel, message.seq)?;
    let sql = "SELECT audience FROM message WHERE id = ?1 AND audience IS NOT NULL";
    let mut find = tx.conn.prepare_cached(sql)?;
    let mut found = find.query([message.id])?;
    let Some(row) = found.next()? else {
        return Ok(());
    };
    let audience = row.get_ref(0)?.as_blob().unwrap_or_default();
    let audience = directed::from_bytes(audience);
    directed::forget(tx.conn, message.channel, message.seq, &audience)
}

/// Own advances that wait in memory come from the log after a crash. Those of messages that
/// go must not be lost with them, so they are written down now.
fn keep_advances(tx: &Tx<'_>, messages: &[Old]) -> DbResult<()> {
    let sql = "SELECT flushed_through FROM meta";
    let mut through = tx.conn.prepare_cached(sql)?;
    let through: i64 = through.query_row([], |row| row.get(0))?;
    let mut advances = BTreeMap::new();
    for message in messages.iter().filter(|message| message.id > through) {
        let place = Place {
            seq: message.seq.cast_unsigned(),
            ordinal: message.ordinal.cast_unsigned(),
        };
        let key = (UserNum(message.sender), ChannelNum(message.channel));
        advances.insert(key, place);
    }
    let sql = "SELECT log FROM channel WHERE num = ?1";
    let mut log = tx.conn.prepare_cached(sql)?;
    for (key, place) in advances {
        let log: Option<i64> = log.query_row([key.1.0], |row| row.get(0)).optional()?;
        if log == Some(LogKind::Chat as i64) {
            advance::write(tx.conn, key, place, tx.now_ms)?;
        }
    }
    Ok(())
}
