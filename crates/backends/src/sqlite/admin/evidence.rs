//! What messages said when moderators were to look at them. It outlives the messages, and goes
//! with their authors. Of what is longer than [`MAX_BYTES`] nothing is kept.

use crosstalk_core::id::{MessageId, UserNum};
use crosstalk_core::message::{Body, Origin};
use rusqlite::{Connection, Row, params};

use crate::sqlite::error::{DbError, DbResult};

/// The most that is kept of a message, bytes.
const MAX_BYTES: usize = 64 * 1024;

/// What something is evidence of. The numbers are stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    /// A message that came into the queue.
    Review(MessageId),
    /// A report, by its number.
    Report(i64),
}

impl Of {
    fn key(self) -> (i64, i64) {
        match self {
            Self::Review(message) => (0, message.0),
            Self::Report(num) => (1, num),
        }
    }
}

/// Keeps what somebody said, in the place of what was kept before.
pub(super) fn keep(conn: &Connection, of: Of, author: UserNum, body: &Body) -> DbResult<()> {
    let size = body.payload.len() + body.extra.as_ref().map_or(0, |extra| extra.len());
    if size > MAX_BYTES {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO evidence (of, num, author, origin, tag, payload, extra) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (of, num) = of.key();
    conn.prepare_cached(sql)?.execute(params![
        of,
        num,
        author.0,
        body.origin.0,
        &*body.tag,
        &body.payload[..],
        body.extra.as_deref(),
    ])?;
    Ok(())
}

/// Keeps what messages say that are to be looked at and were not emptied, from the first of
/// these ids to the last, as they were sent. What is kept stays.
pub(in crate::sqlite) fn keep_sent(conn: &Connection, first: i64, last: i64) -> DbResult<()> {
    let sql = "INSERT OR IGNORE INTO evidence (of, num, author, origin, tag, payload, extra) \
               SELECT 0, id, sender, origin, tag, payload, extra FROM message \
               WHERE id >= ?1 AND id <= ?2 AND (flags & 4096) <> 0 AND length(payload) > 0 \
               AND length(payload) + ifnull(length(extra), 0) <= ?3";
    let max = i64::try_from(MAX_BYTES).unwrap_or(i64::MAX);
    conn.prepare_cached(sql)?.execute((first, last, max))?;
    Ok(())
}

/// What was kept; `None` if nothing was. The columns are origin, tag, payload, extra from
/// `at` on.
pub(super) fn read(row: &Row<'_>, at: usize) -> DbResult<Option<Body>> {
    let Some(origin) = row.get::<_, Option<i64>>(at)? else {
        return Ok(None);
    };
    let origin = u8::try_from(origin).map_err(|e| DbError::Corrupt(e.to_string()))?;
    let extra: Option<Vec<u8>> = row.get(at + 3)?;
    Ok(Some(Body {
        origin: Origin(origin),
        tag: row.get::<_, String>(at + 1)?.into(),
        payload: row.get::<_, Vec<u8>>(at + 2)?.into(),
        extra: extra.map(Into::into),
        ..Body::default()
    }))
}
