//! Who is online: sessions by user. Sharded, locked only for the moment of a look-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use parking_lot::RwLock;
use rustc_hash::FxHashMap;

use super::{Displacement, Ending, Session};
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
    /// Sessions that want to know when what their user sent was delivered…
    receipts: Arc<AtomicUsize>,
    /// … and who comes and goes.
    presence: AtomicUsize,
}

impl Default for Hub {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self {
            shards,
            next: AtomicU64::new(1),
            count: AtomicUsize::new(0),
            receipts: Arc::default(),
            presence: AtomicUsize::new(0),
        }
    }
}

impl Hub {
    fn shard(&self, user: UserNum) -> &Shard {
        let at = user.0.unsigned_abs() % SHARDS as u64;
        &self.shards[usize::try_from(at).unwrap_or(0)]
    }

    /// Adds a session, built by `make` from its id. At most `limit` sessions of a user and
    /// dialect stay; 0 = any number. Returns it, how many sessions give way to it (those have
    /// been told already), and whether it is the user's first.
    pub(crate) fn open(
        &self,
        user: UserNum,
        limit: usize,
        make: impl FnOnce(SessionId) -> Session,
    ) -> (Arc<Session>, usize, bool) {
        let id = SessionId(self.next.fetch_add(1, Ordering::Relaxed));
        let mut shard = self.shard(user).write();
        let online = shard.entry(user).or_default();
        let session = Arc::new(make(id));
        let is_first = online.sessions.is_empty();
        let mut displaced = 0;
        let mut stay = Vec::new();
        for older in online
            .sessions
            .iter()
            .filter(|older| older.origin == session.origin)
        {
            if let Some(how) = session.device.displaces(&older.device) {
                older.mailbox.end(Ending::Displaced(how));
                displaced += 1;
            } else if limit > 0 {
                stay.push(older);
            }
        }
        // The oldest come first.
        let over = (stay.len() + 1).saturating_sub(limit.max(1));
        for older in stay.iter().take(over) {
            let how = Displacement::Kicked;
            older.mailbox.end(Ending::Displaced(how));
            displaced += 1;
        }
        online.sessions.push(Arc::clone(&session));
        self.tally(&session, |counter| {
            counter.fetch_add(1, Ordering::Relaxed);
        });
        (session, displaced, is_first)
    }

    /// Calls `f` with each number in which a session counts.
    fn tally(&self, session: &Session, f: impl Fn(&AtomicUsize)) {
        f(&self.count);
        if session.delivery.receipts {
            f(&self.receipts);
        }
        if session.delivery.presence {
            f(&self.presence);
        }
    }

    /// How many sessions want to know when what their user sent was delivered.
    pub(crate) fn receipts(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.receipts)
    }

    /// Whether anybody wants to know when what they sent was delivered.
    pub(crate) fn wants_receipts(&self) -> bool {
        self.receipts.load(Ordering::Relaxed) > 0
    }

    /// Whether anybody wants to know who comes and goes.
    pub(crate) fn wants_presence(&self) -> bool {
        self.presence.load(Ordering::Relaxed) > 0
    }

    /// Whether a user has a session.
    #[must_use]
    pub fn is_online(&self, user: UserNum) -> bool {
        self.shard(user).read().contains_key(&user)
    }

    /// A session has learnt on which device it runs: other sessions of that user, dialect and
    /// device give way.
    pub(crate) fn met(&self, session: &Session, device: &Arc<str>) {
        let shard = self.shard(session.user.num).write();
        // Under the lock: of two that learn the same, the later one stays.
        if session.met.set(Arc::clone(device)).is_err() {
            return;
        }
        let others = shard.get(&session.user.num).into_iter();
        for older in others.flat_map(|online| &online.sessions) {
            if older.id != session.id
                && older.origin == session.origin
                && older.met.get() == Some(device)
            {
                older.mailbox.end(Ending::Displaced(Displacement::Replaced));
            }
        }
    }

    /// Removes a session; what waits for it is dropped. True if it was the user's last.
    pub(crate) fn close(&self, session: &Session) -> bool {
        session.mailbox.close();
        let mut shard = self.shard(session.user.num).write();
        let Some(online) = shard.get_mut(&session.user.num) else {
            return false;
        };
        let before = online.sessions.len();
        online.sessions.retain(|s| s.id != session.id);
        if online.sessions.len() < before {
            self.tally(session, |counter| {
                counter.fetch_sub(1, Ordering::Relaxed);
            });
        }
        let is_last = online.sessions.is_empty();
        if is_last {
            shard.remove(&session.user.num);
        }
        is_last
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

    /// Calls `f` with each session. `f` must not block or call the hub.
    pub fn each(&self, mut f: impl FnMut(&Arc<Session>)) {
        for shard in &self.shards {
            for online in shard.read().values() {
                online.sessions.iter().for_each(&mut f);
            }
        }
    }

    /// Ends those of all sessions that `which` picks.
    pub fn end_where(&self, why: Ending, which: impl Fn(&Session) -> bool) -> usize {
        let mut ended = 0;
        self.each(|session| {
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
