//! One message for many receivers: what their PUBLISH packets have in common
//! is encoded once, the rest per copy.
//!
//! Per copy are the flags, the packet id, the topic or its alias, the remaining
//! expiry, the subscription ids, and one hole in the payload, for payloads that
//! name their receiver. Everything else is shared and not looked at again.

use std::num::NonZeroU16;

use bytes::{Bytes, BytesMut};

use super::packet::{MessageProperties, write_head};
use super::property::PropertyId;
use super::sink::{Block, Body, Form, Measure, Sink};
use super::{Delivery, EncodeError, SubscriptionId, TopicName};

/// What all copies of a message share. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedPublish {
    /// The encoded properties but the expiry.
    properties: Bytes,
    /// The payload up to the hole.
    before: Bytes,
    /// The payload after the hole.
    after: Bytes,
}

/// What one receiver's copy has of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishCopy<'a> {
    /// QoS, packet id and DUP.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The topic; may be absent in 5.0 if the alias stands for it.
    pub topic: Option<&'a TopicName>,
    /// As [`Publish::topic_alias`](super::Publish::topic_alias).
    pub topic_alias: Option<NonZeroU16>,
    /// What is left of the expiry.
    pub expiry_secs: Option<u32>,
    /// The receiver's subscriptions that match.
    pub subscription_ids: &'a [SubscriptionId],
    /// What stands in the payload's hole.
    pub fill: &'a [u8],
}

impl<'a> PublishCopy<'a> {
    /// A copy with a topic and nothing else.
    #[must_use]
    pub const fn new(topic: &'a TopicName, delivery: Delivery) -> PublishCopy<'a> {
        PublishCopy {
            delivery,
            retain: false,
            topic: Some(topic),
            topic_alias: None,
            expiry_secs: None,
            subscription_ids: &[],
            fill: &[],
        }
    }
}

impl SharedPublish {
    /// A message with the same payload for everybody. The expiry in
    /// `properties` is not looked at: it is the copies'.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`].
    pub fn new(
        properties: &MessageProperties,
        payload: Bytes,
    ) -> Result<SharedPublish, EncodeError> {
        SharedPublish::with_hole(properties, payload, Bytes::new())
    }

    /// A message whose payload has a hole between `before` and `after`.
    ///
    /// # Errors
    ///
    /// See [`EncodeError`].
    pub fn with_hole(
        properties: &MessageProperties,
        before: Bytes,
        after: Bytes,
    ) -> Result<SharedPublish, EncodeError> {
        let mut measure = Measure::default();
        properties.write_shared(&mut measure);
        if let Some(error) = measure.error {
            return Err(error);
        }
        let mut encoded = BytesMut::with_capacity(measure.len);
        properties.write_shared(&mut encoded);
        Ok(SharedPublish {
            properties: encoded.freeze(),
            before,
            after,
        })
    }

    /// The payload of a copy, in order.
    #[must_use]
    pub fn payload<'a>(&'a self, copy: &PublishCopy<'a>) -> [&'a [u8]; 3] {
        [&self.before, copy.fill, &self.after]
    }

    /// The length of a copy's payload in bytes.
    #[must_use]
    pub fn payload_len(&self, copy: &PublishCopy<'_>) -> usize {
        self.before.len() + copy.fill.len() + self.after.len()
    }

    pub(super) const fn head<'a>(&'a self, copy: &'a PublishCopy<'a>) -> CopyHead<'a> {
        CopyHead { shared: self, copy }
    }
}

/// Everything of a copy between the remaining length and the payload.
pub(super) struct CopyHead<'a> {
    shared: &'a SharedPublish,
    copy: &'a PublishCopy<'a>,
}

impl Block for CopyHead<'_> {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        let copy = self.copy;
        sink.property_u32(PropertyId::MessageExpiryInterval, copy.expiry_secs);
        sink.property_nonzero_u16(PropertyId::TopicAlias, copy.topic_alias);
        for id in copy.subscription_ids {
            sink.property_subscription_id(*id);
        }
        sink.raw(&self.shared.properties);
    }
}

impl Body for CopyHead<'_> {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let copy = self.copy;
        write_head(
            copy.topic,
            copy.topic_alias,
            copy.delivery,
            form.version,
            sink,
        );
        if form.version.is_v5() {
            self.write_block(form, sink);
        }
    }
}
