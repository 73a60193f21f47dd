//! Topic aliases to the client: the first topics that are published to it get one each, as many
//! as it takes (MQTT 5.0 §3.3.2.3.4).

use std::collections::HashMap;
use std::num::NonZeroU16;

use crosstalk_wire::mqtt::{Publish, TopicName};

/// Aliases that are given, whatever the client takes.
const MOST: u16 = 32;

/// See the module's words.
pub(super) struct OutAliases {
    limit: u16,
    known: HashMap<TopicName, NonZeroU16>,
}

impl OutAliases {
    /// Aliases up to the client's maximum.
    pub(super) fn new(maximum: u16) -> Self {
        Self {
            limit: maximum.min(MOST),
            known: HashMap::new(),
        }
    }

    /// Puts an alias in the place of a topic that the client knows, or beside one that it is
    /// to know: that one is returned, and is known once it is [`told`](Self::told).
    pub(super) fn shorten(&self, publish: &mut Publish) -> Option<TopicName> {
        if self.limit == 0 {
            return None;
        }
        let topic = publish.topic.as_ref()?;
        if let Some(alias) = self.known.get(topic) {
            publish.topic_alias = Some(*alias);
            publish.topic = None;
            return None;
        }
        let alias = self.next()?;
        publish.topic_alias = Some(alias);
        Some(topic.clone())
    }

    /// The client knows a topic's alias from now on.
    pub(super) fn told(&mut self, topic: TopicName) {
        if let Some(alias) = self.next() {
            self.known.insert(topic, alias);
        }
    }

    fn next(&self) -> Option<NonZeroU16> {
        let next = u16::try_from(self.known.len() + 1).ok()?;
        NonZeroU16::new(next).filter(|_| next <= self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use crosstalk_wire::mqtt::{Delivery, MessageProperties};

    #[test]
    fn topics_are_named_once_and_no_more_than_the_client_takes() {
        let publish = |topic: &str| Publish {
            delivery: Delivery::AtMostOnce,
            retain: false,
            topic: TopicName::new(topic).ok(),
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: Bytes::new(),
        };
        let mut aliases = OutAliases::new(1);
        // Until the client was told, it does not know.
        for _ in 0..2 {
            let mut first = publish("t/a");
            let new = aliases.shorten(&mut first);
            assert_eq!(first.topic_alias, NonZeroU16::new(1));
            assert_eq!(new, first.topic);
        }
        aliases.told(TopicName::new("t/a").expect("a topic"));
        let mut again = publish("t/a");
        assert_eq!(aliases.shorten(&mut again), None);
        assert_eq!((again.topic, again.topic_alias), (None, NonZeroU16::new(1)));
        let mut other = publish("t/b");
        assert_eq!(aliases.shorten(&mut other), None);
        assert!(other.topic.is_some() && other.topic_alias.is_none());
        let mut never = publish("t/a");
        assert_eq!(OutAliases::new(0).shorten(&mut never), None);
        assert!(never.topic.is_some());
    }
}
