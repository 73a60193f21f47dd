//! A subscriber: its queue behind a lock that connections and the lane share, and the lists by
//! which it tells the lane that there is something to do.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::job::Holder;
use super::limits::add;
use super::queue::{Part, Queue};
use super::{
    AttachmentEnd, Change, Delivery, DeliveryId, Detach, Drained, QueueHead, QueuedMessage,
    SubscriberNum, TopicCounters, TopicError, TopicLimits,
};
use crate::clock::Clock;
use crate::id::{Realm, UserNum};

/// A subscriber of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SubId(pub(super) u64);

/// What all subscribers share.
pub(super) struct Env {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: TopicLimits,
    pub(super) counters: Arc<TopicCounters>,
    /// Subscribers of which something is to be written down.
    marked: Mutex<Vec<Arc<Subscriber>>>,
    /// Connections that were lost without a word. No more than there are connections.
    abandoned: Mutex<Vec<(Holder, Detach)>>,
}

impl Env {
    pub(super) fn new(
        clock: Arc<dyn Clock>,
        limits: TopicLimits,
        counters: Arc<TopicCounters>,
    ) -> Self {
        Self {
            clock,
            limits,
            counters,
            marked: Mutex::default(),
            abandoned: Mutex::default(),
        }
    }

    /// Takes out what is to be written down of all subscribers.
    pub(super) fn take_marks(&self, changes: &mut Vec<Change>) {
        let marked = std::mem::take(&mut *self.marked.lock());
        for subscriber in marked {
            subscriber.take_marks(changes);
        }
    }

    pub(super) fn take_abandoned(&self) -> Vec<(Holder, Detach)> {
        std::mem::take(&mut *self.abandoned.lock())
    }
}

/// See the module's words.
pub(super) struct Subscriber {
    pub(super) id: SubId,
    /// Its number in the store; `None` if its session ends with its connection.
    pub(super) num: Option<SubscriberNum>,
    pub(super) realm: Realm,
    pub(super) user: UserNum,
    pub(super) client_id: Arc<str>,
    env: Arc<Env>,
    inner: Mutex<Inner>,
}

struct Inner {
    queue: Queue,
    is_marked: bool,
}

/// Who a subscriber is.
pub(super) struct Name {
    pub(super) realm: Realm,
    pub(super) user: UserNum,
    pub(super) client_id: Arc<str>,
}

impl Subscriber {
    pub(super) fn new(
        id: SubId,
        num: Option<SubscriberNum>,
        name: Name,
        head: QueueHead,
        env: &Arc<Env>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id,
            num,
            realm: name.realm,
            user: name.user,
            client_id: name.client_id,
            env: Arc::clone(env),
            inner: Mutex::new(Inner {
                queue: Queue::new(num.is_some(), head),
                is_marked: false,
            }),
        })
    }

    /// Works on the queue, and has what it leaves to be written down noticed.
    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut Queue) -> T) -> T {
        let mut inner = self.inner.lock();
        let done = work(&mut inner.queue);
        if inner.queue.has_marks() && !inner.is_marked {
            inner.is_marked = true;
            self.env.marked.lock().push(Arc::clone(self));
        }
        done
    }

    fn held<T>(
        self: &Arc<Self>,
        epoch: u64,
        work: impl FnOnce(&mut Queue) -> T,
    ) -> Result<T, TopicError> {
        self.with(|queue| {
            if queue.is_held_by(epoch) {
                Ok(work(queue))
            } else {
                Err(TopicError::Superseded)
            }
        })
    }

    pub(super) fn hold(self: &Arc<Self>) -> (u64, Arc<Notify>) {
        self.with(Queue::hold)
    }

    pub(super) fn let_go(self: &Arc<Self>, why: AttachmentEnd) {
        self.with(|queue| queue.let_go(why));
    }

    /// The place of a new message; `None` if there is no room.
    pub(super) fn reserve(self: &Arc<Self>, bytes: usize) -> Option<u64> {
        let n = self.with(|queue| queue.reserve(bytes, &self.env.limits));
        let counters = &self.env.counters;
        match n {
            Some(_) => add(&counters.queued, 1),
            None => add(&counters.dropped_full, 1),
        }
        n
    }

    pub(super) fn push(self: &Arc<Self>, entry: QueuedMessage) {
        self.with(|queue| queue.push(entry, &self.env.limits));
    }

    pub(super) fn give_up(self: &Arc<Self>, bytes: usize) {
        self.with(|queue| queue.give_up(bytes));
    }

    /// Adds messages without a guarantee: all, unless there is no room for the first.
    pub(super) fn push_once(self: &Arc<Self>, deliveries: Vec<Delivery>) {
        let all = deliveries.len();
        let limits = &self.env.limits;
        let taken = self.with(|queue| {
            let is_counted = all == 1;
            if queue.is_crowded(limits) {
                return 0;
            }
            let push = |delivery| queue.push_once(delivery, is_counted, limits);
            deliveries
                .into_iter()
                .map(push)
                .filter(|pushed| *pushed)
                .count()
        });
        add(&self.env.counters.queued, taken);
        add(&self.env.counters.dropped_slow, all - taken);
    }

    pub(super) fn drop_stored(self: &Arc<Self>, n: u64, bytes: usize) -> bool {
        self.with(|queue| queue.drop_stored(n, bytes))
    }

    pub(super) fn drain(self: &Arc<Self>, epoch: u64, room: usize) -> Drained {
        let now_ms = self.env.clock.now_ms();
        let (drained, expired) = self.with(|queue| queue.drain(epoch, room, now_ms));
        add(&self.env.counters.expired, expired);
        drained
    }

    pub(super) fn done(self: &Arc<Self>, epoch: u64, id: DeliveryId) -> Result<bool, TopicError> {
        self.held(epoch, |queue| queue.done(id))
    }

    pub(super) fn received(
        self: &Arc<Self>,
        epoch: u64,
        id: DeliveryId,
    ) -> Result<bool, TopicError> {
        self.held(epoch, |queue| queue.received(id))
    }

    pub(super) fn missing(&self, epoch: u64) -> Option<Part> {
        self.inner.lock().queue.missing(epoch)
    }

    pub(super) fn refill(
        self: &Arc<Self>,
        epoch: u64,
        part: Part,
        messages: Vec<QueuedMessage>,
        more: bool,
    ) -> bool {
        let now_ms = self.env.clock.now_ms();
        let (taken, expired) = self.with(|queue| queue.refill(epoch, part, messages, more, now_ms));
        add(&self.env.counters.expired, expired);
        taken
    }

    /// A connection was lost without a word, or was never told that it is one.
    pub(super) fn abandon(&self, epoch: u64, how: Detach) {
        if self.inner.lock().queue.is_held_by(epoch) {
            let holder = Holder {
                subscriber: self.id,
                epoch,
            };
            self.env.abandoned.lock().push((holder, how));
        }
    }

    pub(super) fn take_marks(&self, changes: &mut Vec<Change>) {
        let mut inner = self.inner.lock();
        inner.is_marked = false;
        if let Some(num) = self.num {
            inner.queue.take_marks(num, changes);
        }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("id", &self.id)
            .field("user", &self.user)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
