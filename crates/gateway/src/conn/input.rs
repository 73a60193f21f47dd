//! What a connection has received and not decoded yet.

use std::ops::{Deref, DerefMut};

use bytes::BytesMut;

use super::lent;

/// Room that is made at least when an incomplete frame grows, bytes.
const MIN_ROOM: usize = 512;

/// Received bytes. While they are read and decoded they stand in memory lent by the thread;
/// what is left then, the beginning of a frame, gets memory of its own, in proportion to it.
/// So there must be no `.await` between `room` and `settle`.
#[derive(Debug, Default)]
pub(crate) struct Input {
    bytes: BytesMut,
    is_lent: bool,
}

impl Input {
    /// Where to append what is received.
    pub(crate) fn room(&mut self) -> &mut BytesMut {
        if self.bytes.capacity() == 0 {
            self.bytes = lent::buffer();
            self.is_lent = true;
        } else if !self.is_lent {
            self.bytes.reserve(self.bytes.len().max(MIN_ROOM));
        }
        &mut self.bytes
    }

    /// Keeps only what is left.
    pub(crate) fn settle(&mut self) {
        if self.is_lent {
            self.is_lent = false;
            let lent = std::mem::take(&mut self.bytes);
            if !lent.is_empty() {
                self.bytes = BytesMut::from(&lent[..]);
            }
            lent::give_back_buffer(lent);
        } else if self.bytes.is_empty() {
            self.bytes = BytesMut::new();
        }
    }
}

impl Deref for Input {
    type Target = BytesMut;

    fn deref(&self) -> &BytesMut {
        &self.bytes
    }
}

impl DerefMut for Input {
    fn deref_mut(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Buf;

    #[test]
    fn what_is_left_is_kept_and_costs_what_it_is() {
        let mut input = Input::default();
        input
            .room()
            .extend_from_slice(b"one frame and the beginning");
        input.advance(10);
        input.settle();
        assert_eq!(&input[..], b"and the beginning");
        assert!(input.capacity() < 2 * MIN_ROOM);
        input.room().extend_from_slice(b" of another");
        input.settle();
        assert_eq!(&input[..], b"and the beginning of another");
        input.clear();
        input.settle();
        assert_eq!(input.capacity(), 0);
    }

    #[test]
    fn a_growing_frame_is_moved_seldom() {
        let mut input = Input::default();
        let mut moves = 0;
        while input.len() < 1 << 20 {
            let before = input.as_ptr();
            let room = input.room();
            let free = room.capacity() - room.len();
            room.resize(room.len() + free, 7);
            input.settle();
            moves += usize::from(input.as_ptr() != before);
        }
        assert!(moves < 12, "{moves}");
    }
}
