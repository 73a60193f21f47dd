//! PUBLISH: a message (MQTT 5.0 §3.3, 3.1.1 §3.3).

use std::num::NonZeroU16;

use bytes::Bytes;

use super::MessageProperties;
use crate::mqtt::fields::Fields;
use crate::mqtt::property::{PropertyFault, PropertyId as P};
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{
    DecodeError, Delivery, EncodeError, PacketId, Qos, Side, SubscriptionId, TopicName, Version,
};

/// PUBLISH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// QoS, packet id and DUP.
    pub delivery: Delivery,
    /// The RETAIN flag.
    pub retain: bool,
    /// The topic; absent if the alias stands for it, in 5.0 only.
    pub topic: Option<TopicName>,
    /// A number that stands for the topic, or will from now on. A property of
    /// 5.0.
    pub topic_alias: Option<NonZeroU16>,
    /// The subscriptions that a server's message matches. A property of 5.0.
    pub subscription_ids: Vec<SubscriptionId>,
    /// Properties of 5.0.
    pub properties: MessageProperties,
    /// The message itself. After decoding this is a slice of the input buffer
    /// and keeps that buffer alive: copy it if it is to be kept.
    pub payload: Bytes,
}

/// The flags in the first byte (§3.3.1).
mod flag {
    pub(super) const RETAIN: u8 = 0x01;
    pub(super) const DUP: u8 = 0x08;
    /// Where the two bits of the QoS begin.
    pub(super) const QOS_SHIFT: u8 = 1;
}

/// The flags, checked; the packet id comes later.
#[derive(Debug, Clone, Copy)]
pub(in crate::mqtt) struct PublishHeader {
    qos: Qos,
    dup: bool,
    retain: bool,
}

impl PublishHeader {
    /// Reads the first byte of a PUBLISH.
    pub(in crate::mqtt) fn read(header: u8) -> Result<PublishHeader, DecodeError> {
        let qos = Qos::from_number(header >> flag::QOS_SHIFT & 0x03).ok_or(DecodeError::Qos3)?;
        let dup = header & flag::DUP != 0;
        if dup && qos == Qos::AtMostOnce {
            return Err(DecodeError::DupWithQos0);
        }
        Ok(PublishHeader {
            qos,
            dup,
            retain: header & flag::RETAIN != 0,
        })
    }

    fn with_id(
        self,
        id: impl FnOnce() -> Result<PacketId, DecodeError>,
    ) -> Result<Delivery, DecodeError> {
        let dup = self.dup;
        Ok(match self.qos {
            Qos::AtMostOnce => Delivery::AtMostOnce,
            Qos::AtLeastOnce => Delivery::AtLeastOnce { id: id()?, dup },
            Qos::ExactlyOnce => Delivery::ExactlyOnce { id: id()?, dup },
        })
    }
}

impl Publish {
    /// Reads all but the payload, which the caller takes from the packet.
    pub(in crate::mqtt) fn read(
        header: PublishHeader,
        fields: &mut Fields<'_>,
        version: Version,
        side: Side,
    ) -> Result<Publish, DecodeError> {
        let name = fields.str()?;
        let mut publish = Publish {
            delivery: header.with_id(|| fields.packet_id())?,
            retain: header.retain,
            topic: None,
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: Bytes::new(),
        };
        if version.is_v5() {
            publish.read_properties(fields, side)?;
        }
        // Only an alias stands for a topic, so only 5.0 goes without.
        if !name.is_empty() || !version.is_v5() {
            publish.topic = Some(TopicName::new(name).map_err(DecodeError::Topic)?);
        } else if publish.topic_alias.is_none() {
            return Err(DecodeError::NoTopic);
        }
        Ok(publish)
    }

    fn read_properties(&mut self, fields: &mut Fields<'_>, side: Side) -> Result<(), DecodeError> {
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match id {
                P::TopicAlias => {
                    let mut alias = self.topic_alias.map(NonZeroU16::get);
                    block.u16(&mut alias)?;
                    let alias = alias.and_then(NonZeroU16::new);
                    self.topic_alias = Some(alias.ok_or(DecodeError::TopicAliasZero)?);
                }
                // A client's message matches no subscription yet (§3.3.4).
                P::SubscriptionIdentifier if side == Side::Client => {
                    return Err(block.fault(PropertyFault::NotFromThisSide));
                }
                P::SubscriptionIdentifier => {
                    let id = block.subscription_id()?;
                    self.subscription_ids.push(id);
                }
                _ => self.properties.read(id, &mut block)?,
            }
        }
        Ok(())
    }

    /// The low bits of the first byte.
    pub(in crate::mqtt) fn flags(delivery: Delivery, retain: bool) -> u8 {
        let dup = if delivery.is_dup() { flag::DUP } else { 0 };
        let retain = if retain { flag::RETAIN } else { 0 };
        dup | delivery.qos().number() << flag::QOS_SHIFT | retain
    }
}

/// Writes what stands before the properties: topic and packet id.
pub(in crate::mqtt) fn write_head<S: Sink>(
    topic: Option<&TopicName>,
    alias: Option<NonZeroU16>,
    delivery: Delivery,
    version: Version,
    sink: &mut S,
) {
    let has_alias = version.is_v5() && alias.is_some();
    if topic.is_none() && !has_alias {
        sink.fail(EncodeError::NoTopic);
    }
    sink.str(topic.map_or("", TopicName::as_str));
    if let Some(id) = delivery.packet_id() {
        sink.u16(id.get());
    }
}

impl Block for Publish {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        self.properties
            .write_expiry(self.properties.expiry_secs, sink);
        sink.property_nonzero_u16(P::TopicAlias, self.topic_alias);
        for id in &self.subscription_ids {
            sink.property_subscription_id(*id);
        }
        self.properties.write_shared(sink);
    }
}

impl Body for Publish {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let topic = self.topic.as_ref();
        write_head(topic, self.topic_alias, self.delivery, form.version, sink);
        if form.version.is_v5() {
            self.write_block(form, sink);
        }
        sink.raw(&self.payload);
    }
}
