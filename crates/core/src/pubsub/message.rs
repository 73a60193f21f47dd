//! What is published.

use bytes::Bytes;

use super::Topic;
use crate::id::Realm;

/// How sure it is that a message comes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Qos {
    /// Once or not at all.
    #[default]
    AtMostOnce,
    /// Once or more often.
    AtLeastOnce,
    /// Once.
    ExactlyOnce,
}

impl Qos {
    /// 0, 1 or 2.
    #[must_use]
    pub fn level(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// From 0, 1 or 2.
    #[must_use]
    pub fn from_level(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

/// Something to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Where.
    pub topic: Topic,
    /// The publisher's bytes. If it is retained, an empty payload clears what was.
    pub payload: Bytes,
    /// What comes with it; opaque here.
    pub properties: Bytes,
    /// How sure it must be.
    pub qos: Qos,
    /// It is kept for later subscribers of its topic.
    pub retain: bool,
    /// For how long it is worth anything, seconds; `None` = for ever.
    pub expiry_secs: Option<u32>,
    /// The publisher's own number of a publication that must count once: it is noted
    /// ([`PubSub::note_received`](super::PubSub::note_received)) in the same commit.
    pub once: Option<u16>,
}

/// What became of a publication that was accepted. Durable as far as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// Subscribers that it is for.
    pub matched: usize,
    /// False if its number was noted before: nothing was done.
    pub is_new: bool,
}

/// What is published when a connection is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where.
    pub topic: Topic,
    /// The bytes.
    pub payload: Bytes,
    /// What comes with it; opaque here.
    pub properties: Bytes,
    /// How sure it must be.
    pub qos: Qos,
    /// It is kept for later subscribers of its topic.
    pub retain: bool,
    /// For how long it is worth anything once it is published, seconds.
    pub expiry_secs: Option<u32>,
    /// How long it waits for the subscriber to come back, seconds; never longer than its
    /// session lives.
    pub delay_secs: u32,
}

impl Will {
    pub(super) fn publication(self) -> Publication {
        Publication {
            topic: self.topic,
            payload: self.payload,
            properties: self.properties,
            qos: self.qos,
            retain: self.retain,
            expiry_secs: self.expiry_secs,
            once: None,
        }
    }
}

/// A published message as subscribers get it. Shared by `Arc`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMessage {
    /// Whose topic.
    pub realm: Realm,
    /// Where it was published.
    pub topic: Topic,
    /// The publisher's bytes.
    pub payload: Bytes,
    /// What came with it; opaque here.
    pub properties: Bytes,
    /// How it was published.
    pub qos: Qos,
    /// It was published to be kept.
    pub retain: bool,
    /// When it is worth nothing any more, ms since 1970.
    pub expires_at_ms: Option<i64>,
}

impl TopicMessage {
    /// Roughly the bytes that it takes in memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.topic.as_str().len() + self.payload.len() + self.properties.len() + 128
    }

    /// True when it is worth nothing any more.
    #[must_use]
    pub fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_at_ms.is_some_and(|at| at <= now_ms)
    }

    /// For how long it is still worth something: whole seconds, rounded up.
    #[must_use]
    pub fn remaining_secs(&self, now_ms: i64) -> Option<u32> {
        let left = self.expires_at_ms?.saturating_sub(now_ms).max(0);
        Some(u32::try_from(left.saturating_add(999) / 1000).unwrap_or(u32::MAX))
    }
}
