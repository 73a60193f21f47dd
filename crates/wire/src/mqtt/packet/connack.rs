//! CONNACK: the answer to CONNECT (MQTT 5.0 §3.2, 3.1.1 §3.2).

use std::num::{NonZeroU16, NonZeroU32};

use super::{Authentication, AuthenticationParts, Diagnostics, reason};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Kind, Qos, ReasonCode, Side, Version};

/// The flag that there was a session (§3.2.2.1).
const SESSION_PRESENT: u8 = 0x01;

/// CONNACK.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Connack {
    /// Whether the server goes on with an older session; never when it
    /// refuses. Before 3.1.1 it cannot be said.
    pub session_present: bool,
    /// Whether the client may go on. Before 5.0 this becomes
    /// [`ReasonCode::return_code`].
    pub reason: ReasonCode,
    /// Properties of 5.0.
    pub properties: ConnackProperties,
}

/// Properties of CONNACK (MQTT 5.0 §3.2.2.3).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnackProperties {
    /// How long the session outlives the connection in seconds; absent is what
    /// the client asked for.
    pub session_expiry_secs: Option<u32>,
    /// How many unacknowledged messages the server takes; absent is 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The highest QoS that the server takes; absent is QoS 2. QoS 2 itself
    /// has no form on the wire and is left out.
    pub maximum_qos: Option<Qos>,
    /// Whether messages may be retained; absent is yes.
    pub retain_available: Option<bool>,
    /// The largest packet that the server takes in bytes; absent is no limit.
    pub max_packet_bytes: Option<NonZeroU32>,
    /// The client id that the server invented.
    pub assigned_client_id: Option<String>,
    /// The highest topic alias that the server takes; absent is 0, none.
    pub topic_alias_maximum: Option<u16>,
    /// Whether filters may have wildcards; absent is yes.
    pub wildcard_subscription_available: Option<bool>,
    /// Whether subscriptions may have ids; absent is yes.
    pub subscription_ids_available: Option<bool>,
    /// Whether subscriptions may be shared; absent is yes.
    pub shared_subscription_available: Option<bool>,
    /// The keep alive that the client must use, in seconds.
    pub server_keep_alive_secs: Option<u16>,
    /// What the client makes its response topics of.
    pub response_information: Option<String>,
    /// Another server to use.
    pub server_reference: Option<String>,
    /// The end of an enhanced authentication.
    pub authentication: Option<Authentication>,
    /// Words about the reason.
    pub diagnostics: Diagnostics,
}

impl Connack {
    /// A refusal for this reason.
    #[must_use]
    pub fn refusing(reason: ReasonCode) -> Connack {
        Connack {
            reason,
            ..Connack::default()
        }
    }

    /// Reads the body.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Connack, DecodeError> {
        let flags = fields.u8()?;
        let reason = if version.is_v5() {
            reason(fields, Kind::Connack, Side::Server)?
        } else {
            let code = fields.u8()?;
            ReasonCode::from_return_code(code).ok_or(DecodeError::Reason {
                kind: Kind::Connack,
                code,
            })?
        };
        // 3.1 does not use this byte.
        let is_used = version != Version::V31;
        let session_present = is_used && flags == SESSION_PRESENT;
        let is_refusal = reason != ReasonCode::Success;
        if is_used && (flags & !SESSION_PRESENT != 0 || session_present && is_refusal) {
            return Err(DecodeError::ConnackFlags(flags));
        }
        let properties = if version.is_v5() {
            ConnackProperties::read(fields)?
        } else {
            ConnackProperties::default()
        };
        Ok(Connack {
            session_present,
            reason,
            properties,
        })
    }
}

impl ConnackProperties {
    fn read(fields: &mut Fields<'_>) -> Result<ConnackProperties, DecodeError> {
        let mut to = ConnackProperties::default();
        let mut authentication = AuthenticationParts::default();
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match id {
                P::SessionExpiryInterval => block.u32(&mut to.session_expiry_secs)?,
                P::ReceiveMaximum => block.nonzero_u16(&mut to.receive_maximum)?,
                P::MaximumQos => block.byte(&mut to.maximum_qos, maximum_qos)?,
                P::RetainAvailable => block.flag(&mut to.retain_available)?,
                P::MaximumPacketSize => block.nonzero_u32(&mut to.max_packet_bytes)?,
                P::AssignedClientIdentifier => block.string(&mut to.assigned_client_id)?,
                P::TopicAliasMaximum => block.u16(&mut to.topic_alias_maximum)?,
                P::WildcardSubscriptionAvailable => {
                    block.flag(&mut to.wildcard_subscription_available)?;
                }
                P::SubscriptionIdentifierAvailable => {
                    block.flag(&mut to.subscription_ids_available)?;
                }
                P::SharedSubscriptionAvailable => {
                    block.flag(&mut to.shared_subscription_available)?;
                }
                P::ServerKeepAlive => block.u16(&mut to.server_keep_alive_secs)?,
                P::ResponseInformation => block.string(&mut to.response_information)?,
                P::ServerReference => block.string(&mut to.server_reference)?,
                P::AuthenticationMethod => block.string(&mut authentication.method)?,
                P::AuthenticationData => block.binary(&mut authentication.data)?,
                P::ReasonString => block.reason_string(&mut to.diagnostics)?,
                P::UserProperty => block.user(&mut to.diagnostics.user_properties)?,
                _ => return Err(block.foreign()),
            }
        }
        to.authentication = authentication.join()?;
        Ok(to)
    }
}

/// The values that the property Maximum QoS has (§3.2.2.3.4).
fn maximum_qos(byte: u8) -> Option<Qos> {
    Qos::from_number(byte).filter(|qos| *qos != Qos::ExactlyOnce)
}

impl Block for ConnackProperties {
    fn write_properties<S: Sink>(&self, form: Form, sink: &mut S) {
        let qos = self.maximum_qos.map(Qos::number);
        sink.property_u32(P::SessionExpiryInterval, self.session_expiry_secs);
        sink.property_nonzero_u16(P::ReceiveMaximum, self.receive_maximum);
        sink.property_u8(
            P::MaximumQos,
            qos.filter(|byte| maximum_qos(*byte).is_some()),
        );
        sink.property_flag(P::RetainAvailable, self.retain_available);
        sink.property_nonzero_u32(P::MaximumPacketSize, self.max_packet_bytes);
        let assigned = self.assigned_client_id.as_deref();
        sink.property_str(P::AssignedClientIdentifier, assigned);
        sink.property_u16(P::TopicAliasMaximum, self.topic_alias_maximum);
        sink.property_flag(
            P::WildcardSubscriptionAvailable,
            self.wildcard_subscription_available,
        );
        sink.property_flag(
            P::SubscriptionIdentifierAvailable,
            self.subscription_ids_available,
        );
        sink.property_flag(
            P::SharedSubscriptionAvailable,
            self.shared_subscription_available,
        );
        sink.property_u16(P::ServerKeepAlive, self.server_keep_alive_secs);
        let information = self.response_information.as_deref();
        sink.property_str(P::ResponseInformation, information);
        sink.property_str(P::ServerReference, self.server_reference.as_deref());
        sink.authentication(self.authentication.as_ref());
        sink.diagnostics(form, &self.diagnostics);
    }
}

impl Body for Connack {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let code = if form.version.is_v5() {
            let is_allowed = self.reason.is_allowed(Kind::Connack, Side::Server);
            is_allowed.then_some(self.reason.code())
        } else {
            self.reason.return_code()
        };
        let Some(code) = code else {
            return sink.fail(EncodeError::Reason {
                kind: Kind::Connack,
                reason: self.reason,
            });
        };
        let accepts = self.reason == ReasonCode::Success && form.version != Version::V31;
        let flags = if self.session_present && accepts {
            SESSION_PRESENT
        } else {
            0
        };
        sink.raw(&[flags, code]);
        if form.version.is_v5() {
            self.properties.write_block(form, sink);
        }
    }
}
