//! Senders have read what they sent. Writing that down per message would cost a row each, so
//! it is kept in memory, seen by every read of the inbox at once, and written in slices
//! every few seconds (`flush`). After a crash it is worked out again from the log.
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
    pub(super) fn written(&self, slice: &[(Key, Place)]) {
        // Before the first one goes: a read that begins after this sees the database's row.
        self.generation.fetch_add(1, Ordering::SeqCst);
        for (key, place) in slice {
            let mut shard = self.shard(key.0).lock();
            if shard
                .get(key)
                .is_some_and(|entry| entry.now == Some(*place))
            {
                shard.remove(key);
                self.rows.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    /// Whose advances there are, in the order of the table, so that a page is touched once.
    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self
            .shards
            .iter()
            .flat_map(|shard| shard.lock().keys().copied().collect::<Vec<_>>())
            .collect();
        keys.sort_unstable();
        keys
    }

    /// The committed advance of a user in a log.
    pub(super) fn now(&self, key: Key) -> Option<Place> {
        self.shard(key.0).lock().get(&key)?.now
    }
}

/// Writes an advance down, where the user has or may have a conversation.
pub(super) fn write(conn: &Connection, key: Key, place: Place, now_ms: i64) -> DbResult<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = (UserNum(1), ChannelNum(2));

    fn place(seq: u64) -> Place {
        Place { seq, ordinal: seq }
    }

    #[test]
    fn a_send_is_seen_with_its_message_and_gone_with_its_transaction() {
        let advances = Advances::new();
        advances.stage(KEY, place(5));
        assert_eq!(advances.at(KEY, place(4)), None);
        assert_eq!(advances.at(KEY, place(5)), Some(place(5)));
        advances.settle(&[KEY], false);
        assert_eq!((advances.at(KEY, place(9)), advances.len()), (None, 0));
        advances.stage(KEY, place(5));
        advances.settle(&[KEY, KEY], true);
        advances.stage(KEY, place(8));
        assert_eq!(advances.at(KEY, place(7)), Some(place(5)));
        assert_eq!(
            advances.at(KEY, place(4)),
            Some(place(4)),
            "a snapshot from before it"
        );
        advances.settle(&[KEY], false);
        assert_eq!(advances.at(KEY, place(9)), Some(place(5)));
        advances.written(&[(KEY, place(4))]);
        assert_eq!(advances.len(), 1, "it was overtaken while it was written");
        advances.written(&[(KEY, place(5))]);
        assert_eq!(advances.len(), 0);
    }

    #[test]
    fn a_read_beside_a_flush_is_made_again() {
        let advances = Advances::new();
        advances.stage(KEY, place(5));
        advances.settle(&[KEY], true);
        let mut reads = 0;
        let found = advances.consistent(|| {
            reads += 1;
            if reads == 1 {
                // The snapshot was taken before, the entry is looked up after it.
                advances.written(&[(KEY, place(5))]);
            }
            Ok((reads, advances.at(KEY, place(5))))
        });
        assert_eq!(found.unwrap(), (2, None));
    }
}
