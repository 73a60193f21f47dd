//! What the client was given on this channel, and whether it acknowledges that (wg.md Q0-11,
//! Q0-19). A client that has never acknowledged anything is one that does not: what is
//! written to it counts, and after half a minute its senders are told so. Bounded: an
//! acknowledging client gets no more than its window; of others the oldest count at once.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crosstalk_core::message::Message;

use super::deliver::{is_called, sender_of};

/// After how long what was written counts for the senders, too.
const TOLD_MS: u64 = 30_000;
/// Messages that an acknowledging client may have unacknowledged before it is given no more.
const WINDOW: usize = 1000;
/// Bytes of messages likewise; a single one may be larger.
const WINDOW_BYTES: usize = 4 << 20;
/// Of a client that does not acknowledge: messages that wait for half a minute to pass.
const DOUBTFUL: usize = 256;
/// Messages that are not stored, which may be acknowledged or not.
const PASSING: usize = 256;
/// Acknowledged messages that are remembered, as clients may say so twice.
const RECENT: usize = 1024;

struct Entry {
    message: Arc<Message>,
    at_mono_ms: u64,
}

/// See the module's words.
#[derive(Default)]
pub(super) struct Given {
    stored: VecDeque<Entry>,
    bytes: usize,
    passing: VecDeque<Arc<Message>>,
    recent: VecDeque<u64>,
    pub(super) is_acking: bool,
}

impl Given {
    /// Nothing yet, of a client that acknowledges, or is not known to.
    pub(super) fn new(is_acking: bool) -> Self {
        Self {
            is_acking,
            ..Self::default()
        }
    }

    /// The client is given a message. What counts because of that is added to `counted`.
    pub(super) fn given(
        &mut self,
        message: &Arc<Message>,
        mono_ms: u64,
        counted: &mut Vec<Arc<Message>>,
    ) {
        if message.seq == 0 {
            if self.passing.len() == PASSING {
                self.passing.pop_front();
            }
            return self.passing.push_back(Arc::clone(message));
        }
        self.bytes += message.weight();
        self.stored.push_back(Entry {
            message: Arc::clone(message),
            at_mono_ms: mono_ms,
        });
        while !self.is_acking && self.stored.len() > DOUBTFUL {
            counted.extend(self.pop());
        }
    }

    /// What counts by now, as the client has never acknowledged anything.
    pub(super) fn due(&mut self, mono_ms: u64) -> Vec<Arc<Message>> {
        let mut due = Vec::new();
        while !self.is_acking
            && let Some(entry) = self.stored.front()
            && entry.at_mono_ms + TOLD_MS <= mono_ms
        {
            due.extend(self.pop());
        }
        due
    }

    fn pop(&mut self) -> Option<Arc<Message>> {
        let Entry { message, .. } = self.stored.pop_front()?;
        self.bytes -= message.weight();
        self.remember(name(&message));
        Some(message)
    }

    /// The client has a message that it calls so, of a sender; if several are called so and
    /// none is that sender's, the oldest.
    pub(super) fn take(&mut self, id: &str, from: &str) -> Option<Arc<Message>> {
        let is = |message: &Message| is_called(message, id);
        let is_exactly = |message: &Message| is(message) && sender_of(message) == from;
        let stored =
            |is: &dyn Fn(&Message) -> bool| self.stored.iter().position(|entry| is(&entry.message));
        if let Some(at) = stored(&is_exactly).or_else(|| stored(&is)) {
            let Entry { message, .. } = self.stored.remove(at)?;
            self.bytes -= message.weight();
            if self.stored.is_empty() {
                self.stored = VecDeque::new();
            }
            self.remember(name(&message));
            return Some(message);
        }
        let at = self.passing.iter().position(|message| is(message))?;
        let message = self.passing.remove(at)?;
        self.remember(name(&message));
        Some(message)
    }

    /// Whether the client was given such a message and has acknowledged it lately.
    pub(super) fn is_recent(&self, id: &str, from: &str) -> bool {
        self.recent.contains(&hash(id, from))
    }

    fn remember(&mut self, name: u64) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(name);
    }

    pub(super) fn has_room(&self) -> bool {
        !self.is_acking || (self.stored.len() < WINDOW && self.bytes < WINDOW_BYTES)
    }
}

fn name(message: &Message) -> u64 {
    hash(&super::deliver::id_of(message), sender_of(message))
}

fn hash(id: &str, from: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (id, from).hash(&mut hasher);
    hasher.finish()
}
