//! Retries of a client number (data-model.md §4): one table of keys per week, of which the
//! newest two are looked at, each behind a filter in memory.
//!
//! A key is a hash, so a hit counts only if the message it leads to has the same sender, log
//! and client number. Older tables stay for look-ups by client number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crosstalk_core::id::{ChannelNum, MessageId, UserNum};
use rusqlite::Connection;

use super::error::DbResult;
use super::filter::Filter;
use super::rows::count;
use super::stats::{Counters, add};

const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;
const PREFIX: &str = "client_key_";

/// Keys read at once to fill a filter: a short read does not hold up the log's checkpoint.
const FILL: i64 = 20_000;

/// The message that a client number belongs to, if it is a retry.
pub(super) enum Found {
    /// Never seen.
    New,
    /// Seen with the same content.
    Same {
        id: MessageId,
        seq: u64,
        sent_at_ms: i64,
    },
    /// Seen with other content only.
    Other,
}

/// Whose number: what a hit must agree with.
pub(super) struct Claim<'a> {
    pub(super) key: i64,
    pub(super) digest: i64,
    pub(super) sender: UserNum,
    pub(super) channel: ChannelNum,
    pub(super) client_no: &'a str,
}

/// One week's table.
struct Partition {
    week: i64,
    filter: Arc<Filter>,
    insert: String,
    find: String,
}

/// The partitions that are looked at.
pub(super) struct Dedup {
    current: Partition,
    previous: Option<Partition>,
    filter_bytes: usize,
}

/// A filter to be filled from its table by a thread of its own.
pub(super) struct Filling {
    sql: String,
    filter: Arc<Filter>,
}

impl Partition {
    fn new(week: i64, filter_bytes: usize) -> Self {
        let table = table(week);
        Self {
            week,
            filter: Arc::new(Filter::new(filter_bytes)),
            insert: format!("INSERT INTO {table} (hash, id, digest) VALUES (?1, ?2, ?3)"),
            find: format!("SELECT id, digest FROM {table} WHERE hash = ?1 ORDER BY id DESC"),
        }
    }

    fn filling(&self) -> Filling {
        let sql = format!(
            "SELECT hash, id FROM {} WHERE (hash, id) > (?1, ?2) ORDER BY hash, id LIMIT {FILL}",
            table(self.week)
        );
        Filling {
            sql,
            filter: Arc::clone(&self.filter),
        }
    }
}

impl Dedup {
    /// Finds the partitions to look at, making the current one. The filters come back to be
    /// filled; until then every look-up goes to the database.
    pub(super) fn open(
        conn: &Connection,
        now_ms: i64,
        filter_bytes: usize,
    ) -> DbResult<(Self, Vec<Filling>)> {
        let weeks = weeks(conn)?;
        let now = week(now_ms);
        // If the clock stepped back over a week's end, the newest table stays the current.
        let newest = weeks.last().copied().unwrap_or(now).max(now);
        let current = Partition::new(newest, filter_bytes);
        let previous = weeks.contains(&(newest - 1));
        let previous = previous.then(|| Partition::new(newest - 1, filter_bytes));
        let mut fill = Vec::new();
        if weeks.contains(&newest) {
            fill.push(current.filling());
        } else {
            create(conn, newest)?;
            current.filter.completed();
        }
        fill.extend(previous.iter().map(Partition::filling));
        Ok((
            Self {
                current,
                previous,
                filter_bytes,
            },
            fill,
        ))
    }

    /// Begins a new partition if a new week has begun. Runs outside of any transaction.
    pub(super) fn roll(&mut self, conn: &Connection, now_ms: i64) -> DbResult<()> {
        let now = week(now_ms);
        if now <= self.current.week {
            return Ok(());
        }
        create(conn, now)?;
        let fresh = Partition::new(now, self.filter_bytes);
        fresh.filter.completed();
        let old = std::mem::replace(&mut self.current, fresh);
        self.previous = (old.week == now - 1).then_some(old);
        Ok(())
    }

    /// Looks for an earlier message of the same number; the newest counts.
    pub(super) fn find(
        &self,
        conn: &Connection,
        counters: &Counters,
        claim: &Claim<'_>,
    ) -> DbResult<Found> {
        let mut reused = false;
        for partition in std::iter::once(&self.current).chain(&self.previous) {
            if !partition.filter.may_have(claim.key) {
                continue;
            }
            add(&counters.key_lookups, 1);
            let mut find = conn.prepare_cached(&partition.find)?;
            let mut hits = find.query([claim.key])?;
            while let Some(hit) = hits.next()? {
                let (id, digest) = (hit.get(0)?, hit.get::<_, i64>(1)?);
                let Some((seq, sent_at_ms)) = agrees(conn, id, claim)? else {
                    continue;
                };
                if digest == claim.digest {
                    return Ok(Found::Same {
                        id: MessageId(id),
                        seq,
                        sent_at_ms,
                    });
                }
                reused = true;
            }
        }
        Ok(if reused { Found::Other } else { Found::New })
    }

    /// Writes a new message's key.
    pub(super) fn insert(&self, conn: &Connection, key: i64, id: i64, digest: i64) -> DbResult<()> {
        self.current.filter.add(key);
        conn.prepare_cached(&self.current.insert)?
            .execute([key, id, digest])?;
        Ok(())
    }
}

impl Filling {
    /// Adds all keys of the table, in short reads, until done or told to stop.
    pub(super) fn run(&self, conn: &Connection, stop: &AtomicBool) -> DbResult<()> {
        let (mut hash, mut id) = (i64::MIN, i64::MIN);
        loop {
            let mut read = conn.prepare_cached(&self.sql)?;
            let mut keys = read.query([hash, id])?;
            let mut found = 0;
            while let Some(row) = keys.next()? {
                found += 1;
                (hash, id) = (row.get(0)?, row.get(1)?);
                self.filter.add(hash);
            }
            if found < FILL {
                self.filter.completed();
                return Ok(());
            }
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }
}

/// Seq and time of a message, if it is what the claim says. A damaged row agrees with
/// nothing that matters: at worst a retry is stored twice.
fn agrees(conn: &Connection, id: i64, claim: &Claim<'_>) -> DbResult<Option<(u64, i64)>> {
    let sql = "SELECT seq, sent_at FROM message \
               WHERE id = ?1 AND sender = ?2 AND channel = ?3 AND client_no = ?4";
    let mut find = conn.prepare_cached(sql)?;
    let claimed = rusqlite::params![id, claim.sender.0, claim.channel.0, claim.client_no];
    let mut rows = find.query(claimed)?;
    Ok(rows
        .next()?
        .map(|row| Ok::<_, rusqlite::Error>((count(row, 0)?, row.get(1)?)))
        .transpose()?)
}

fn week(now_ms: i64) -> i64 {
    now_ms.max(0) / WEEK_MS
}

fn table(week: i64) -> String {
    format!("{PREFIX}{week}")
}

fn create(conn: &Connection, week: i64) -> DbResult<()> {
    let table = table(week);
    conn.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {table} (
            hash   INTEGER NOT NULL,
            id     INTEGER NOT NULL,
            digest INTEGER NOT NULL,
            PRIMARY KEY (hash, id)
        ) STRICT, WITHOUT ROWID"
    ))?;
    Ok(())
}

/// The weeks that have a table, ascending.
fn weeks(conn: &Connection) -> DbResult<Vec<i64>> {
    let sql =
        format!("SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB '{PREFIX}*'");
    let mut names = conn.prepare(&sql)?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?;
    let mut weeks = Vec::new();
    for name in names {
        weeks.extend(
            name?
                .strip_prefix(PREFIX)
                .and_then(|week| week.parse::<i64>().ok()),
        );
    }
    weeks.sort_unstable();
    Ok(weeks)
}
