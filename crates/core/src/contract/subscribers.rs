//! Subscribers of topics, their queues, and retained messages.

use std::sync::Arc;

use bytes::Bytes;

use crate::id::{Realm, UserNum};
use crate::pubsub::{
    Change, Filter, Qos, QueueHead, QueuePage, QueuedMessage, RetainHandling, Stage,
    StoredSubscriber, StoredTopics, SubscriberNum, SubscriberRecord, Subscribers, Subscription,
    SubscriptionOptions, Topic, TopicMessage, TopicMessageNum, Will,
};

/// A store of subscribers.
pub type Bed = Arc<dyn Subscribers>;

/// The cases of subscribers, one test each; `make` gives an empty store.
#[macro_export]
macro_rules! subscribers_contract {
    ($make:path) => {
        $crate::contract_tests!($make, subscribers:
            an_empty_store_has_nothing,
            subscribers_are_kept_with_all_they_have,
            subscriptions_are_replaced_and_removed,
            queues_keep_their_order,
            queues_are_read_in_pages,
            a_message_is_gone_with_its_last_queue,
            stages_are_kept,
            numbers_are_noted_once,
            the_last_retained_message_counts,
            an_ended_subscriber_leaves_nothing,
            changes_may_come_twice,
            changes_of_nobody_do_nothing,
            what_expired_unsent_is_found,
        );
    };
}

fn record(num: i64, client_id: &str) -> SubscriberRecord {
    SubscriberRecord {
        num: SubscriberNum(num),
        realm: Realm::default(),
        user: UserNum(7),
        client_id: client_id.into(),
        expiry_secs: 3600,
        detached_at_ms: Some(1_000),
        will: None,
        will_due_ms: None,
    }
}

fn subscription(filter: &str, options: SubscriptionOptions) -> Subscription {
    Subscription {
        filter: Filter::parse(filter).expect("a filter"),
        options,
    }
}

fn message(topic: &str, payload: &'static [u8]) -> Arc<TopicMessage> {
    Arc::new(TopicMessage {
        realm: Realm::default(),
        topic: Topic::parse(topic).expect("a topic"),
        payload: Bytes::from_static(payload),
        properties: Bytes::from_static(b"\0props"),
        qos: Qos::ExactlyOnce,
        retain: true,
        expires_at_ms: Some(5_000),
    })
}

fn enqueue(subscriber: i64, n: u64, message: i64, bytes: usize) -> Change {
    Change::Enqueue {
        subscriber: SubscriberNum(subscriber),
        n,
        message: TopicMessageNum(message),
        qos: Qos::AtLeastOnce,
        retain: n.is_multiple_of(2),
        subscription_ids: [1, 268_435_455].into(),
        bytes,
    }
}

fn put(num: i64, message: &Arc<TopicMessage>) -> Change {
    Change::PutMessage(TopicMessageNum(num), Arc::clone(message))
}

async fn apply(store: &Bed, changes: Vec<Change>) {
    store.apply(changes.into()).await.expect("applied");
}

async fn load(store: &Bed) -> StoredTopics {
    store.load().await.expect("loaded")
}

async fn one(store: &Bed, num: i64) -> StoredSubscriber {
    let stored = load(store).await;
    let mut all = stored.subscribers.into_iter();
    all.find(|subscriber| subscriber.record.num.0 == num)
        .expect("it is stored")
}

async fn queue(store: &Bed, num: i64) -> Vec<QueuedMessage> {
    let page = QueuePage {
        after: 0,
        items: u32::MAX,
        bytes: usize::MAX,
    };
    let (messages, more) = store
        .queued(SubscriberNum(num), page)
        .await
        .expect("a queue");
    assert!(!more);
    messages
}

fn places(messages: &[QueuedMessage]) -> Vec<u64> {
    messages.iter().map(|entry| entry.n).collect()
}

/// Nothing is stored.
pub async fn an_empty_store_has_nothing(store: &Bed) {
    assert_eq!(load(store).await, StoredTopics::default());
    assert_eq!(queue(store, 1).await, Vec::new());
    apply(store, Vec::new()).await;
    assert_eq!(load(store).await, StoredTopics::default());
}

/// Every field comes back, and a second put replaces the first.
pub async fn subscribers_are_kept_with_all_they_have(store: &Bed) {
    let will = Will {
        topic: Topic::parse("t/will").expect("a topic"),
        payload: Bytes::new(),
        properties: Bytes::from_static(b"p"),
        qos: Qos::ExactlyOnce,
        retain: true,
        expiry_secs: Some(u32::MAX),
        delay_secs: u32::MAX,
    };
    let full = SubscriberRecord {
        realm: Realm::parse("other").expect("a realm"),
        expiry_secs: u32::MAX,
        detached_at_ms: None,
        will: Some(will),
        will_due_ms: Some(i64::MAX),
        ..record(3, "Ünï/code id")
    };
    let plain = record(9, "");
    let changes = [&full, &plain].map(|record| Change::PutSubscriber(record.clone()));
    apply(store, changes.to_vec()).await;
    let stored = load(store).await;
    assert_eq!(stored.last_subscriber, 9);
    let records: Vec<_> = stored.subscribers.into_iter().map(|s| s.record).collect();
    assert_eq!(records, [full, plain]);
    let newer = record(3, "Ünï/code id");
    apply(store, vec![Change::PutSubscriber(newer.clone())]).await;
    assert_eq!(one(store, 3).await.record, newer);
}

/// One row per filter, with all its options.
pub async fn subscriptions_are_replaced_and_removed(store: &Bed) {
    apply(store, vec![Change::PutSubscriber(record(1, "a"))]).await;
    let num = SubscriberNum(1);
    let all = SubscriptionOptions {
        max_qos: Qos::ExactlyOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::DoNotSend,
        subscription_id: Some(268_435_455),
    };
    let new = SubscriptionOptions {
        retain_handling: RetainHandling::SendIfNew,
        ..SubscriptionOptions::up_to(Qos::AtLeastOnce)
    };
    let mut wanted = vec![
        subscription("#", all),
        subscription("$share/g/t/+", new),
        subscription("t/+", SubscriptionOptions::up_to(Qos::AtMostOnce)),
    ];
    let subscribe = |s: &Subscription| Change::Subscribe(num, s.clone());
    apply(store, wanted.iter().map(subscribe).collect()).await;
    let sorted = |mut list: Vec<Subscription>| {
        list.sort_by(|a, b| a.filter.cmp(&b.filter));
        list
    };
    assert_eq!(sorted(one(store, 1).await.subscriptions), wanted);
    wanted[2].options = all;
    apply(store, vec![subscribe(&wanted[2])]).await;
    let first = wanted.remove(0);
    apply(store, vec![Change::Unsubscribe(num, first.filter)]).await;
    assert_eq!(sorted(one(store, 1).await.subscriptions), wanted);
}

/// Messages come in the order of their places, as they were put.
pub async fn queues_keep_their_order(store: &Bed) {
    let (a, b) = (message("t/a", b"one"), message("t/b", b""));
    let plain = Arc::new(TopicMessage {
        qos: Qos::AtMostOnce,
        retain: false,
        expires_at_ms: None,
        ..TopicMessage::clone(&b)
    });
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            Change::PutSubscriber(record(2, "b")),
            put(10, &a),
            enqueue(1, 1, 10, 100),
            enqueue(2, 7, 10, 100),
            put(11, &plain),
            enqueue(1, 2, 11, 50),
        ],
    )
    .await;
    let expected = |n: u64, message: &Arc<TopicMessage>| QueuedMessage {
        n,
        message: Arc::clone(message),
        qos: Qos::AtLeastOnce,
        retain: n.is_multiple_of(2),
        subscription_ids: [1, 268_435_455].into(),
        stage: Stage::Queued,
    };
    let wanted = [expected(1, &a), expected(2, &plain)];
    assert_eq!(queue(store, 1).await, wanted);
    assert_eq!(queue(store, 2).await, [expected(7, &a)]);
    let head = QueueHead {
        first: 1,
        last: 2,
        items: 2,
        bytes: 150,
    };
    assert_eq!(one(store, 1).await.queue, head);
    assert_eq!(load(store).await.last_message, 11);
}

/// A page has at least one message, and says whether more follow.
pub async fn queues_are_read_in_pages(store: &Bed) {
    let text = message("t/a", b"x");
    let mut changes = vec![Change::PutSubscriber(record(1, "a"))];
    for n in 1..=5 {
        let num = i64::try_from(n).expect("small");
        changes.push(put(num, &text));
        changes.push(enqueue(1, n, num, 100));
    }
    apply(store, changes).await;
    let cases = [
        (0, 2, 10_000, vec![1, 2], true),
        (2, 3, 10_000, vec![3, 4, 5], false),
        (0, 100, 250, vec![1, 2], true),
        (3, 100, 1, vec![4], true),
        (4, 0, 0, vec![5], false),
        (5, 10, 10_000, vec![], false),
    ];
    for (after, items, bytes, wanted, wants_more) in cases {
        let page = QueuePage {
            after,
            items,
            bytes,
        };
        let read = store.queued(SubscriberNum(1), page).await;
        let (messages, more) = read.expect("a page");
        assert_eq!((places(&messages), more), (wanted, wants_more), "{page:?}");
    }
}

/// What waits in no queue is not kept.
pub async fn a_message_is_gone_with_its_last_queue(store: &Bed) {
    let text = message("t/a", b"x");
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            Change::PutSubscriber(record(2, "b")),
            put(5, &text),
            enqueue(1, 1, 5, 10),
            enqueue(2, 1, 5, 10),
        ],
    )
    .await;
    apply(store, vec![Change::Dequeue(SubscriberNum(1), 1)]).await;
    assert_eq!(queue(store, 1).await, Vec::new());
    assert_eq!(one(store, 1).await.queue, QueueHead::default());
    assert_eq!(places(&queue(store, 2).await), [1]);
    assert_eq!(load(store).await.last_message, 5);
    apply(store, vec![Change::Dequeue(SubscriberNum(2), 1)]).await;
    assert_eq!(load(store).await.last_message, 0);
}

/// How far a delivery is.
pub async fn stages_are_kept(store: &Bed) {
    let text = message("t/a", b"x");
    let num = SubscriberNum(1);
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            put(5, &text),
            enqueue(1, 1, 5, 10),
            enqueue(1, 2, 5, 10),
            enqueue(1, 3, 5, 10),
            Change::Advance(num, 1, Stage::Received),
            Change::Advance(num, 2, Stage::Sent),
        ],
    )
    .await;
    let stages = |queue: Vec<QueuedMessage>| queue.into_iter().map(|e| e.stage).collect::<Vec<_>>();
    let wanted = [Stage::Received, Stage::Sent, Stage::Queued];
    assert_eq!(stages(queue(store, 1).await), wanted);
}

/// Numbers belong to their subscriber.
pub async fn numbers_are_noted_once(store: &Bed) {
    let (a, b) = (SubscriberNum(1), SubscriberNum(2));
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            Change::PutSubscriber(record(2, "b")),
            Change::Note(a, 1),
            Change::Note(a, 1),
            Change::Note(a, u16::MAX),
            Change::Note(b, 1),
            Change::Release(a, 1),
            Change::Release(a, 9),
        ],
    )
    .await;
    assert_eq!(one(store, 1).await.received, [u16::MAX]);
    assert_eq!(one(store, 2).await.received, [1]);
}

/// One per realm and topic.
pub async fn the_last_retained_message_counts(store: &Bed) {
    let (old, new) = (message("t/a", b"old"), message("t/a", b"new"));
    let elsewhere = Arc::new(TopicMessage {
        realm: Realm::parse("other").expect("a realm"),
        expires_at_ms: None,
        ..TopicMessage::clone(&old)
    });
    let retain = |message: &Arc<TopicMessage>| Change::Retain(Arc::clone(message));
    apply(store, [&old, &elsewhere, &new].map(retain).to_vec()).await;
    let retained = load(store).await.retained;
    assert_eq!(retained, [Arc::clone(&new), Arc::clone(&elsewhere)]);
    let clear = Change::ClearRetained(new.realm.clone(), new.topic.clone());
    apply(store, vec![clear]).await;
    assert_eq!(load(store).await.retained, [elsewhere]);
}

/// Another one with the same name may come in the same batch.
pub async fn an_ended_subscriber_leaves_nothing(store: &Bed) {
    let text = message("t/a", b"x");
    let num = SubscriberNum(1);
    let plain = SubscriptionOptions::up_to(Qos::AtMostOnce);
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            Change::Subscribe(num, subscription("#", plain)),
            Change::Note(num, 5),
            put(5, &text),
            enqueue(1, 1, 5, 10),
        ],
    )
    .await;
    let next = record(2, "a");
    apply(
        store,
        vec![
            Change::EndSubscriber(num),
            Change::PutSubscriber(next.clone()),
        ],
    )
    .await;
    let stored = load(store).await;
    assert_eq!(stored.last_message, 0, "the message waited only there");
    let bare = StoredSubscriber {
        record: next,
        subscriptions: Vec::new(),
        received: Vec::new(),
        queue: QueueHead::default(),
    };
    assert_eq!(stored.subscribers, [bare]);
    assert_eq!(queue(store, 1).await, Vec::new());
}

/// A batch whose answer was lost is applied again.
pub async fn changes_may_come_twice(store: &Bed) {
    let text = message("t/a", b"x");
    let num = SubscriberNum(1);
    let plain = SubscriptionOptions::up_to(Qos::AtMostOnce);
    let changes = vec![
        Change::PutSubscriber(record(1, "a")),
        Change::Subscribe(num, subscription("#", plain)),
        put(5, &text),
        enqueue(1, 1, 5, 10),
        enqueue(1, 2, 5, 10),
        Change::Advance(num, 1, Stage::Sent),
        Change::Dequeue(num, 2),
        Change::Note(num, 1),
        Change::Retain(Arc::clone(&text)),
        Change::PutSubscriber(record(2, "b")),
        Change::EndSubscriber(SubscriberNum(2)),
    ];
    apply(store, changes.clone()).await;
    let first = (load(store).await, queue(store, 1).await);
    apply(store, changes).await;
    assert_eq!((load(store).await, queue(store, 1).await), first);
    assert_eq!(first.1.len(), 1);
}

/// Nothing is stored of a subscriber that is not there.
pub async fn changes_of_nobody_do_nothing(store: &Bed) {
    let num = SubscriberNum(1);
    let plain = SubscriptionOptions::up_to(Qos::AtMostOnce);
    apply(
        store,
        vec![
            Change::Subscribe(num, subscription("#", plain)),
            Change::Note(num, 1),
            enqueue(1, 1, 5, 10),
            Change::Advance(num, 1, Stage::Sent),
            Change::Dequeue(num, 1),
            Change::Release(num, 1),
            Change::Unsubscribe(num, Filter::parse("#").expect("a filter")),
            Change::EndSubscriber(num),
        ],
    )
    .await;
    assert_eq!(load(store).await, StoredTopics::default());
}

/// Only what was not sent, of those who are away.
pub async fn what_expired_unsent_is_found(store: &Bed) {
    let text = message("t/a", b"x");
    let lasting = Arc::new(TopicMessage {
        expires_at_ms: None,
        ..TopicMessage::clone(&text)
    });
    let connected = SubscriberRecord {
        detached_at_ms: None,
        ..record(2, "b")
    };
    apply(
        store,
        vec![
            Change::PutSubscriber(record(1, "a")),
            Change::PutSubscriber(connected),
            put(5, &text),
            put(6, &lasting),
            enqueue(1, 1, 5, 10),
            enqueue(1, 2, 5, 20),
            enqueue(1, 3, 6, 30),
            enqueue(2, 1, 5, 10),
            Change::Advance(SubscriberNum(1), 1, Stage::Sent),
        ],
    )
    .await;
    let expired = |now_ms| async move { store.expired(now_ms, 10).await.expect("a search") };
    assert_eq!(expired(4_999).await, Vec::new());
    assert_eq!(expired(5_000).await, [(SubscriberNum(1), 2, 20)]);
    assert_eq!(store.expired(5_000, 0).await.expect("a search"), Vec::new());
}
