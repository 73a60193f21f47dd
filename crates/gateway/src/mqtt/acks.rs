//! Answers to publications of the client, which leave in the order of the publications
//! (MQTT 5.0 §4.6).

use std::collections::VecDeque;

use crosstalk_wire::mqtt::{PacketId, ReasonCode};

/// The place of a publication in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Slot(u64);

/// How a publication is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AckKind {
    /// PUBACK.
    Puback,
    /// PUBREC.
    Pubrec,
}

/// An answer that may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DueAck {
    pub(super) kind: AckKind,
    pub(super) id: PacketId,
    pub(super) reason: ReasonCode,
}

struct Entry {
    kind: AckKind,
    id: PacketId,
    reason: Option<ReasonCode>,
}

/// Publications that are not answered. The client's receive maximum bounds them, and what a
/// connection may have in flight.
#[derive(Default)]
pub(super) struct Acks {
    first: u64,
    entries: VecDeque<Entry>,
}

impl Acks {
    /// Takes the place of a publication.
    pub(super) fn open(&mut self, kind: AckKind, id: PacketId) -> Slot {
        let reason = None;
        self.entries.push_back(Entry { kind, id, reason });
        Slot(self.first + self.entries.len() as u64 - 1)
    }

    /// Says how a publication is answered.
    pub(super) fn settle(&mut self, slot: Slot, reason: ReasonCode) {
        if let Some(entry) = self.entry(slot) {
            entry.reason = Some(reason);
        }
    }

    /// What kind of answer a place waits for.
    pub(super) fn kind(&mut self, slot: Slot) -> Option<(AckKind, PacketId)> {
        self.entry(slot).map(|entry| (entry.kind, entry.id))
    }

    fn entry(&mut self, slot: Slot) -> Option<&mut Entry> {
        let at = usize::try_from(slot.0.checked_sub(self.first)?).ok()?;
        self.entries.get_mut(at)
    }

    /// Whether a publication with this packet id is not answered.
    pub(super) fn has(&self, kind: AckKind, id: PacketId) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.kind == kind && entry.id == id)
    }

    /// The next answer that may leave.
    pub(super) fn next_due(&mut self) -> Option<DueAck> {
        let front = self.entries.front()?;
        let due = DueAck {
            kind: front.kind,
            id: front.id,
            reason: front.reason?,
        };
        self.entries.pop_front();
        self.first += 1;
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
        Some(due)
    }

    /// How many are not answered.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_leave_in_the_order_of_the_publications() {
        let mut acks = Acks::default();
        let id = |n| PacketId::new(n).expect("not 0");
        let one = acks.open(AckKind::Puback, id(1));
        let two = acks.open(AckKind::Pubrec, id(2));
        acks.settle(two, ReasonCode::Success);
        assert_eq!(acks.next_due(), None);
        acks.settle(one, ReasonCode::NotAuthorized);
        let due = acks.next_due().expect("the first");
        assert_eq!((due.id.get(), due.reason), (1, ReasonCode::NotAuthorized));
        let three = acks.open(AckKind::Puback, id(3));
        assert_eq!(acks.next_due().expect("the second").kind, AckKind::Pubrec);
        assert_eq!(acks.next_due(), None);
        acks.settle(one, ReasonCode::Success);
        assert_eq!(acks.next_due(), None, "what has left is settled no more");
        assert!(acks.has(AckKind::Puback, id(3)) && !acks.has(AckKind::Pubrec, id(3)));
        acks.settle(three, ReasonCode::Success);
        assert_eq!(acks.next_due().map(|due| due.id.get()), Some(3));
        assert_eq!(acks.len(), 0);
    }
}
