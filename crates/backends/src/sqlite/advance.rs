//! Senders have read what they sent. Writing that down per message would cost a row each, so
//! it is kept in memory, seen by every read of the inbox at once, and written in slices
//! every few seconds. After a crash it is worked out again from the log.
//!
//! The rule, wherever it is applied: a place whose seq is above a conversation's `read_seq`
//! moves `read_seq` and the badge there; any other is of no account. `read_seq` never goes
//! back and the badge never stands above it, so an advance that was overtaken (by reading
//! on, or by setting unread after it) can be applied again and again without harm.
//!
//! Who sends without taking part (the system user, an application in a group) gets no
//! conversation: reads look an advance up only for conversations that the user has, and the
//! slices update existing rows or make one for an active member, whatever else is dropped.
//! So membership is looked at once per flushed row and never per message.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crosstalk_core::channel::LogKind;
use crosstalk_core::id::{ChannelNum, UserNum};
use parking_lot::Mutex;
use rusqlite::Connection;
use rustc_hash::FxHashMap;

use super::error::DbResult;
use super::rows;

const SHARDS: usize = 16;

/// Whose advance, and where.
pub(super) type Key = (UserNum, ChannelNum);

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) seq: u64,
    pub(super) ordinal: u64,
}

/// `now` is committed; `next` belongs to the transaction that runs. It is there before its
/// commit, so that nobody can see the message without it; a reader whose snapshot does not
/// have the message yet has a lower head and takes `now`.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    now: Option<Place>,
    next: Option<Place>,
}

/// All advances that are not written down. Bounded by flushing: whoever adds also flushes.
pub(super) struct Advances {
    shards: [Mutex<FxHashMap<Key, Entry>>; SHARDS],
    rows: AtomicUsize,
    generation: AtomicU64,
}

impl Advances {
    pub(super) fn new() -> Self {
        Self {
            shards: Default::default(),
            rows: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }
    }

    fn shard(&self, user: UserNum) -> &Mutex<FxHashMap<Key, Entry>> {
        let at = user.0.cast_unsigned() % SHARDS as u64;
        &self.shards[usize::try_from(at).unwrap_or(0)]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// Notes an own send of the running transaction.
    pub(super) fn stage(&self, key: Key, place: Place) {
        let mut shard = self.shard(key.0).lock();
        let entry = shard.entry(key).or_insert_with(|| {
            self.rows.fetch_add(1, Ordering::Relaxed);
            Entry::default()
        });
        entry.next = Some(place);
    }

    /// The running transaction was committed, or has failed.
    pub(super) fn settle(&self, keys: &[Key], committed: bool) {
        for key in keys {
            let mut shard = self.shard(key.0).lock();
            let Some(entry) = shard.get_mut(key) else {
                continue;
            };
            let next = entry.next.take();
            if committed {
                entry.now = next.or(entry.now);
            } else if entry.now.is_none() {
                shard.remove(key);
                self.rows.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// The advance of a user in a log whose head is at `head` in the reader's snapshot. One
    /// that was committed since then has read all that the snapshot shows.
    pub(super) fn at(&self, key: Key, head: Place) -> Option<Place> {
        let shard = self.shard(key.0).lock();
        let entry = shard.get(&key)?;
        let place = entry
            .next
            .filter(|next| next.seq <= head.seq)
            .or(entry.now)?;
        Some(if place.seq <= head.seq { place } else { head })
    }

    /// Runs a read of the inbox. Entries vanish when they are in the database; a read whose
    /// snapshot is older than that is made again.
    pub(super) fn consistent<T>(&self, mut read: impl FnMut() -> DbResult<T>) -> DbResult<T> {
        loop {
            let before = self.generation.load(Ordering::SeqCst);
            let found = read()?;
            if self.generation.load(Ordering::SeqCst) == before {
                return Ok(found);
            }
        }
    }

    /// These are in the database now: those that were not overtaken are dropped.
    fn written(&self, slice: &[(Key, Place)]) {
        // Before the first one goes: a read that begins after this sees the database's row.
        self.generation.fetch_add(1, Ordering::SeqCst);
        for (key, place) in slice {
            let mut shard = self.shard(key.0).lock();
            let gone = |entry: &Entry| entry.next.is_none() && entry.now == Some(*place);
            if shard.get(key).is_some_and(gone) {
                shard.remove(key);
                self.rows.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .shards
            .iter()
            .flat_map(|shard| shard.lock().keys().copied().collect::<Vec<_>>())
            .collect();
        // In the order of the table, so that a page is touched once.
        keys.sort_unstable();
        keys
    }

    fn now(&self, key: Key) -> Option<Place> {
        self.shard(key.0).lock().get(&key)?.now
    }
}

/// Rows written in one transaction: few enough not to be felt by the messages beside them,
/// and as many as a transaction can add, so that the memory stays bounded.
const SLICE: usize = 4096;

/// Rows of the log read at once when it is replayed.
const REPLAY: usize = 50_000;

/// The writer's progress in writing advances down.
pub(super) struct Flush {
    every_ms: u64,
    limit: usize,
    began_ms: u64,
    through: i64,
    cycle: Option<Cycle>,
}

/// One pass over everything that was there when it began. `through` is the newest message
/// then: at the end of the pass all own sends up to it are in the database.
struct Cycle {
    keys: Vec<Key>,
    done: usize,
    through: i64,
}

/// What one slice has written; it counts when its transaction is committed.
pub(super) struct Slice {
    rows: Vec<(Key, Place)>,
    keys: usize,
}

impl Flush {
    /// Reads how far it came.
    pub(super) fn new(
        conn: &Connection,
        every_ms: u64,
        limit: usize,
        mono_ms: u64,
    ) -> DbResult<Self> {
        let sql = "SELECT flushed_through FROM meta";
        let through = conn.query_row(sql, [], |row| row.get(0))?;
        Ok(Self {
            every_ms,
            limit,
            began_ms: mono_ms,
            through,
            cycle: None,
        })
    }

    /// Works the advances out again that had not been written down.
    pub(super) fn replay(
        mut self,
        conn: &Connection,
        advances: &Advances,
        now_ms: i64,
    ) -> DbResult<Self> {
        let sql = "SELECT m.id, m.sender, m.channel, m.seq, m.ordinal, c.log \
                   FROM message m JOIN channel c ON c.num = m.channel \
                   WHERE m.id > ?1 ORDER BY m.id LIMIT ?2";
        let mut after = self.through;
        loop {
            let mut read = conn.prepare_cached(sql)?;
            let mut found = read.query([after, i64::try_from(REPLAY).unwrap_or(i64::MAX)])?;
            let mut count = 0;
            while let Some(row) = found.next()? {
                count += 1;
                after = row.get(0)?;
                if row.get::<_, i64>(5)? != LogKind::Chat as i64 {
                    continue;
                }
                let key = (UserNum(row.get(1)?), ChannelNum(row.get(2)?));
                let place = Place {
                    seq: rows::count(row, 3)?,
                    ordinal: rows::count(row, 4)?,
                };
                advances.stage(key, place);
                advances.settle(&[key], true);
            }
            if count < REPLAY {
                return Ok(self);
            }
            if advances.len() >= self.limit {
                self.all(conn, advances, after, now_ms)?;
            }
        }
    }

    /// Begins a pass if it is time. `last` is the newest committed message.
    pub(super) fn begin(&mut self, advances: &Advances, mono_ms: u64, last: i64) {
        let time = mono_ms.saturating_sub(self.began_ms) >= self.every_ms;
        if self.cycle.is_none() && (time && last > self.through || advances.len() >= self.limit) {
            self.began_ms = mono_ms;
            self.cycle = Some(Cycle {
                keys: advances.keys(),
                done: 0,
                through: last,
            });
        }
    }

    /// Writes the next slice of the pass, if one is under way.
    pub(super) fn slice(
        &mut self,
        conn: &Connection,
        advances: &Advances,
        now_ms: i64,
    ) -> DbResult<Option<Slice>> {
        let Some(cycle) = &self.cycle else {
            return Ok(None);
        };
        let rest = &cycle.keys[cycle.done..];
        let keys = &rest[..rest.len().min(SLICE)];
        let mut slice = Slice {
            rows: Vec::with_capacity(keys.len()),
            keys: keys.len(),
        };
        for key in keys {
            let Some(place) = advances.now(*key) else {
                continue;
            };
            write(conn, *key, place, now_ms)?;
            slice.rows.push((*key, place));
        }
        if rest.len() == keys.len() {
            let mut through = conn.prepare_cached("UPDATE meta SET flushed_through = ?1")?;
            through.execute([cycle.through])?;
        }
        Ok(Some(slice))
    }

    /// A slice was committed.
    pub(super) fn committed(&mut self, advances: &Advances, slice: &Slice) {
        advances.written(&slice.rows);
        let Some(cycle) = &mut self.cycle else { return };
        cycle.done += slice.keys;
        if cycle.done >= cycle.keys.len() {
            self.through = cycle.through;
            self.cycle = None;
        }
    }

    /// Writes everything down, each slice in its own transaction. `last` as in `begin`.
    pub(super) fn all(
        &mut self,
        conn: &Connection,
        advances: &Advances,
        last: i64,
        now_ms: i64,
    ) -> DbResult<()> {
        // A pass that is under way may not know of the newest.
        self.cycle = None;
        if last <= self.through {
            return Ok(());
        }
        self.cycle = Some(Cycle {
            keys: advances.keys(),
            done: 0,
            through: last,
        });
        while self.cycle.is_some() {
            let transaction = conn.unchecked_transaction()?;
            let Some(slice) = self.slice(conn, advances, now_ms)? else {
                break;
            };
            transaction.commit()?;
            self.committed(advances, &slice);
        }
        Ok(())
    }
}

fn write(conn: &Connection, key: Key, place: Place, now_ms: i64) -> DbResult<()> {
    let (UserNum(user), ChannelNum(channel)) = key;
    let (seq, ordinal) = (rows::seq(place.seq), rows::seq(place.ordinal));
    let sql = "UPDATE conversation SET read_seq = ?3, badge_seq = ?3, badge_ordinal = ?4, \
               version = max(version + 1, ?5) \
               WHERE user = ?1 AND channel = ?2 AND read_seq < ?3";
    let mut update = conn.prepare_cached(sql)?;
    if update.execute([user, channel, seq, ordinal, now_ms])? > 0 {
        return Ok(());
    }
    let sql = "INSERT INTO conversation (user, channel, read_seq, badge_seq, badge_ordinal, \
               cleared_seq, hidden_seq, pinned_at, muted, version) \
               SELECT ?1, ?2, ?3, ?3, ?4, 0, 0, 0, 0, max(version + 1, ?5) FROM member \
               WHERE channel = ?2 AND user = ?1 AND state = 1 AND join_seq < ?3 \
               ON CONFLICT DO NOTHING";
    let mut insert = conn.prepare_cached(sql)?;
    insert.execute([user, channel, seq, ordinal, now_ms])?;
    Ok(())
}
