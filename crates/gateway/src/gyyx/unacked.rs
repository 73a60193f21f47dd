//! Messages that the client has not acknowledged. Not every client acknowledges: one is known
//! to do so once it has, and only to such a client are messages given again (gyyx.md Q4-16).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::id::MessageId;
use crosstalk_core::message::Message;

/// After how long a message is given again.
const RESEND_MS: u64 = 10_000;
/// How often, besides the first time.
const RESENDS: u8 = 3;
/// Messages that may be unacknowledged before no more are given; of a client that does not
/// acknowledge, the newest that are remembered.
const WINDOW: usize = 1_000;
/// Bytes of messages likewise; a single one may be larger.
const WINDOW_BYTES: usize = 4 << 20;

/// A message that was given.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) message: Arc<Message>,
    /// The `unique` of the frame, where it was not the message's own.
    pub(super) unique: Option<Arc<str>>,
}

struct Entry {
    given: Given,
    due_mono_ms: u64,
    resent: u8,
}

/// In the order in which they are due.
#[derive(Default)]
pub(super) struct Unacked {
    entries: VecDeque<Entry>,
    bytes: usize,
    /// The client has acknowledged something.
    acks: bool,
}

impl Unacked {
    pub(super) fn given(&mut self, given: Given, mono_ms: u64) {
        self.bytes += given.message.weight();
        self.entries.push_back(Entry {
            given,
            due_mono_ms: mono_ms + RESEND_MS,
            resent: 0,
        });
        while !self.acks && self.entries.len() > 1 && self.is_full() {
            self.forget(0);
        }
    }

    /// The client has acknowledged those that `which` picks. Returns them.
    pub(super) fn acked(&mut self, which: impl Fn(&Given) -> bool) -> Vec<Arc<Message>> {
        self.acks = true;
        let mut acked = Vec::new();
        let mut at = 0;
        while let Some(entry) = self.entries.get(at) {
            if which(&entry.given) {
                acked.extend(self.forget(at));
            } else {
                at += 1;
            }
        }
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
        acked
    }

    /// The client has acknowledged one without saying which: the one given first.
    pub(super) fn acked_first(&mut self) -> Vec<Arc<Message>> {
        let first = self.entries.front().map(|entry| entry.given.message.id);
        self.acked(|given| Some(given.message.id) == first)
    }

    /// Forgets a message that was taken back: it must not be given again.
    pub(super) fn taken_back(&mut self, id: MessageId) {
        let is_it = |entry: &Entry| entry.given.message.id == id;
        while let Some(at) = self.entries.iter().position(is_it) {
            self.forget(at);
        }
    }

    fn forget(&mut self, at: usize) -> Option<Arc<Message>> {
        let entry = self.entries.remove(at)?;
        self.bytes -= entry.given.message.weight();
        Some(entry.given.message)
    }

    /// What is to be given again now. What was given often enough is dropped.
    pub(super) fn due(&mut self, mono_ms: u64) -> Option<Given> {
        while self.next_due().is_some_and(|due| due <= mono_ms) {
            let mut entry = self.entries.pop_front()?;
            if entry.resent < RESENDS {
                entry.resent += 1;
                entry.due_mono_ms = mono_ms + RESEND_MS;
                let given = entry.given.clone();
                self.entries.push_back(entry);
                return Some(given);
            }
            self.bytes -= entry.given.message.weight();
        }
        None
    }

    /// When something is to be given again.
    pub(super) fn next_due(&self) -> Option<u64> {
        let first = self.entries.front().filter(|_| self.acks);
        first.map(|entry| entry.due_mono_ms)
    }

    fn is_full(&self) -> bool {
        self.entries.len() > WINDOW || self.bytes > WINDOW_BYTES
    }

    pub(super) fn has_room(&self) -> bool {
        !self.acks || (self.entries.len() < WINDOW && self.bytes < WINDOW_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gyyx::tests::message;

    fn given(id: i64) -> Given {
        Given {
            message: message(id, "bob", "\"x\""),
            unique: None,
        }
    }

    #[test]
    fn a_client_that_never_acknowledges_is_given_nothing_twice_and_never_waits() {
        let mut unacked = Unacked::default();
        for id in 0..3_000 {
            unacked.given(given(id), 0);
        }
        assert!(unacked.has_room());
        assert_eq!(unacked.entries.len(), WINDOW);
        assert_eq!(unacked.next_due(), None);
        assert!(unacked.due(1_000_000).is_none());
    }

    #[test]
    fn a_client_that_acknowledges_is_given_the_rest_again_three_times() {
        let mut unacked = Unacked::default();
        unacked.given(given(1), 0);
        unacked.given(given(2), 0);
        assert_eq!(unacked.acked_first().len(), 1);
        let mut again = 0;
        for step in 1..10 {
            while let Some(given) = unacked.due(step * RESEND_MS) {
                assert_eq!(given.message.id.0, 2);
                again += 1;
            }
        }
        assert_eq!(again, RESENDS);
        assert_eq!((unacked.entries.len(), unacked.bytes), (0, 0));
    }

    #[test]
    fn a_client_that_stops_acknowledging_waits() {
        let mut unacked = Unacked::default();
        unacked.acked(|_| true);
        for id in 0..1_000 {
            assert!(unacked.has_room());
            unacked.given(given(id), 0);
        }
        assert!(!unacked.has_room());
        unacked.taken_back(MessageId(5));
        assert!(unacked.has_room());
        assert_eq!(unacked.acked(|given| given.message.id.0 < 10).len(), 9);
    }
}
