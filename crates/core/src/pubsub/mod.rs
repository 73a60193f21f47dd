//! Publish and subscribe over plain topics, beside the channels: topic filters, retained
//! messages, wills, and subscribers whose subscriptions and queues outlive their connections.
//!
//! It must not know users' conversations, channels or message logs: what people say to each
//! other has its own way (`send`, `deliver`), and its own memory of what was delivered. Why
//! there are two is told in docs/adr/0004-pubsub.md.
//!
//! One task, the lane, owns the trees and changes them (`lane`, `state`); what it changes is
//! committed before anybody hears of it. A connection holds an [`Attachment`], out of which it
//! takes what waits for it.

mod attachment;
mod job;
mod lane;
mod limits;
mod message;
mod port;
mod queue;
mod retained;
mod service;
mod state;
mod subscriber;
mod topic;
mod tree;

pub use attachment::{
    Attach, Attached, Attachment, AttachmentEnd, Delivery, DeliveryId, Detach, Drained, Settled,
};
pub use limits::{TopicCounters, TopicLimits};
pub use message::{Publication, Published, Qos, TopicMessage, Will};
pub use port::{
    Change, QueueHead, QueuePage, QueuedMessage, Stage, StoredSubscriber, StoredTopics,
    SubscriberNum, SubscriberRecord, Subscribers, TopicMessageNum,
};
pub use service::{PendingPublish, PubSub, TopicError};
pub use state::{SubscribeOutcome, SubscribeRefusal};
pub use topic::{
    Filter, InvalidTopic, MAX_TOPIC_BYTES, MAX_TOPIC_LEVELS, RetainHandling, Subscription,
    SubscriptionOptions, Topic,
};
pub use tree::{Group, Matches, Member, TopicTree};

#[cfg(test)]
mod tests;
