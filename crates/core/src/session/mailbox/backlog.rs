//! What was sent while a device was away: how far a session has come in reading it, and how
//! it goes over from there to live messages.
//!
//! A session to which it is pushed *holds*: live stored messages are not taken, the log is
//! read instead, oldest first, page by page. Before each page it tries to *join*: live
//! messages queue up, unseen, while the page is read. If that page reaches the end of the
//! log (a head that is read after the queue was opened), what is queued follows it without a
//! gap and the session is live; otherwise the queue is dropped, since the next page has it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Event, Flow, Inner, Mailbox};
use crate::delivered::{Given, Stretch, Waiting};
use crate::id::MessageId;
use crate::message::Message;

/// Own messages that are remembered while the log is read; further ones are given to the
/// session that sent them.
const OWN_KEPT: usize = 4096;

/// How far a session has come in what was sent before.
#[derive(Debug, Clone, Default)]
pub(crate) enum Backlog {
    /// Nobody asked yet.
    #[default]
    Unread,
    /// It is being read.
    At(Cursor),
    /// It was read to its end.
    Read,
}

/// A place in what was sent before.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    /// What the device was given by earlier sessions.
    pub(crate) given: Arc<Given>,
    /// Everything up to here is history and not offered.
    pub(crate) floor: MessageId,
    /// Everything up to here was given.
    pub(crate) at: MessageId,
}

impl Mailbox {
    /// How far the session has come.
    pub(crate) fn backlog(&self) -> Backlog {
        self.inner.lock().backlog.clone()
    }

    /// Begins to read, unless that was begun. A device that was never seen is to be known
    /// from now on.
    pub(crate) fn begin_backlog(&self, cursor: Cursor, is_new: bool) {
        let mut inner = self.inner.lock();
        if matches!(inner.backlog, Backlog::Unread) && !inner.closed {
            inner.record.below = reached(&cursor, cursor.at);
            inner.backlog = Backlog::At(cursor);
            if is_new {
                inner.record.note_unwritten();
            }
        }
    }

    /// Where live messages begin, once the lanes know the session.
    pub(crate) fn live_from(&self) -> Option<MessageId> {
        self.inner.lock().record.live_from()
    }

    /// True if the session is not live and there is room for a page.
    pub(crate) fn wants_page(&self) -> bool {
        let inner = self.inner.lock();
        let room = inner.events.len() <= self.limits.items / 2;
        inner.flow != Flow::Live && !inner.closed && room
    }

    /// Lets live messages queue up. False, and nothing is done, while lanes do not know the
    /// session: what they hand out would be missed.
    pub(crate) fn join(&self) -> bool {
        let mut inner = self.inner.lock();
        if inner.record.is_entering() {
            return false;
        }
        // One that was given up half-way begins anew.
        inner.hold();
        inner.flow = Flow::Joining {
            from: inner.events.len(),
        };
        true
    }

    /// Gives up joining.
    pub(crate) fn hold(&self) {
        self.inner.lock().hold();
    }

    /// Puts a page behind what waits. `end` says that it reaches the end of the log, which
    /// was there, and that live messages have queued up since before that was known.
    pub(crate) fn push_page(&self, read: &Cursor, page: Waiting, end: Option<MessageId>) {
        let mut inner = self.inner.lock();
        if !inner.is_at(read) {
            return;
        }
        let live = inner.take_live();
        let through = page.through;
        for message in page.messages {
            if !inner.own.contains(&message.id) {
                inner.queue(Event::Message(Arc::new(message)));
            }
        }
        inner.record.below = reached(read, through);
        if let Some(end) = end {
            inner.record.live_after(end);
            inner.backlog = Backlog::Read;
            inner.own = Vec::new();
            inner.flow = Flow::Live;
            for event in live {
                if !event.stored().is_some_and(|m| inner.record.came_before(m)) {
                    inner.queue(event);
                }
            }
        } else {
            inner.gaps.clear();
            inner.record.nothing_missed();
            inner.flow = Flow::Holding;
            inner.advance(through);
            for event in live {
                if event.stored().is_none() {
                    inner.queue(event);
                }
            }
        }
        drop(inner);
        if end.is_some() || through > read.at {
            self.wake.notify_one();
        }
    }

    /// Notes a page that the client asked for as given. False, and nothing is done, if
    /// another was given meanwhile.
    pub(crate) fn pulled_page(
        &self,
        read: &Cursor,
        page: &[Message],
        through: MessageId,
        last: bool,
    ) -> bool {
        let mut inner = self.inner.lock();
        if !inner.is_at(read) {
            return false;
        }
        inner.record.pulled(page);
        inner.record.below = reached(read, through);
        if last {
            inner.backlog = Backlog::Read;
        } else {
            inner.advance(through);
        }
        true
    }
}

/// What a session that reads from a cursor's floor has reached.
fn reached(cursor: &Cursor, through: MessageId) -> Option<Stretch> {
    let lo = MessageId(cursor.floor.0.saturating_add(1));
    (lo <= through).then_some(Stretch { lo, hi: through })
}

impl Inner {
    /// While what was sent before is read, the session's own messages are to be left out.
    pub(super) fn note_sent(&mut self, id: MessageId) {
        if self.flow != Flow::Live && self.own.len() < OWN_KEPT {
            self.own.push(id);
        }
    }

    fn is_at(&self, read: &Cursor) -> bool {
        !self.closed && matches!(&self.backlog, Backlog::At(cursor) if cursor.at == read.at)
    }

    fn advance(&mut self, through: MessageId) {
        if let Backlog::At(cursor) = &mut self.backlog {
            cursor.at = through;
        }
    }

    fn take_live(&mut self) -> VecDeque<Event> {
        let Flow::Joining { from } = self.flow else {
            return VecDeque::new();
        };
        let live = self.events.split_off(from.min(self.events.len()));
        self.bytes -= live.iter().map(Event::weight).sum::<usize>();
        live
    }

    /// Drops what queued up while joining; what is stored is read from the log.
    fn hold(&mut self) {
        if !matches!(self.flow, Flow::Joining { .. }) {
            return;
        }
        for event in self.take_live() {
            if event.stored().is_none() {
                self.queue(event);
            }
        }
        self.gaps.clear();
        self.record.nothing_missed();
        self.flow = Flow::Holding;
    }
}
