//! What a session's device was given through it: which stretch of the log, and what of it is
//! not acknowledged. The mailbox is locked for each delivery anyway; nothing here takes
//! another lock but once in a while.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::{Event, Flow, Inner, Mailbox};
use crate::delivered::{Given, Stretch};
use crate::id::MessageId;
use crate::message::Message;
use crate::session::{Delivery, Offline};

/// Unacknowledged messages that one session remembers, or twice the mailbox's items if those
/// are more. Machines stop taking messages long before (at 1,000 and what one draining adds);
/// of a client that never acknowledges, the oldest beyond them and all before are not counted
/// as given.
const AWAITING: usize = 4096;
/// An empty list larger than this gives its memory back.
const IDLE_CAPACITY: usize = 16;

/// Sessions with something that is not written down.
#[derive(Debug)]
pub(crate) struct Unwritten {
    sessions: AtomicUsize,
    limit: usize,
    reached: Notify,
}

impl Unwritten {
    /// None yet; at `limit` whoever waits for it is woken.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self {
            sessions: AtomicUsize::new(0),
            limit,
            reached: Notify::new(),
        })
    }

    /// Waits until there are too many.
    pub(crate) async fn too_many(&self) {
        self.reached.notified().await;
    }

    fn add(&self) {
        if self.sessions.fetch_add(1, Ordering::Relaxed) + 1 == self.limit {
            self.reached.notify_one();
        }
    }

    fn remove(&self) {
        self.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What one session's device was given through it.
pub(super) struct Record {
    /// Whether it is kept at all.
    kept: bool,
    acks: bool,
    /// Given and not acknowledged, in the order in which they were taken out. Without
    /// acknowledgements: taken out the last time, and perhaps not written to the client yet.
    awaiting: VecDeque<MessageId>,
    /// So many of these, from the front, were written to a client that is not known to
    /// acknowledge: they count as delivered if it ends like that.
    presumed: usize,
    /// How many may await.
    limit: usize,
    /// What was sent before and is given now, pushed or pulled.
    pub(super) below: Option<Stretch>,
    /// Everything that is above was sent after the session was in the hub.
    opened: MessageId,
    /// From here on live messages come. Not before the lanes know the session.
    live_from: Option<MessageId>,
    /// Lanes that do not know the session yet. One at least until it is told to them.
    entering: usize,
    /// The lowest that was missed since there are gaps.
    missed: Option<MessageId>,
    /// Something was missed that no gap remembers: from there on nothing counts as given.
    sealed: bool,
    /// Live messages up to here were read from the log and are not taken again.
    caught: MessageId,
    /// Up to here unacknowledged messages had to be forgotten.
    forgotten: MessageId,
    /// The highest that was given, acknowledged or sent.
    touched: MessageId,
    dirty: bool,
    unwritten: Arc<Unwritten>,
}

impl Record {
    pub(super) fn new(delivery: Delivery, items: usize, unwritten: Arc<Unwritten>) -> Self {
        Self {
            kept: delivery.offline != Offline::Sync,
            acks: delivery.acks,
            awaiting: VecDeque::new(),
            presumed: 0,
            limit: AWAITING.max(items.saturating_mul(2)),
            below: None,
            opened: MessageId(0),
            live_from: None,
            entering: 1,
            missed: None,
            sealed: false,
            caught: MessageId(0),
            forgotten: MessageId(0),
            touched: MessageId(0),
            dirty: false,
            unwritten,
        }
    }

    /// Something is to be written down that concerns this message.
    fn touch(&mut self, id: MessageId) {
        self.touched = self.touched.max(id);
        self.note_unwritten();
    }

    pub(super) fn note_unwritten(&mut self) {
        if self.kept && !self.dirty {
            self.dirty = true;
            self.unwritten.add();
        }
    }

    /// Nothing is to be written down.
    pub(super) fn clean(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.unwritten.remove();
        }
    }

    /// The session is over. What waited and was not acknowledged is forgotten, so nothing is
    /// claimed either.
    pub(super) fn close(&mut self) {
        self.clean();
        self.kept = false;
        self.awaiting = VecDeque::new();
        self.presumed = 0;
        self.below = None;
        self.live_from = None;
    }

    /// The session sent a message itself: it is not given to it.
    pub(super) fn sent(&mut self, id: MessageId) {
        if self.kept {
            self.touch(id);
        }
    }

    /// Events were taken out of the mailbox. Whoever takes more has written what it took
    /// before.
    pub(super) fn taken(&mut self, events: &VecDeque<Event>) {
        if self.kept {
            self.written();
            for message in events.iter().filter_map(Event::stored) {
                self.given(message.id);
            }
        }
    }

    /// What was taken has reached the client, as far as anybody can tell without
    /// acknowledgements.
    fn written(&mut self) {
        if !self.acks && !self.awaiting.is_empty() {
            self.awaiting.clear();
            self.give_back_memory();
            self.note_unwritten();
        }
    }

    /// A message was given to the client.
    fn given(&mut self, id: MessageId) {
        self.touch(id);
        self.awaiting.push_back(id);
        if self.awaiting.len() > self.limit
            && let Some(oldest) = self.awaiting.pop_front()
        {
            self.presumed = self.presumed.saturating_sub(1);
            self.forgotten = self.forgotten.max(oldest);
        }
    }

    /// Messages from the log were given to the client.
    pub(super) fn pulled(&mut self, page: &[Message]) {
        let first = self.awaiting.iter().min().copied();
        for message in page {
            // One that came live while the session was opened is acknowledged once.
            let again = first.is_some_and(|first| first <= message.id)
                && self.awaiting.contains(&message.id);
            if !again {
                self.given(message.id);
            }
        }
        self.note_unwritten();
    }

    fn give_back_memory(&mut self) {
        if self.awaiting.is_empty() && self.awaiting.capacity() > IDLE_CAPACITY {
            self.awaiting = VecDeque::new();
        }
    }

    fn acknowledged(&mut self, id: MessageId) {
        // Mostly from the front.
        let at = self.awaiting.iter().position(|given| *given == id);
        if let Some(at) = at.filter(|at| self.awaiting.remove(*at).is_some()) {
            self.presumed -= usize::from(at < self.presumed);
            self.touch(id);
        }
    }

    /// What was presumed of a client that has ended is so.
    fn settle(&mut self) {
        if self.presumed > 0 {
            self.awaiting.drain(..self.presumed);
            self.presumed = 0;
            self.note_unwritten();
        }
    }

    /// A message that counts as given is going to be given again, and counts then.
    pub(super) fn withdraw(&mut self, id: MessageId) {
        if let Some(at) = self.awaiting.iter().position(|given| *given == id) {
            self.awaiting.remove(at);
        }
    }

    /// True for a live message that was read from the log already.
    pub(super) fn came_before(&self, message: &Message) -> bool {
        message.id <= self.caught
    }

    pub(super) fn missed(&mut self, id: MessageId) {
        self.missed = Some(self.missed.map_or(id, |missed| missed.min(id)));
    }

    /// There are no gaps any more.
    pub(super) fn nothing_missed(&mut self) {
        if !self.sealed {
            self.missed = None;
        }
    }

    /// What was just missed is in no gap.
    pub(super) fn seal(&mut self) {
        self.sealed = true;
    }

    /// The log was read up to here, and live messages go on from there.
    pub(super) fn live_after(&mut self, through: MessageId) {
        let next = after(through);
        self.caught = through;
        self.live_from = Some(next);
        self.missed = self.missed.map(|missed| missed.max(next));
    }

    /// The start of the live messages, once the lanes know the session.
    pub(super) fn live_from(&self) -> Option<MessageId> {
        self.live_from.filter(|_| self.entering == 0)
    }

    pub(super) fn is_entering(&self) -> bool {
        self.entering > 0
    }
}

fn after(id: MessageId) -> MessageId {
    MessageId(id.0.saturating_add(1))
}

impl Inner {
    /// What the device was given through this session, if everything up to `through` was
    /// handed out to mailboxes or missed by them. All of it is true for good: later it only
    /// becomes more. The first `presumed` that await count as given.
    fn given(&self, through: MessageId, presumed: usize) -> Given {
        let record = &self.record;
        let live = match (&self.flow, record.live_from()) {
            (Flow::Live, Some(lo)) => Some(Stretch {
                lo,
                // What is above the first that was missed may have been missed as well.
                hi: record
                    .missed
                    .map_or(through, |missed| through.min(MessageId(missed.0 - 1))),
            }),
            _ => None,
        };
        let known = record.below.into_iter().chain(live).map(|stretch| Stretch {
            lo: stretch.lo.max(after(record.forgotten)),
            ..stretch
        });
        let waiting = self.events.iter().filter_map(Event::stored);
        let waiting = waiting.map(|message| message.id);
        let awaiting = record.awaiting.iter().skip(presumed).copied();
        Given::of_session(known, awaiting.chain(waiting))
    }
}

impl Mailbox {
    /// The session is in the hub, and everything up to `head` may have been handed out
    /// before. Whoever opens it counts as a lane until all are told.
    pub(crate) fn begin(&self, head: MessageId) {
        let mut inner = self.inner.lock();
        inner.record.opened = head;
        if inner.flow == Flow::Live {
            inner.record.live_from = Some(after(head));
        }
    }

    /// The head of the log when the session was opened.
    pub(crate) fn opened(&self) -> MessageId {
        self.inner.lock().record.opened
    }

    /// So many lanes are going to say that they know the session.
    pub(crate) fn expect(&self, lanes: usize) {
        self.inner.lock().record.entering += lanes;
    }

    /// A lane knows the session from now on; it may have missed what that lane handed out up
    /// to `missed`.
    pub(crate) fn entered(&self, missed: MessageId) {
        let mut inner = self.inner.lock();
        let record = &mut inner.record;
        record.live_from = record.live_from.map(|from| from.max(after(missed)));
        record.entering = record.entering.saturating_sub(1);
        if record.entering == 0 {
            drop(inner);
            self.entered.notify_waiters();
            self.wake.notify_one();
        }
    }

    /// Waits until all lanes know the session.
    pub(crate) async fn known_to_lanes(&self) {
        loop {
            let entered = self.entered.notified();
            tokio::pin!(entered);
            // From here on a notice is not missed.
            entered.as_mut().enable();
            if !self.inner.lock().record.is_entering() {
                return;
            }
            entered.await;
        }
    }

    /// The client has acknowledged messages. Those it was not given through this session are
    /// of no account.
    pub(crate) fn acknowledge(&self, ids: &[MessageId]) {
        let mut inner = self.inner.lock();
        let record = &mut inner.record;
        for id in ids {
            record.acknowledged(*id);
        }
        record.give_back_memory();
    }

    /// What was drained last is written to the client. Where a dialect has no
    /// acknowledgements that is when it counts as delivered; otherwise it is of no account.
    /// Without this it counts from the next draining on.
    pub fn written(&self) {
        if self.counts_written {
            self.inner.lock().record.written();
        }
    }

    /// True if something is to be written down.
    pub(crate) fn is_unwritten(&self) -> bool {
        self.inner.lock().record.dirty
    }

    /// What was given through this session, where `through` is as in [`Inner::given`].
    pub(crate) fn given(&self, through: MessageId) -> Given {
        let inner = self.inner.lock();
        inner.given(through, inner.record.presumed)
    }

    /// Whether what was drained so far, and is written to the client, counts as delivered if
    /// the client ends without ever having acknowledged anything. For dialects whose clients
    /// do not say whether they acknowledge.
    pub fn presume(&self, is_presumed: bool) {
        let record = &mut self.inner.lock().record;
        record.presumed = if is_presumed {
            record.awaiting.len()
        } else {
            0
        };
    }

    /// The session has ended: what is presumed delivered is delivered.
    pub(crate) fn settle(&self) {
        self.inner.lock().record.settle();
    }

    /// The same if something of it is to be written down, which then counts as done as far
    /// as it goes.
    pub(crate) fn take_unwritten(&self, through: MessageId) -> Option<Given> {
        let mut inner = self.inner.lock();
        if !inner.record.dirty {
            return None;
        }
        let given = inner.given(through, 0);
        let reaches = given.ranges().last()?.hi;
        if inner.record.touched <= reaches {
            inner.record.clean();
        }
        Some(given)
    }
}
