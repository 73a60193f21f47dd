//! Reading all logs at once, in the order in which they were written. One writer commits in
//! the order of ids, so whatever a reader sees is everything up to there.

use crosstalk_core::id::{ChannelNum, MessageId};
use crosstalk_core::message::Message;
use rusqlite::Connection;

use super::Shared;
use super::error::{DbResult, unless_damaged};
use super::rows::{self, MESSAGE_COLUMNS};
use super::{log, stats::add};

/// The statement for some columns of messages after an id.
fn sql(columns: &str) -> String {
    format!("SELECT {columns} FROM message WHERE id > ?1 ORDER BY id LIMIT ?2")
}

/// Messages after an id, ascending, at most `limit`. What cannot be read is passed over, and
/// what comes after it takes its place: an empty answer means that nothing is left.
pub(super) fn messages(
    conn: &Connection,
    shared: &Shared,
    after: MessageId,
    limit: u32,
) -> DbResult<Vec<Message>> {
    let (mut found, mut at) = (Vec::new(), after.0);
    while found.len() < limit as usize {
        let wanted = limit - u32::try_from(found.len()).unwrap_or(limit);
        let stretch = match unless_damaged(at_once(conn, shared, at, wanted))? {
            Some(stretch) => stretch,
            None => one_by_one(conn, shared, at, wanted)?,
        };
        found.extend(stretch.messages);
        let Some(last) = stretch.last else { break };
        at = last;
    }
    Ok(found)
}

/// Some rows: what they say, and the last of them, readable or not.
#[derive(Default)]
struct Stretch {
    messages: Vec<Message>,
    last: Option<i64>,
}

fn at_once(conn: &Connection, shared: &Shared, after: i64, limit: u32) -> DbResult<Stretch> {
    let mut find = conn.prepare_cached(&sql(MESSAGE_COLUMNS))?;
    let mut rows = find.query([after, i64::from(limit)])?;
    let mut stretch = Stretch::default();
    while let Some(row) = rows.next()? {
        stretch.last = Some(row.get(0)?);
        let num = ChannelNum(row.get(1)?);
        if let Some(channel) = shared.names.channel(conn, num)? {
            stretch
                .messages
                .extend(rows::read(shared, conn, &channel, row)?);
        }
    }
    Ok(stretch)
}

/// Where a row cannot be read at all: each is read by itself.
fn one_by_one(conn: &Connection, shared: &Shared, after: i64, limit: u32) -> DbResult<Stretch> {
    let mut find = conn.prepare_cached(&sql("id"))?;
    let ids = find.query_map([after, i64::from(limit)], |row| row.get(0))?;
    let ids = ids.collect::<Result<Vec<i64>, _>>()?;
    let mut stretch = Stretch {
        messages: Vec::new(),
        last: ids.last().copied(),
    };
    for id in ids {
        if let Some(found) = unless_damaged(log::read_one(conn, shared, MessageId(id)))? {
            stretch.messages.extend(found);
        } else {
            tracing::error!(id, "a stored message is damaged");
            add(&shared.counters.damaged, 1);
        }
    }
    Ok(stretch)
}

/// The newest id; 0 = there is none.
pub(super) fn last_id(conn: &Connection) -> DbResult<MessageId> {
    let mut find = conn.prepare_cached("SELECT max(id) FROM message")?;
    let last: Option<i64> = find.query_row([], |row| row.get(0))?;
    Ok(MessageId(last.unwrap_or(0)))
}
