//! The sessions that live between requests, by name. There are no more of them than the
//! gateway admits connections: each is admitted as one.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::session::Session;
use crate::registry::Dialect;

/// The name of a session: the client makes it up, one for each session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// Which dialect is spoken in it.
    pub(super) dialect: Dialect,
    /// What the client calls it; the server's part of the path does not count.
    pub(super) id: Box<str>,
}

/// See the module's words.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<Name, Arc<Session>>>);

impl Sessions {
    pub(super) fn find(&self, name: &Name) -> Option<Arc<Session>> {
        self.0.lock().get(name).cloned()
    }

    /// Puts a session in place, unless there is one already.
    pub(super) fn insert(&self, name: &Name, session: &Arc<Session>) -> bool {
        let mut sessions = self.0.lock();
        let is_new = !sessions.contains_key(name);
        if is_new {
            sessions.insert(name.clone(), Arc::clone(session));
        }
        is_new
    }

    /// Forgets this session, not one that has taken its name since.
    pub(super) fn remove(&self, name: &Name, session: &Arc<Session>) {
        let mut sessions = self.0.lock();
        if sessions
            .get(name)
            .is_some_and(|known| Arc::ptr_eq(known, session))
        {
            sessions.remove(name);
        }
        if sessions.is_empty() {
            // After a storm of them its memory goes, too.
            sessions.shrink_to_fit();
        }
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }
}
