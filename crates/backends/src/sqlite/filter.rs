//! Which client numbers have surely not been used: a filter in memory in front of a
//! partition of keys, so that a new message needs no look-up.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Bits set per key, all in one word, so that a test costs one memory access. With 16 MiB:
/// ten million keys give under 1 % of needless look-ups, fifty million about 40 %; beyond
/// that the filter is of no use, but never wrong.
const BITS: u32 = 4;

/// Answers "certainly not there" or "perhaps". Bits are never cleared: a key whose
/// transaction failed costs a look-up some day and nothing else.
pub(super) struct Filter {
    words: Box<[AtomicU64]>,
    shift: u32,
    complete: AtomicBool,
}

impl Filter {
    /// An empty filter of about `bytes`.
    pub(super) fn new(bytes: usize) -> Self {
        let words = (bytes / 8).max(2).next_power_of_two();
        Self {
            words: (0..words).map(|_| AtomicU64::new(0)).collect(),
            shift: u64::BITS - words.trailing_zeros(),
            complete: AtomicBool::new(false),
        }
    }

    /// Everything that was there before has been added: "not there" can be said from now on.
    pub(super) fn completed(&self) {
        self.complete.store(true, Ordering::Release);
    }

    pub(super) fn add(&self, key: i64) {
        let (word, mask) = self.place(key);
        if word.load(Ordering::Relaxed) & mask != mask {
            word.fetch_or(mask, Ordering::Relaxed);
        }
    }

    /// False only if the key is certainly not there.
    pub(super) fn may_have(&self, key: i64) -> bool {
        if !self.complete.load(Ordering::Acquire) {
            return true;
        }
        let (word, mask) = self.place(key);
        word.load(Ordering::Relaxed) & mask == mask
    }

    fn place(&self, key: i64) -> (&AtomicU64, u64) {
        // Keys are good hashes already; the product gives word and bits of different parts.
        let mixed = key.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let word = usize::try_from(mixed >> self.shift).unwrap_or(0);
        let bits = key.cast_unsigned() ^ (key.cast_unsigned() >> 31);
        let mask = (0..BITS).fold(0, |mask, n| mask | 1 << ((bits >> (6 * n)) & 63));
        (&self.words[word], mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: i64) -> i64 {
        // A stand-in for the hash that real keys are.
        let mut x = n.cast_unsigned().wrapping_add(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)).cast_signed()
    }

    #[test]
    fn what_was_added_is_never_denied_and_little_else_is_suspected() {
        let filter = Filter::new(64 << 10);
        assert!(
            filter.may_have(key(1)),
            "nothing can be denied before it is complete"
        );
        filter.completed();
        assert!(!filter.may_have(key(1)));
        // As full as 16 MiB are with ten million keys.
        for n in 0..40_000 {
            filter.add(key(n));
        }
        assert!((0..40_000).all(|n| filter.may_have(key(n))));
        let suspected = (40_000..140_000)
            .filter(|n| filter.may_have(key(*n)))
            .count();
        assert!(suspected < 2_000, "{suspected} of 100000 needless look-ups");
    }
}
