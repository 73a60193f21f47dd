//! Messages that a user does not want to see any more: they are in the log as before, and
//! leave what that user is shown.

use std::ops::RangeInclusive;

use crosstalk_core::id::{ChannelNum, UserNum};
use crosstalk_core::message::Flags;
use rusqlite::{Connection, OptionalExtension};

use super::error::DbResult;
use super::rows::{self, count};
use super::work::Tx;

/// The statement of [`of`] for one stretch.
pub(super) const OF: &str = "SELECT seq FROM hidden_message \
     WHERE user = ?1 AND channel = ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq";

/// Hides messages of a log from a user. Returns the seqs of those that were not hidden before.
pub(super) fn hide(
    tx: &Tx<'_>,
    user: UserNum,
    channel: ChannelNum,
    seqs: &[u64],
) -> DbResult<Vec<u64>> {
    let sql = "SELECT flags, audience IS NOT NULL FROM message \
               WHERE channel = ?1 AND seq = ?2";
    let mut find = tx.conn.prepare_cached(sql)?;
    let sql = "INSERT INTO hidden_message (user, channel, seq, counts) \
               VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    let mut insert = tx.conn.prepare_cached(sql)?;
    let sql = "UPDATE directed SET counts = 0 WHERE user = ?1 AND channel = ?2 AND seq = ?3";
    let mut uncount = tx.conn.prepare_cached(sql)?;
    let mut newly = Vec::new();
    for seq in seqs {
        let at = rows::seq(*seq);
        let found = find.query_row([channel.0, at], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        });
        let Some((flags, is_directed)) = found.optional()? else {
            continue;
        };
        // What has gone counts for nobody already; what is directed has no ordinal.
        let counts = Flags::from_bits(flags).counts && !is_directed && !rows::is_revoked(flags);
        if insert.execute([user.0, channel.0, at, i64::from(counts)])? > 0 {
            newly.push(*seq);
            if is_directed {
                uncount.execute([user.0, channel.0, at])?;
            }
        }
    }
    if !newly.is_empty() {
        let sql = "UPDATE conversation SET version = max(version + 1, ?3) \
                   WHERE user = ?1 AND channel = ?2";
        let mut touch = tx.conn.prepare_cached(sql)?;
        touch.execute([user.0, channel.0, tx.now_ms])?;
    }
    Ok(newly)
}

/// What a user has hidden of some stretches.
pub(super) fn of(
    conn: &Connection,
    user: UserNum,
    stretches: &[(ChannelNum, RangeInclusive<u64>)],
) -> DbResult<Vec<Vec<u64>>> {
    if !any(conn, user)? {
        return Ok(vec![Vec::new(); stretches.len()]);
    }
    let mut find = conn.prepare_cached(OF)?;
    let mut all = Vec::with_capacity(stretches.len());
    for (channel, seqs) in stretches {
        let bounds = [
            user.0,
            channel.0,
            rows::seq(*seqs.start()),
            rows::seq(*seqs.end()),
        ];
        let found = find.query_map(bounds, |row| count(row, 0))?;
        all.push(found.collect::<Result<_, _>>()?);
    }
    Ok(all)
}

/// Whether a user has hidden anything at all: most have not.
pub(super) fn any(conn: &Connection, user: UserNum) -> DbResult<bool> {
    let mut find = conn.prepare_cached("SELECT 1 FROM hidden_message WHERE user = ?1 LIMIT 1")?;
    Ok(find.exists([user.0])?)
}

/// Whether a user has hidden one message.
pub(super) fn is(conn: &Connection, user: UserNum, channel: i64, seq: i64) -> DbResult<bool> {
    let sql = "SELECT 1 FROM hidden_message WHERE user = ?1 AND channel = ?2 AND seq = ?3";
    Ok(conn.prepare_cached(sql)?.exists([user.0, channel, seq])?)
}

/// How many messages above `after` and up to `to` a user has hidden that would count.
pub(super) fn counting(
    conn: &Connection,
    user: UserNum,
    channel: ChannelNum,
    after: u64,
    to: u64,
) -> DbResult<u64> {
    let sql = "SELECT count(*) FROM hidden_message \
               WHERE user = ?1 AND channel = ?2 AND seq > ?3 AND seq <= ?4 AND counts = 1";
    let mut find = conn.prepare_cached(sql)?;
    let bounds = [user.0, channel.0, rows::seq(after), rows::seq(to)];
    Ok(find.query_row(bounds, |row| count(row, 0))?)
}

/// A message counts for nobody any more: nor does it have to be taken off for those who have
/// hidden it.
pub(super) fn uncount(conn: &Connection, channel: i64, seq: i64) -> DbResult<()> {
    let sql = "UPDATE hidden_message SET counts = 0 WHERE channel = ?1 AND seq = ?2";
    conn.prepare_cached(sql)?.execute([channel, seq])?;
    Ok(())
}

/// Messages of a log up to a seq were dropped.
pub(super) fn forget(conn: &Connection, channel: i64, through: i64) -> DbResult<()> {
    let sql = "DELETE FROM hidden_message WHERE channel = ?1 AND seq <= ?2";
    conn.prepare_cached(sql)?.execute([channel, through])?;
    Ok(())
}
