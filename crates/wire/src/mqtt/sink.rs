//! Where an encoding goes: a counter first, the output second.
//!
//! Each packet describes its body once, and the description is run twice, so
//! that an announced length cannot disagree with what follows it.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::{BufMut, BytesMut};

use super::property::PropertyId;
use super::{
    Authentication, Diagnostics, EncodeError, SubscriptionId, TopicName, UserProperties, Version,
    text,
};

/// How a packet is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    /// Its version.
    pub(super) version: Version,
    /// Whether reason strings and the user properties beside them are written.
    pub(super) diagnostics: bool,
}

/// What a packet has after its fixed header.
pub(super) trait Body {
    /// Its fields in order.
    fn write<S: Sink>(&self, form: Form, sink: &mut S);
}

/// Takes bytes, or counts them.
pub(super) trait Sink {
    /// Raw bytes.
    fn raw(&mut self, bytes: &[u8]);

    /// Notes that there is no encoding.
    fn fail(&mut self, error: EncodeError);

    /// One byte.
    fn u8(&mut self, value: u8) {
        self.raw(&[value]);
    }

    /// Two bytes.
    fn u16(&mut self, value: u16) {
        self.raw(&value.to_be_bytes());
    }

    /// Four bytes.
    fn u32(&mut self, value: u32) {
        self.raw(&value.to_be_bytes());
    }

    /// A variable byte integer in its shortest form; `value` has at most 28
    /// bits, or is too large for a packet and refused there.
    fn varint(&mut self, mut value: usize) {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            if value == 0 {
                return self.u8(low);
            }
            self.u8(low | 0x80);
        }
    }

    /// A string with its length in front.
    fn str(&mut self, value: &str) {
        match text::encodable_len(value) {
            Ok(len) => self.u16(len),
            Err(error) => self.fail(error),
        }
        self.raw(value.as_bytes());
    }

    /// Bytes with their length in front.
    fn binary(&mut self, value: &[u8]) {
        match u16::try_from(value.len()) {
            Ok(len) => self.u16(len),
            Err(_) => self.fail(EncodeError::Binary { len: value.len() }),
        }
        self.raw(value);
    }

    /// A property that is a flag.
    fn property_flag(&mut self, id: PropertyId, value: Option<bool>) {
        self.property_u8(id, value.map(u8::from));
    }

    /// A property of one byte.
    fn property_u8(&mut self, id: PropertyId, value: Option<u8>) {
        if let Some(value) = value {
            self.raw(&[id.code(), value]);
        }
    }

    /// A property of two bytes.
    fn property_u16(&mut self, id: PropertyId, value: Option<u16>) {
        if let Some(value) = value {
            self.u8(id.code());
            self.u16(value);
        }
    }

    /// A property of two bytes.
    fn property_nonzero_u16(&mut self, id: PropertyId, value: Option<NonZeroU16>) {
        self.property_u16(id, value.map(NonZeroU16::get));
    }

    /// A property of four bytes.
    fn property_u32(&mut self, id: PropertyId, value: Option<u32>) {
        if let Some(value) = value {
            self.u8(id.code());
            self.u32(value);
        }
    }

    /// A property of four bytes.
    fn property_nonzero_u32(&mut self, id: PropertyId, value: Option<NonZeroU32>) {
        self.property_u32(id, value.map(NonZeroU32::get));
    }

    /// A property that is a string.
    fn property_str(&mut self, id: PropertyId, value: Option<&str>) {
        if let Some(value) = value {
            self.u8(id.code());
            self.str(value);
        }
    }

    /// A property that is a topic.
    fn property_topic(&mut self, id: PropertyId, value: Option<&TopicName>) {
        self.property_str(id, value.map(TopicName::as_str));
    }

    /// A property of bytes.
    fn property_binary(&mut self, id: PropertyId, value: Option<&[u8]>) {
        if let Some(value) = value {
            self.u8(id.code());
            self.binary(value);
        }
    }

    /// Method and data of an enhanced authentication.
    fn authentication(&mut self, authentication: Option<&Authentication>) {
        if let Some(Authentication { method, data }) = authentication {
            self.property_str(PropertyId::AuthenticationMethod, Some(method));
            self.property_binary(PropertyId::AuthenticationData, data.as_deref());
        }
    }

    /// A subscription id.
    fn property_subscription_id(&mut self, id: SubscriptionId) {
        self.u8(PropertyId::SubscriptionIdentifier.code());
        self.varint(id.get() as usize);
    }

    /// All user properties.
    fn user_properties(&mut self, properties: &UserProperties) {
        self.raw(properties.wire());
    }

    /// Reason string and user properties, if they are wanted.
    fn diagnostics(&mut self, form: Form, diagnostics: &Diagnostics) {
        if form.diagnostics {
            let reason = diagnostics.reason_string.as_deref();
            self.property_str(PropertyId::ReasonString, reason);
            self.user_properties(&diagnostics.user_properties);
        }
    }
}

/// Counts bytes and remembers the first thing that has no encoding.
#[derive(Debug, Default)]
pub(super) struct Measure {
    /// How many bytes.
    pub(super) len: usize,
    /// What is wrong.
    pub(super) error: Option<EncodeError>,
}

impl Sink for Measure {
    fn raw(&mut self, bytes: &[u8]) {
        self.len += bytes.len();
    }

    fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }
}

/// Writes what [`Measure`] has approved.
impl Sink for BytesMut {
    fn raw(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }

    fn fail(&mut self, error: EncodeError) {
        debug_assert!(false, "measured before: {error}");
    }
}

/// A list of properties without its length.
pub(super) trait Block {
    /// The properties in order.
    fn write_properties<S: Sink>(&self, form: Form, sink: &mut S);

    /// The length of the list in bytes.
    fn properties_len(&self, form: Form) -> usize {
        let mut measure = Measure::default();
        self.write_properties(form, &mut measure);
        measure.len
    }

    /// The list with its length in front.
    fn write_block<S: Sink>(&self, form: Form, sink: &mut S) {
        sink.varint(self.properties_len(form));
        self.write_properties(form, sink);
    }
}
