//! Reactions. One that was taken away stays as a row, so that whoever asks by version learns
//! of it.

use std::sync::Arc;

use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use crosstalk_core::mark::{MAX_REACTIONS, MAX_REACTIONS_OF_ONE, MarkOutcome, Reaction, Tally};
use rusqlite::{Connection, OptionalExtension, Row};

use super::Shared;
use super::error::DbResult;
use super::marks::{next_version, place};
use super::rows::count;
use super::work::Tx;

/// The statement of [`of`].
pub(super) const OF: &str = "SELECT message, seq, user, emoji, deleted, at, version FROM reaction \
     WHERE message = ?1 AND (emoji, user) > (?2, ?3) AND deleted = 0 \
     ORDER BY emoji, user LIMIT ?4";
/// The statement of [`since`].
pub(super) const SINCE: &str = "SELECT message, seq, user, emoji, deleted, at, version \
     FROM reaction WHERE channel = ?1 AND version > ?2 ORDER BY version LIMIT ?3";
/// The statement of [`tallies`].
pub(super) const TALLIES: &str = "SELECT emoji, count(*), max(user = ?2) FROM reaction \
     WHERE message = ?1 AND deleted = 0 GROUP BY emoji ORDER BY count(*) DESC, emoji";

/// How many different reactions a message has beside one, and how many of them, there or taken
/// away, are a user's. It goes from text to text in the key.
pub(super) const FULL: &str = "WITH RECURSIVE each(emoji) AS ( \
     SELECT min(emoji) FROM reaction WHERE message = ?1 UNION ALL \
     SELECT (SELECT min(emoji) FROM reaction WHERE message = ?1 AND emoji > each.emoji) \
     FROM each WHERE each.emoji IS NOT NULL LIMIT 2001) \
     SELECT sum(EXISTS (SELECT 1 FROM reaction AS r \
     WHERE r.message = ?1 AND r.emoji = each.emoji AND r.deleted = 0)), \
     sum(EXISTS (SELECT 1 FROM reaction AS r WHERE r.message = ?1 \
     AND r.emoji = each.emoji AND r.user = ?3 AND r.deleted = 0)), \
     sum(EXISTS (SELECT 1 FROM reaction AS r WHERE r.message = ?1 \
     AND r.emoji = each.emoji AND r.user = ?3)), count(*) \
     FROM each WHERE emoji <> ?2";
/// The most different reactions that a message ever has: the statement looks at no more.
const MAX_EVER: u64 = 2000;
/// The most rows of one user for one message: those taken away are rows, too.
const MAX_ROWS_OF_ONE: u32 = 10 * MAX_REACTIONS_OF_ONE;

/// Puts a reaction there, or takes it away.
pub(super) fn react(
    tx: &Tx<'_>,
    id: MessageId,
    user: UserNum,
    emoji: &str,
    removed: bool,
) -> DbResult<MarkOutcome> {
    let Some(place) = place(tx, id)? else {
        return Ok(MarkOutcome::Gone);
    };
    let sql = "SELECT version, at, deleted FROM reaction \
               WHERE message = ?1 AND emoji = ?2 AND user = ?3";
    let mut find = tx.conn.prepare_cached(sql)?;
    let before = find.query_row(rusqlite::params![id.0, emoji, user.0], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, bool>(2)?))
    });
    match before.optional()? {
        Some((version, at, deleted)) if deleted == removed => {
            return Ok(MarkOutcome::Same(version, at));
        }
        None if removed => return Ok(MarkOutcome::Same(0, 0)),
        _ => {}
    }
    if !removed && is_full(tx.conn, id, user, emoji)? {
        return Ok(MarkOutcome::TooMany);
    }
    let version = next_version(tx, place)?;
    let sql = "INSERT INTO reaction (message, emoji, user, channel, seq, version, deleted, at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO UPDATE SET \
               version = ?6, deleted = ?7, at = ?8";
    tx.conn.prepare_cached(sql)?.execute(rusqlite::params![
        id.0,
        emoji,
        user.0,
        place.channel,
        place.seq,
        version,
        removed,
        tx.now_ms,
    ])?;
    Ok(MarkOutcome::Done(version, tx.now_ms))
}

/// Whether the user, or the message, has as many different ones as there may be; and whether the
/// user has taken away so many that there are rows enough. Each text is looked at, and not each
/// of many users' reactions.
fn is_full(conn: &Connection, id: MessageId, user: UserNum, emoji: &str) -> DbResult<bool> {
    let mut find = conn.prepare_cached(FULL)?;
    let counts = find.query_row(rusqlite::params![id.0, emoji, user.0], |row| {
        Ok([
            count(row, 0)?,
            count(row, 1)?,
            count(row, 2)?,
            count(row, 3)?,
        ])
    });
    let [all, own, rows, ever] = counts?;
    if own >= u64::from(MAX_REACTIONS_OF_ONE) || rows >= u64::from(MAX_ROWS_OF_ONE) {
        return Ok(true);
    }
    if all < u64::from(MAX_REACTIONS) && ever < MAX_EVER {
        return Ok(false);
    }
    // One that is there is no more.
    let sql = "SELECT 1 FROM reaction WHERE message = ?1 AND emoji = ?2 AND deleted = 0";
    let mut find = conn.prepare_cached(sql)?;
    Ok(!find.exists(rusqlite::params![id.0, emoji])?)
}

/// Who has put which reactions to a message.
pub(super) fn of(
    conn: &Connection,
    shared: &Shared,
    id: MessageId,
    after: Option<&(Arc<str>, UserNum)>,
    limit: u32,
) -> DbResult<Vec<Reaction>> {
    let (emoji, user) = after.map_or(("", i64::MIN), |(emoji, user)| (&**emoji, user.0));
    let mut find = conn.prepare_cached(OF)?;
    let found = find.query(rusqlite::params![id.0, emoji, user, limit])?;
    read(conn, shared, found)
}

/// What was put there or taken away in a log after a version.
pub(super) fn since(
    conn: &Connection,
    shared: &Shared,
    channel: ChannelNum,
    version: i64,
    limit: u32,
) -> DbResult<Vec<Reaction>> {
    let mut find = conn.prepare_cached(SINCE)?;
    let found = find.query([channel.0, version, i64::from(limit)])?;
    read(conn, shared, found)
}

/// How often which reaction was put to each message.
pub(super) fn tallies(
    conn: &Connection,
    ids: &[MessageId],
    viewer: Option<UserNum>,
) -> DbResult<Vec<Vec<Tally>>> {
    let mut find = conn.prepare_cached(TALLIES)?;
    let viewer = viewer.map(|user| user.0);
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let tally = |row: &Row<'_>| {
            let emoji: String = row.get(0)?;
            Ok(Tally {
                emoji: emoji.into(),
                count: count(row, 1)?,
                mine: row.get::<_, Option<bool>>(2)?.unwrap_or(false),
            })
        };
        let found = find.query_map(rusqlite::params![id.0, viewer], tally)?;
        all.push(found.collect::<Result<_, _>>()?);
    }
    Ok(all)
}

fn read(
    conn: &Connection,
    shared: &Shared,
    mut found: rusqlite::Rows<'_>,
) -> DbResult<Vec<Reaction>> {
    let mut reactions = Vec::new();
    while let Some(row) = found.next()? {
        let Some(user) = shared.names.user(conn, UserNum(row.get(2)?))? else {
            continue;
        };
        let emoji: String = row.get(3)?;
        reactions.push(Reaction {
            message: MessageId(row.get(0)?),
            seq: count(row, 1)?,
            user,
            emoji: emoji.into(),
            removed: row.get(4)?,
            at_ms: row.get(5)?,
            version: row.get(6)?,
        });
    }
    Ok(reactions)
}
