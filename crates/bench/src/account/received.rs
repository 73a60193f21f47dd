//! What one client received: gaps, copies and order.

use std::ops::Range;

use rustc_hash::FxHashMap;

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// For the first time.
    New,
    /// Once more.
    Duplicate,
}

/// The messages that one client received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    tracks: FxHashMap<u32, Track>,
    /// The highest place seen in each channel.
    places: FxHashMap<Box<str>, u64>,
    pub(crate) duplicates: u64,
    pub(crate) order_errors: u64,
    pub(crate) sender_order_errors: u64,
    pub(crate) foreign: u64,
    pub(crate) checked: u64,
    pub(crate) corrupt: u64,
}

impl Received {
    /// Notes message `seq` of a sender, which has a place in a channel.
    ///
    /// A copy is only a duplicate: that its place is an old one is no further
    /// error.
    pub(crate) fn note(&mut self, channel: &str, place: u64, sender: u32, seq: u32) -> Arrival {
        match self.tracks.entry(sender).or_default().note(seq) {
            Step::Duplicate => {
                self.duplicates += 1;
                return Arrival::Duplicate;
            }
            Step::Late => self.sender_order_errors += 1,
            Step::Next => {}
        }
        match self.places.get_mut(channel) {
            Some(highest) if place <= *highest => self.order_errors += 1,
            Some(highest) => *highest = place,
            None => {
                self.places.insert(channel.into(), place);
            }
        }
        Arrival::New
    }

    /// How many of the first `count` messages of a sender never came, without
    /// those that were not accepted (ascending).
    pub(crate) fn lost_from(&self, sender: u32, count: u32, not_accepted: &[u32]) -> u64 {
        let none = Track::default();
        let track = self.tracks.get(&sender).unwrap_or(&none);
        let tail = track.next..count.max(track.next);
        let missing = track.missing.iter().cloned().chain([tail]);
        let lost = |range: Range<u32>| {
            let refused = not_accepted.partition_point(|&seq| seq < range.end)
                - not_accepted.partition_point(|&seq| seq < range.start);
            u64::from(range.end - range.start) - refused as u64
        };
        missing.map(lost).sum()
    }
}

/// How a message continues those of its sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    /// It fills a gap.
    Late,
    Duplicate,
}

/// The messages of one sender.
#[derive(Debug, Default)]
struct Track {
    /// One above the highest number seen.
    next: u32,
    /// What did not come below that; ascending, apart, none empty.
    missing: Vec<Range<u32>>,
}

impl Track {
    fn note(&mut self, seq: u32) -> Step {
        if seq >= self.next {
            if seq > self.next {
                self.missing.push(self.next..seq);
            }
            self.next = seq + 1;
            return Step::Next;
        }
        let at = self.missing.partition_point(|gap| gap.end <= seq);
        let Some(gap) = self
            .missing
            .get(at)
            .filter(|gap| gap.contains(&seq))
            .cloned()
        else {
            return Step::Duplicate;
        };
        let rest = [gap.start..seq, seq + 1..gap.end];
        self.missing
            .splice(at..=at, rest.into_iter().filter(|part| !part.is_empty()));
        Step::Late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_open_and_close() {
        let mut track = Track::default();
        let steps: Vec<_> = [0, 5, 3, 5, 3, 1, 2, 4, 0]
            .map(|seq| track.note(seq))
            .into();
        let [n, l, d] = [Step::Next, Step::Late, Step::Duplicate];
        assert_eq!(steps, [n, n, l, d, d, l, l, l, d]);
        assert!(track.missing.is_empty());
        track.note(9);
        assert_eq!(track.missing, [Range { start: 6, end: 9 }]);
    }

    #[test]
    fn copies_are_duplicates_and_nothing_else() {
        let mut received = Received::default();
        for (place, seq) in [(1, 0), (2, 1), (1, 0), (2, 1), (3, 2)] {
            received.note("c", place, 7, seq);
        }
        assert_eq!((received.duplicates, received.order_errors), (2, 0));
        assert_eq!(received.sender_order_errors, 0);
        assert_eq!(received.lost_from(7, 3, &[]), 0);
    }

    #[test]
    fn places_must_rise_in_each_channel() {
        let mut received = Received::default();
        // Two senders; the place goes back once, and stays once.
        for (place, sender, seq) in [(1, 1, 0), (3, 2, 0), (2, 1, 1), (3, 2, 1), (4, 1, 2)] {
            assert_eq!(received.note("c", place, sender, seq), Arrival::New);
        }
        received.note("other", 1, 1, 3);
        assert_eq!((received.order_errors, received.duplicates), (2, 0));
        assert_eq!(received.sender_order_errors, 0);
    }

    #[test]
    fn a_sender_s_own_order_is_seen_apart_from_the_channel_s() {
        let mut received = Received::default();
        received.note("c", 1, 1, 1);
        received.note("c", 2, 1, 0);
        assert_eq!(
            (received.order_errors, received.sender_order_errors),
            (0, 1)
        );
    }

    #[test]
    fn lost_is_what_is_missing_and_was_accepted() {
        let mut received = Received::default();
        for (place, seq) in [(1, 0), (2, 4), (3, 5)] {
            received.note("c", place, 1, seq);
        }
        // Missing: 1, 2, 3 and 6 to 9.
        assert_eq!(received.lost_from(1, 10, &[]), 7);
        assert_eq!(received.lost_from(1, 10, &[0, 2, 3, 5, 9, 11]), 4);
        assert_eq!(received.lost_from(1, 6, &[]), 3);
        assert_eq!(received.lost_from(2, 10, &[4]), 9);
    }
}
