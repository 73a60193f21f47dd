//! A bounded set of log positions: those that a device was given and has acknowledged.
//!
//! It never says of a message that was not delivered that it was. It may forget what was,
//! to stay small: that is delivered again.

use std::collections::BTreeSet;

use crate::id::MessageId;

/// Stretches that are remembered; the oldest beyond them is forgotten.
pub const MAX_RANGES: usize = 16;
/// Unacknowledged messages that are remembered; with the oldest beyond them all that is
/// older is forgotten.
pub const MAX_UNACKED: usize = 1000;

/// A stretch of log positions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stretch {
    /// The first position.
    pub lo: MessageId,
    /// The last position.
    pub hi: MessageId,
}

/// What a device has been given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Given {
    /// Ascending, apart from each other by at least one position.
    ranges: Vec<Stretch>,
    /// Positions inside the ranges.
    unacked: BTreeSet<MessageId>,
}

impl Given {
    /// Everything up to a position was given, but for what is not acknowledged yet. Of an
    /// empty stretch, and of positions outside it, nothing is kept.
    #[must_use]
    pub fn stretch(stretch: Stretch, unacked: impl IntoIterator<Item = MessageId>) -> Self {
        Self::from_parts([stretch], unacked)
    }

    /// What one session was given. With more unacknowledged than are remembered the newest
    /// part is not claimed: what is unacknowledged there comes again anyway, while what is
    /// older would come again as a whole.
    #[must_use]
    pub fn of_session(
        ranges: impl IntoIterator<Item = Stretch>,
        unacked: impl IntoIterator<Item = MessageId>,
    ) -> Self {
        let mut given = Self {
            ranges: ranges.into_iter().collect(),
            unacked: unacked.into_iter().collect(),
        };
        given.join();
        given.keep_covered();
        let excess = given.unacked.iter().nth(MAX_UNACKED).copied();
        if let Some(first) = excess {
            given.unacked.split_off(&first);
            let last = MessageId(first.0 - 1);
            given.ranges.retain(|range| range.lo <= last);
            if let Some(range) = given.ranges.last_mut() {
                range.hi = range.hi.min(last);
            }
        }
        given.tidy();
        given
    }

    /// Puts together what was stored. Any order, overlaps and excesses are set right.
    #[must_use]
    pub fn from_parts(
        ranges: impl IntoIterator<Item = Stretch>,
        unacked: impl IntoIterator<Item = MessageId>,
    ) -> Self {
        let mut given = Self {
            ranges: ranges.into_iter().collect(),
            unacked: unacked.into_iter().collect(),
        };
        given.tidy();
        given
    }

    /// The stretches, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[Stretch] {
        &self.ranges
    }

    /// What was given inside them and is not acknowledged, ascending.
    pub fn unacked(&self) -> impl Iterator<Item = MessageId> {
        self.unacked.iter().copied()
    }

    /// True if nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// True if a message was given and acknowledged.
    #[must_use]
    pub fn is_delivered(&self, id: MessageId) -> bool {
        self.covers(id) && !self.unacked.contains(&id)
    }

    /// Notes that the device has acknowledged a message.
    pub fn acknowledge(&mut self, id: MessageId) {
        self.unacked.remove(&id);
    }

    /// Adds what the same device was given otherwise: what either has acknowledged is
    /// delivered.
    pub fn absorb(&mut self, other: &Self) {
        let here = self.unacked.iter().filter(|id| !other.is_delivered(**id));
        let there = other.unacked.iter().filter(|id| !self.is_delivered(**id));
        self.unacked = here.chain(there).copied().collect();
        self.ranges.extend_from_slice(&other.ranges);
        self.tidy();
    }

    /// The positions above `after` and up to `through` that are not delivered: stretches in
    /// ascending order, apart from each other. An unacknowledged one is a stretch of its own.
    #[must_use]
    pub fn missing(&self, after: MessageId, through: MessageId) -> Vec<Stretch> {
        let mut missing = Vec::new();
        let mut next = after.0.saturating_add(1);
        let stretch = |lo, hi| Stretch {
            lo: MessageId(lo),
            hi: MessageId(hi),
        };
        for range in &self.ranges {
            if range.hi.0 < next {
                continue;
            }
            if range.lo > through {
                break;
            }
            if next < range.lo.0 {
                missing.push(stretch(next, range.lo.0 - 1));
            }
            let inside = stretch(next.max(range.lo.0), range.hi.min(through).0);
            let unacked = self.unacked.range(inside.lo..=inside.hi);
            missing.extend(unacked.map(|id| stretch(id.0, id.0)));
            next = range.hi.0.saturating_add(1);
        }
        if next <= through.0 {
            missing.push(stretch(next, through.0));
        }
        missing
    }

    fn covers(&self, id: MessageId) -> bool {
        let after = self.ranges.partition_point(|range| range.lo <= id);
        after > 0 && id <= self.ranges[after - 1].hi
    }

    /// Sorts, joins what touches, and forgets the oldest of what is too much.
    fn tidy(&mut self) {
        self.join();
        if self.ranges.len() > MAX_RANGES {
            self.ranges.drain(..self.ranges.len() - MAX_RANGES);
        }
        while self.unacked.len() > MAX_UNACKED
            && let Some(oldest) = self.unacked.pop_first()
        {
            self.forget_through(oldest);
        }
        self.keep_covered();
    }

    fn join(&mut self) {
        self.ranges.retain(|range| range.lo <= range.hi);
        self.ranges.sort_unstable();
        let mut joined: Vec<Stretch> = Vec::with_capacity(self.ranges.len());
        for range in self.ranges.drain(..) {
            match joined.last_mut() {
                Some(last) if range.lo.0 <= last.hi.0.saturating_add(1) => {
                    last.hi = last.hi.max(range.hi);
                }
                _ => joined.push(range),
            }
        }
        self.ranges = joined;
    }

    /// Outside the ranges nothing is known, also not that something is unacknowledged.
    fn keep_covered(&mut self) {
        let ranges = &self.ranges;
        self.unacked.retain(|id| {
            let after = ranges.partition_point(|range| range.lo <= *id);
            after > 0 && *id <= ranges[after - 1].hi
        });
    }

    fn forget_through(&mut self, position: MessageId) {
        self.ranges.retain(|range| range.hi > position);
        if let Some(first) = self.ranges.first_mut() {
            first.lo = first.lo.max(MessageId(position.0.saturating_add(1)));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(lo: i64, hi: i64, unacked: &[i64]) -> Given {
        let stretch = Stretch {
            lo: MessageId(lo),
            hi: MessageId(hi),
        };
        Given::stretch(stretch, unacked.iter().map(|id| MessageId(*id)))
    }

    fn shown(given: &Given) -> (Vec<(i64, i64)>, Vec<i64>) {
        let ranges = given.ranges().iter().map(|r| (r.lo.0, r.hi.0)).collect();
        (ranges, given.unacked().map(|id| id.0).collect())
    }

    #[test]
    fn stretches_that_touch_are_one() {
        let mut given = part(10, 20, &[12, 15, 40]);
        assert_eq!(shown(&given), (vec![(10, 20)], vec![12, 15]));
        given.absorb(&part(21, 30, &[25]));
        given.absorb(&part(40, 30, &[35]));
        assert_eq!(shown(&given), (vec![(10, 30)], vec![12, 15, 25]));
        given.acknowledge(MessageId(12));
        let missing = |after, through| {
            let missing = given.missing(MessageId(after), MessageId(through));
            missing.iter().map(|s| (s.lo.0, s.hi.0)).collect::<Vec<_>>()
        };
        assert_eq!(missing(5, 40), [(6, 9), (15, 15), (25, 25), (31, 40)]);
        assert_eq!(missing(14, 24), [(15, 15)]);
        assert_eq!(missing(30, 30), []);
    }

    #[test]
    fn a_session_with_too_much_unacknowledged_claims_less_at_its_end() {
        let many = (1..=1500).map(MessageId);
        let parts = [(1, 900), (902, 2000)].map(|(lo, hi)| Stretch {
            lo: MessageId(lo),
            hi: MessageId(hi),
        });
        let given = Given::of_session(parts, many);
        assert_eq!(given.unacked().count(), MAX_UNACKED);
        assert_eq!(shown(&given).0, [(1, 900), (902, 1001)]);
        assert_eq!(Given::of_session(parts, []), Given::from_parts(parts, []));
    }

    #[test]
    fn what_one_of_two_sessions_acknowledged_is_delivered() {
        let mut given = part(1, 10, &[3, 5]);
        given.absorb(&part(4, 12, &[5, 11]));
        assert_eq!(shown(&given), (vec![(1, 12)], vec![3, 5, 11]));
        given.absorb(&part(2, 4, &[]));
        assert_eq!(shown(&given), (vec![(1, 12)], vec![5, 11]));
    }

    #[test]
    fn the_oldest_is_forgotten_and_never_claimed() {
        let mut given = Given::default();
        for n in 0..40 {
            given.absorb(&part(n * 10, n * 10 + 5, &[n * 10]));
        }
        assert_eq!(given.ranges().len(), MAX_RANGES);
        assert_eq!(given.unacked().count(), MAX_RANGES);
        assert!(!given.is_delivered(MessageId(1)));
        let many: Vec<i64> = (1..=1500).collect();
        let given = part(1, 2000, &many);
        assert_eq!(given.unacked().count(), MAX_UNACKED);
        assert_eq!(shown(&given).0, [(501, 2000)]);
    }

    const POSITIONS: i64 = 60;

    fn any_part() -> impl Strategy<Value = (i64, i64, Vec<i64>)> {
        let unacked = proptest::collection::vec(0..POSITIONS, 0..6);
        (0..POSITIONS, 0..12_i64, unacked).prop_map(|(lo, len, unacked)| (lo, lo + len, unacked))
    }

    proptest! {
        #[test]
        fn it_is_the_union_of_what_was_delivered(
            parts in proptest::collection::vec(any_part(), 1..12),
            acks in proptest::collection::vec(0..POSITIONS, 0..4),
        ) {
            let mut given = Given::default();
            let mut delivered = BTreeSet::new();
            let mut seen = BTreeSet::new();
            for (lo, hi, unacked) in &parts {
                given.absorb(&part(*lo, *hi, unacked));
                seen.extend(*lo..=*hi);
                delivered.extend((*lo..=*hi).filter(|id| !unacked.contains(id)));
            }
            for id in &acks {
                given.acknowledge(MessageId(*id));
                if seen.contains(id) {
                    delivered.insert(*id);
                }
            }
            for id in 0..POSITIONS + 12 {
                prop_assert_eq!(given.is_delivered(MessageId(id)), delivered.contains(&id), "{}", id);
            }
            for after in [-1, POSITIONS / 2] {
                let through = MessageId(POSITIONS + 5);
                let missing = given.missing(MessageId(after), through);
                let found: Vec<i64> = missing.iter().flat_map(|s| s.lo.0..=s.hi.0).collect();
                let all = after + 1..=through.0;
                let expected: Vec<i64> = all.filter(|id| !delivered.contains(id)).collect();
                prop_assert_eq!(found, expected);
            }
            let again = Given::from_parts(given.ranges().to_vec(), given.unacked());
            prop_assert_eq!(again, given);
        }
    }
}
