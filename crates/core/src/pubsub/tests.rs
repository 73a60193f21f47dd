//! The service on a store in memory that outlives it, as clients see it.

mod delivery;
mod memory;
mod restart;
mod sessions;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use self::memory::Memory;
use super::{
    Attach, Attached, Attachment, Delivery, DeliveryId, Filter, PubSub, Publication, Published,
    Qos, Settled, Stage, Subscription, SubscriptionOptions, Topic, TopicError, TopicLimits, Will,
};
use crate::clock::{Clock, ManualClock};
use crate::id::{Realm, UserNum};

const START_MS: i64 = 1_700_000_000_000;

/// A service on a store; sweeps happen only when they are asked for.
struct Bed {
    store: Arc<Memory>,
    clock: Arc<ManualClock>,
    limits: TopicLimits,
    topics: Arc<PubSub>,
}

impl Bed {
    async fn new() -> Self {
        Self::with(TopicLimits::default()).await
    }

    async fn with(limits: TopicLimits) -> Self {
        let store = Arc::new(Memory::default());
        let clock = Arc::new(ManualClock::at_ms(START_MS));
        let topics = start(&store, &clock, limits).await;
        Self {
            store,
            clock,
            limits,
            topics,
        }
    }

    /// The process is gone from one moment to the next, and comes back.
    async fn crash(&mut self) {
        self.topics = start(&self.store, &self.clock, self.limits).await;
    }

    /// The server stops as it should, and comes back.
    async fn restart(&mut self) {
        self.topics.stop().await;
        self.crash().await;
    }

    async fn attach(&self, attach: Attach) -> Attached {
        self.topics.attach(attach).await.expect("attached")
    }

    async fn subscribe(&self, to: &Attachment, filter: &str, options: SubscriptionOptions) {
        let list = vec![subscription(filter, options)];
        let outcomes = self.topics.subscribe(to, list).await.expect("subscribed");
        assert_eq!(outcomes, [Ok(options.max_qos)]);
    }

    async fn publish(&self, from: &Attachment, publication: Publication) -> Published {
        let published = self.topics.publish(from, publication).await;
        published.expect("published")
    }

    async fn say(&self, publication: Publication) -> usize {
        let realm = Realm::default();
        let published = self.topics.publish_as_server(&realm, publication);
        published.await.expect("published").matched
    }

    /// Takes everything, reading on in the store as often as it takes.
    async fn take(&self, attachment: &Attachment) -> Vec<Delivery> {
        self.take_some(attachment, usize::MAX).await
    }

    async fn take_some(&self, attachment: &Attachment, room: usize) -> Vec<Delivery> {
        let mut all = Vec::new();
        loop {
            let drained = attachment.drain(room - all.len());
            assert_eq!(drained.ending, None);
            all.extend(drained.deliveries);
            if !drained.behind {
                return all;
            }
            self.topics.refill(attachment).await.expect("read");
        }
    }

    async fn settle(&self, attachment: &Attachment, delivery: &Delivery, how: Settled) -> bool {
        let id = delivery.id.expect("a number");
        let settled = self.topics.settle(attachment, id, how).await;
        settled.expect("settled")
    }

    async fn pass_secs(&self, secs: i64) {
        self.clock.advance_ms(secs * 1000);
        self.topics.sweep().await.expect("swept");
    }
}

async fn start(store: &Arc<Memory>, clock: &Arc<ManualClock>, limits: TopicLimits) -> Arc<PubSub> {
    let store = Arc::clone(store) as _;
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let seldom = Duration::from_secs(1 << 20);
    let started = PubSub::start(store, clock, limits, seldom).await;
    started.expect("started")
}

/// A connection of user 1 whose session is kept for an hour.
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

/// One whose session ends with it.
fn passing(client_id: &str) -> Attach {
    Attach {
        clean: true,
        expiry_secs: 0,
        ..durable(client_id)
    }
}

fn subscription(filter: &str, options: SubscriptionOptions) -> Subscription {
    Subscription {
        filter: Filter::parse(filter).expect("a filter"),
        options,
    }
}

const UP_TO_2: SubscriptionOptions = SubscriptionOptions {
    max_qos: Qos::ExactlyOnce,
    no_local: false,
    retain_as_published: false,
    retain_handling: super::RetainHandling::Send,
    subscription_id: None,
};

fn text(topic: &str, payload: &str, qos: Qos) -> Publication {
    Publication {
        topic: Topic::parse(topic).expect("a topic"),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Bytes::from_static(b"p"),
        qos,
        retain: false,
        expiry_secs: None,
        once: None,
    }
}

fn retained(topic: &str, payload: &str, qos: Qos) -> Publication {
    Publication {
        retain: true,
        ..text(topic, payload, qos)
    }
}

fn will(payload: &str, delay_secs: u32) -> Will {
    Will {
        topic: Topic::parse("t/will").expect("a topic"),
        payload: Bytes::copy_from_slice(payload.as_bytes()),
        properties: Bytes::new(),
        qos: Qos::AtLeastOnce,
        retain: false,
        expiry_secs: None,
        delay_secs,
    }
}

fn payloads(deliveries: &[Delivery]) -> Vec<String> {
    let payload = |d: &Delivery| String::from_utf8_lossy(&d.message.payload).into_owned();
    deliveries.iter().map(payload).collect()
}

fn stages(deliveries: &[Delivery]) -> Vec<Stage> {
    deliveries.iter().map(|delivery| delivery.stage).collect()
}

fn ids(deliveries: &[Delivery]) -> Vec<DeliveryId> {
    deliveries.iter().filter_map(|d| d.id).collect()
}
