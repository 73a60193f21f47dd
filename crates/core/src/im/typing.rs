//! Saying that somebody is writing.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::Im;
use crate::change::Change;
use crate::channel::{Address, ChannelKey, ChannelKind};
use crate::deliver::Sender;
use crate::id::{UserNum, UserRef};
use crate::refusal::Refusal;

/// Between two times that the same is said of somebody, in ms.
const EVERY_MS: u64 = 2000;
/// Members up to which a channel's are told.
const MAX_MEMBERS: u32 = 500;
/// Of so many it is remembered when they were last said to be writing.
const REMEMBERED: usize = 50_000;

/// When somebody was last said to be writing somewhere.
pub(super) type Typists = Cache<(UserNum, ChannelKey), u64>;

/// Nobody is writing yet.
pub(super) fn typists() -> Typists {
    Cache::new(REMEMBERED)
}

impl Im {
    /// Tells those who are online in a channel that a user is writing there, if the user might
    /// send now. Nothing is stored. More often than every two seconds, and in channels of more
    /// than 500 members, nobody is told; then it is false.
    ///
    /// # Errors
    /// As a send.
    pub async fn typing(&self, key: &ChannelKey, user: &UserRef) -> Result<bool, Refusal> {
        let place = (user.num, key.clone());
        let now = self.clock().mono_ms();
        let is_fresh = |last: u64| now.saturating_sub(last) < EVERY_MS;
        if self.typists.get(&place).is_some_and(is_fresh) {
            return Ok(false);
        }
        if key.kind != ChannelKind::DIRECT {
            // What does not exist is refused like a send.
            let record = self.stores.channels.record(key).await?;
            if record.is_some_and(|record| record.member_count > MAX_MEMBERS) {
                return Ok(false);
            }
        }
        let change = Change::Typing {
            user: user.uid.as_str().to_owned(),
            at_ms: self.clock().now_ms(),
        };
        let to = Address {
            kind: key.kind,
            id: Arc::clone(&key.id),
        };
        let mut draft = change.draft(to);
        draft.body.flags.no_persist = true;
        draft.require_peer = true;
        self.typists.insert(place, now);
        let said = self.say(key, Sender::User(user.clone()), draft).await;
        said.map(|_| true).map_err(|refused| refused.why)
    }
}
