//! What waits for one subscriber. Messages with a guarantee have consecutive places in a
//! queue; the front part of it that is in memory is the window. Of a subscriber whose session
//! ends with its connection, the window is the whole queue; of a durable one it is filled from
//! the store while there is a connection. Messages without a guarantee wait for a connection
//! only.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;

use super::{
    AttachmentEnd, Change, Delivery, DeliveryId, Drained, Qos, QueueHead, QueuedMessage, Stage,
    SubscriberNum, TopicLimits,
};

/// A queue is never longer than this from its first to its last place, so that the numbers of
/// its deliveries are unique.
const MAX_SPAN: u64 = DeliveryId::MAX as u64;

/// What is to be written down of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Advance(Stage),
    Dequeue,
}

/// The connection that takes out of the queue.
#[derive(Debug)]
struct Hold {
    epoch: u64,
    wake: Arc<Notify>,
}

/// A part of the queue that is not in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// It is behind this place.
    pub(super) after: u64,
    /// The last place that was committed when it was asked for.
    tail: u64,
}

/// See the module's words.
#[derive(Debug)]
pub(super) struct Queue {
    is_durable: bool,
    hold: Option<Hold>,
    epochs: u64,
    /// Why the last connection was ended, if it was.
    end: AttachmentEnd,
    window: VecDeque<QueuedMessage>,
    /// So many at the front of the window were handed out to the connection.
    handed: usize,
    /// Everything up to this place is in the window or settled.
    loaded: u64,
    /// The last place that was committed.
    tail: u64,
    /// The next place to be given.
    next: u64,
    /// All that is in the queue, also what is about to be committed.
    items: u32,
    bytes: u64,
    once: VecDeque<Delivery>,
    once_bytes: usize,
    marks: BTreeMap<u64, Mark>,
}

impl Queue {
    pub(super) fn new(is_durable: bool, head: QueueHead) -> Self {
        Self {
            is_durable,
            hold: None,
            epochs: 0,
            end: AttachmentEnd::SessionEnded,
            window: VecDeque::new(),
            handed: 0,
            loaded: head.first.saturating_sub(1),
            tail: head.last,
            next: head.last + 1,
            items: head.items,
            bytes: head.bytes,
            once: VecDeque::new(),
            once_bytes: 0,
            marks: BTreeMap::new(),
        }
    }

    pub(super) fn is_held_by(&self, epoch: u64) -> bool {
        self.hold.as_ref().is_some_and(|hold| hold.epoch == epoch)
    }

    /// A connection takes over. Its number, and what wakes it.
    pub(super) fn hold(&mut self) -> (u64, Arc<Notify>) {
        self.let_go(AttachmentEnd::TakenOver);
        self.epochs += 1;
        let wake = Arc::new(Notify::new());
        // What waits already is to be looked for.
        wake.notify_one();
        self.hold = Some(Hold {
            epoch: self.epochs,
            wake: Arc::clone(&wake),
        });
        (self.epochs, wake)
    }

    /// The connection, if there is one, holds the queue no more.
    pub(super) fn let_go(&mut self, why: AttachmentEnd) {
        if let Some(hold) = self.hold.take() {
            self.end = why;
            hold.wake.notify_one();
        }
        self.once = VecDeque::new();
        self.once_bytes = 0;
        self.handed = 0;
        if self.is_durable
            && let Some(first) = self.window.front()
        {
            self.loaded = first.n - 1;
            self.window = VecDeque::new();
        }
    }

    pub(super) fn wake(&self) {
        if let Some(hold) = &self.hold {
            hold.wake.notify_one();
        }
    }

    fn first(&self) -> u64 {
        self.window.front().map_or(self.loaded + 1, |entry| entry.n)
    }

    /// Gives a message the next place, if there is room for it.
    pub(super) fn reserve(&mut self, bytes: usize, limits: &TopicLimits) -> Option<u64> {
        let bytes = self.bytes + bytes as u64;
        let has_room = self.items < limits.queue_items
            && (bytes <= limits.queue_bytes as u64 || self.items == 0)
            && self.next - self.first() < MAX_SPAN;
        if !has_room {
            return None;
        }
        let n = self.next;
        self.next += 1;
        self.items += 1;
        self.bytes = bytes;
        Some(n)
    }

    /// A message that has its place is committed.
    pub(super) fn push(&mut self, entry: QueuedMessage, limits: &TopicLimits) {
        let is_next = self.loaded >= self.tail;
        let waiting = self.window.len() - self.handed;
        let fits = waiting < usize::try_from(limits.window_items).unwrap_or(usize::MAX);
        self.tail = entry.n;
        if !self.is_durable || (self.hold.is_some() && is_next && fits) {
            self.loaded = entry.n;
            self.window.push_back(entry);
        }
        self.wake();
    }

    /// Adds a message without a guarantee; false if there is no room. `is_counted` is false
    /// for what is one of many that were there before, which are kept together.
    pub(super) fn push_once(
        &mut self,
        delivery: Delivery,
        is_counted: bool,
        limits: &TopicLimits,
    ) -> bool {
        let bytes = self.once_bytes + delivery.message.weight();
        let has_room = self.once.len() < limits.outbox_items
            && (bytes <= limits.outbox_bytes || self.once.is_empty());
        if self.hold.is_none() || (is_counted && !has_room) {
            return false;
        }
        self.once_bytes = bytes;
        self.once.push_back(delivery);
        self.wake();
        true
    }

    /// True if messages without a guarantee are at their bound.
    pub(super) fn is_crowded(&self, limits: &TopicLimits) -> bool {
        self.once.len() >= limits.outbox_items || self.once_bytes > limits.outbox_bytes
    }

    /// Takes out what waits, and how many had expired.
    pub(super) fn drain(&mut self, epoch: u64, room: usize, now_ms: i64) -> (Drained, usize) {
        let mut drained = Drained::default();
        if !self.is_held_by(epoch) {
            drained.ending = Some(self.end);
            return (drained, 0);
        }
        let mut expired = 0;
        self.once_bytes = 0;
        for delivery in self.once.drain(..) {
            if delivery.message.is_expired(now_ms) {
                expired += 1;
            } else {
                drained.deliveries.push(delivery);
            }
        }
        let mut room = room;
        while room > 0 && self.handed < self.window.len() {
            let entry = &mut self.window[self.handed];
            if entry.stage == Stage::Queued && entry.message.is_expired(now_ms) {
                self.remove(self.handed);
                expired += 1;
                continue;
            }
            drained.deliveries.push(delivery(entry));
            if entry.stage == Stage::Queued {
                entry.stage = Stage::Sent;
                if self.is_durable {
                    self.marks.insert(entry.n, Mark::Advance(Stage::Sent));
                }
            }
            self.handed += 1;
            room -= 1;
        }
        drained.behind = self.missing(epoch).is_some();
        (drained, expired)
    }

    fn remove(&mut self, at: usize) {
        let Some(entry) = self.window.remove(at) else {
            return;
        };
        if at < self.handed {
            self.handed -= 1;
        }
        self.forget(entry.n, entry.message.weight());
        // What was settled behind a first one that is not stays counted as loaded.
        if self.window.is_empty() && !self.is_durable {
            self.window.shrink_to(64);
        }
    }

    /// One message is no longer in the queue.
    fn forget(&mut self, n: u64, bytes: usize) {
        self.items = self.items.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
        if self.is_durable {
            self.marks.insert(n, Mark::Dequeue);
        }
    }

    /// What was given a place was never committed.
    pub(super) fn give_up(&mut self, bytes: usize) {
        self.items = self.items.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// A stored message that is not in memory has expired. False if it may be in memory.
    pub(super) fn drop_stored(&mut self, n: u64, bytes: usize) -> bool {
        let is_stored_only = self.is_durable && self.hold.is_none() && n <= self.tail;
        if is_stored_only && !self.marks.contains_key(&n) {
            self.forget(n, bytes);
            return true;
        }
        false
    }

    fn find(&self, id: DeliveryId) -> Option<usize> {
        let n = id.place(self.first());
        let at = self.window.binary_search_by_key(&n, |entry| entry.n).ok()?;
        (at < self.handed).then_some(at)
    }

    /// A delivery is over. False if there is none with this number.
    pub(super) fn done(&mut self, id: DeliveryId) -> bool {
        let Some(at) = self.find(id) else {
            return false;
        };
        self.remove(at);
        true
    }

    /// The subscriber has a message that must come once. False if there is none with this
    /// number.
    pub(super) fn received(&mut self, id: DeliveryId) -> bool {
        let Some(at) = self.find(id) else {
            return false;
        };
        let entry = &mut self.window[at];
        if entry.qos != Qos::ExactlyOnce {
            return false;
        }
        entry.stage = Stage::Received;
        if self.is_durable {
            self.marks.insert(entry.n, Mark::Advance(Stage::Received));
        }
        true
    }

    /// What is to be read from the store now.
    pub(super) fn missing(&self, epoch: u64) -> Option<Part> {
        let is_read = self.is_held_by(epoch) && self.handed == self.window.len();
        (self.is_durable && is_read && self.loaded < self.tail).then_some(Part {
            after: self.loaded,
            tail: self.tail,
        })
    }

    /// Takes in what was read from the store, and how many had expired. False if it was
    /// nothing that can be handed out.
    pub(super) fn refill(
        &mut self,
        epoch: u64,
        part: Part,
        messages: Vec<QueuedMessage>,
        more: bool,
        now_ms: i64,
    ) -> (bool, usize) {
        if !self.is_held_by(epoch) || self.loaded != part.after {
            return (true, 0);
        }
        let last = messages.last().map_or(part.after, |entry| entry.n);
        self.loaded = if more { last } else { last.max(part.tail) };
        let (mut taken, mut expired) = (false, 0);
        for entry in messages {
            if entry.stage == Stage::Queued && entry.message.is_expired(now_ms) {
                self.forget(entry.n, entry.message.weight());
                expired += 1;
            } else {
                self.window.push_back(entry);
                taken = true;
            }
        }
        self.wake();
        (taken, expired)
    }

    pub(super) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Takes out what is to be written down.
    pub(super) fn take_marks(&mut self, num: SubscriberNum, changes: &mut Vec<Change>) {
        for (n, mark) in std::mem::take(&mut self.marks) {
            changes.push(match mark {
                Mark::Advance(stage) => Change::Advance(num, n, stage),
                Mark::Dequeue => Change::Dequeue(num, n),
            });
        }
    }
}

fn delivery(entry: &QueuedMessage) -> Delivery {
    Delivery {
        id: Some(DeliveryId::of(entry.n)),
        message: Arc::clone(&entry.message),
        qos: entry.qos,
        retain: entry.retain,
        subscription_ids: Arc::clone(&entry.subscription_ids),
        stage: entry.stage,
    }
}

#[cfg(test)]
mod tests;
