//! Edits: what a message says now stands beside it, and so does all that it said since it was
//! sent. A flag in the message's row tells readers to look for it.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::mark::{Edit, EditOutcome, MAX_EDITS, Version};
use crosstalk_core::message::{Body, Edited};
use rusqlite::{Connection, Row};

use super::error::DbResult;
use super::marks::{next_version, number, place};
use super::rows::{self, EDITED, MessageRow};
use super::work::Tx;
use super::{Shared, revoke};

/// The statement of [`versions`].
pub(super) const VERSIONS: &str = "SELECT n, by, at, origin, tag, payload FROM message_version \
     WHERE message = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
/// The statement that finds what a message says now.
pub(super) const LAST: &str = "SELECT n, by, at, origin, tag, payload FROM message_version \
     WHERE message = ?1 ORDER BY n DESC LIMIT 1";

/// Notes what a message says from now on.
pub(super) fn edit(tx: &Tx<'_>, id: MessageId, edit: &Edit) -> DbResult<EditOutcome> {
    let Some(place) = place(tx, id)? else {
        return Ok(EditOutcome::Gone);
    };
    let (n, at, is_same) = now(tx, id, edit)?;
    if is_same {
        return Ok(EditOutcome::Same(n, at));
    }
    if n >= MAX_EDITS {
        return Ok(EditOutcome::TooMany);
    }
    let n = n + 1;
    let sql = "INSERT INTO message_version (message, n, by, at, origin, tag, payload) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.conn.prepare_cached(sql)?.execute(rusqlite::params![
        id.0,
        n,
        edit.by.as_ref().map(|user| user.num.0),
        tx.now_ms,
        edit.origin.0,
        &*edit.tag,
        &edit.payload[..],
    ])?;
    next_version(tx, place)?;
    let sql = "UPDATE message_state SET edit_n = ?2, edited_at = ?3 WHERE id = ?1";
    let mut note = tx.conn.prepare_cached(sql)?;
    note.execute([id.0, i64::from(n), tx.now_ms])?;
    if place.flags & EDITED == 0 {
        let sql = revoke::find_sql();
        let mut find = tx.conn.prepare_cached(&sql)?;
        let mut found = find.query([id.0])?;
        if let Some(message) = found.next()?.and_then(MessageRow::sound) {
            message.mark(tx.conn, EDITED)?;
        }
    }
    Ok(EditOutcome::Done(n, tx.now_ms))
}

/// The number and time of the last edit, and whether the message says this already.
fn now(tx: &Tx<'_>, id: MessageId, edit: &Edit) -> DbResult<(u32, i64, bool)> {
    let mut find = tx.conn.prepare_cached(LAST)?;
    let mut found = find.query([id.0])?;
    if let Some(row) = found.next()? {
        let is_same = row.get::<_, u8>(3)? == edit.origin.0
            && row.get_ref(4)?.as_str().is_ok_and(|tag| *tag == *edit.tag)
            && row
                .get_ref(5)?
                .as_blob()
                .is_ok_and(|it| *it == edit.payload[..]);
        return Ok((row.get(0)?, row.get(2)?, is_same));
    }
    let sql = revoke::find_sql();
    let mut find = tx.conn.prepare_cached(&sql)?;
    let mut found = find.query([id.0])?;
    let sent = found.next()?.and_then(MessageRow::sound);
    let is_same = sent.is_some_and(|sent| {
        rows::origin(sent.origin) == edit.origin
            && *sent.tag == *edit.tag
            && *sent.payload == edit.payload[..]
    });
    Ok((0, 0, is_same))
}

/// The edits of a message.
pub(super) fn versions(
    conn: &Connection,
    shared: &Shared,
    id: MessageId,
    after: u32,
    limit: u32,
) -> DbResult<Vec<Version>> {
    let mut find = conn.prepare_cached(VERSIONS)?;
    let mut found = find.query([id.0, i64::from(after), i64::from(limit)])?;
    let mut versions = Vec::new();
    while let Some(row) = found.next()? {
        versions.push(version(conn, shared, row)?);
    }
    Ok(versions)
}

/// What an edited message says now.
pub(super) fn last(
    conn: &Connection,
    shared: &Shared,
    id: i64,
    sent: &Body,
) -> DbResult<Option<Box<Edited>>> {
    let mut find = conn.prepare_cached(LAST)?;
    let mut found = find.query([id])?;
    let Some(row) = found.next()? else {
        rows::report(shared, id, "the edit of an edited message is gone");
        return Ok(None);
    };
    let Version { n, at_ms, edit } = version(conn, shared, row)?;
    let body = sent.edited(edit.origin, edit.tag, edit.payload);
    Ok(Some(Box::new(Edited {
        n,
        by: edit.by,
        at_ms,
        body: Arc::new(body),
    })))
}

fn version(conn: &Connection, shared: &Shared, row: &Row<'_>) -> DbResult<Version> {
    let by: Option<i64> = row.get(1)?;
    let by = by.map(|num| shared.names.user(conn, UserNum(num)));
    let tag: String = row.get(4)?;
    Ok(Version {
        n: row.get(0)?,
        at_ms: row.get(2)?,
        edit: Edit {
            by: by.transpose()?.flatten(),
            origin: rows::origin(row.get(3)?),
            tag: tag.into(),
            payload: Bytes::from(row.get::<_, Vec<u8>>(5)?),
        },
    })
}

/// How often a message was edited.
pub(super) fn count(conn: &Connection, id: i64) -> DbResult<u32> {
    let sql = "SELECT edit_n FROM message_state WHERE id = ?1";
    let n = number(conn, sql, id)?.unwrap_or(0);
    Ok(u32::try_from(n).unwrap_or(0))
}
