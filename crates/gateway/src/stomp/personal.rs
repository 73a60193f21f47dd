//! The personal queue: where it goes while the client has not said so, and what comes again
//! (stomp.md Q2-6).

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::message::Message;

use super::live::Live;
use super::outbox::To;
use super::subscriptions::Queue;
use crate::protocol::{Command, Now, Out, Turn};

/// How long an explicit subscription is waited for (stomp.md Q2-6).
const IMPLICIT_AFTER_MS: u64 = 5_000;
/// How long what was written to the implicit subscription may come once more.
const AGAIN_MS: u64 = 60_000;
/// Messages that are kept for an explicit subscription or a sync; of more the oldest come
/// again to the next session.
const MAX_KEPT: usize = 1_000;
/// Their bytes, likewise.
const MAX_KEPT_BYTES: usize = 4 << 20;
/// Bodies that wait for the first subscription; at this many it is not waited for longer.
const MAX_EARLY: usize = 64;
/// What of the implicit subscription (stomp.md Q2-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Implicit {
    /// An explicit one is waited for, until this monotonic time.
    Waiting(u64),
    /// It is in force.
    InForce,
    /// An explicit one has replaced it.
    Replaced,
}

/// A message that the client does not have for good.
pub(super) struct Kept {
    pub(super) message: Arc<Message>,
    /// When it was written to the implicit subscription, monotonic ms; `None` = it was not.
    written_mono_ms: Option<u64>,
}

impl Implicit {
    /// An explicit subscription is waited for from now on.
    pub(super) fn begin(now: Now) -> Self {
        Self::Waiting(now.mono_ms + IMPLICIT_AFTER_MS)
    }

    /// Until when, monotonic ms.
    pub(super) fn until(self) -> Option<u64> {
        match self {
            Self::Waiting(until) => Some(until),
            Self::InForce | Self::Replaced => None,
        }
    }
}

/// Where the personal queue goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// To the client's subscription.
    Explicit,
    /// To the one that it has without asking.
    Implicit,
    /// It is not known yet.
    Later,
    /// The client has unsubscribed.
    Nowhere,
}

impl Live {
    /// Acknowledges what the client has once this turn is written.
    pub(super) fn acknowledge_had(&mut self, turn: &mut Turn) {
        if !self.had.is_empty() {
            let had = std::mem::take(&mut self.had);
            turn.commands.push(Command::Acknowledge(had));
        }
    }

    /// Where the personal queue goes.
    pub(super) fn personal_route(&self) -> Route {
        match self.implicit {
            _ if self.subscriptions.queue(Queue::Messages).is_some() => Route::Explicit,
            Implicit::InForce => Route::Implicit,
            Implicit::Waiting(_) => Route::Later,
            Implicit::Replaced => Route::Nowhere,
        }
    }

    /// Writes a body to the personal queue, or as soon as that has a subscription.
    pub(super) fn personal(&mut self, body: Vec<u8>, out: &mut Out) {
        let to = match (self.subscriptions.queue(Queue::Messages), self.implicit) {
            (Some(subscription), _) => To::Subscription(subscription),
            (None, Implicit::InForce) => To::Implicit,
            (None, Implicit::Waiting(_)) => {
                self.early.push(body);
                if self.early.len() >= MAX_EARLY {
                    self.begin_implicit(out);
                }
                return;
            }
            (None, Implicit::Replaced) => return,
        };
        self.outbox.body(Queue::Messages, to, &body, out);
    }

    /// The client has said in time, or not, where its personal queue goes.
    pub(super) fn settle_implicit(&mut self, now: Now, turn: &mut Turn) {
        self.mono_ms = now.mono_ms;
        if let Implicit::Waiting(until) = self.implicit
            && until <= now.mono_ms
        {
            self.begin_implicit(&mut turn.out);
            self.start_jobs(turn);
        }
    }

    fn begin_implicit(&mut self, out: &mut Out) {
        self.implicit = Implicit::InForce;
        for body in std::mem::take(&mut self.early) {
            self.personal(body, out);
        }
    }

    /// The personal queue has an explicit subscription: what was written to the implicit one
    /// lately comes once more (stomp.md Q2-6).
    pub(super) fn replace_implicit(&mut self, now: Now, turn: &mut Turn) {
        self.implicit = Implicit::Replaced;
        for body in std::mem::take(&mut self.early) {
            self.personal(body, &mut turn.out);
        }
        let since = now.mono_ms.saturating_sub(AGAIN_MS);
        let is_recent = |kept: &Kept| kept.written_mono_ms.is_some_and(|at| at >= since);
        let (again, stay) = std::mem::take(&mut self.kept)
            .into_iter()
            .partition(is_recent);
        self.kept = stay;
        for kept in again {
            self.give(kept.message, turn);
        }
        self.start_jobs(turn);
    }

    /// Remembers a message that the client does not have for good.
    pub(super) fn keep(&mut self, message: Arc<Message>, is_written: bool) {
        if message.seq == 0 {
            // What is not stored cannot wait.
            return;
        }
        self.kept.push_back(Kept {
            message,
            written_mono_ms: is_written.then_some(self.mono_ms),
        });
        let bytes = |kept: &VecDeque<Kept>| kept.iter().map(|it| it.message.weight()).sum();
        let mut bytes: usize = bytes(&self.kept);
        while self.kept.len() > MAX_KEPT || bytes > MAX_KEPT_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            bytes -= oldest.message.weight();
        }
    }
}
