//! Properties of 5.0: their identifiers and how a block of them is read
//! (MQTT 5.0 §2.2.2).
//!
//! Which packet may carry which property stands where the packet is decoded:
//! what its `match` does not name is refused. How often and with which values
//! is checked here.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;

use super::fields::Fields;
use super::{DecodeError, Diagnostics, SubscriptionId, TopicName, UserProperties};

/// A property's number (MQTT 5.0 §2.2.2.2).
#[repr(u8)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // The names are those of the specification.
pub enum PropertyId {
    PayloadFormatIndicator = 0x01,
    MessageExpiryInterval = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionIdentifier = 0x0b,
    SessionExpiryInterval = 0x11,
    AssignedClientIdentifier = 0x12,
    ServerKeepAlive = 0x13,
    AuthenticationMethod = 0x15,
    AuthenticationData = 0x16,
    RequestProblemInformation = 0x17,
    WillDelayInterval = 0x18,
    RequestResponseInformation = 0x19,
    ResponseInformation = 0x1a,
    ServerReference = 0x1c,
    ReasonString = 0x1f,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    MaximumQos = 0x24,
    RetainAvailable = 0x25,
    UserProperty = 0x26,
    MaximumPacketSize = 0x27,
    WildcardSubscriptionAvailable = 0x28,
    SubscriptionIdentifierAvailable = 0x29,
    SharedSubscriptionAvailable = 0x2a,
}

use PropertyId as P;

impl PropertyId {
    /// Every property, by number.
    pub const ALL: [PropertyId; 27] = [
        P::PayloadFormatIndicator,
        P::MessageExpiryInterval,
        P::ContentType,
        P::ResponseTopic,
        P::CorrelationData,
        P::SubscriptionIdentifier,
        P::SessionExpiryInterval,
        P::AssignedClientIdentifier,
        P::ServerKeepAlive,
        P::AuthenticationMethod,
        P::AuthenticationData,
        P::RequestProblemInformation,
        P::WillDelayInterval,
        P::RequestResponseInformation,
        P::ResponseInformation,
        P::ServerReference,
        P::ReasonString,
        P::ReceiveMaximum,
        P::TopicAliasMaximum,
        P::TopicAlias,
        P::MaximumQos,
        P::RetainAvailable,
        P::UserProperty,
        P::MaximumPacketSize,
        P::WildcardSubscriptionAvailable,
        P::SubscriptionIdentifierAvailable,
        P::SharedSubscriptionAvailable,
    ];

    /// The number on the wire. All are below 0x80, so each is one byte.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The property with this number, if 5.0 defines one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<PropertyId> {
        let index = P::ALL.binary_search_by_key(&code, |id| id.code());
        index.ok().map(|index| P::ALL[index])
    }
}

/// What is wrong with a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PropertyFault {
    /// This packet never carries it.
    #[error("does not belong into this packet")]
    NotInThisPacket,
    /// This packet carries it only from the other side.
    #[error("may not be sent by this side")]
    NotFromThisSide,
    /// It is there twice and may be there once.
    #[error("is there more than once")]
    Duplicate,
    /// Its value is outside of its range.
    #[error("has a value that is not allowed")]
    OutOfRange,
    /// The packet needs it, or another property that is there does.
    #[error("is missing")]
    Missing,
}

/// A cursor over a block of properties.
pub(super) struct Properties<'a> {
    fields: Fields<'a>,
    current: PropertyId,
}

impl<'a> Properties<'a> {
    /// Over the fields of one block.
    pub(super) fn new(block: Fields<'a>) -> Properties<'a> {
        Properties {
            fields: block,
            current: P::UserProperty,
        }
    }

    /// The next property's identifier; `None` at the end of the block. Its
    /// value must be read before the next call.
    pub(super) fn next(&mut self) -> Result<Option<PropertyId>, DecodeError> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let code = self.fields.u8()?;
        let id = P::from_code(code).ok_or(DecodeError::UnknownProperty(code))?;
        self.current = id;
        Ok(Some(id))
    }

    /// The current property with this fault.
    pub(super) fn fault(&self, fault: PropertyFault) -> DecodeError {
        DecodeError::Property {
            id: self.current,
            fault,
        }
    }

    /// The error for a property that the packet does not have.
    pub(super) fn foreign(&self) -> DecodeError {
        self.fault(PropertyFault::NotInThisPacket)
    }

    /// Puts a value into its slot, which must be empty.
    fn once<T>(&self, slot: &mut Option<T>, value: T) -> Result<(), DecodeError> {
        if slot.is_some() {
            return Err(self.fault(PropertyFault::Duplicate));
        }
        *slot = Some(value);
        Ok(())
    }

    /// As [`Self::once`], for a value that the range may have excluded.
    fn once_valid<T>(&self, slot: &mut Option<T>, value: Option<T>) -> Result<(), DecodeError> {
        let value = value.ok_or_else(|| self.fault(PropertyFault::OutOfRange))?;
        self.once(slot, value)
    }

    /// A byte that is 0 or 1.
    pub(super) fn flag(&mut self, slot: &mut Option<bool>) -> Result<(), DecodeError> {
        let value = match self.fields.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        };
        self.once_valid(slot, value)
    }

    /// A byte with the values that `from` knows.
    pub(super) fn byte<T>(
        &mut self,
        slot: &mut Option<T>,
        from: impl FnOnce(u8) -> Option<T>,
    ) -> Result<(), DecodeError> {
        let value = from(self.fields.u8()?);
        self.once_valid(slot, value)
    }

    /// Two bytes.
    pub(super) fn u16(&mut self, slot: &mut Option<u16>) -> Result<(), DecodeError> {
        let value = self.fields.u16()?;
        self.once(slot, value)
    }

    /// Two bytes, not 0.
    pub(super) fn nonzero_u16(&mut self, slot: &mut Option<NonZeroU16>) -> Result<(), DecodeError> {
        let value = NonZeroU16::new(self.fields.u16()?);
        self.once_valid(slot, value)
    }

    /// Four bytes.
    pub(super) fn u32(&mut self, slot: &mut Option<u32>) -> Result<(), DecodeError> {
        let value = self.fields.u32()?;
        self.once(slot, value)
    }

    /// Four bytes, not 0.
    pub(super) fn nonzero_u32(&mut self, slot: &mut Option<NonZeroU32>) -> Result<(), DecodeError> {
        let value = NonZeroU32::new(self.fields.u32()?);
        self.once_valid(slot, value)
    }

    /// A subscription id.
    pub(super) fn subscription_id(&mut self) -> Result<SubscriptionId, DecodeError> {
        let id = SubscriptionId::new(self.fields.varint()?);
        id.ok_or_else(|| self.fault(PropertyFault::OutOfRange))
    }

    /// A subscription id where only one may be.
    pub(super) fn one_subscription_id(
        &mut self,
        slot: &mut Option<SubscriptionId>,
    ) -> Result<(), DecodeError> {
        let id = self.subscription_id()?;
        self.once(slot, id)
    }

    /// A string.
    pub(super) fn string(&mut self, slot: &mut Option<String>) -> Result<(), DecodeError> {
        let value = self.fields.str()?;
        // Looked at first: a repeated string is not copied.
        if slot.is_some() {
            return Err(self.fault(PropertyFault::Duplicate));
        }
        *slot = Some(value.to_owned());
        Ok(())
    }

    /// A topic name.
    pub(super) fn topic(&mut self, slot: &mut Option<TopicName>) -> Result<(), DecodeError> {
        let value = TopicName::new(self.fields.str()?).map_err(DecodeError::Topic)?;
        self.once(slot, value)
    }

    /// Bytes, copied out of the input so that they do not keep it alive.
    pub(super) fn binary(&mut self, slot: &mut Option<Bytes>) -> Result<(), DecodeError> {
        let value = self.fields.binary()?;
        self.once(slot, Bytes::copy_from_slice(value))
    }

    /// A user property.
    pub(super) fn user(&mut self, list: &mut UserProperties) -> Result<(), DecodeError> {
        let pair = self.fields.str_pair()?;
        list.push_wire(pair);
        Ok(())
    }

    /// The reason string.
    pub(super) fn reason_string(
        &mut self,
        diagnostics: &mut Diagnostics,
    ) -> Result<(), DecodeError> {
        self.string(&mut diagnostics.reason_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_names_its_property() {
        for id in P::ALL {
            assert_eq!(P::from_code(id.code()), Some(id));
            assert!(id.code() < 0x80);
        }
        let known = (0..=u8::MAX).filter(|code| P::from_code(*code).is_some());
        assert_eq!(known.count(), P::ALL.len());
    }
}
