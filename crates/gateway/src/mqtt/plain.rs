//! Plain topics: subscribing, and what comes and goes (mqtt-wire.md §4.2, §4.3; mqtt.md
//! Q3-33).

use bytes::{Bytes, BytesMut};
use crosstalk_core::pubsub::{
    self, Filter, Publication, Settled, Stage, SubscribeOutcome, SubscribeRefusal,
    SubscriptionOptions, Topic, TopicError,
};
use crosstalk_wire::mqtt::{
    Ack, Decoder, Delivery, Diagnostics, Encoder, MessageProperties, Packet, PacketId, Publish,
    Qos, ReasonCode, RetainHandling, Suback, Subscribe, Subscription, SubscriptionId, TopicName,
    Unsuback, Unsubscribe, Version, Will,
};

use super::live::{Asked, Live, Own};
use super::topics::{self, Wanted};
use crate::protocol::{AskId, Now, TopicAnswer, TopicVerb, Turn};

/// What becomes of one filter of a SUBSCRIBE.
pub(super) enum SubscribePlan {
    /// It is not for this client.
    Refused(ReasonCode),
    /// The topics say.
    Plain,
    /// The same, and it is for the client's own messages.
    Own(Own),
}

const fn core_qos(qos: Qos) -> pubsub::Qos {
    match qos {
        Qos::AtMostOnce => pubsub::Qos::AtMostOnce,
        Qos::AtLeastOnce => pubsub::Qos::AtLeastOnce,
        Qos::ExactlyOnce => pubsub::Qos::ExactlyOnce,
    }
}

const fn wire_qos(qos: pubsub::Qos) -> Qos {
    match qos {
        pubsub::Qos::AtMostOnce => Qos::AtMostOnce,
        pubsub::Qos::AtLeastOnce => Qos::AtLeastOnce,
        pubsub::Qos::ExactlyOnce => Qos::ExactlyOnce,
    }
}

fn options(wanted: &Subscription, id: Option<SubscriptionId>) -> SubscriptionOptions {
    SubscriptionOptions {
        max_qos: core_qos(wanted.qos),
        no_local: wanted.no_local,
        retain_as_published: wanted.retain_as_published,
        retain_handling: match wanted.retain_handling {
            RetainHandling::Send => pubsub::RetainHandling::Send,
            RetainHandling::SendIfNew => pubsub::RetainHandling::SendIfNew,
            RetainHandling::DoNotSend => pubsub::RetainHandling::DoNotSend,
        },
        subscription_id: id.map(SubscriptionId::get),
    }
}

/// Properties as bytes, for topics: a PUBLISH that has nothing else. Empty if there are none.
fn encoded(properties: MessageProperties) -> Bytes {
    let properties = MessageProperties {
        expiry_secs: None,
        ..properties
    };
    if properties == MessageProperties::default() {
        return Bytes::new();
    }
    let Ok(topic) = TopicName::new("p") else {
        return Bytes::new();
    };
    let publish = Publish {
        delivery: Delivery::AtMostOnce,
        retain: false,
        topic: Some(topic),
        topic_alias: None,
        subscription_ids: Vec::new(),
        properties,
        payload: Bytes::new(),
    };
    let mut out = BytesMut::new();
    // What was decoded can be encoded.
    let _ = Encoder::new(Version::V5).encode(&Packet::Publish(publish), &mut out);
    out.freeze()
}

fn decoded(bytes: &Bytes) -> MessageProperties {
    if bytes.is_empty() {
        return MessageProperties::default();
    }
    let mut bytes = BytesMut::from(&bytes[..]);
    match Decoder::of_server(Version::V5).decode(&mut bytes) {
        Ok(Some(Packet::Publish(publish))) => publish.properties,
        _ => MessageProperties::default(),
    }
}

/// A will for a plain topic; `None` if its topic has too many levels.
pub(super) fn will(will: Will) -> Option<pubsub::Will> {
    Some(pubsub::Will {
        topic: Topic::parse(will.topic.as_str()).ok()?,
        payload: will.payload,
        qos: core_qos(will.qos),
        retain: will.retain,
        expiry_secs: will.properties.expiry_secs,
        delay_secs: will.delay_secs.unwrap_or(0),
        properties: encoded(will.properties),
    })
}

/// What a client publishes to a plain topic; `None` if the topic has too many levels.
pub(super) fn publication(
    topic: &TopicName,
    publish: Publish,
    once: Option<u16>,
) -> Option<Publication> {
    Some(Publication {
        topic: Topic::parse(topic.as_str()).ok()?,
        // What is kept holds nothing of the packets around it.
        payload: Bytes::copy_from_slice(&publish.payload),
        qos: core_qos(publish.delivery.qos()),
        retain: publish.retain,
        expiry_secs: publish.properties.expiry_secs,
        properties: encoded(publish.properties),
        once,
    })
}

/// Of what a session subscribes to: what is for its own messages.
pub(super) fn own_of(subscriptions: &[pubsub::Subscription], account: &str) -> Vec<Own> {
    let own = subscriptions
        .iter()
        .filter(|subscription| topics::is_own(subscription.filter.as_str(), account));
    own.map(|subscription| Own {
        filter: subscription.filter.as_str().to_owned(),
        qos: wire_qos(subscription.options.max_qos),
        id: subscription
            .options
            .subscription_id
            .and_then(SubscriptionId::new),
    })
    .collect()
}

impl Live {
    pub(super) fn subscribe(&mut self, subscribe: Subscribe, turn: &mut Turn) {
        let mut list = Vec::new();
        let mut plans = Vec::with_capacity(subscribe.subscriptions.len());
        for wanted in subscribe.subscriptions {
            let plan = topics::wanted(&wanted.filter, self.reader.account());
            let Ok(filter) = Filter::parse(wanted.filter.as_str()) else {
                plans.push(SubscribePlan::Refused(ReasonCode::TopicFilterInvalid));
                continue;
            };
            let plan = match plan {
                Wanted::Foreign => SubscribePlan::Refused(ReasonCode::NotAuthorized),
                Wanted::Plain => SubscribePlan::Plain,
                Wanted::Own => SubscribePlan::Own(Own {
                    filter: wanted.filter.as_str().to_owned(),
                    qos: wanted.qos,
                    id: subscribe.subscription_id,
                }),
            };
            let is_refused = matches!(plan, SubscribePlan::Refused(_));
            plans.push(plan);
            if is_refused {
                continue;
            }
            let options = options(&wanted, subscribe.subscription_id);
            list.push(pubsub::Subscription { filter, options });
        }
        if list.is_empty() {
            return self.suback(subscribe.packet_id, plans, Vec::new(), turn);
        }
        let asked = Asked::Subscribe(subscribe.packet_id, plans);
        self.topics(TopicVerb::Subscribe(list), asked, turn);
    }

    fn suback(
        &mut self,
        packet_id: PacketId,
        plans: Vec<SubscribePlan>,
        outcomes: Vec<SubscribeOutcome>,
        turn: &mut Turn,
    ) {
        let mut outcomes = outcomes.into_iter();
        let mut own = Vec::new();
        let mut reason = |plan| {
            if let SubscribePlan::Refused(reason) = plan {
                return reason;
            }
            match outcomes.next() {
                Some(Ok(qos)) => {
                    if let SubscribePlan::Own(subscription) = plan {
                        own.push(subscription);
                    }
                    ReasonCode::granted(wire_qos(qos))
                }
                Some(Err(SubscribeRefusal::Quota)) => ReasonCode::QuotaExceeded,
                Some(Err(SubscribeRefusal::NoLocalShared)) | None => ReasonCode::UnspecifiedError,
            }
        };
        let reasons = plans.into_iter().map(&mut reason).collect();
        let suback = Suback {
            packet_id,
            reasons,
            diagnostics: Diagnostics::default(),
        };
        self.write(&Packet::Suback(suback), turn);
        self.remember_own(own);
    }

    pub(super) fn unsubscribe(&mut self, unsubscribe: Unsubscribe, turn: &mut Turn) {
        let mut list = Vec::new();
        let mut reasons = Vec::with_capacity(unsubscribe.filters.len());
        let mut names = Vec::new();
        for filter in unsubscribe.filters {
            let is_ours = topics::wanted(&filter, self.reader.account()) != Wanted::Foreign;
            match Filter::parse(filter.as_str()) {
                Ok(parsed) if is_ours => {
                    list.push(parsed);
                    names.push(filter.into_string());
                    reasons.push(None);
                }
                _ => reasons.push(Some(ReasonCode::NoSubscriptionExisted)),
            }
        }
        if list.is_empty() {
            return self.unsuback(unsubscribe.packet_id, &reasons, &[], turn);
        }
        let asked = Asked::Unsubscribe(unsubscribe.packet_id, reasons, names);
        self.topics(TopicVerb::Unsubscribe(list), asked, turn);
    }

    fn unsuback(
        &mut self,
        packet_id: PacketId,
        reasons: &[Option<ReasonCode>],
        there: &[bool],
        turn: &mut Turn,
    ) {
        let mut there = there.iter();
        let mut reason = |known: &Option<ReasonCode>| {
            known.unwrap_or_else(|| match there.next() {
                Some(true) => ReasonCode::Success,
                Some(false) => ReasonCode::NoSubscriptionExisted,
                None => ReasonCode::UnspecifiedError,
            })
        };
        let unsuback = Unsuback {
            packet_id,
            reasons: reasons.iter().map(&mut reason).collect(),
            diagnostics: Diagnostics::default(),
        };
        self.write(&Packet::Unsuback(unsuback), turn);
    }

    /// The topics have answered.
    pub(super) fn topic_answer(
        &mut self,
        id: AskId,
        answer: TopicAnswer,
        now: Now,
        turn: &mut Turn,
    ) {
        let Some(asked) = self.asked.remove(&id.0) else {
            return;
        };
        match (asked, answer) {
            (Asked::Subscribe(id, plans), TopicAnswer::Subscribed(outcomes)) => {
                self.suback(id, plans, outcomes.unwrap_or_default(), turn);
                self.pump(now, turn);
            }
            (Asked::Unsubscribe(id, reasons, names), TopicAnswer::Unsubscribed(there)) => {
                if there.is_ok() {
                    self.own.retain(|own| !names.contains(&own.filter));
                }
                self.unsuback(id, &reasons, &there.unwrap_or_default(), turn);
            }
            (Asked::Publish(Some(slot)), TopicAnswer::Published(published)) => {
                let reason = match published {
                    Ok(published) => {
                        // The topics know the number from now on.
                        if let Some((super::acks::AckKind::Pubrec, id)) = self.acks.kind(slot) {
                            self.received.insert(id.get(), true);
                        }
                        if published.is_new && published.matched == 0 {
                            ReasonCode::NoMatchingSubscribers
                        } else {
                            ReasonCode::Success
                        }
                    }
                    Err(error) => failed(&error),
                };
                self.answer(slot, reason, turn);
            }
            (Asked::Note(slot), TopicAnswer::Done(noted)) => {
                let reason = match noted {
                    Ok(_) => {
                        if let Some((_, id)) = self.acks.kind(slot) {
                            self.received.insert(id.get(), true);
                        }
                        ReasonCode::Success
                    }
                    Err(error) => failed(&error),
                };
                self.answer(slot, reason, turn);
            }
            (Asked::Release(id), TopicAnswer::Done(known)) => {
                let is_known = known.unwrap_or(false);
                self.pubcomp(id, is_known, turn);
            }
            (Asked::Received(id), TopicAnswer::Done(known)) => {
                let reason = if known.unwrap_or(false) {
                    ReasonCode::Success
                } else {
                    ReasonCode::PacketIdNotFound
                };
                self.write(&Packet::Pubrel(Ack::new(id, reason)), turn);
            }
            _ => {}
        }
        self.rest();
    }

    /// The client releases a publication of QoS 2.
    pub(super) fn pubrel(&mut self, id: PacketId, turn: &mut Turn) {
        match self.received.remove(&id.get()) {
            Some(false) => self.pubcomp(id, true, turn),
            // Perhaps it was received over an earlier connection.
            Some(true) | None => {
                self.topics(TopicVerb::Release(id.get()), Asked::Release(id), turn);
            }
        }
    }

    fn pubcomp(&mut self, id: PacketId, is_known: bool, turn: &mut Turn) {
        let reason = if is_known {
            ReasonCode::Success
        } else {
            ReasonCode::PacketIdNotFound
        };
        self.write(&Packet::Pubcomp(Ack::new(id, reason)), turn);
    }

    /// The client has something that was published to it.
    pub(super) fn puback(&mut self, ack: &Ack, now: Now, turn: &mut Turn) {
        match self.flight.topic(ack.packet_id) {
            Some(delivery) => {
                self.flight.topic_done(delivery);
                let verb = TopicVerb::Settle(delivery, Settled::Done);
                self.topics(verb, Asked::Nothing, turn);
                self.pump(now, turn);
            }
            None => self.acknowledged(ack, now, turn),
        }
    }

    /// The client has the first half of something that must come once.
    pub(super) fn pubrec(&mut self, ack: &Ack, now: Now, turn: &mut Turn) {
        if ack.reason.is_error() {
            return self.puback(ack, now, turn);
        }
        let id = ack.packet_id;
        match self.flight.topic(id) {
            Some(delivery) => {
                let verb = TopicVerb::Settle(delivery, Settled::Received);
                self.topics(verb, Asked::Received(id), turn);
            }
            None => {
                let reason = ReasonCode::PacketIdNotFound;
                self.write(&Packet::Pubrel(Ack::new(id, reason)), turn);
            }
        }
    }

    /// Writes what came out of the topics.
    pub(super) fn deliver_plain(
        &mut self,
        deliveries: Vec<pubsub::Delivery>,
        now: Now,
        turn: &mut Turn,
    ) {
        for delivery in deliveries {
            let id = delivery.id;
            if let Some(id) = id {
                self.flight.topic_goes(id);
                if delivery.stage == Stage::Received
                    && let Some(packet_id) = PacketId::new(id.0.get())
                {
                    let pubrel = Ack::new(packet_id, ReasonCode::Success);
                    self.write(&Packet::Pubrel(pubrel), turn);
                    continue;
                }
            }
            let is_written = match publish_of(&delivery, now) {
                Some(publish) => self.write_publish(publish, turn),
                None => false,
            };
            // What the client cannot take counts as sent (MQTT 5.0 §3.1.2.11.4).
            if let Some(id) = id.filter(|_| !is_written) {
                self.flight.topic_done(id);
                let verb = TopicVerb::Settle(id, Settled::Done);
                self.topics(verb, Asked::Nothing, turn);
            }
        }
    }
}

fn publish_of(delivery: &pubsub::Delivery, now: Now) -> Option<Publish> {
    let message = &delivery.message;
    let dup = delivery.stage == Stage::Sent;
    let packet_id = delivery.id.and_then(|id| PacketId::new(id.0.get()));
    let how = match (delivery.qos, packet_id) {
        (pubsub::Qos::AtLeastOnce, Some(id)) => Delivery::AtLeastOnce { id, dup },
        (pubsub::Qos::ExactlyOnce, Some(id)) => Delivery::ExactlyOnce { id, dup },
        _ => Delivery::AtMostOnce,
    };
    let ids = delivery.subscription_ids.iter().copied();
    Some(Publish {
        delivery: how,
        retain: delivery.retain,
        topic: Some(TopicName::new(message.topic.as_str()).ok()?),
        topic_alias: None,
        subscription_ids: ids.filter_map(SubscriptionId::new).collect(),
        properties: MessageProperties {
            expiry_secs: message.remaining_secs(now.wall_ms),
            ..decoded(&message.properties)
        },
        payload: message.payload.clone(),
    })
}

/// What is said of a verb that the topics have refused.
fn failed(error: &TopicError) -> ReasonCode {
    match error {
        TopicError::Quota => ReasonCode::QuotaExceeded,
        TopicError::Superseded | TopicError::Store(_) | TopicError::Stopped => {
            ReasonCode::UnspecifiedError
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_come_back_without_the_expiry() {
        let mut properties = MessageProperties {
            payload_is_utf8: Some(true),
            expiry_secs: Some(5),
            content_type: Some("text/plain".into()),
            response_topic: TopicName::new("t/answers").ok(),
            correlation_data: Some(Bytes::from_static(b"7")),
            ..MessageProperties::default()
        };
        for value in ["1", "2"] {
            properties.user_properties.push("k", value).expect("short");
        }
        let back = decoded(&encoded(properties.clone()));
        properties.expiry_secs = None;
        assert_eq!(back, properties);
        assert!(encoded(MessageProperties::default()).is_empty());
        assert_eq!(decoded(&Bytes::new()), MessageProperties::default());
    }
}
