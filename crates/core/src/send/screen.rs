//! The last look at what users send, before it goes to its channel's lane: somebody outside
//! (an application's hook) lets it pass, refuses it or has it say something else. It may take
//! its time: only what the same session sends after it waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::RwLock;

use crate::channel::ChannelKey;
use crate::id::{Realm, UserRef};
use crate::message::Body;

/// What becomes of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It passes as it is.
    Allow,
    /// It is refused: `HookRefused`.
    Deny,
    /// There was no answer and none is as good as a no: `Unavailable`, to be tried again.
    Unanswered,
    /// It says this instead.
    Replace(Box<Body>),
}

/// Who has the last look.
#[async_trait]
pub trait Screen: Send + Sync + 'static {
    /// Whether what is sent in a realm is looked at. Asked for every message; must not wait.
    fn looks_at(&self, realm: &Realm) -> bool;

    /// Looks at what a user wants to send to a channel. Answers within a bounded time.
    async fn look(&self, sender: &UserRef, to: &ChannelKey, body: &Body) -> Verdict;
}

/// Where the one who has the last look is put.
#[derive(Default)]
pub(crate) struct Screening {
    /// So that it costs one look where there is none.
    is_on: AtomicBool,
    screen: RwLock<Option<Arc<dyn Screen>>>,
}

impl Screening {
    /// From now on `screen` has the last look, or nobody.
    pub(crate) fn set(&self, screen: Option<Arc<dyn Screen>>) {
        let is_on = screen.is_some();
        *self.screen.write() = screen;
        self.is_on.store(is_on, Ordering::Release);
    }

    /// Who has the last look at what is sent in a realm, if anybody has.
    pub(crate) fn of(&self, realm: &Realm) -> Option<Arc<dyn Screen>> {
        if !self.is_on.load(Ordering::Acquire) {
            return None;
        }
        let screen = self.screen.read();
        screen.as_ref().filter(|it| it.looks_at(realm)).cloned()
    }
}
