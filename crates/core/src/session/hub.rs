//! Who is online: sessions by user. Sharded, locked only for the moment of a look-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::{Ending, Session};
use crate::id::{SessionId, UserNum};

const SHARDS: usize = 64;

#[derive(Default)]
struct Online {
    sessions: Vec<Arc<Session>>,
}

type Shard = RwLock<FxHashMap<UserNum, Online>>;

/// The sessions of this node.
pub struct Hub {
    shards: Box<[Shard]>,
    next: AtomicU64,
    count: AtomicUsize,
}

impl Default for Hub {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self {
            shards,
            next: AtomicU64::new(1),
            count: AtomicUsize::new(0),
        }
    }
}

impl Hub {
    fn shard(&self, user: UserNum) -> &Shard {
        let at = user.0.unsigned_abs() % SHARDS as u64;
        &self.shards[usize::try_from(at).unwrap_or(0)]
    }

    /// Adds a session, built by `make` from its id. Returns it and how many sessions give way
    /// to it; those have been told already.
    pub(crate) fn open(
        &self,
        user: UserNum,
        make: impl FnOnce(SessionId) -> Session,
    ) -> (Arc<Session>, usize) {
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let mut shard = self.shard(user).write();
        let online = shard.entry(user).or_default();
        let session = Arc::new(make(id));
        let mut displaced = 0;
        for older in online
            .sessions
            .iter()
            .filter(|older| older.origin == session.origin)
        {
            if let Some(how) = session.device.displaces(&older.device) {
                older.mailbox.end(Ending::Displaced(how));
                displaced += 1;
            }
        }
        online.sessions.push(Arc::clone(&session));
        self.count.fetch_add(1, Ordering::Relaxed);
        (session, displaced)
    }

    /// Removes a session; what waits for it is dropped.
    pub(crate) fn close(&self, session: &Session) {
        session.mailbox.close();
        let mut shard = self.shard(session.user.num).write();
        let Some(online) = shard.get_mut(&session.user.num) else {
            return;
        };
        let before = online.sessions.len();
        online.sessions.retain(|s| s.id != session.id);
        self.count
            .fetch_sub(before - online.sessions.len(), Ordering::Relaxed);
        if online.sessions.is_empty() {
            shard.remove(&session.user.num);
        }
    }

    /// Calls `f` with each session of a user. `f` must not block or call the hub.
    pub fn each_of(&self, user: UserNum, mut f: impl FnMut(&Arc<Session>)) {
        if let Some(online) = self.shard(user).read().get(&user) {
            online.sessions.iter().for_each(&mut f);
        }
    }

    /// A user's sessions.
    #[must_use]
    pub fn of(&self, user: UserNum) -> Vec<Arc<Session>> {
        let mut all = Vec::new();
        self.each_of(user, |session| all.push(Arc::clone(session)));
        all
    }

    /// Ends those sessions of a user that `which` picks.
    pub fn end_of(&self, user: UserNum, why: Ending, which: impl Fn(&Session) -> bool) -> usize {
        let mut ended = 0;
        self.each_of(user, |session| {
            if which(session) {
                session.mailbox.end(why);
                ended += 1;
            }
        });
        ended
    }

    /// Ends all sessions.
    pub fn end_all(&self, why: Ending) {
        for shard in &self.shards {
            for online in shard.read().values() {
                online
                    .sessions
                    .iter()
                    .for_each(|session| session.mailbox.end(why));
            }
        }
    }

    /// How many parts `unwritten_in` knows.
    pub(crate) const fn parts() -> usize {
        SHARDS
    }

    /// The sessions of one part of all users of whose deliveries something is to be written
    /// down.
    pub(crate) fn unwritten_in(&self, part: usize) -> Vec<Arc<Session>> {
        let shard = self.shards[part].read();
        let all = shard.values().flat_map(|online| &online.sessions);
        all.filter(|session| session.mailbox.is_unwritten())
            .map(Arc::clone)
            .collect()
    }

    /// How many sessions there are.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many users are online.
    #[must_use]
    pub fn user_count(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().len()).sum()
    }
}
