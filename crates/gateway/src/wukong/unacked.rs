//! Messages that the client has not acknowledged: sent again after a minute, five times.

use std::collections::VecDeque;
use std::sync::Arc;

use crosstalk_core::message::Message;

/// After how long a message is sent again (wukong.md §6.4).
const RESEND_MS: u64 = 60_000;
/// How often, besides the first time.
const RESENDS: u8 = 5;
/// Messages that may be unacknowledged before no more are given.
const WINDOW: usize = 1000;
/// Bytes of messages likewise; a single one may be larger.
const WINDOW_BYTES: usize = 4 << 20;

struct Entry {
    message: Arc<Message>,
    due_mono_ms: u64,
    resent: u8,
}

/// In the order in which they are due.
#[derive(Default)]
pub(super) struct Unacked {
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Unacked {
    pub(super) fn given(&mut self, message: Arc<Message>, mono_ms: u64) {
        self.bytes += message.weight();
        self.entries.push_back(Entry {
            message,
            due_mono_ms: mono_ms + RESEND_MS,
            resent: 0,
        });
    }

    /// Acknowledges a message, and gives it back if it was waited for.
    pub(super) fn acked(&mut self, id: i64) -> Option<Arc<Message>> {
        // Acks mostly come in the order of the messages: look from the front.
        let at = self
            .entries
            .iter()
            .position(|entry| entry.message.id.0 == id);
        let entry = at.and_then(|at| self.entries.remove(at))?;
        self.bytes -= entry.message.weight();
        if self.entries.is_empty() {
            self.entries = VecDeque::new();
        }
        Some(entry.message)
    }

    /// A message that is to be sent again now. One that was sent often enough is dropped.
    pub(super) fn due(&mut self, mono_ms: u64) -> Option<Arc<Message>> {
        while self.next_due().is_some_and(|due| due <= mono_ms) {
            let mut entry = self.entries.pop_front()?;
            if entry.resent < RESENDS {
                entry.resent += 1;
                entry.due_mono_ms = mono_ms + RESEND_MS;
                let message = Arc::clone(&entry.message);
                self.entries.push_back(entry);
                return Some(message);
            }
            self.bytes -= entry.message.weight();
        }
        None
    }

    pub(super) fn next_due(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.due_mono_ms)
    }

    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < WINDOW && self.bytes < WINDOW_BYTES
    }
}
