//! Keys of client numbers that are not written down yet. Each belongs on a page of its own
//! somewhere in a large table; written one by one they cost more than the messages
//! themselves. So they wait here, where every look-up sees them, and are written in the order
//! of the table, many to a page (`flush`). After a crash they come from the log again.

use std::collections::BTreeMap;
use std::ops::Bound;

/// A hash and the id of the message it leads to: the order of the table.
pub(super) type KeyId = (i64, i64);

/// What else is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) digest: i64,
    /// The week it belongs to.
    pub(super) week: i64,
}

/// The waiting keys: the young ones, and those that a pass is writing.
#[derive(Debug, Default)]
pub(super) struct Pending {
    young: BTreeMap<KeyId, Key>,
    old: BTreeMap<KeyId, Key>,
    /// How far into the old ones the pass came.
    written: Option<KeyId>,
    /// Keys of the running transaction.
    staged: Vec<KeyId>,
}

impl Pending {
    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Adds a key of the running transaction.
    pub(super) fn stage(&mut self, id: KeyId, key: Key) {
        self.young.insert(id, key);
        self.staged.push(id);
    }

    /// The running transaction was committed, or has failed.
    pub(super) fn settle(&mut self, committed: bool) {
        for id in self.staged.drain(..) {
            if !committed {
                self.young.remove(&id);
            }
        }
    }

    /// The keys with a hash, the newest first.
    pub(super) fn find(&self, hash: i64) -> impl Iterator<Item = (i64, Key)> {
        let range = (hash, i64::MIN)..=(hash, i64::MAX);
        let young = self.young.range(range.clone()).rev();
        young
            .chain(self.old.range(range).rev())
            .map(|(&(_, id), &key)| (id, key))
    }

    /// Begins a pass over all that wait now. The one before must be over.
    pub(super) fn begin(&mut self) {
        if self.old.is_empty() {
            std::mem::swap(&mut self.young, &mut self.old);
        } else {
            // A pass that was given up: what it did not come to is written again.
            self.old.append(&mut self.young);
        }
        self.written = None;
    }

    /// The next keys of the pass, in order, at most `limit`.
    pub(super) fn slice(&self, limit: usize) -> impl Iterator<Item = (KeyId, Key)> {
        let from = self.written.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.old.range((from, Bound::Unbounded));
        rest.take(limit).map(|(id, key)| (*id, *key))
    }

    /// The pass's keys up to this one are written.
    pub(super) fn written(&mut self, last: KeyId) {
        self.written = Some(last);
    }

    /// The pass is over: what it wrote is found in the table.
    pub(super) fn finish(&mut self) {
        self.old.clear();
        self.written = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key { digest: 0, week: 0 };

    fn ids(pending: &Pending, hash: i64) -> Vec<i64> {
        pending.find(hash).map(|(id, _)| id).collect()
    }

    fn next(pending: &mut Pending, limit: usize) -> Vec<KeyId> {
        let slice: Vec<KeyId> = pending.slice(limit).map(|(id, _)| id).collect();
        if let Some(last) = slice.last() {
            pending.written(*last);
        }
        slice
    }

    #[test]
    fn keys_are_found_until_their_pass_is_over() {
        let mut pending = Pending::default();
        for id in 1..=3 {
            pending.stage((7, id), KEY);
        }
        pending.stage((-5, 4), KEY);
        pending.settle(true);
        pending.stage((7, 9), KEY);
        assert_eq!(ids(&pending, 7), [9, 3, 2, 1]);
        pending.settle(false);
        assert_eq!(ids(&pending, 7), [3, 2, 1]);
        pending.begin();
        pending.stage((7, 10), KEY);
        pending.settle(true);
        assert_eq!(ids(&pending, 7), [10, 3, 2, 1]);
        assert_eq!(next(&mut pending, 3), [(-5, 4), (7, 1), (7, 2)]);
        assert_eq!(next(&mut pending, 3), [(7, 3)]);
        assert!(next(&mut pending, 3).is_empty());
        assert_eq!(ids(&pending, 7), [10, 3, 2, 1]);
        pending.finish();
        assert_eq!((ids(&pending, 7), pending.len()), (vec![10], 1));
        pending.begin();
        assert_eq!(next(&mut pending, 3), [(7, 10)]);
    }

    #[test]
    fn a_pass_that_was_given_up_is_made_again() {
        let mut pending = Pending::default();
        pending.stage((1, 1), KEY);
        pending.stage((3, 3), KEY);
        pending.settle(true);
        pending.begin();
        assert_eq!(next(&mut pending, 1), [(1, 1)]);
        pending.stage((2, 2), KEY);
        pending.settle(true);
        pending.begin();
        assert_eq!(next(&mut pending, 9), [(1, 1), (2, 2), (3, 3)]);
    }
}
