//! A store in memory, which outlives services and can be told to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::id::Realm;
use crate::pubsub::{
    Change, Filter, QueueHead, QueuePage, QueuedMessage, Stage, StoredSubscriber, StoredTopics,
    SubscriberNum, SubscriberRecord, Subscribers, Subscription, SubscriptionOptions, Topic,
    TopicMessage, TopicMessageNum,
};
use crate::store::{StoreError, StoreResult};

#[derive(Default)]
struct Rows {
    subscribers: BTreeMap<SubscriberNum, SubscriberRecord>,
    subscriptions: BTreeMap<(SubscriberNum, Filter), SubscriptionOptions>,
    messages: BTreeMap<TopicMessageNum, Arc<TopicMessage>>,
    queue: BTreeMap<(SubscriberNum, u64), (TopicMessageNum, QueuedMessage, usize)>,
    noted: BTreeSet<(SubscriberNum, u16)>,
    retained: BTreeMap<(Realm, Topic), Arc<TopicMessage>>,
}

impl Rows {
    fn drop_unused(&mut self) {
        let used: BTreeSet<_> = self.queue.values().map(|(num, _, _)| *num).collect();
        self.messages.retain(|num, _| used.contains(num));
    }

    fn apply(&mut self, change: &Change) {
        match change.clone() {
            Change::PutSubscriber(record) => {
                self.subscribers.insert(record.num, record);
            }
            Change::EndSubscriber(num) => {
                self.subscribers.remove(&num);
                self.subscriptions.retain(|(who, _), _| *who != num);
                self.queue.retain(|(who, _), _| *who != num);
                self.noted.retain(|(who, _)| *who != num);
                self.drop_unused();
            }
            Change::Subscribe(num, Subscription { filter, options }) => {
                if self.subscribers.contains_key(&num) {
                    self.subscriptions.insert((num, filter), options);
                }
            }
            Change::Unsubscribe(num, filter) => {
                self.subscriptions.remove(&(num, filter));
            }
            Change::PutMessage(num, message) => {
                self.messages.insert(num, message);
            }
            Change::Enqueue {
                subscriber,
                n,
                message,
                qos,
                retain,
                subscription_ids,
                bytes,
            } => {
                if !self.subscribers.contains_key(&subscriber) {
                    return;
                }
                let entry = QueuedMessage {
                    n,
                    message: Arc::clone(&self.messages[&message]),
                    qos,
                    retain,
                    subscription_ids,
                    stage: Stage::Queued,
                };
                self.queue
                    .entry((subscriber, n))
                    .or_insert((message, entry, bytes));
            }
            Change::Advance(num, n, stage) => {
                if let Some((_, entry, _)) = self.queue.get_mut(&(num, n)) {
                    entry.stage = stage;
                }
            }
            Change::Dequeue(num, n) => {
                self.queue.remove(&(num, n));
                self.drop_unused();
            }
            Change::Note(num, id) => {
                if self.subscribers.contains_key(&num) {
                    self.noted.insert((num, id));
                }
            }
            Change::Release(num, id) => {
                self.noted.remove(&(num, id));
            }
            Change::Retain(message) => {
                let key = (message.realm.clone(), message.topic.clone());
                self.retained.insert(key, message);
            }
            Change::ClearRetained(realm, topic) => {
                self.retained.remove(&(realm, topic));
            }
        }
    }

    fn head(&self, num: SubscriberNum) -> QueueHead {
        let mut head = QueueHead::default();
        for ((_, n), (_, _, bytes)) in self.queue.range((num, 0)..=(num, u64::MAX)) {
            if head.items == 0 {
                head.first = *n;
            }
            head.last = *n;
            head.items += 1;
            head.bytes += *bytes as u64;
        }
        head
    }
}

/// See the module's words.
#[derive(Default)]
pub(super) struct Memory {
    rows: Mutex<Rows>,
    fails: AtomicBool,
}

impl Memory {
    pub(super) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    /// How many messages are kept for queues.
    pub(super) fn messages(&self) -> usize {
        self.rows.lock().messages.len()
    }
}

#[async_trait]
impl Subscribers for Memory {
    async fn load(&self) -> StoreResult<StoredTopics> {
        let rows = self.rows.lock();
        let subscriber = |record: &SubscriberRecord| {
            let of = record.num;
            let subscriptions = rows.subscriptions.iter();
            let noted = rows.noted.iter();
            StoredSubscriber {
                record: record.clone(),
                subscriptions: subscriptions
                    .filter(|((who, _), _)| *who == of)
                    .map(|((_, filter), options)| Subscription {
                        filter: filter.clone(),
                        options: *options,
                    })
                    .collect(),
                received: noted
                    .filter(|(who, _)| *who == of)
                    .map(|(_, id)| *id)
                    .collect(),
                queue: rows.head(of),
            }
        };
        Ok(StoredTopics {
            subscribers: rows.subscribers.values().map(subscriber).collect(),
            retained: rows.retained.values().cloned().collect(),
            last_subscriber: rows.subscribers.keys().last().map_or(0, |num| num.0),
            last_message: rows.messages.keys().last().map_or(0, |num| num.0),
        })
    }

    async fn apply(&self, changes: Arc<[Change]>) -> StoreResult<()> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("as told"));
        }
        let mut rows = self.rows.lock();
        changes.iter().for_each(|change| rows.apply(change));
        rows.drop_unused();
        Ok(())
    }

    async fn queued(
        &self,
        subscriber: SubscriberNum,
        page: QueuePage,
    ) -> StoreResult<(Vec<QueuedMessage>, bool)> {
        let rows = self.rows.lock();
        let mut messages = Vec::new();
        let mut bytes = 0;
        let rest = rows
            .queue
            .range((subscriber, page.after + 1)..=(subscriber, u64::MAX));
        for (_, (_, entry, weight)) in rest {
            let is_full = messages.len() as u64 >= u64::from(page.items.max(1))
                || bytes + weight > page.bytes;
            if is_full && !messages.is_empty() {
                return Ok((messages, true));
            }
            bytes += weight;
            messages.push(entry.clone());
        }
        Ok((messages, false))
    }

    async fn expired(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<(SubscriberNum, u64, usize)>> {
        let rows = self.rows.lock();
        let is_away = |num| {
            let record = rows.subscribers.get(num);
            record.is_some_and(|record| record.detached_at_ms.is_some())
        };
        let found = rows.queue.iter().filter(|((num, _), (_, entry, _))| {
            entry.stage == Stage::Queued && entry.message.is_expired(now_ms) && is_away(num)
        });
        let places = found.map(|((num, n), (_, _, bytes))| (*num, *n, *bytes));
        Ok(places.take(usize::try_from(limit).unwrap()).collect())
    }
}

async fn empty() -> Arc<dyn Subscribers> {
    Arc::new(Memory::default())
}

crate::subscribers_contract!(empty);
