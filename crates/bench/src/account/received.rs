//! What one client received: gaps, copies and order.
//!
//! Order is that of one connection. A client that comes back asks for what it
//! missed; what it knew before, or was told then, may come once more and late.

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
    channels: FxHashMap<Box<str>, Channel>,
    /// Copies on one connection.
    pub(crate) duplicates: u64,
    /// Copies of what was known before the connection, or was asked for.
    pub(crate) redelivered: u64,
    /// Messages that came only because they were asked for.
    pub(crate) recovered: u64,
    pub(crate) order_errors: u64,
    pub(crate) sender_order_errors: u64,
    pub(crate) foreign: u64,
    pub(crate) checked: u64,
    pub(crate) corrupt: u64,
}

/// A channel as one client sees it.
#[derive(Debug, Clone, Copy)]
struct Channel {
    is_group: bool,
    /// The highest place seen.
    highest: u64,
    /// The same on this connection.
    highest_here: u64,
}

impl Received {
    /// Notes message `seq` of a sender, which was pushed and may have a place in
    /// its channel.
    ///
    /// A copy is only a duplicate: that its place is an old one is no further
    /// error.
    pub(crate) fn note(
        &mut self,
        channel: (&str, bool),
        place: Option<u64>,
        sender: u32,
        seq: u32,
    ) -> Arrival {
        let track = self.tracks.entry(sender).or_default();
        let is_old = seq < track.settled;
        match track.note(seq) {
            Step::Duplicate if is_old => {
                self.redelivered += 1;
                return Arrival::Duplicate;
            }
            Step::Duplicate => {
                self.duplicates += 1;
                return Arrival::Duplicate;
            }
            Step::Late if is_old => return Arrival::New,
            Step::Late => self.sender_order_errors += 1,
            Step::Next => {}
        }
        // Where places are not shown, the sender's order is all there is to see.
        let Some(place) = place else {
            return Arrival::New;
        };
        let (name, is_group) = channel;
        match self.channels.get_mut(name) {
            Some(channel) => {
                self.order_errors += u64::from(place <= channel.highest_here);
                channel.highest_here = channel.highest_here.max(place);
                channel.highest = channel.highest.max(place);
            }
            None => {
                let channel = Channel {
                    is_group,
                    highest: place,
                    highest_here: place,
                };
                self.channels.insert(name.into(), channel);
            }
        }
        Arrival::New
    }

    /// A new connection began: its order is its own.
    pub(crate) fn reconnected(&mut self) {
        self.settle();
        for channel in self.channels.values_mut() {
            channel.highest_here = 0;
        }
    }

    /// Notes a message that the client asked for.
    pub(crate) fn recover(
        &mut self,
        channel: (&str, bool),
        place: u64,
        sender: u32,
        seq: u32,
    ) -> Arrival {
        let (name, is_group) = channel;
        match self.channels.get_mut(name) {
            Some(channel) => channel.highest = channel.highest.max(place),
            None => {
                let channel = Channel {
                    is_group,
                    highest: place,
                    highest_here: 0,
                };
                self.channels.insert(name.into(), channel);
            }
        }
        if self.tracks.entry(sender).or_default().note(seq) == Step::Duplicate {
            return Arrival::Duplicate;
        }
        self.recovered += 1;
        Arrival::New
    }

    /// From now on whatever is known is allowed to come once more.
    pub(crate) fn settle(&mut self) {
        for track in self.tracks.values_mut() {
            track.settled = track.next;
        }
    }

    /// The channels that were seen: name, whether a group, highest place.
    pub(crate) fn channels(&self) -> impl Iterator<Item = (&str, bool, u64)> {
        let channels = self.channels.iter();
        channels.map(|(name, it)| (&**name, it.is_group, it.highest))
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
    /// Below this a copy is no fault of the connection's.
    settled: u32,
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

    const C: (&str, bool) = ("c", true);

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
            received.note(C, Some(place), 7, seq);
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
            assert_eq!(received.note(C, Some(place), sender, seq), Arrival::New);
        }
        received.note(("other", true), Some(1), 1, 3);
        assert_eq!((received.order_errors, received.duplicates), (2, 0));
        assert_eq!(received.sender_order_errors, 0);
    }

    #[test]
    fn without_places_the_senders_order_is_still_seen() {
        let mut received = Received::default();
        for (sender, seq) in [(1, 0), (2, 0), (1, 2), (1, 1), (1, 1)] {
            received.note(C, None, sender, seq);
        }
        assert_eq!(
            (received.order_errors, received.sender_order_errors),
            (0, 1)
        );
        assert_eq!((received.duplicates, received.lost_from(1, 4, &[])), (1, 1));
    }

    #[test]
    fn a_sender_s_own_order_is_seen_apart_from_the_channel_s() {
        let mut received = Received::default();
        received.note(C, Some(1), 1, 1);
        received.note(C, Some(2), 1, 0);
        assert_eq!(
            (received.order_errors, received.sender_order_errors),
            (0, 1)
        );
    }

    #[test]
    fn lost_is_what_is_missing_and_was_accepted() {
        let mut received = Received::default();
        for (place, seq) in [(1, 0), (2, 4), (3, 5)] {
            received.note(C, Some(place), 1, seq);
        }
        // Missing: 1, 2, 3 and 6 to 9.
        assert_eq!(received.lost_from(1, 10, &[]), 7);
        assert_eq!(received.lost_from(1, 10, &[0, 2, 3, 5, 9, 11]), 4);
        assert_eq!(received.lost_from(1, 6, &[]), 3);
        assert_eq!(received.lost_from(2, 10, &[4]), 9);
    }

    #[test]
    fn what_is_asked_for_fills_gaps_and_may_come_again() {
        let mut received = Received::default();
        received.note(C, Some(1), 7, 0);
        received.note(C, Some(2), 7, 1);
        received.reconnected();
        // 4 is pushed before 2 and 3 have been asked for, then all come again.
        received.note(C, Some(5), 7, 4);
        let asked: Vec<_> = (1..5)
            .map(|seq| received.recover(C, u64::from(seq) + 1, 7, seq))
            .collect();
        let [new, copy] = [Arrival::New, Arrival::Duplicate];
        assert_eq!(asked, [copy, new, new, copy]);
        received.settle();
        for (place, seq) in [(2, 1), (4, 3), (5, 4), (6, 5)] {
            received.note(C, Some(place), 7, seq);
        }
        assert_eq!((received.recovered, received.redelivered), (2, 3));
        assert_eq!((received.duplicates, received.order_errors), (0, 0));
        assert_eq!(received.sender_order_errors, 0);
        assert_eq!(received.lost_from(7, 6, &[]), 0);
        assert_eq!(received.channels().collect::<Vec<_>>(), [("c", true, 6)]);

        received.note(C, Some(6), 7, 5);
        assert_eq!((received.duplicates, received.redelivered), (1, 3));
    }

    #[test]
    fn each_connection_has_its_own_order() {
        let mut received = Received::default();
        received.note(C, Some(5), 1, 0);
        received.reconnected();
        received.note(C, Some(4), 2, 0);
        assert_eq!(
            received.order_errors, 0,
            "another sender's, pushed after coming back"
        );
        received.note(C, Some(3), 3, 0);
        assert_eq!(received.order_errors, 1);
        received.note(C, Some(6), 1, 2);
        received.reconnected();
        received.note(C, Some(5), 1, 1);
        assert_eq!(
            (received.order_errors, received.sender_order_errors),
            (1, 0)
        );
    }
}
