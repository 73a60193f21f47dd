//! Memory that belongs to the thread that works, not to the connection that it works on: an
//! idle connection holds no buffer, and a busy one need not ask the allocator for one.

use std::cell::RefCell;

use bytes::BytesMut;

use crate::protocol::Turn;

/// Bytes that are read at once.
pub(crate) const BUFFER_BYTES: usize = 16 * 1024;
/// What a turn may have grown to and still be kept, bytes.
const KEPT_TURN_BYTES: usize = 64 * 1024;
/// How many of each a thread keeps. More are lent than one only while connections wait with
/// a turn half done.
const KEPT: usize = 4;

thread_local! {
    static BUFFERS: RefCell<Vec<BytesMut>> = const { RefCell::new(Vec::new()) };
    static TURNS: RefCell<Vec<Turn>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with room for [`BUFFER_BYTES`].
pub(crate) fn buffer() -> BytesMut {
    let kept = BUFFERS.with_borrow_mut(Vec::pop);
    kept.unwrap_or_else(|| BytesMut::with_capacity(BUFFER_BYTES))
}

/// Takes a buffer back, whatever is left in it.
pub(crate) fn give_back_buffer(mut buffer: BytesMut) {
    buffer.clear();
    // Not if somebody still has a part of it.
    if buffer.try_reclaim(BUFFER_BYTES) {
        BUFFERS.with_borrow_mut(|kept| keep(kept, buffer));
    }
}

/// An empty turn.
pub(crate) fn turn() -> Turn {
    TURNS.with_borrow_mut(Vec::pop).unwrap_or_default()
}

/// Takes a turn back that is over.
pub(crate) fn give_back_turn(mut turn: Turn) {
    turn.clear();
    if turn.capacity() <= KEPT_TURN_BYTES {
        TURNS.with_borrow_mut(|kept| keep(kept, turn));
    }
}

fn keep<T>(kept: &mut Vec<T>, one: T) {
    if kept.len() < KEPT {
        kept.push(one);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_whole() {
        let mut first = buffer();
        first.extend_from_slice(&[1; 100]);
        let _ = first.split_to(60);
        let place = first.as_ptr();
        give_back_buffer(first);
        let mut again = buffer();
        assert!(again.is_empty() && again.capacity() >= BUFFER_BYTES);
        again.extend_from_slice(&[2; 61]);
        assert_eq!(again[60..].as_ptr(), place, "the same memory");

        // What somebody still holds is not lent again.
        let held = again.split_to(60).freeze();
        give_back_buffer(again);
        let mut other = buffer();
        other.extend_from_slice(&[3; 60]);
        assert_eq!(held, vec![2; 60]);
    }

    #[test]
    fn a_turn_that_has_grown_large_is_not_kept() {
        for (bytes, is_kept) in [(10, true), (KEPT_TURN_BYTES + 1, false)] {
            let mut turn = Turn::default();
            let write = |out: &mut BytesMut| {
                out.resize(bytes, 7);
                Ok::<(), ()>(())
            };
            turn.out.frame(write).expect("it cannot fail");
            give_back_turn(turn);
            let again = super::turn();
            assert!(again.out.is_empty() && again.out.frames() == 0);
            assert_eq!(again.capacity() > 0, is_kept);
        }
    }
}
