//! The session ids that logins give, and the channels on which they are registered (wg.md
//! Q0-5, Q0-6). In memory: after a restart clients log in again.
//!
//! Bounded: 64 session ids of a user that are on no channel, and [`MAX_SESSIONS`] in all;
//! beyond that the one that would expire first is forgotten. Channels are as many as there
//! are connections.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use crosstalk_core::clock::Clock;
use crosstalk_core::id::UserNum;
use crosstalk_core::im::Login;
use crosstalk_core::session::Session;
use crosstalk_wire::wg::{ClientName, OnlineClient, OnlineQuery, masked};
use parking_lot::Mutex;

/// How long a session id can be registered after it was given, and again after its channel
/// was closed, seconds.
pub const SESSION_SECS: u64 = 30 * 60;

/// Session ids that are on no channel: of one user…
const MAX_OF_USER: usize = 64;
/// … and of all.
const MAX_SESSIONS: usize = 200_000;

/// What becomes of a user's clients of the same name (wg.md Q0-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WgSameName {
    /// The newer one takes the place of the older one.
    #[default]
    Replace,
    /// There may be several.
    Coexist,
}

/// What a session id stands for.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// Whose it is.
    pub(super) login: Login,
    /// The client's name.
    pub(super) client: Arc<str>,
    /// Tells apart clients of the same name that do not give way to each other.
    pub(super) slot: u8,
    /// The client has acknowledged something.
    pub(super) is_acking: bool,
}

/// Where a session id stands in the order of expiry.
type Expiry = (u64, u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Never registered.
    Fresh(Expiry),
    /// Its channel was closed.
    Left(Expiry),
    /// Registered on a channel.
    Live(u64),
}

impl State {
    fn expiry(self) -> Option<Expiry> {
        match self {
            Self::Fresh(expiry) | Self::Left(expiry) => Some(expiry),
            Self::Live(_) => None,
        }
    }
}

struct Entry {
    registration: Registration,
    state: State,
}

struct Live {
    session: Arc<Session>,
    session_id: Arc<str>,
}

#[derive(Default)]
struct Inner {
    entries: HashMap<Arc<str>, Entry>,
    /// Session ids that are on no channel, the first to expire first.
    idle: BTreeMap<Expiry, Arc<str>>,
    /// The session ids of each user, oldest first.
    of_user: HashMap<UserNum, Vec<Arc<str>>>,
    live: HashMap<u64, Live>,
    /// The channels of each user, oldest first.
    channels: HashMap<Arc<str>, Vec<u64>>,
    given: u64,
}

/// See the module's words.
pub struct WgLogins {
    clock: Arc<dyn Clock>,
    same_name: WgSameName,
    inner: Mutex<Inner>,
}

impl WgLogins {
    /// None yet.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, same_name: WgSameName) -> Arc<Self> {
        Arc::new(Self {
            clock,
            same_name,
            inner: Mutex::default(),
        })
    }

    /// Gives a session id for a login, 128 random bits. An older one of the same client that
    /// was never registered is void.
    #[must_use]
    pub fn give(&self, login: Login, client: &ClientName) -> String {
        let mut random = [0_u8; 16];
        self.clock.fill_random(&mut random);
        let mut text = String::with_capacity(32);
        for byte in random {
            write!(text, "{byte:02x}").expect("a string takes any text");
        }
        let session_id: Arc<str> = text.as_str().into();
        let user = login.user.num;
        let now_ms = self.clock.mono_ms();
        let mut inner = self.inner.lock();
        inner.expire(now_ms);
        if self.same_name == WgSameName::Replace {
            let is_void = |_: &str, entry: &Entry| {
                &*entry.registration.client == client.as_str()
                    && matches!(entry.state, State::Fresh(_))
            };
            inner.remove_of(user, is_void);
        }
        inner.make_room(user);
        let slot = inner.free_slot(user, client.as_str(), self.same_name);
        let expiry = inner.expiry(now_ms);
        let registration = Registration {
            login,
            client: client.as_str().into(),
            slot,
            is_acking: false,
        };
        let entry = Entry {
            registration,
            state: State::Fresh(expiry),
        };
        inner.entries.insert(Arc::clone(&session_id), entry);
        inner.idle.insert(expiry, Arc::clone(&session_id));
        inner.of_user.entry(user).or_default().push(session_id);
        text
    }

    /// What a session id stands for, if it can be registered.
    pub(super) fn find(&self, session_id: &str) -> Option<Registration> {
        let now_ms = self.clock.mono_ms();
        let inner = self.inner.lock();
        let entry = inner.entries.get(session_id)?;
        let holds = entry.state.expiry().is_none_or(|(until, _)| now_ms < until);
        holds.then(|| entry.registration.clone())
    }

    /// Registers a session id on the channel of an open session. Other session ids of this
    /// client are void, unless clients of one name may coexist. `None` if it is not known any
    /// more.
    pub(super) fn register(
        self: &Arc<Self>,
        session_id: &str,
        session: &Arc<Session>,
    ) -> Option<Channel> {
        let channel = session.id.0;
        let uid = session.user.uid.shared();
        let mut inner = self.inner.lock();
        let (session_id, _) = inner.entries.get_key_value(session_id)?;
        let session_id = Arc::clone(session_id);
        let entry = inner.entries.get_mut(&session_id)?;
        let before = std::mem::replace(&mut entry.state, State::Live(channel));
        let client = Arc::clone(&entry.registration.client);
        if let Some(expiry) = before.expiry() {
            inner.idle.remove(&expiry);
        }
        if self.same_name == WgSameName::Replace {
            let is_other =
                |id: &str, entry: &Entry| entry.registration.client == client && *id != *session_id;
            inner.remove_of(session.user.num, is_other);
        }
        let live = Live {
            session: Arc::clone(session),
            session_id: Arc::clone(&session_id),
        };
        inner.live.insert(channel, live);
        inner
            .channels
            .entry(Arc::clone(&uid))
            .or_default()
            .push(channel);
        Some(Channel {
            logins: Arc::clone(self),
            id: channel,
            uid,
            session_id,
        })
    }

    /// Voids the session ids of one of a user's clients.
    pub(super) fn end(&self, user: UserNum, client: &ClientName) {
        let is_of = |_: &str, entry: &Entry| &*entry.registration.client == client.as_str();
        self.inner.lock().remove_of(user, is_of);
    }

    /// The clients that are online and fit a query, with their sessions; of each user in the
    /// order in which they came.
    pub(super) fn online(&self, query: &OnlineQuery) -> Vec<(OnlineClient, Arc<Session>)> {
        let inner = self.inner.lock();
        let wanted: Vec<u64> = if let Some(id) = &query.channel_id {
            id.parse().into_iter().collect()
        } else if let Some(session_id) = &query.session_id {
            let entry = inner.entries.get(&**session_id);
            match entry.map(|entry| entry.state) {
                Some(State::Live(channel)) => vec![channel],
                _ => Vec::new(),
            }
        } else if query.user_ids.is_empty() {
            let mut all: Vec<u64> = inner.live.keys().copied().collect();
            all.sort_unstable();
            all
        } else {
            let mut seen = std::collections::HashSet::new();
            let users = query.user_ids.iter().filter(|uid| seen.insert(*uid));
            let of_user = users.filter_map(|uid| inner.channels.get(uid.as_str()));
            of_user.flatten().copied().collect()
        };
        let found = wanted.iter().filter_map(|id| inner.live.get(id));
        let rows = found.map(|live| (live.row(), Arc::clone(&live.session)));
        rows.filter(|(row, _)| fits(row, query)).collect()
    }

    /// How many session ids there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.inner.lock().entries.len()
    }
}

fn fits(row: &OnlineClient, query: &OnlineQuery) -> bool {
    let is_user = query.user_ids.is_empty() || query.user_ids.contains(&row.user_id);
    let name = query.client_name.as_ref();
    is_user && name.is_none_or(|name| *name == row.client_name)
}

impl Live {
    fn row(&self) -> OnlineClient {
        let session = &self.session;
        OnlineClient {
            user_id: session.user.uid.as_str().to_owned(),
            client_name: session.device.id.to_string(),
            channel_id: session.id.to_string(),
            session_id: masked(&self.session_id),
            connected_at_ms: session.opened_at_ms,
        }
    }
}

impl Inner {
    /// The expiry of a session id that leaves its channel or is given now.
    fn expiry(&mut self, now_ms: u64) -> Expiry {
        self.given += 1;
        (now_ms + SESSION_SECS * 1000, self.given)
    }

    fn expire(&mut self, now_ms: u64) {
        while let Some((&(until_ms, _), _)) = self.idle.first_key_value()
            && until_ms <= now_ms
        {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, session_id)) = self.idle.pop_first() {
            self.remove(&session_id);
        }
    }

    /// Forgets what is too much once the user has one more.
    fn make_room(&mut self, user: UserNum) {
        if self.idle.len() >= MAX_SESSIONS {
            self.forget_first();
        }
        let ids = self.of_user.get(&user).into_iter().flatten();
        let mut idle: Vec<Expiry> = ids
            .filter_map(|id| self.entries.get(id)?.state.expiry())
            .collect();
        if idle.len() >= MAX_OF_USER {
            idle.sort_unstable();
            if let Some(session_id) = self.idle.get(&idle[0]).map(Arc::clone) {
                self.remove(&session_id);
            }
        }
    }

    /// The lowest number that no other session id of this client has; the last one is shared
    /// by all beyond it.
    fn free_slot(&self, user: UserNum, client: &str, same_name: WgSameName) -> u8 {
        if same_name == WgSameName::Replace {
            return 0;
        }
        let ids = self.of_user.get(&user).into_iter().flatten();
        let others = ids.filter_map(|id| self.entries.get(id));
        let taken: std::collections::HashSet<u8> = others
            .filter(|entry| &*entry.registration.client == client)
            .map(|entry| entry.registration.slot)
            .collect();
        (0..u8::MAX)
            .find(|slot| !taken.contains(slot))
            .unwrap_or(u8::MAX)
    }

    fn remove_of(&mut self, user: UserNum, which: impl Fn(&str, &Entry) -> bool) {
        let ids = self.of_user.get(&user).into_iter().flatten();
        let picked: Vec<_> = ids
            .filter(|id| {
                let entry = self.entries.get(*id);
                entry.is_some_and(|entry| which(id, entry))
            })
            .map(Arc::clone)
            .collect();
        for session_id in picked {
            self.remove(&session_id);
        }
    }

    fn remove(&mut self, session_id: &str) {
        let Some(entry) = self.entries.remove(session_id) else {
            return;
        };
        if let Some(expiry) = entry.state.expiry() {
            self.idle.remove(&expiry);
        }
        let user = entry.registration.login.user.num;
        if let Some(ids) = self.of_user.get_mut(&user) {
            ids.retain(|id| **id != *session_id);
            if ids.is_empty() {
                self.of_user.remove(&user);
            }
        }
    }
}

/// A registered channel. Dropping it is leaving it.
pub(super) struct Channel {
    logins: Arc<WgLogins>,
    id: u64,
    uid: Arc<str>,
    session_id: Arc<str>,
}

impl Channel {
    /// The session id that is registered on it.
    pub(super) fn session_id(&self) -> &str {
        &self.session_id
    }

    /// The client acknowledges what it is given.
    pub(super) fn acknowledges(&self) {
        let mut inner = self.logins.inner.lock();
        if let Some(entry) = inner.entries.get_mut(&self.session_id) {
            entry.registration.is_acking = true;
        }
    }

    /// As the channel manager shows it.
    pub(super) fn row(&self) -> Option<OnlineClient> {
        self.logins.inner.lock().live.get(&self.id).map(Live::row)
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let now_ms = self.logins.clock.mono_ms();
        let mut inner = self.logins.inner.lock();
        inner.live.remove(&self.id);
        if let Some(channels) = inner.channels.get_mut(&self.uid) {
            channels.retain(|channel| *channel != self.id);
            if channels.is_empty() {
                inner.channels.remove(&self.uid);
            }
        }
        // It may be on a newer channel, or void.
        let expiry = inner.expiry(now_ms);
        if let Some(entry) = inner.entries.get_mut(&self.session_id)
            && entry.state == State::Live(self.id)
        {
            entry.state = State::Left(expiry);
            inner.idle.insert(expiry, Arc::clone(&self.session_id));
        }
    }
}

#[cfg(test)]
mod tests;
