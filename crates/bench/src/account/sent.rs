//! What one client sent, and what became of it.

use std::collections::{BTreeMap, VecDeque};

/// What the client waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Sent or due at this time, not answered.
    Waiting(u64),
    Answered,
}

/// The messages of one client, numbered from 0.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// The number of the first in `recent`; all below are answered.
    base: u32,
    recent: VecDeque<Fate>,
    in_flight: u64,
    refused: Vec<u32>,
    refused_by_code: BTreeMap<u16, u64>,
}

impl Sent {
    /// Notes a message that is sent, or was due, at this time; its number.
    pub(crate) fn send(&mut self, at_ns: u64) -> u32 {
        let seq = self.count();
        self.recent.push_back(Fate::Waiting(at_ns));
        self.in_flight += 1;
        seq
    }

    /// Notes that a message was accepted. When it was sent; `None` if nothing
    /// waits for this answer.
    pub(crate) fn accept(&mut self, seq: u32) -> Option<u64> {
        self.answer(seq)
    }

    /// Notes that a message was refused. False if nothing waits for this.
    pub(crate) fn refuse(&mut self, seq: u32, code: u16) -> bool {
        let is_known = self.answer(seq).is_some();
        if is_known {
            self.refused.push(seq);
            *self.refused_by_code.entry(code).or_default() += 1;
        }
        is_known
    }

    fn answer(&mut self, seq: u32) -> Option<u64> {
        let at = seq.checked_sub(self.base)?;
        let fate = self.recent.get_mut(at as usize)?;
        let Fate::Waiting(at_ns) = *fate else {
            return None;
        };
        *fate = Fate::Answered;
        self.in_flight -= 1;
        while self.recent.front() == Some(&Fate::Answered) {
            self.recent.pop_front();
            self.base += 1;
        }
        Some(at_ns)
    }

    /// How many were sent.
    pub(crate) fn count(&self) -> u32 {
        self.base + self.recent.len() as u32
    }

    /// How many wait for an answer.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// The numbers and times of those that wait for an answer, ascending.
    pub(crate) fn waiting(&self) -> Vec<(u32, u64)> {
        let recent = (self.base..).zip(&self.recent);
        let waiting = recent.filter_map(|(seq, fate)| match fate {
            Fate::Waiting(at_ns) => Some((seq, *at_ns)),
            Fate::Answered => None,
        });
        waiting.collect()
    }

    /// How many were refused, by code.
    pub(crate) fn refused_by_code(&self) -> &BTreeMap<u16, u64> {
        &self.refused_by_code
    }

    /// The numbers of those that the server did not say it accepted, ascending.
    pub(crate) fn not_accepted(&self) -> Vec<u32> {
        let mut all: Vec<u32> = self.waiting().into_iter().map(|(seq, _)| seq).collect();
        all.extend_from_slice(&self.refused);
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_find_their_message_in_any_order() {
        let mut sent = Sent::default();
        assert_eq!([sent.send(10), sent.send(20), sent.send(30)], [0, 1, 2]);
        assert_eq!(sent.accept(1), Some(20));
        assert_eq!(sent.in_flight(), 2);
        assert_eq!(sent.accept(0), Some(10));
        assert_eq!(sent.send(40), 3);
        assert_eq!(sent.accept(3), Some(40));
        assert_eq!(sent.not_accepted(), [2]);
        assert_eq!(sent.waiting(), [(2, 30)]);
        assert_eq!((sent.count(), sent.in_flight()), (4, 1));
    }

    #[test]
    fn answers_nobody_waits_for_change_nothing() {
        let mut sent = Sent::default();
        sent.send(10);
        assert_eq!(sent.accept(0), Some(10));
        assert_eq!(sent.accept(0), None);
        assert_eq!(sent.accept(1), None);
        assert!(!sent.refuse(0, 22));
        assert_eq!((sent.count(), sent.in_flight()), (1, 0));
        assert!(sent.refused_by_code().is_empty());
    }

    #[test]
    fn refusals_are_counted_by_code() {
        let mut sent = Sent::default();
        for at_ns in 0..4 {
            sent.send(at_ns);
        }
        assert!(sent.refuse(3, 22) && sent.refuse(1, 22) && sent.refuse(0, 4));
        assert_eq!(sent.not_accepted(), [0, 1, 2, 3]);
        assert_eq!(*sent.refused_by_code(), BTreeMap::from([(4, 1), (22, 2)]));
    }
}
