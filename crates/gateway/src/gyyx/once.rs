//! Signed URLs that can be used once only (gyyx.md Q4-3): which were used.

use std::collections::{HashSet, VecDeque};

use parking_lot::Mutex;

/// URLs that are remembered. While so many were used within their life, no other is taken:
/// to forget one would be to accept it again.
const CAPACITY: usize = 200_000;

/// The URLs that were used, for as long as they would hold.
pub(super) struct Once {
    /// What was signed before the start may have been used before it.
    started_ms: i64,
    ttl_ms: i64,
    used: Mutex<Used>,
}

#[derive(Default)]
struct Used {
    signs: HashSet<[u8; 32]>,
    /// With when each may be forgotten, ms since 1970; in the order of use.
    order: VecDeque<(i64, [u8; 32])>,
}

impl Once {
    pub(super) fn new(started_ms: i64, ttl_ms: i64) -> Self {
        Self {
            started_ms,
            ttl_ms,
            used: Mutex::default(),
        }
    }

    /// Uses a URL, whose signature holds; false if it was used before. The signature is of app,
    /// user and time, and so stands for them.
    pub(super) fn takes(&self, sign: &str, signed_ms: i64, now_ms: i64) -> bool {
        if signed_ms < self.started_ms {
            return false;
        }
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(sign.bytes()) {
            *to = from.to_ascii_lowercase();
        }
        let mut used = self.used.lock();
        while let Some((until_ms, old)) = used.order.front().copied() {
            if until_ms > now_ms {
                break;
            }
            used.order.pop_front();
            used.signs.remove(&old);
        }
        if used.order.len() >= CAPACITY || !used.signs.insert(key) {
            return false;
        }
        // A URL may be signed by a clock that is ahead.
        let until_ms = signed_ms.max(now_ms).saturating_add(self.ttl_ms);
        used.order.push_back((until_ms, key));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "e31a517d51ba8951fdf4d4bd74d6335d";
    const B: &str = "031a517d51ba8951fdf4d4bd74d6335d";

    #[test]
    fn a_url_is_taken_once() {
        let once = Once::new(1_000, 300);
        assert!(once.takes(A, 1_000, 1_000));
        assert!(!once.takes(A, 1_000, 1_001));
        assert!(!once.takes(&A.to_uppercase(), 1_000, 1_001));
        assert!(once.takes(B, 1_000, 1_001));
        assert!(once.used.lock().order.len() == 2);
    }

    #[test]
    fn what_was_signed_before_the_start_is_not_taken() {
        assert!(!Once::new(1_000, 300).takes(A, 999, 1_000));
    }

    #[test]
    fn what_no_longer_holds_is_forgotten() {
        let once = Once::new(0, 300);
        assert!(once.takes(A, 0, 0));
        assert!(once.takes(B, 0, 301));
        assert_eq!(once.used.lock().signs.len(), 1);
    }
}
