//! What a client has asked for: it is put into the mailbox beside what comes by itself.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Event, Mailbox};
use crate::message::Message;
use crate::session::Notice;

/// Messages that are kept for a later question; of more the newest are dropped, and come to
/// the device's next session.
const ASIDE: usize = 1_000;
/// Their bytes.
const ASIDE_BYTES: usize = 4 << 20;

/// Messages that count as given, and that the client does not want yet.
#[derive(Default)]
pub(super) struct Aside {
    messages: VecDeque<Arc<Message>>,
    bytes: usize,
}

#[cfg(test)]
impl Aside {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Mailbox {
    /// Whether more may be asked for: what was handed before is not all taken out, if there is
    /// more than may wait.
    pub(crate) fn may_be_handed(&self) -> bool {
        let inner = self.inner.lock();
        !inner.closed && inner.events.len() < self.limits.items && inner.bytes < self.limits.bytes
    }

    /// Puts messages that were asked for into the mailbox, and the notice behind them. What
    /// asks bounds them, and asks whether it may.
    pub(crate) fn hand(&self, messages: &[Arc<Message>], notice: Notice) {
        let mut inner = self.inner.lock();
        if inner.closed {
            return;
        }
        for message in messages {
            // It is given, and to be acknowledged, when it is taken out.
            inner.record.withdraw(message.id);
            inner.queue(Event::Message(Arc::clone(message)));
        }
        inner.queue(Event::Notice(Arc::new(notice)));
        drop(inner);
        self.wake.notify_one();
    }

    /// Keeps messages that were pulled and are not wanted yet.
    pub(crate) fn set_aside(&self, messages: Vec<Arc<Message>>) {
        let mut inner = self.inner.lock();
        for message in messages {
            let weight = message.weight();
            let aside = &mut inner.aside;
            if aside.messages.len() >= ASIDE || aside.bytes + weight > ASIDE_BYTES {
                break;
            }
            aside.bytes += weight;
            aside.messages.push_back(message);
        }
    }

    /// Takes the oldest of these that are wanted. True if there are more of them.
    pub(crate) fn take_aside(
        &self,
        limit: usize,
        wanted: impl Fn(&Message) -> bool,
    ) -> (Vec<Arc<Message>>, bool) {
        let mut inner = self.inner.lock();
        let mut taken = Vec::new();
        let mut more = false;
        let mut bytes = 0;
        inner.aside.messages.retain(|message| {
            if !wanted(message) {
                return true;
            }
            if taken.len() >= limit {
                more = true;
                return true;
            }
            bytes += message.weight();
            taken.push(Arc::clone(message));
            false
        });
        inner.aside.bytes -= bytes;
        (taken, more)
    }
}
