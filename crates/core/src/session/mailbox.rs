//! What waits for a session: bounded in items and bytes. A slow consumer never blocks
//! anybody: what does not fit is remembered as a gap per channel (`gaps`), and read back from
//! the store when the mailbox has drained (`deliver::resync`). `backlog` is how a session
//! gets what was sent before it, `record` what its device was given through it.

mod backlog;
mod gaps;
mod handed;
mod record;

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::{Delivery, Displacement, Notice, Offline};
use crate::id::{ChannelNum, MessageId};
use crate::message::{Accepted, Message};
use crate::refusal::Refusal;

pub(crate) use backlog::{Backlog, Cursor};
pub(crate) use gaps::Gap;
use record::Record;
pub(crate) use record::Unwritten;

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
    /// What is for those who are there.
    Notice(Arc<Notice>),
}

/// Roughly what a notice costs to hold, bytes.
const NOTICE_BYTES: usize = 256;

impl Event {
    /// Roughly what it costs to hold, bytes.
    fn weight(&self) -> usize {
        match self {
            Self::Message(message) => message.weight(),
            Self::Notice(_) => NOTICE_BYTES,
        }
    }

    /// The message, if it is one that stands in a log.
    fn stored(&self) -> Option<&Arc<Message>> {
        match self {
            Self::Message(message) if message.seq > 0 => Some(message),
            _ => None,
        }
    }
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

/// What becomes of live stored messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    /// They are given.
    Live,
    /// They are not taken: the log is read up to them.
    Holding,
    /// Those from this place in the queue on may follow what is being read.
    Joining { from: usize },
}

struct Inner {
    replies: VecDeque<(Ticket, SendReply)>,
    events: VecDeque<Event>,
    bytes: usize,
    gaps: FxHashMap<ChannelNum, Gap>,
    flow: Flow,
    backlog: Backlog,
    /// What the session sent itself while it was not live.
    own: Vec<MessageId>,
    record: Record,
    /// What was pulled and is not wanted yet.
    aside: handed::Aside,
    ending: Option<Ending>,
    closed: bool,
}

impl Inner {
    fn queue(&mut self, event: Event) {
        self.bytes += event.weight();
        self.events.push_back(event);
    }
}

/// See the module's words.
pub struct Mailbox {
    inner: Mutex<Inner>,
    wake: Notify,
    /// All lanes know the session.
    entered: Notify,
    limits: MailboxLimits,
    /// Writing to the client is what counts: it acknowledges nothing.
    counts_written: bool,
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
    /// True when there is more in the log for the session and nothing is left to drain: time
    /// to resync.
    pub behind: bool,
}

impl Mailbox {
    pub(crate) fn new(
        limits: MailboxLimits,
        delivery: Delivery,
        unwritten: Arc<Unwritten>,
    ) -> Self {
        let flow = if delivery.offline == Offline::Push {
            Flow::Holding
        } else {
            Flow::Live
        };
        let inner = Inner {
            replies: VecDeque::new(),
            events: VecDeque::new(),
            bytes: 0,
            gaps: FxHashMap::default(),
            flow,
            backlog: Backlog::default(),
            own: Vec::new(),
            record: Record::new(delivery, limits.items, unwritten),
            aside: handed::Aside::default(),
            ending: None,
            closed: false,
        };
        Self {
            inner: Mutex::new(inner),
            wake: Notify::new(),
            entered: Notify::new(),
            limits,
            counts_written: !delivery.acks && delivery.offline != Offline::Sync,
        }
    }

    /// Answers a send. Never refused: there is one answer per command in flight, and the
    /// driver bounds those.
    pub(crate) fn reply(&self, ticket: Ticket, reply: SendReply) {
        let mut inner = self.inner.lock();
        if !inner.closed {
            if let Ok(accepted) = &reply
                && accepted.seq > 0
            {
                inner.note_sent(accepted.id);
            }
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
        if let Some(message) = event.stored() {
            if inner.flow == Flow::Holding {
                return Push::Missed;
            }
            if inner.record.came_before(message) {
                return Push::Queued;
            }
            if let Some(gap) = inner.gaps.get_mut(&message.channel.num) {
                gap.last = gap.last.max(message.seq);
                inner.record.missed(message.id);
                return Push::Missed;
            }
        }
        let weight = event.weight();
        if inner.events.len() < self.limits.items && inner.bytes + weight <= self.limits.bytes {
            inner.queue(event);
            drop(inner);
            self.wake.notify_one();
            return Push::Queued;
        }
        if let Some(message) = event.stored() {
            inner.record.missed(message.id);
            if inner.gaps.len() >= self.limits.gaps {
                inner.record.seal();
                inner.ending.get_or_insert(Ending::TooSlow);
            } else {
                inner.gaps.insert(message.channel.num, Gap::of(message));
            }
            drop(inner);
            self.wake.notify_one();
        }
        Push::Missed
    }

    /// Notes that the session itself sent a message, so that a resync leaves it out.
    pub(crate) fn note_own(&self, message: &Message) {
        let mut inner = self.inner.lock();
        if message.seq > 0 {
            inner.record.sent(message.id);
            if let Some(gap) = inner.gaps.get_mut(&message.channel.num) {
                gap.note_own(message.seq);
            }
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
            drained.behind = inner.flow != Flow::Live || !inner.gaps.is_empty();
            if !matches!(inner.flow, Flow::Joining { .. }) {
                drained.events = std::mem::take(&mut inner.events);
                inner.bytes = 0;
                inner.record.taken(&drained.events);
            }
        }
        drained
    }

    /// Has the session look again, in a moment of its own.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// True while something that was missed is still to be read back.
    #[cfg(test)]
    fn is_behind(&self) -> bool {
        !self.inner.lock().gaps.is_empty()
    }

    /// No more events or replies are taken, and what was given is not asked for any more.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        inner.record.close();
        inner.ending = None;
        inner.replies = VecDeque::new();
        inner.events = VecDeque::new();
        inner.aside = handed::Aside::default();
        inner.bytes = 0;
        inner.gaps = FxHashMap::default();
        inner.backlog = Backlog::Read;
    }
}

#[cfg(test)]
mod tests;
