//! Places, numbers and bounds of one queue.

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::{prop_assert_eq, proptest};

use super::{MAX_SPAN, Queue};
use crate::id::Realm;
use crate::pubsub::{
    AttachmentEnd, Change, DeliveryId, Qos, QueueHead, QueuedMessage, Stage, SubscriberNum, Topic,
    TopicLimits, TopicMessage,
};

fn message(expires_at_ms: Option<i64>) -> Arc<TopicMessage> {
    Arc::new(TopicMessage {
        realm: Realm::default(),
        topic: Topic::parse("t").expect("a topic"),
        payload: Bytes::from_static(b"x"),
        properties: Bytes::new(),
        qos: Qos::ExactlyOnce,
        retain: false,
        expires_at_ms,
    })
}

fn entry(n: u64, expires_at_ms: Option<i64>) -> QueuedMessage {
    QueuedMessage {
        n,
        message: message(expires_at_ms),
        qos: Qos::ExactlyOnce,
        retain: false,
        subscription_ids: [].into(),
        stage: Stage::Queued,
    }
}

fn add(queue: &mut Queue, limits: &TopicLimits) -> Option<u64> {
    let n = queue.reserve(message(None).weight(), limits)?;
    queue.push(entry(n, None), limits);
    Some(n)
}

fn numbers(queue: &mut Queue, epoch: u64, room: usize) -> Vec<u16> {
    let (drained, _) = queue.drain(epoch, room, 0);
    let id = |delivery: &super::Delivery| delivery.id.map_or(0, |id| id.0.get());
    drained.deliveries.iter().map(id).collect()
}

proptest! {
    #[test]
    fn a_number_names_one_place(first in 1_u64..1 << 40, ahead in 0..MAX_SPAN) {
        let n = first + ahead;
        prop_assert_eq!(DeliveryId::of(n).place(first), n);
    }
}

#[test]
fn numbers_stay_unique_while_one_is_never_settled() {
    let limits = TopicLimits::default();
    let mut queue = Queue::new(false, QueueHead::default());
    let (epoch, _) = queue.hold();
    assert_eq!(add(&mut queue, &limits), Some(1));
    let stuck = DeliveryId::of(1);
    assert_eq!(numbers(&mut queue, epoch, 1), [1]);
    for n in 2..=MAX_SPAN {
        assert_eq!(add(&mut queue, &limits), Some(n));
        assert_eq!(numbers(&mut queue, epoch, 9).len(), 1);
        assert!(queue.done(DeliveryId::of(n)), "{n}");
    }
    assert_eq!(add(&mut queue, &limits), None, "1 would be given again");
    assert!(queue.done(stuck) && !queue.done(stuck));
    assert_eq!(add(&mut queue, &limits), Some(MAX_SPAN + 1));
    assert_eq!(numbers(&mut queue, epoch, 9), [1]);
}

#[test]
fn bounds_are_of_items_and_bytes() {
    let weight = message(None).weight();
    let limits = TopicLimits {
        queue_items: 3,
        queue_bytes: 2 * weight,
        ..TopicLimits::default()
    };
    let mut queue = Queue::new(false, QueueHead::default());
    let (epoch, _) = queue.hold();
    assert_eq!(add(&mut queue, &limits), Some(1));
    assert_eq!(add(&mut queue, &limits), Some(2));
    assert_eq!(add(&mut queue, &limits), None);
    let more = TopicLimits {
        queue_bytes: usize::MAX >> 1,
        ..limits
    };
    assert_eq!(add(&mut queue, &more), Some(3));
    assert_eq!(add(&mut queue, &more), None);
    assert_eq!(numbers(&mut queue, epoch, 2), [1, 2], "only as many as fit");
    assert!(!queue.done(DeliveryId::of(3)), "it was not handed out");
    assert!(queue.done(DeliveryId::of(1)));
    assert_eq!(add(&mut queue, &more), Some(4));
    assert_eq!(numbers(&mut queue, epoch, 9), [3, 4]);
}

#[test]
fn what_expired_before_it_was_sent_is_left_out() {
    let limits = TopicLimits::default();
    let mut queue = Queue::new(true, QueueHead::default());
    let (epoch, _) = queue.hold();
    for n in 1..=3 {
        assert_eq!(queue.reserve(10, &limits), Some(n));
        queue.push(entry(n, (n < 3).then_some(1_000)), &limits);
    }
    let (drained, expired) = queue.drain(epoch, 1, 999);
    assert_eq!((drained.deliveries.len(), expired), (1, 0));
    let (drained, expired) = queue.drain(epoch, 9, 1_000);
    assert_eq!((drained.deliveries.len(), expired), (1, 1));
    assert_eq!(drained.deliveries[0].id, Some(DeliveryId::of(3)));
    let mut changes = Vec::new();
    let num = SubscriberNum(1);
    queue.take_marks(num, &mut changes);
    let wanted = [
        Change::Advance(num, 1, Stage::Sent),
        Change::Dequeue(num, 2),
        Change::Advance(num, 3, Stage::Sent),
    ];
    assert_eq!(changes, wanted);
    assert!(queue.received(DeliveryId::of(1)));
}

#[test]
fn only_the_holder_takes_out() {
    let limits = TopicLimits::default();
    let mut queue = Queue::new(true, QueueHead::default());
    let (first, _) = queue.hold();
    add(&mut queue, &limits);
    let (second, _) = queue.hold();
    let (drained, _) = queue.drain(first, 9, 0);
    assert_eq!(drained.ending, Some(AttachmentEnd::TakenOver));
    assert!(drained.deliveries.is_empty());
    let (drained, _) = queue.drain(second, 9, 0);
    assert!(drained.behind, "a durable queue is read from the store");
    let part = queue.missing(second).expect("something is missing");
    assert_eq!(part.after, 0);
    assert_eq!(
        queue.refill(first, part, vec![entry(1, None)], false, 0),
        (true, 0)
    );
    assert!(queue.missing(second).is_some());
    assert_eq!(
        queue.refill(second, part, vec![entry(1, None)], false, 0),
        (true, 0)
    );
    assert_eq!(numbers(&mut queue, second, 9), [1]);
    assert!(queue.missing(second).is_none());
}

#[test]
fn what_is_committed_while_the_store_is_read_is_not_skipped() {
    let limits = TopicLimits {
        window_items: 1,
        ..TopicLimits::default()
    };
    let mut queue = Queue::new(true, QueueHead::default());
    let (epoch, _) = queue.hold();
    for _ in 0..3 {
        add(&mut queue, &limits);
    }
    assert_eq!(numbers(&mut queue, epoch, 9), [1]);
    let part = queue.missing(epoch).expect("2 and 3 are not in memory");
    let read = vec![entry(2, None), entry(3, None)];
    add(&mut queue, &limits);
    assert_eq!(queue.refill(epoch, part, read, false, 0), (true, 0));
    assert_eq!(numbers(&mut queue, epoch, 9), [2, 3]);
    let part = queue.missing(epoch).expect("4 came meanwhile");
    assert_eq!(part.after, 3);
}
