//! The last message of each topic that was published to be kept.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::{Filter, Topic, TopicLimits, TopicMessage};

/// The retained messages of one realm.
#[derive(Debug, Default)]
pub(super) struct Retained {
    by_topic: BTreeMap<Topic, Arc<TopicMessage>>,
    expiring: BTreeSet<(i64, Topic)>,
    bytes: usize,
}

impl Retained {
    pub(super) fn len(&self) -> usize {
        self.by_topic.len()
    }

    /// Whether a message may be kept.
    pub(super) fn has_room(&self, message: &TopicMessage, limits: &TopicLimits) -> bool {
        let old = self.by_topic.get(&message.topic);
        let items = self.len() + usize::from(old.is_none());
        let bytes = self.bytes - old.map_or(0, |old| old.weight()) + message.weight();
        items <= limits.retained_items && bytes <= limits.retained_bytes
    }

    /// Keeps a message in place of what its topic had.
    pub(super) fn keep(&mut self, message: Arc<TopicMessage>) {
        self.clear(&message.topic);
        self.bytes += message.weight();
        if let Some(at) = message.expires_at_ms {
            self.expiring.insert((at, message.topic.clone()));
        }
        self.by_topic.insert(message.topic.clone(), message);
    }

    /// Keeps nothing for a topic. True if there was something.
    pub(super) fn clear(&mut self, topic: &Topic) -> bool {
        let Some(old) = self.by_topic.remove(topic) else {
            return false;
        };
        self.bytes -= old.weight();
        if let Some(at) = old.expires_at_ms {
            self.expiring.remove(&(at, old.topic.clone()));
        }
        true
    }

    /// What a filter asks for, in the order of topics.
    pub(super) fn matching(&self, filter: &Filter, now_ms: i64) -> Vec<Arc<TopicMessage>> {
        let prefix = filter.literal_prefix();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        self.by_topic
            .range::<str, _>(from)
            .take_while(|(topic, _)| topic.as_str().starts_with(prefix))
            .filter(|(topic, message)| {
                filter.matches(topic.as_str()) && !message.is_expired(now_ms)
            })
            .map(|(_, message)| Arc::clone(message))
            .collect()
    }

    /// Drops what has expired.
    pub(super) fn expire(&mut self, now_ms: i64) -> Vec<Topic> {
        let mut gone = Vec::new();
        while let Some((at, topic)) = self.expiring.first().cloned()
            && at <= now_ms
        {
            self.clear(&topic);
            gone.push(topic);
        }
        gone
    }
}
