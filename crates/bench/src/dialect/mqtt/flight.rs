//! Publications that wait for their answer, and those that wait for their turn.

use std::collections::VecDeque;

use bytes::Bytes;
use crosstalk_wire::mqtt::PacketId;
use rustc_hash::FxHashMap;

/// Publications under way to the server, as many as it takes at once. What is
/// beyond waits here: its sender's window bounds it, or the run's rate.
#[derive(Debug)]
pub(super) struct Flight {
    most: usize,
    last_id: u16,
    tags: FxHashMap<PacketId, u32>,
    waiting: VecDeque<(u32, Bytes)>,
}

impl Flight {
    /// So many at once.
    pub(super) fn new(most: u16) -> Self {
        Self {
            most: most.into(),
            last_id: 0,
            tags: FxHashMap::default(),
            waiting: VecDeque::new(),
        }
    }

    /// Takes another limit; what is under way stays.
    pub(super) fn limit(&mut self, most: u16) {
        self.most = most.into();
    }

    /// Puts a publication in line.
    pub(super) fn push(&mut self, tag: u32, payload: Bytes) {
        self.waiting.push_back((tag, payload));
    }

    /// The next one whose turn it is, with its packet id.
    pub(super) fn next(&mut self) -> Option<(PacketId, Bytes)> {
        if self.tags.len() >= self.most {
            return None;
        }
        let (tag, payload) = self.waiting.pop_front()?;
        let id = self.free_id();
        self.tags.insert(id, tag);
        Some((id, payload))
    }

    /// The tag of one that is answered; `None` if nothing with this id waits.
    pub(super) fn finish(&mut self, id: PacketId) -> Option<u32> {
        self.tags.remove(&id)
    }

    /// Whether the one with this tag is under way.
    pub(super) fn has(&self, tag: u32) -> bool {
        self.tags.values().any(|it| *it == tag)
    }

    /// Fewer are under way than there are ids, so that one is free.
    fn free_id(&mut self) -> PacketId {
        loop {
            self.last_id = self.last_id.wrapping_add(1);
            if let Some(id) = PacketId::new(self.last_id)
                && !self.tags.contains_key(&id)
            {
                return id;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_under_way_than_the_server_takes() {
        let mut flight = Flight::new(2);
        for tag in 10..14 {
            flight.push(tag, Bytes::from(tag.to_string()));
        }
        let id = |number| PacketId::new(number).expect("not 0");
        let payload = Bytes::from_static;
        assert_eq!(flight.next(), Some((id(1), payload(b"10"))));
        assert_eq!(flight.next(), Some((id(2), payload(b"11"))));
        assert_eq!(flight.next(), None);
        assert_eq!([10, 11, 12].map(|tag| flight.has(tag)), [true, true, false]);
        assert_eq!(
            (flight.finish(id(2)), flight.finish(id(2))),
            (Some(11), None)
        );
        assert_eq!(flight.next(), Some((id(3), payload(b"12"))));
        flight.limit(3);
        assert_eq!(flight.next(), Some((id(4), payload(b"13"))));
        assert_eq!((flight.next(), flight.finish(id(1))), (None, Some(10)));
    }

    #[test]
    fn ids_in_use_are_passed_over() {
        let mut flight = Flight::new(3);
        for tag in 0..=u32::from(u16::MAX) {
            flight.push(tag, Bytes::new());
            let (id, _) = flight.next().expect("room");
            // The first one is never answered.
            if tag > 0 {
                assert_eq!(flight.finish(id), Some(tag));
            }
        }
        assert_eq!(flight.last_id, 2);
    }
}
