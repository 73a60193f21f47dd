//! Topics on a file: what survives the process, and how it is found.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crosstalk_core::clock::Clock;
use crosstalk_core::id::{Realm, UserNum};
use crosstalk_core::pubsub::{
    Attach, Delivery, Detach, Filter, PubSub, Publication, Qos, Settled, Stage, Subscribers,
    Subscription, SubscriptionOptions, Topic, TopicLimits, Will,
};

use super::Bed;
use super::plans::plan;
use crate::sqlite::Sqlite;
use crate::sqlite::pubsub::{change, load};

async fn topics(bed: &Bed, db: &Arc<Sqlite>) -> Arc<PubSub> {
    let store = Arc::clone(db) as Arc<dyn Subscribers>;
    let clock = Arc::clone(&bed.clock) as Arc<dyn Clock>;
    let seldom = Duration::from_secs(1 << 20);
    let started = PubSub::start(store, clock, TopicLimits::default(), seldom).await;
    started.unwrap()
}

fn durable(client_id: &str) -> Attach {
    Attach {
        realm: Realm::default(),
        user: UserNum(1),
        client_id: client_id.into(),
        clean: false,
        expiry_secs: 3600,
        will: None,
    }
}

fn text(topic: &str, payload: &str, retain: bool) -> Publication {
    Publication {
        topic: Topic::parse(topic).unwrap(),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Bytes::from_static(b"p"),
        qos: Qos::ExactlyOnce,
        retain,
        expiry_secs: Some(1_000),
        once: None,
    }
}

fn everything() -> Vec<Subscription> {
    vec![Subscription {
        filter: Filter::parse("#").unwrap(),
        options: SubscriptionOptions::up_to(Qos::ExactlyOnce),
    }]
}

fn payloads(deliveries: &[Delivery]) -> Vec<&[u8]> {
    deliveries.iter().map(|d| &*d.message.payload).collect()
}

/// What was answered is there when the process is gone from one moment to the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_survives_the_process() {
    let bed = Bed::new();
    let db = bed.open();
    let broker = topics(&bed, &db).await;
    let with_will = Attach {
        will: Some(Will {
            topic: Topic::parse("t/will").unwrap(),
            payload: Bytes::from_static(b"will"),
            properties: Bytes::new(),
            qos: Qos::AtLeastOnce,
            retain: false,
            expiry_secs: None,
            delay_secs: 5,
        }),
        ..durable("with a will")
    };
    let a = broker.attach(durable("a")).await.unwrap().attachment;
    broker.subscribe(&a, everything()).await.unwrap();
    let b = broker.attach(with_will).await.unwrap().attachment;
    for (topic, retain) in [("t/1", false), ("t/2", true), ("t/3", false)] {
        let published = broker.publish(&b, text(topic, topic, retain)).await;
        assert_eq!(published.unwrap().matched, 1);
    }
    let given = a.drain(2).deliveries;
    let first = given[0].id.unwrap();
    assert!(broker.settle(&a, first, Settled::Received).await.unwrap());
    assert!(broker.note_received(&a, 9).await.unwrap());
    broker.detach(&b, Detach::Lost, None).await.unwrap();
    // Nothing is written any more: what was answered has to be enough.
    db.close().await;
    drop((a, b, broker, db));

    let db = bed.open();
    bed.clock.advance_ms(6_000);
    let broker = topics(&bed, &db).await;
    broker.sweep().await.unwrap();
    let attached = broker.attach(durable("a")).await.unwrap();
    assert!(attached.present);
    assert_eq!(attached.subscriptions, everything());
    let a = attached.attachment;
    let again = a.drain(9).deliveries;
    assert_eq!(payloads(&again), [&b"t/1"[..], b"t/2", b"t/3", b"will"]);
    let kept: Vec<_> = again.iter().map(|d| (d.id, d.stage)).collect();
    assert_eq!(kept[0], (Some(first), Stage::Received));
    assert_eq!(kept[1].0, given[1].id);
    assert!(!broker.note_received(&a, 9).await.unwrap());
    let fresh = broker.attach(durable("fresh")).await.unwrap().attachment;
    broker.subscribe(&fresh, everything()).await.unwrap();
    // Retained messages follow the answer in their own time.
    let retained = async {
        loop {
            let deliveries = fresh.drain(9).deliveries;
            if !deliveries.is_empty() {
                return deliveries;
            }
            fresh.ready().await;
        }
    };
    let retained = tokio::time::timeout(Duration::from_secs(20), retained).await;
    assert_eq!(payloads(&retained.expect("in time")), [b"t/2"]);
    for delivery in &again {
        let done = broker.settle(&a, delivery.id.unwrap(), Settled::Done).await;
        assert!(done.unwrap());
    }
    broker.detach(&fresh, Detach::Clean, Some(0)).await.unwrap();
    broker.stop().await;
    db.close().await;

    let left = bed.raw();
    let count = |table: &str| {
        let sql = format!("SELECT count(*) FROM {table}");
        left.query_row(&sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let tables = [
        ("subscriber", 2),
        ("subscription", 1),
        ("topic_message", 0),
        ("topic_queue", 0),
        ("qos2_in", 1),
        ("retained", 1),
    ];
    for (table, rows) in tables {
        assert_eq!(count(table), rows, "{table}");
    }
}

#[tokio::test]
async fn queues_and_messages_are_found_without_a_scan() {
    let bed = Bed::new();
    let _db = bed.open();
    let queued = plan(&bed, load::QUEUED);
    assert!(
        queued.contains("SEARCH q USING PRIMARY KEY (subscriber=? AND n>?)")
            && queued.contains("SEARCH m USING INTEGER PRIMARY KEY")
            && !queued.contains("TEMP B-TREE"),
        "{queued}"
    );
    let unused = plan(&bed, change::DROP_UNUSED);
    assert!(unused.contains("INDEX topic_queue_message"), "{unused}");
    let expired = plan(&bed, load::EXPIRED);
    assert!(
        expired.contains("topic_message_expiry") && !expired.contains("SCAN"),
        "{expired}"
    );
}
