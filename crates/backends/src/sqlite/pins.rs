//! Pinned messages.

use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::mark::{MAX_PINS, MarkOutcome, Pin};
use rusqlite::{Connection, OptionalExtension};

use super::Shared;
use super::error::DbResult;
use super::marks::{next_version, place};
use super::rows::count;
use super::work::Tx;

/// The statement of [`list`]. The condition is that of the index, to the letter.
pub(super) const LIST: &str = "SELECT id, pinned_by, pinned_at FROM message_state \
     WHERE channel = ?1 AND pinned_at IS NOT NULL ORDER BY pinned_at DESC, id DESC LIMIT ?2";

/// Pins a message in its channel, or unpins it.
pub(super) fn pin(
    tx: &Tx<'_>,
    id: MessageId,
    by: Option<UserNum>,
    pinned: bool,
) -> DbResult<MarkOutcome> {
    let Some(place) = place(tx, id)? else {
        return Ok(MarkOutcome::Gone);
    };
    let sql = "SELECT version, pinned_at FROM message_state WHERE id = ?1";
    let mut find = tx.conn.prepare_cached(sql)?;
    let before = find.query_row([id.0], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
    });
    let (version, pinned_at) = before.optional()?.unwrap_or((0, None));
    if pinned_at.is_some() == pinned {
        return Ok(MarkOutcome::Same(version, pinned_at.unwrap_or(0)));
    }
    if pinned {
        let sql = "SELECT count(*) FROM message_state \
                   WHERE channel = ?1 AND pinned_at IS NOT NULL";
        let mut find = tx.conn.prepare_cached(sql)?;
        let pins = find.query_row([place.channel], |row| count(row, 0))?;
        if pins >= u64::from(MAX_PINS) {
            return Ok(MarkOutcome::TooMany);
        }
    }
    let version = next_version(tx, place)?;
    let sql = "UPDATE message_state SET pinned_at = ?2, pinned_by = ?3 WHERE id = ?1";
    tx.conn.prepare_cached(sql)?.execute(rusqlite::params![
        id.0,
        pinned.then_some(tx.now_ms),
        by.filter(|_| pinned).map(|user| user.0),
    ])?;
    Ok(MarkOutcome::Done(version, tx.now_ms))
}

/// The pinned messages of a log.
pub(super) fn list(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    limit: u32,
) -> DbResult<Vec<Pin>> {
    let mut find = conn.prepare_cached(LIST)?;
    let mut found = find.query([channel.0, i64::from(limit)])?;
    let mut pins = Vec::new();
    while let Some(row) = found.next()? {
        let by: Option<i64> = row.get(1)?;
        let by = by.map(|num| shared.names.user(conn, UserNum(num)));
        pins.push(Pin {
            message: MessageId(row.get(0)?),
            by: by.transpose()?.flatten(),
            at_ms: row.get(2)?,
        });
    }
    Ok(pins)
}
