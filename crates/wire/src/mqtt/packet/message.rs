//! The properties that describe a message, in a PUBLISH and in a will
//! (MQTT 5.0 §3.3.2.3, §3.1.3.2).

use bytes::Bytes;

use crate::mqtt::property::{Properties, PropertyId as P};
use crate::mqtt::sink::Sink;
use crate::mqtt::{DecodeError, TopicName, UserProperties};

/// What is known of a message besides topic and payload. All of it but the
/// expiry is passed on to receivers as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MessageProperties {
    /// Whether the payload says that it is UTF-8 text; absent is no. The codec
    /// does not check it.
    pub payload_is_utf8: Option<bool>,
    /// How many seconds the message is worth delivering; absent is for ever.
    /// 0 is legal.
    pub expiry_secs: Option<u32>,
    /// What the payload is, such as a MIME type.
    pub content_type: Option<String>,
    /// Where an answer is expected.
    pub response_topic: Option<TopicName>,
    /// What the answer is to carry.
    pub correlation_data: Option<Bytes>,
    /// User properties.
    pub user_properties: UserProperties,
}

impl MessageProperties {
    /// Reads the current property of `block`, if it is one of these.
    pub(super) fn read(&mut self, id: P, block: &mut Properties<'_>) -> Result<(), DecodeError> {
        match id {
            P::PayloadFormatIndicator => block.flag(&mut self.payload_is_utf8),
            P::MessageExpiryInterval => block.u32(&mut self.expiry_secs),
            P::ContentType => block.string(&mut self.content_type),
            P::ResponseTopic => block.topic(&mut self.response_topic),
            P::CorrelationData => block.binary(&mut self.correlation_data),
            P::UserProperty => block.user(&mut self.user_properties),
            _ => Err(block.foreign()),
        }
    }

    /// Writes the expiry: the one property that differs between receivers.
    pub(in crate::mqtt) fn write_expiry<S: Sink>(&self, secs: Option<u32>, sink: &mut S) {
        sink.property_u32(P::MessageExpiryInterval, secs);
    }

    /// Writes everything but the expiry.
    pub(in crate::mqtt) fn write_shared<S: Sink>(&self, sink: &mut S) {
        sink.property_flag(P::PayloadFormatIndicator, self.payload_is_utf8);
        sink.property_str(P::ContentType, self.content_type.as_deref());
        sink.property_topic(P::ResponseTopic, self.response_topic.as_ref());
        sink.property_binary(P::CorrelationData, self.correlation_data.as_deref());
        sink.user_properties(&self.user_properties);
    }
}
