//! What waits for a session: bounded in items and bytes. A slow consumer never blocks
//! anybody: what does not fit is remembered as a gap per channel, and read back from the
//! store when the mailbox has drained (`deliver::resync`).

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::Displacement;
use crate::channel::ChannelRef;
use crate::id::{ChannelNum, MessageId};
use crate::message::{Accepted, Message};
use crate::refusal::Refusal;

/// A machine's own number for a command it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ticket(pub u64);

/// A refused send. It has an id too, so that clients that keep one can tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// An id that no stored message has.
    pub id: MessageId,
    /// Why.
    pub why: Refusal,
}

/// What became of a send.
pub type SendReply = Result<Accepted, Refused>;

/// Something a session is told.
#[derive(Debug, Clone)]
pub enum Event {
    /// A message in one of the user's channels.
    Message(Arc<Message>),
}

/// Why a session ends from the server's side. The first one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// A newer login of the same user takes its place.
    Displaced(Displacement),
    /// The user's tokens were revoked, or an administrator ended it.
    Kicked,
    /// It has missed messages in more channels than are remembered.
    TooSlow,
    /// The server stops.
    ShuttingDown,
}

/// Messages of a gap that are read at first, and again after large ones: in the worst case
/// they are as large as messages may be.
const FIRST_PAGE: u32 = 8;
/// Messages of a gap that are read at once at most.
const LARGEST_PAGE: u32 = 256;
/// A page below this size makes the next one larger.
const SMALL_PAGE_BYTES: usize = 256 << 10;

/// The size of a mailbox.
#[derive(Debug, Clone, Copy)]
pub struct MailboxLimits {
    /// Events that may wait.
    pub items: usize,
    /// Bytes that may wait.
    pub bytes: usize,
    /// Channels in which a session may be behind before it is ended.
    pub gaps: usize,
}

impl Default for MailboxLimits {
    fn default() -> Self {
        Self {
            items: 1024,
            bytes: 4 << 20,
            gaps: 4096,
        }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// It waits.
    Queued,
    /// The mailbox is full: a stored message will be read back, any other is lost.
    Missed,
    /// The session is gone.
    Closed,
}

/// The stretch of a channel's log that a session was not given.
#[derive(Debug, Clone)]
pub(crate) struct Gap {
    pub(crate) channel: Arc<ChannelRef>,
    /// The first seq to read.
    pub(crate) next: u64,
    /// The last seq that was missed.
    pub(crate) last: u64,
    /// Seqs inside that this session sent itself.
    pub(crate) own: Vec<u64>,
    /// How many messages to read at once: more while they are small.
    pub(crate) page: u32,
}

#[derive(Default)]
struct Inner {
    replies: VecDeque<(Ticket, SendReply)>,
    events: VecDeque<Event>,
    bytes: usize,
    gaps: FxHashMap<ChannelNum, Gap>,
    ending: Option<Ending>,
    closed: bool,
}

/// See the module's words.
pub struct Mailbox {
    inner: Mutex<Inner>,
    wake: Notify,
    limits: MailboxLimits,
}

/// What was taken out of a mailbox.
#[derive(Debug, Default)]
pub struct Drained {
    /// Answers to sends, in no particular order. As many as sends are in flight at most.
    pub replies: VecDeque<(Ticket, SendReply)>,
    /// Events in order.
    pub events: VecDeque<Event>,
    /// Set when the session is to end.
    pub ending: Option<Ending>,
    /// True when the session is behind and nothing is left to drain: time to resync.
    pub behind: bool,
}

impl Mailbox {
    pub(crate) fn new(limits: MailboxLimits) -> Self {
        Self {
            inner: Mutex::default(),
            wake: Notify::new(),
            limits,
        }
    }

    /// Answers a send. Never refused: there is one answer per command in flight, and the
    /// driver bounds those.
    pub(crate) fn reply(&self, ticket: Ticket, reply: SendReply) {
        let mut inner = self.inner.lock();
        if !inner.closed {
            inner.replies.push_back((ticket, reply));
            drop(inner);
            self.wake.notify_one();
        }
    }

    /// Adds an event.
    pub(crate) fn push(&self, event: Event) -> Push {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Push::Closed;
        }
        let Event::Message(message) = &event;
        let stored = message.seq > 0;
        if stored && let Some(gap) = inner.gaps.get_mut(&message.channel.num) {
            gap.last = gap.last.max(message.seq);
            return Push::Missed;
        }
        let weight = message.weight();
        if inner.events.len() < self.limits.items && inner.bytes + weight <= self.limits.bytes {
            inner.bytes += weight;
            inner.events.push_back(event);
            drop(inner);
            self.wake.notify_one();
            return Push::Queued;
        }
        if stored {
            if inner.gaps.len() >= self.limits.gaps {
                inner.ending.get_or_insert(Ending::TooSlow);
            } else {
                let gap = Gap {
                    channel: Arc::clone(&message.channel),
                    next: message.seq,
                    last: message.seq,
                    own: Vec::new(),
                    page: FIRST_PAGE,
                };
                inner.gaps.insert(message.channel.num, gap);
            }
            drop(inner);
            self.wake.notify_one();
        }
        Push::Missed
    }

    /// Notes that the session itself sent a message, so that a resync leaves it out.
    pub(crate) fn note_own(&self, channel: ChannelNum, seq: u64) {
        if let Some(gap) = self.inner.lock().gaps.get_mut(&channel) {
            gap.own.push(seq);
        }
    }

    /// Asks the session to end.
    pub(crate) fn end(&self, why: Ending) {
        self.inner.lock().ending.get_or_insert(why);
        self.wake.notify_one();
    }

    /// Waits until there is something to drain. May wake without cause.
    pub async fn ready(&self) {
        self.wake.notified().await;
    }

    /// Takes out what waits: all replies, and events unless `hold` is set (the client has
    /// too much unacknowledged).
    #[must_use]
    pub fn drain(&self, hold: bool) -> Drained {
        let mut inner = self.inner.lock();
        let mut drained = Drained {
            replies: std::mem::take(&mut inner.replies),
            ending: inner.ending,
            ..Drained::default()
        };
        if !hold {
            drained.events = std::mem::take(&mut inner.events);
            inner.bytes = 0;
            drained.behind = !inner.gaps.is_empty();
        }
        drained
    }

    /// True while something that was missed is still to be read back.
    #[cfg(test)]
    fn is_behind(&self) -> bool {
        !self.inner.lock().gaps.is_empty()
    }

    /// No more events or replies are taken.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.lock();
        *inner = Inner {
            closed: true,
            ..Inner::default()
        };
    }

    /// One gap to read back, if there is one and the mailbox has room.
    pub(crate) fn next_gap(&self) -> Option<Gap> {
        let inner = self.inner.lock();
        if inner.closed || inner.events.len() > self.limits.items / 2 {
            return None;
        }
        inner.gaps.values().next().cloned()
    }

    /// Forgets what was missed in a log: the session may not see it any more.
    pub(crate) fn forget_gap(&self, channel: ChannelNum) {
        self.inner.lock().gaps.remove(&channel);
    }

    /// Puts what was read back for a gap behind what waits, and moves the gap's start to
    /// `next`. Nothing happens if the gap is no longer the one that was read for.
    pub(crate) fn fill_gap(&self, read: &Gap, messages: Vec<Message>, next: u64) {
        let mut inner = self.inner.lock();
        let channel = read.channel.num;
        let Some(gap) = inner.gaps.get_mut(&channel) else {
            return;
        };
        if gap.next != read.next {
            return;
        }
        let own = std::mem::take(&mut gap.own);
        gap.next = next;
        let bytes: usize = messages.iter().map(Message::weight).sum();
        gap.page = if bytes < SMALL_PAGE_BYTES {
            (gap.page * 2).min(LARGEST_PAGE)
        } else {
            FIRST_PAGE
        };
        if gap.next > gap.last {
            inner.gaps.remove(&channel);
        } else {
            gap.own = own.iter().copied().filter(|seq| *seq >= next).collect();
        }
        for message in messages {
            if !own.contains(&message.seq) {
                inner.bytes += message.weight();
                inner.events.push_back(Event::Message(Arc::new(message)));
            }
        }
        drop(inner);
        self.wake.notify_one();
    }
}

#[cfg(test)]
mod tests;
