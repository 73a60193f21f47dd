//! Random choices that one number replays.

use std::ops::Range;

/// A random sequence (SplitMix64), the same for the same seed.
#[derive(Debug, Clone)]
pub struct Seed {
    state: u64,
}

impl Seed {
    /// The sequence of a number.
    #[must_use]
    pub fn new(seed: u64) -> Seed {
        Seed { state: seed }
    }

    /// The sequence of `CROSSTALK_SEED`, or of a fresh random number; printed, so that a failed
    /// run can be repeated.
    ///
    /// # Panics
    /// When the variable is not a number.
    #[must_use]
    pub fn from_env() -> Seed {
        let seed = match std::env::var("CROSSTALK_SEED") {
            Ok(text) => text.parse().expect("CROSSTALK_SEED is a number"),
            Err(_) => getrandom::u64().expect("the system has random bytes"),
        };
        println!("CROSSTALK_SEED={seed}");
        Seed::new(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number of a range.
    ///
    /// # Panics
    /// When the range is empty.
    pub fn within(&mut self, range: Range<usize>) -> usize {
        assert!(!range.is_empty(), "a range to choose from");
        let width = (range.end - range.start) as u64;
        // Below the width, which came from a usize.
        range.start + (self.number() % width) as usize
    }

    /// Random bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.number().to_le_bytes());
        words.flatten().take(len).collect()
    }
}

/// How often a test breaks something: `CROSSTALK_FAULT_ROUNDS`, or the number that it has by itself.
///
/// # Panics
/// When the variable is not a number.
#[must_use]
pub fn fault_rounds(usual: usize) -> usize {
    std::env::var("CROSSTALK_FAULT_ROUNDS").map_or(usual, |text| {
        text.parse().expect("CROSSTALK_FAULT_ROUNDS is a number")
    })
}
