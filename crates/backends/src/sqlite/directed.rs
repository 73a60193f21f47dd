//! Messages for some users only: who may see one, and what of them is unread (`unread`).
//!
//! Who may see it stands in the message's row, where whoever reads it finds it. In chat logs
//! each of them gets a row of their own besides, since such a message takes no ordinal.

use std::sync::Arc;

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, UserNum};
use crosstalk_core::log::Append;
use rusqlite::Connection;

use super::error::DbResult;
use super::rows::{self, count};

const NUM_BYTES: usize = size_of::<i64>();

/// The stored form of an audience.
pub(super) fn to_bytes(audience: &[UserNum]) -> Vec<u8> {
    audience
        .iter()
        .flat_map(|user| user.0.to_le_bytes())
        .collect()
}

/// From the stored form. Bytes that are no whole number name nobody.
pub(super) fn from_bytes(bytes: &[u8]) -> Arc<[UserNum]> {
    let (numbers, _) = bytes.as_chunks::<NUM_BYTES>();
    let user = |number: &[u8; NUM_BYTES]| UserNum(i64::from_le_bytes(*number));
    numbers.iter().map(user).collect()
}

/// Notes for whom a message of the running transaction is.
pub(super) fn note(conn: &Connection, item: &Append, seq: u64) -> DbResult<()> {
    let Some(audience) = &item.body.audience else {
        return Ok(());
    };
    if item.channel.log != LogKind::Chat {
        return Ok(());
    }
    let sql = "INSERT INTO directed (user, channel, seq, counts) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT DO NOTHING";
    let mut insert = conn.prepare_cached(sql)?;
    let counts = i64::from(item.body.flags.counts);
    for user in audience.iter().filter(|user| **user != item.sender.num) {
        insert.execute([user.0, item.channel.num.0, rows::seq(seq), counts])?;
    }
    Ok(())
}

/// It counts for nobody any more.
pub(super) fn uncount(
    conn: &Connection,
    channel: i64,
    seq: i64,
    audience: &[UserNum],
) -> DbResult<()> {
    let sql = "UPDATE directed SET counts = 0 WHERE user = ?1 AND channel = ?2 AND seq = ?3";
    each(conn, sql, channel, seq, audience)
}

/// The message was dropped.
pub(super) fn forget(
    conn: &Connection,
    channel: i64,
    seq: i64,
    audience: &[UserNum],
) -> DbResult<()> {
    let sql = "DELETE FROM directed WHERE user = ?1 AND channel = ?2 AND seq = ?3";
    each(conn, sql, channel, seq, audience)
}

fn each(
    conn: &Connection,
    sql: &str,
    channel: i64,
    seq: i64,
    audience: &[UserNum],
) -> DbResult<()> {
    let mut change = conn.prepare_cached(sql)?;
    for user in audience {
        change.execute([user.0, channel, seq])?;
    }
    Ok(())
}

/// The statement of [`counting`].
pub(super) const COUNTING: &str = "SELECT count(*) FROM directed \
     WHERE user = ?1 AND channel = ?2 AND seq > ?3 AND seq <= ?4 AND counts = 1";

/// How many messages for a user alone above `after` and up to `to` count.
pub(super) fn counting(
    conn: &Connection,
    user: UserNum,
    channel: ChannelNum,
    after: u64,
    to: u64,
) -> DbResult<u64> {
    let mut find = conn.prepare_cached(COUNTING)?;
    let bounds = [user.0, channel.0, rows::seq(after), rows::seq(to)];
    Ok(find.query_row(bounds, |row| count(row, 0))?)
}
