//! The newest place of each log. It is derived from the covering index and cached by the
//! writer, never written; only of a log that has lost all its messages it stands beside the
//! channel (`retain`).

use crosstalk_core::id::ChannelNum;
use crosstalk_core::log::Head;
use quick_cache::unsync::Cache;
use rusqlite::Connection;

use super::error::DbResult;
use super::rows::count;

/// How many logs' heads the writer keeps; another one costs a look into the index.
const CACHED: usize = 131_072;

/// The writer's cache of heads.
pub(super) struct Heads(Cache<ChannelNum, Head>);

impl Heads {
    pub(super) fn new() -> Self {
        Self(Cache::new(CACHED))
    }

    pub(super) fn get(&mut self, conn: &Connection, channel: ChannelNum) -> DbResult<Head> {
        if let Some(head) = self.0.get(&channel) {
            return Ok(*head);
        }
        read(conn, channel)
    }

    pub(super) fn set(&mut self, channel: ChannelNum, head: Head) {
        self.0.insert(channel, head);
    }

    /// Forgets everything: what was set belongs to a transaction that is no more.
    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}

/// The head of a log as the connection sees it.
pub(super) fn read(conn: &Connection, channel: ChannelNum) -> DbResult<Head> {
    let sql = "SELECT seq, ordinal FROM message WHERE channel = ?1 ORDER BY seq DESC LIMIT 1";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([channel.0])?;
    match rows.next()? {
        Some(row) => Ok(Head {
            seq: count(row, 0)?,
            ordinal: count(row, 1)?,
        }),
        None => dropped(conn, channel),
    }
}

/// The last place of a log that retention has dropped.
pub(super) fn dropped(conn: &Connection, channel: ChannelNum) -> DbResult<Head> {
    let sql = "SELECT first_seq - 1, first_ordinal FROM channel WHERE num = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([channel.0])?;
    match rows.next()? {
        Some(row) => Ok(Head {
            seq: count(row, 0)?,
            ordinal: count(row, 1)?,
        }),
        None => Ok(Head::default()),
    }
}

/// The ordinal at a seq; `None` if that message is not there.
pub(super) fn ordinal_at(
    conn: &Connection,
    channel: ChannelNum,
    seq: u64,
) -> DbResult<Option<u64>> {
    let sql = "SELECT ordinal FROM message WHERE channel = ?1 AND seq = ?2";
    let mut find = conn.prepare_cached(sql)?;
    let mut rows = find.query([channel.0, super::rows::seq(seq)])?;
    Ok(rows.next()?.map(|row| count(row, 0)).transpose()?)
}
