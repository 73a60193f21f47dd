//! Retries of a client number (data-model.md §4): one table of keys per week, of which the
//! newest two are looked at, each behind a filter in memory. New keys wait in memory and are
//! written later (`pending`, `flush`).
//!
//! A key is a hash, so a hit counts only if the message it leads to has the same sender, log
//! and client number. Older tables stay for look-ups by client number.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crosstalk_core::id::{ChannelNum, MessageId, Realm, UserNum};
use rusqlite::Connection;

use super::error::{DbError, DbResult, unless_damaged};
use super::filter::Filter;
use super::pending::{Key, KeyId, Pending};
use super::rows::count;
use super::stats::{Counters, add};

const WEEK_MS: i64 = 7 * 24 * 3600 * 1000;
const PREFIX: &str = "client_key_";

/// Keys read at once to fill a filter: a short read does not hold up the log's checkpoint.
const FILL: i64 = 20_000;

/// The message that a client number belongs to, if it is a retry. `number_taken`: another
/// sender has used it in the log.
pub(super) enum Found {
    /// Never seen from this sender.
    New { number_taken: bool },
    /// Seen with the same content.
    Same {
        id: MessageId,
        seq: u64,
        sent_at_ms: i64,
    },
    /// Seen with other content only.
    Other { number_taken: bool },
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
    pending: Pending,
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
            insert: insert_into(&table),
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
                pending: Pending::default(),
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
        let (mut reused, mut number_taken) = (false, false);
        let same = self.first(conn, counters, claim.key, |id, digest| {
            let Some(used) = agrees(conn, id, claim)? else {
                return Ok(None);
            };
            if used.sender != claim.sender {
                number_taken = true;
                return Ok(None);
            }
            reused = true;
            let same = digest == claim.digest;
            Ok(same.then_some(Found::Same {
                id: MessageId(id),
                seq: used.seq,
                sent_at_ms: used.sent_at_ms,
            }))
        })?;
        Ok(match same {
            Some(same) => same,
            None if reused => Found::Other { number_taken },
            None => Found::New { number_taken },
        })
    }

    /// Whether a message of a realm has a name.
    pub(super) fn has_name(
        &self,
        conn: &Connection,
        counters: &Counters,
        key: i64,
        (realm, name): (&Realm, &str),
    ) -> DbResult<bool> {
        let sql = "SELECT 1 FROM message m CROSS JOIN channel c ON c.num = m.channel \
                   WHERE m.id = ?1 AND m.name = ?2 AND c.realm = ?3";
        let found = self.first(conn, counters, key, |id, _| {
            let mut find = conn.prepare_cached(sql)?;
            let has_it = find.exists(rusqlite::params![id, name, realm.as_str()]);
            let has_it = unless_damaged(has_it.map_err(DbError::from))?;
            Ok(has_it.filter(|has_it| *has_it))
        })?;
        Ok(found.is_some())
    }

    /// What is made first of the messages that a key of the last weeks leads to: those whose
    /// keys wait, then those of the tables, each the newest first.
    fn first<T>(
        &self,
        conn: &Connection,
        counters: &Counters,
        hash: i64,
        mut judge: impl FnMut(i64, i64) -> DbResult<Option<T>>,
    ) -> DbResult<Option<T>> {
        for (id, key) in self.pending.find(hash) {
            if key.week >= self.current.week - 1
                && let Some(found) = judge(id, key.digest)?
            {
                return Ok(Some(found));
            }
        }
        for partition in std::iter::once(&self.current).chain(&self.previous) {
            if !partition.filter.may_have(hash) {
                continue;
            }
            add(&counters.key_lookups, 1);
            let mut find = conn.prepare_cached(&partition.find)?;
            let mut hits = find.query([hash])?;
            while let Some(hit) = hits.next()? {
                if let Some(found) = judge(hit.get(0)?, hit.get(1)?)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// The messages that keys lead to which wait in memory, the newest first, at most `limit`.
    pub(super) fn waiting_of(&self, hash: i64, limit: usize) -> Vec<i64> {
        let mut ids: Vec<i64> = self.pending.find(hash).map(|(id, _)| id).collect();
        ids.sort_unstable_by_key(|id| std::cmp::Reverse(*id));
        ids.truncate(limit);
        ids
    }

    /// Notes the key of a message of the running transaction.
    pub(super) fn stage(&mut self, id: KeyId, digest: i64) {
        let week = self.current.week;
        self.pending.stage(id, Key { digest, week });
    }

    /// The running transaction was committed, or has failed.
    pub(super) fn settle(&mut self, committed: bool) {
        self.pending.settle(committed);
    }

    /// Notes a key that a crash kept from being written down.
    pub(super) fn replay(&mut self, id: KeyId, digest: i64, sent_at_ms: i64) {
        let week = week(sent_at_ms);
        self.pending.stage(id, Key { digest, week });
        self.pending.settle(true);
    }

    /// How many keys are not written down.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Begins a pass over the keys that wait.
    pub(super) fn begin_pass(&mut self) {
        self.pending.begin();
    }

    /// Writes the next keys of the pass. Returns the last one, and how many there were.
    pub(super) fn write_slice(
        &self,
        conn: &Connection,
        limit: usize,
    ) -> DbResult<(Option<KeyId>, usize)> {
        let (mut last, mut count) = (None, 0);
        for ((hash, id), key) in self.pending.slice(limit) {
            if let Some(partition) = self.of(key.week) {
                partition.filter.add(hash);
                conn.prepare_cached(&partition.insert)?
                    .execute([hash, id, key.digest])?;
            } else {
                // Left over from long ago. Nobody retries it, but it can be looked up.
                create(conn, key.week)?;
                conn.execute(&insert_into(&table(key.week)), [hash, id, key.digest])?;
            }
            last = Some((hash, id));
            count += 1;
        }
        Ok((last, count))
    }

    /// The partition for keys of a week, if it is one that is looked at.
    fn of(&self, week: i64) -> Option<&Partition> {
        let previous = self
            .previous
            .as_ref()
            .filter(|previous| previous.week == week);
        previous.or_else(|| (week >= self.current.week - 1).then_some(&self.current))
    }

    /// The keys up to this one are committed.
    pub(super) fn slice_written(&mut self, last: Option<KeyId>) {
        if let Some(last) = last {
            self.pending.written(last);
        }
    }

    /// All keys of the pass are committed.
    pub(super) fn finish_pass(&mut self) {
        self.pending.finish();
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

/// A message that has the number of a claim.
struct Used {
    sender: UserNum,
    seq: u64,
    sent_at_ms: i64,
}

/// The message with an id, if it has the claim's number in the claim's log. A damaged row
/// agrees with nothing that matters: at worst a retry is stored twice, or refused if SQLite
/// cannot read the row at all.
fn agrees(conn: &Connection, id: i64, claim: &Claim<'_>) -> DbResult<Option<Used>> {
    Ok(unless_damaged(used(conn, id, claim))?.flatten())
}

fn used(conn: &Connection, id: i64, claim: &Claim<'_>) -> DbResult<Option<Used>> {
    let sql = "SELECT sender, seq, sent_at FROM message \
               WHERE id = ?1 AND channel = ?2 AND client_no = ?3";
    let mut find = conn.prepare_cached(sql)?;
    let claimed = rusqlite::params![id, claim.channel.0, claim.client_no];
    let mut rows = find.query(claimed)?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Used {
        sender: UserNum(row.get(0)?),
        seq: count(row, 1)?,
        sent_at_ms: row.get(2)?,
    }))
}

/// The messages that a key leads to, of any week, the newest of each first, at most `limit`
/// of each. What waits in memory is not among them.
pub(super) fn written_of(conn: &Connection, hash: i64, limit: u32) -> DbResult<Vec<i64>> {
    let mut ids = Vec::new();
    for week in weeks(conn)?.into_iter().rev() {
        let mut find = conn.prepare(&written_sql(week))?;
        let found = find.query_map([hash, i64::from(limit)], |row| row.get(0))?;
        for id in found {
            ids.push(id?);
        }
    }
    Ok(ids)
}

/// The statement of [`written_of`] for one week.
pub(super) fn written_sql(week: i64) -> String {
    let table = table(week);
    format!("SELECT id FROM {table} WHERE hash = ?1 ORDER BY id DESC LIMIT ?2")
}

/// Writes the key of a stored message down at once, in case it still waits in memory.
pub(super) fn write_now(
    conn: &Connection,
    (hash, id): KeyId,
    digest: i64,
    sent_at_ms: i64,
) -> DbResult<()> {
    let week = week(sent_at_ms);
    let table = table(week);
    if !weeks(conn)?.contains(&week) {
        create(conn, week)?;
    }
    conn.execute(&insert_into(&table), [hash, id, digest])?;
    Ok(())
}

/// Drops keys of messages that are older than `before_ms`, whole weeks of them, at most
/// `limit`. The two newest tables stay: they are looked at. True if more could go.
pub(super) fn forget(conn: &Connection, before_ms: i64, limit: u32) -> DbResult<bool> {
    let weeks = weeks(conn)?;
    let kept = weeks.last().map_or(0, |newest| newest - 1);
    let is_old = |week: &&i64| **week < kept && (**week + 1) * WEEK_MS <= before_ms;
    let Some(oldest) = weeks.iter().find(is_old) else {
        return Ok(false);
    };
    let table = table(*oldest);
    // From the front: its pages lie beside each other.
    let sql = format!(
        "DELETE FROM {table} WHERE (hash, id) IN \
         (SELECT hash, id FROM {table} ORDER BY hash, id LIMIT ?1)"
    );
    let gone = conn.execute(&sql, [limit])?;
    if gone < limit as usize {
        conn.execute_batch(&format!("DROP TABLE {table}"))?;
    }
    Ok(true)
}

fn week(now_ms: i64) -> i64 {
    now_ms.max(0) / WEEK_MS
}

fn table(week: i64) -> String {
    format!("{PREFIX}{week}")
}

/// A key that a pass was given up after is there already.
fn insert_into(table: &str) -> String {
    format!("INSERT INTO {table} (hash, id, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")
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
