//! What hooks have answered, for as long as they said it holds. Refusals are not kept: a
//! login that succeeds a moment later must not wait.

use std::sync::Arc;

use crosstalk_core::clock::Clock;
use crosstalk_core::session::foreign::{ForeignIdentity, ForeignLogin};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};

/// Answers that are kept; the least used are forgotten first.
const KEPT: usize = 10_000;
/// The longest that an answer is kept, whatever the hook says, in seconds.
const MAX_TTL_SECS: u64 = 3600;

/// A hook's answer.
pub(super) struct Answer {
    pub(super) identity: ForeignIdentity,
    /// For how long it may be used again; 0 = not at all.
    pub(super) ttl_secs: u64,
}

#[derive(Clone)]
struct Kept {
    identity: ForeignIdentity,
    until_mono_ms: u64,
}

/// The memory of answers. It holds digests of credentials, never the credentials.
pub(super) struct Answers {
    clock: Arc<dyn Clock>,
    kept: Cache<[u8; 32], Kept>,
}

impl Answers {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            kept: Cache::new(KEPT),
        }
    }

    /// What makes two questions the same: all that the hook is told, where `token` is what
    /// it is told as the header of that name.
    pub(super) fn key(login: &ForeignLogin, token: Option<&str>) -> [u8; 32] {
        let headers = &login.headers;
        let parts = [
            Some(login.app_id.as_str()),
            Some(login.dialect),
            Some(&login.route),
            token,
            headers.authorization.as_deref(),
            headers.cookie.as_deref(),
            Some(&login.query),
            login.claimed_uid.as_ref().map(|uid| uid.as_str()),
            Some(&login.ip.to_string()),
        ];
        let mut digest = Sha256::new();
        for part in parts {
            // With lengths, so that nothing can move from one part to the next.
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            digest.update(length.to_le_bytes());
            digest.update(part.unwrap_or_default());
        }
        digest.finalize().into()
    }

    pub(super) fn get(&self, question: &[u8; 32]) -> Option<ForeignIdentity> {
        let kept = self.kept.get(question)?;
        let now_ms = self.clock.now_ms();
        let ends_at_ms = kept.identity.expires_at_ms;
        // A login that has ended may have been renewed since.
        let has_ended = ends_at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        if self.clock.mono_ms() < kept.until_mono_ms && !has_ended {
            return Some(kept.identity);
        }
        self.kept.remove(question);
        None
    }

    pub(super) fn keep(&self, question: [u8; 32], answer: &Answer) {
        if answer.ttl_secs == 0 {
            return;
        }
        let ttl_ms = answer.ttl_secs.min(MAX_TTL_SECS) * 1000;
        let kept = Kept {
            identity: answer.identity.clone(),
            until_mono_ms: self.clock.mono_ms().saturating_add(ttl_ms),
        };
        self.kept.insert(question, kept);
    }
}
