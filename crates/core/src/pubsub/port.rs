//! What the core asks of a store about topics.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Filter, Qos, Subscription, Topic, TopicMessage, Will};
use crate::id::{Realm, UserNum};
use crate::store::StoreResult;

/// The number of a stored subscriber; given by the core, never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberNum(pub i64);

/// The number of a stored message that waits in queues; given by the core, never twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicMessageNum(pub i64);

/// How far a message in a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It waits.
    Queued,
    /// It was handed to a connection at least once.
    Sent,
    /// The subscriber has it and said so; the second half of "exactly once" is left.
    Received,
}

/// A subscriber whose session outlives its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriberRecord {
    /// Its number.
    pub num: SubscriberNum,
    /// Whose topics it sees: the user's realm.
    pub realm: Realm,
    /// Whose it is.
    pub user: UserNum,
    /// Its id among those of its user.
    pub client_id: Arc<str>,
    /// How long its session outlives a connection, seconds; `u32::MAX` = for ever.
    pub expiry_secs: u32,
    /// Since when it has no connection, ms since 1970; `None` while it has one.
    pub detached_at_ms: Option<i64>,
    /// What is published when the connection is lost or, if it is, when it is due.
    pub will: Option<Will>,
    /// When the will is published, ms since 1970; `None` while it is connected.
    pub will_due_ms: Option<i64>,
}

/// One change of what is stored. Changes are idempotent: applying a batch again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Adds or replaces a subscriber, by its number.
    PutSubscriber(SubscriberRecord),
    /// Removes a subscriber with all that is its own.
    EndSubscriber(SubscriberNum),
    /// Adds or replaces a subscription.
    Subscribe(SubscriberNum, Subscription),
    /// Removes a subscription.
    Unsubscribe(SubscriberNum, Filter),
    /// Adds a message that is about to be queued in the same batch.
    PutMessage(TopicMessageNum, Arc<TopicMessage>),
    /// Adds a message at the end of a queue; nothing if there is no such subscriber.
    Enqueue {
        /// Whose queue.
        subscriber: SubscriberNum,
        /// The place in it.
        n: u64,
        /// The message.
        message: TopicMessageNum,
        /// How sure it must be, for this subscriber.
        qos: Qos,
        /// Its retain mark for this subscriber.
        retain: bool,
        /// The subscriber's numbers of the subscriptions that it matched.
        subscription_ids: Arc<[u32]>,
        /// The message's weight.
        bytes: usize,
    },
    /// Notes how far a message in a queue is.
    Advance(SubscriberNum, u64, Stage),
    /// Removes a message from a queue; when it waits in none any more it is gone.
    Dequeue(SubscriberNum, u64),
    /// Notes the number of a publication that must count once.
    Note(SubscriberNum, u16),
    /// Forgets such a number.
    Release(SubscriberNum, u16),
    /// Keeps a message for its topic, in place of what was kept.
    Retain(Arc<TopicMessage>),
    /// Keeps nothing for a topic.
    ClearRetained(Realm, Topic),
}

/// What a queue holds, without its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueHead {
    /// The place of the first message; 0 if there is none.
    pub first: u64,
    /// The place of the last message; 0 if there is none.
    pub last: u64,
    /// How many there are.
    pub items: u32,
    /// Their weight.
    pub bytes: u64,
}

/// A stored subscriber with all but its messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSubscriber {
    /// Who it is.
    pub record: SubscriberRecord,
    /// What it subscribes to.
    pub subscriptions: Vec<Subscription>,
    /// Numbers of publications that were noted and not released.
    pub received: Vec<u16>,
    /// Its queue.
    pub queue: QueueHead,
}

/// Everything that is needed at a start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredTopics {
    /// All subscribers.
    pub subscribers: Vec<StoredSubscriber>,
    /// All retained messages.
    pub retained: Vec<Arc<TopicMessage>>,
    /// The highest number of a subscriber; 0 if there is none.
    pub last_subscriber: i64,
    /// The highest number of a message; 0 if there is none.
    pub last_message: i64,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Its place.
    pub n: u64,
    /// The message.
    pub message: Arc<TopicMessage>,
    /// How sure it must be.
    pub qos: Qos,
    /// Its retain mark.
    pub retain: bool,
    /// The subscriber's numbers of the subscriptions that it matched.
    pub subscription_ids: Arc<[u32]>,
    /// How far it is.
    pub stage: Stage,
}

/// A part of a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePage {
    /// Only what is behind this place.
    pub after: u64,
    /// At most this many messages, at least one.
    pub items: u32,
    /// No more once they have this weight.
    pub bytes: usize,
}

/// The store of subscribers, their queues, and retained messages.
#[async_trait]
pub trait Subscribers: Send + Sync + 'static {
    /// Everything but the messages in queues.
    async fn load(&self) -> StoreResult<StoredTopics>;

    /// Changes something, all or nothing and in this order; durable when it returns.
    async fn apply(&self, changes: Arc<[Change]>) -> StoreResult<()>;

    /// The first messages of a part of a queue, in order, and whether more follow.
    async fn queued(
        &self,
        subscriber: SubscriberNum,
        page: QueuePage,
    ) -> StoreResult<(Vec<QueuedMessage>, bool)>;

    /// Places in queues, with their weight, of at most `limit` messages that expired before
    /// they were sent.
    async fn expired(
        &self,
        now_ms: i64,
        limit: u32,
    ) -> StoreResult<Vec<(SubscriberNum, u64, usize)>>;
}
