//! SUBSCRIBE: a client asks for messages (MQTT 5.0 §3.8, 3.1.1 §3.8).

use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{
    DecodeError, EncodeError, Kind, PacketId, Qos, SubscriptionId, TopicFilter, UserProperties,
    Version,
};

/// SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// What SUBACK repeats.
    pub packet_id: PacketId,
    /// What the client wants, never empty. Each costs memory of its own beside
    /// its bytes in the packet, so the limit of the decoder bounds them.
    pub subscriptions: Vec<Subscription>,
    /// The client's number for these subscriptions. A property of 5.0.
    pub subscription_id: Option<SubscriptionId>,
    /// User properties of 5.0.
    pub user_properties: UserProperties,
}

/// One filter with its options (MQTT 5.0 §3.8.3.1). Before 5.0 there is only
/// the QoS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Which topics.
    pub filter: TopicFilter,
    /// The highest QoS for messages to the client.
    pub qos: Qos,
    /// Whether the client's own messages are not sent back to it.
    pub no_local: bool,
    /// Whether forwarded messages keep their RETAIN flag.
    pub retain_as_published: bool,
    /// What happens to retained messages at subscribing.
    pub retain_handling: RetainHandling,
}

/// When retained messages are sent (MQTT 5.0 §3.8.3.1).
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RetainHandling {
    /// At every SUBSCRIBE.
    #[default]
    Send = 0,
    /// If the subscription is new.
    SendIfNew = 1,
    /// Never.
    DoNotSend = 2,
}

/// The bits of the options byte.
mod bit {
    pub(super) const QOS: u8 = 0x03;
    pub(super) const NO_LOCAL: u8 = 0x04;
    pub(super) const RETAIN_AS_PUBLISHED: u8 = 0x08;
    pub(super) const RETAIN_HANDLING: u8 = 0x03;
    pub(super) const RETAIN_HANDLING_SHIFT: u8 = 4;
    /// Reserved in 5.0.
    pub(super) const RESERVED: u8 = 0xc0;
    /// Reserved before.
    pub(super) const RESERVED_BEFORE_V5: u8 = 0xfc;
}

impl Subscription {
    /// A subscription with the default options.
    #[must_use]
    pub fn new(filter: TopicFilter, qos: Qos) -> Subscription {
        Subscription {
            filter,
            qos,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::Send,
        }
    }

    fn read(fields: &mut Fields<'_>, version: Version) -> Result<Subscription, DecodeError> {
        let filter = read_filter(fields, version)?;
        let bits = fields.u8()?;
        let reserved = if version.is_v5() {
            bit::RESERVED
        } else {
            bit::RESERVED_BEFORE_V5
        };
        if bits & reserved != 0 {
            return Err(DecodeError::SubscriptionOptions(bits));
        }
        let bad = DecodeError::SubscriptionValue(bits);
        let qos = Qos::from_number(bits & bit::QOS).ok_or(bad)?;
        let retain_handling = match bits >> bit::RETAIN_HANDLING_SHIFT & bit::RETAIN_HANDLING {
            0 => RetainHandling::Send,
            1 => RetainHandling::SendIfNew,
            2 => RetainHandling::DoNotSend,
            _ => return Err(bad),
        };
        let no_local = bits & bit::NO_LOCAL != 0;
        if no_local && is_shared(&filter) {
            return Err(DecodeError::NoLocalShared);
        }
        Ok(Subscription {
            filter,
            qos,
            no_local,
            retain_as_published: bits & bit::RETAIN_AS_PUBLISHED != 0,
            retain_handling,
        })
    }

    fn bits(&self, version: Version) -> u8 {
        if !version.is_v5() {
            return self.qos.number();
        }
        let flag = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        self.qos.number()
            | flag(self.no_local, bit::NO_LOCAL)
            | flag(self.retain_as_published, bit::RETAIN_AS_PUBLISHED)
            | (self.retain_handling as u8) << bit::RETAIN_HANDLING_SHIFT
    }
}

fn is_shared(filter: &TopicFilter) -> bool {
    matches!(filter.shared(), Ok(Some(_)))
}

/// Reads a filter; in 5.0 the form of shared subscriptions is part of it.
pub(super) fn read_filter(
    fields: &mut Fields<'_>,
    version: Version,
) -> Result<TopicFilter, DecodeError> {
    let filter = TopicFilter::new(fields.str()?).map_err(DecodeError::Filter)?;
    if version.is_v5() {
        filter.shared().map_err(DecodeError::Filter)?;
    }
    Ok(filter)
}

/// Writes a filter, as [`read_filter`] wants it.
pub(super) fn write_filter<S: Sink>(filter: &TopicFilter, version: Version, sink: &mut S) {
    if let (true, Err(error)) = (version.is_v5(), filter.shared()) {
        sink.fail(EncodeError::Filter(error));
    }
    sink.str(filter.as_str());
}

impl Subscribe {
    /// Reads the body.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Subscribe, DecodeError> {
        let mut subscribe = Subscribe {
            packet_id: fields.packet_id()?,
            subscriptions: Vec::new(),
            subscription_id: None,
            user_properties: UserProperties::new(),
        };
        if version.is_v5() {
            let mut block = fields.properties()?;
            while let Some(id) = block.next()? {
                match id {
                    P::SubscriptionIdentifier => {
                        block.one_subscription_id(&mut subscribe.subscription_id)?;
                    }
                    P::UserProperty => block.user(&mut subscribe.user_properties)?,
                    _ => return Err(block.foreign()),
                }
            }
        }
        while !fields.is_empty() {
            let subscription = Subscription::read(fields, version)?;
            subscribe.subscriptions.push(subscription);
        }
        if subscribe.subscriptions.is_empty() {
            return Err(DecodeError::EmptyList(Kind::Subscribe));
        }
        Ok(subscribe)
    }
}

impl Block for Subscribe {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        if let Some(id) = self.subscription_id {
            sink.property_subscription_id(id);
        }
        sink.user_properties(&self.user_properties);
    }
}

impl Body for Subscribe {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        if self.subscriptions.is_empty() {
            sink.fail(EncodeError::EmptyList(Kind::Subscribe));
        }
        sink.u16(self.packet_id.get());
        if form.version.is_v5() {
            self.write_block(form, sink);
        }
        for subscription in &self.subscriptions {
            let is_v5 = form.version.is_v5();
            if is_v5 && subscription.no_local && is_shared(&subscription.filter) {
                sink.fail(EncodeError::NoLocalShared);
            }
            write_filter(&subscription.filter, form.version, sink);
            sink.u8(subscription.bits(form.version));
        }
    }
}
