//! UNSUBSCRIBE: a client no longer asks for messages (MQTT 5.0 §3.10,
//! 3.1.1 §3.10).

use super::subscribe::{read_filter, write_filter};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, PacketId, TopicFilter, UserProperties, Version};

/// UNSUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// What UNSUBACK repeats.
    pub packet_id: PacketId,
    /// The filters as they were subscribed, never empty.
    pub filters: Vec<TopicFilter>,
    /// User properties of 5.0.
    pub user_properties: UserProperties,
}

impl Unsubscribe {
    /// Reads the body.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Unsubscribe, DecodeError> {
        let mut unsubscribe = Unsubscribe {
            packet_id: fields.packet_id()?,
            filters: Vec::new(),
            user_properties: UserProperties::new(),
        };
        if version.is_v5() {
            let mut block = fields.properties()?;
            while let Some(id) = block.next()? {
                match id {
                    P::UserProperty => block.user(&mut unsubscribe.user_properties)?,
                    _ => return Err(block.foreign()),
                }
            }
        }
        while !fields.is_empty() {
            unsubscribe.filters.push(read_filter(fields, version)?);
        }
        if unsubscribe.filters.is_empty() {
            return Err(DecodeError::EmptyList(Kind::Unsubscribe));
        }
        Ok(unsubscribe)
    }
}

impl Block for Unsubscribe {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        sink.user_properties(&self.user_properties);
    }
}

impl Body for Unsubscribe {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        if self.filters.is_empty() {
            sink.fail(EncodeError::EmptyList(Kind::Unsubscribe));
        }
        sink.u16(self.packet_id.get());
        if form.version.is_v5() {
            self.write_block(form, sink);
        }
        for filter in &self.filters {
            write_filter(filter, form.version, sink);
        }
    }
}
