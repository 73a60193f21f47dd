//! CONNECT: a client introduces itself (MQTT 5.0 §3.1, 3.1.1 §3.1).

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;

use super::{Authentication, AuthenticationParts, MessageProperties};
use crate::mqtt::fields::Fields;
use crate::mqtt::property::PropertyId as P;
use crate::mqtt::sink::{Block, Body, Form, Sink};
use crate::mqtt::{DecodeError, EncodeError, Qos, TopicName, UserProperties, Version};

/// CONNECT.
#[derive(Clone, PartialEq, Eq)]
pub struct Connect {
    /// The version that the client speaks from here on.
    pub version: Version,
    /// Whether an older session of this client id ends (3.1.1: Clean Session).
    pub clean_start: bool,
    /// The longest pause between two packets of the client in seconds; 0 is no
    /// limit.
    pub keep_alive_secs: u16,
    /// The client's own name. May be empty in 5.0, and with a clean session in
    /// 3.1.1: then the server invents one.
    pub client_id: String,
    /// What is published when the connection is lost.
    pub will: Option<Will>,
    /// Who logs in.
    pub username: Option<String>,
    /// The password or token. A secret: `Debug` leaves it out.
    pub password: Option<Bytes>,
    /// Properties of 5.0.
    pub properties: ConnectProperties,
}

/// Properties of CONNECT (MQTT 5.0 §3.1.2.11).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectProperties {
    /// How long the session outlives the connection in seconds; absent is 0,
    /// `u32::MAX` for ever.
    pub session_expiry_secs: Option<u32>,
    /// How many unacknowledged messages the client takes; absent is 65,535.
    pub receive_maximum: Option<NonZeroU16>,
    /// The largest packet that the client takes in bytes; absent is no limit.
    pub max_packet_bytes: Option<NonZeroU32>,
    /// The highest topic alias that the client takes; absent is 0, none.
    pub topic_alias_maximum: Option<u16>,
    /// Whether the client asks for response information; absent is no.
    pub request_response_information: Option<bool>,
    /// Whether the client wants reason strings and user properties beside
    /// reason codes; absent is yes.
    pub request_problem_information: Option<bool>,
    /// The beginning of an enhanced authentication.
    pub authentication: Option<Authentication>,
    /// User properties.
    pub user_properties: UserProperties,
}

/// The message that is published when the connection is lost
/// (MQTT 5.0 §3.1.2.5, §3.1.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Its topic.
    pub topic: TopicName,
    /// Its payload.
    pub payload: Bytes,
    /// Its quality of service.
    pub qos: Qos,
    /// Whether it is retained.
    pub retain: bool,
    /// How many seconds after the loss; absent is 0. A property of 5.0.
    pub delay_secs: Option<u32>,
    /// Properties of 5.0.
    pub properties: MessageProperties,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connect")
            .field("version", &self.version)
            .field("clean_start", &self.clean_start)
            .field("keep_alive_secs", &self.keep_alive_secs)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("username", &self.username)
            .field("properties", &self.properties)
            .finish_non_exhaustive()
    }
}

/// The connect flags (§3.1.2.3).
mod flag {
    pub(super) const RESERVED: u8 = 0x01;
    pub(super) const CLEAN_START: u8 = 0x02;
    pub(super) const WILL: u8 = 0x04;
    pub(super) const WILL_RETAIN: u8 = 0x20;
    pub(super) const PASSWORD: u8 = 0x40;
    pub(super) const USERNAME: u8 = 0x80;
    /// The two bits of the will's QoS, and where they begin.
    pub(super) const WILL_QOS: u8 = 0x18;
    pub(super) const WILL_QOS_SHIFT: u8 = 3;
}

/// The connect flags, checked.
#[derive(Clone, Copy)]
struct Flags {
    bits: u8,
    will: Option<Qos>,
}

impl Flags {
    fn read(bits: u8, version: Version) -> Result<Flags, DecodeError> {
        let bad = DecodeError::ConnectFlags(bits);
        let has = |bit| bits & bit != 0;
        let will_qos =
            Qos::from_number((bits & flag::WILL_QOS) >> flag::WILL_QOS_SHIFT).ok_or(bad)?;
        let will = has(flag::WILL).then_some(will_qos);
        let wills_nothing = will.is_none() && has(flag::WILL_QOS | flag::WILL_RETAIN);
        let password_alone = has(flag::PASSWORD) && !has(flag::USERNAME) && !version.is_v5();
        if has(flag::RESERVED) || wills_nothing || password_alone {
            return Err(bad);
        }
        Ok(Flags { bits, will })
    }

    const fn has(self, bit: u8) -> bool {
        self.bits & bit != 0
    }
}

impl Connect {
    /// Reads name and level of the protocol, which come first.
    pub(in crate::mqtt) fn read_version(fields: &mut Fields<'_>) -> Result<Version, DecodeError> {
        let name = fields.binary()?;
        let is_ours = |version: &Version| version.protocol_name().as_bytes() == name;
        if !Version::ALL.iter().any(is_ours) {
            return Err(DecodeError::ProtocolName);
        }
        let level = fields.u8()?;
        Version::ALL
            .into_iter()
            .filter(is_ours)
            .find(|version| version.level() == level)
            .ok_or(DecodeError::ProtocolLevel(level))
    }

    /// Reads everything after that.
    pub(in crate::mqtt) fn read(
        fields: &mut Fields<'_>,
        version: Version,
    ) -> Result<Connect, DecodeError> {
        let flags = Flags::read(fields.u8()?, version)?;
        let clean_start = flags.has(flag::CLEAN_START);
        let keep_alive_secs = fields.u16()?;
        let properties = if version.is_v5() {
            ConnectProperties::read(fields)?
        } else {
            ConnectProperties::default()
        };
        let client_id = fields.string()?;
        if client_id.is_empty() && !may_be_nameless(version, clean_start) {
            return Err(DecodeError::EmptyClientId);
        }
        let will = match flags.will {
            Some(qos) => Some(Will::read(
                fields,
                version,
                qos,
                flags.has(flag::WILL_RETAIN),
            )?),
            None => None,
        };
        // In 3.1 the length of the packet outranks these flags (3.1 §3.1).
        let is_over = |fields: &Fields<'_>| version == Version::V31 && fields.is_empty();
        let username = if flags.has(flag::USERNAME) && !is_over(fields) {
            Some(fields.string()?)
        } else {
            None
        };
        let password = if flags.has(flag::PASSWORD) && !is_over(fields) {
            Some(Bytes::copy_from_slice(fields.binary()?))
        } else {
            None
        };
        Ok(Connect {
            version,
            clean_start,
            keep_alive_secs,
            client_id,
            will,
            username,
            password,
            properties,
        })
    }

    fn flag_bits(&self) -> u8 {
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        let will = self.will.as_ref().map_or(0, |will| {
            flag::WILL
                | bit(will.retain, flag::WILL_RETAIN)
                | will.qos.number() << flag::WILL_QOS_SHIFT
        });
        bit(self.clean_start, flag::CLEAN_START)
            | will
            | bit(self.username.is_some(), flag::USERNAME)
            | bit(self.password.is_some(), flag::PASSWORD)
    }
}

/// Whether a client may leave its name to the server (5.0 §3.1.3.1,
/// 3.1.1 §3.1.3.1, 3.1 §3.1).
const fn may_be_nameless(version: Version, clean_start: bool) -> bool {
    match version {
        Version::V5 => true,
        Version::V311 => clean_start,
        Version::V31 => false,
    }
}

impl Will {
    fn read(
        fields: &mut Fields<'_>,
        version: Version,
        qos: Qos,
        retain: bool,
    ) -> Result<Will, DecodeError> {
        let mut delay_secs = None;
        let mut properties = MessageProperties::default();
        if version.is_v5() {
            let mut block = fields.properties()?;
            while let Some(id) = block.next()? {
                match id {
                    P::WillDelayInterval => block.u32(&mut delay_secs)?,
                    _ => properties.read(id, &mut block)?,
                }
            }
        }
        Ok(Will {
            topic: TopicName::new(fields.str()?).map_err(DecodeError::Topic)?,
            payload: Bytes::copy_from_slice(fields.binary()?),
            qos,
            retain,
            delay_secs,
            properties,
        })
    }
}

impl ConnectProperties {
    fn read(fields: &mut Fields<'_>) -> Result<ConnectProperties, DecodeError> {
        let mut to = ConnectProperties::default();
        let mut authentication = AuthenticationParts::default();
        let mut block = fields.properties()?;
        while let Some(id) = block.next()? {
            match id {
                P::SessionExpiryInterval => block.u32(&mut to.session_expiry_secs)?,
                P::ReceiveMaximum => block.nonzero_u16(&mut to.receive_maximum)?,
                P::MaximumPacketSize => block.nonzero_u32(&mut to.max_packet_bytes)?,
                P::TopicAliasMaximum => block.u16(&mut to.topic_alias_maximum)?,
                P::RequestResponseInformation => {
                    block.flag(&mut to.request_response_information)?;
                }
                P::RequestProblemInformation => block.flag(&mut to.request_problem_information)?,
                P::AuthenticationMethod => block.string(&mut authentication.method)?,
                P::AuthenticationData => block.binary(&mut authentication.data)?,
                P::UserProperty => block.user(&mut to.user_properties)?,
                _ => return Err(block.foreign()),
            }
        }
        to.authentication = authentication.join()?;
        Ok(to)
    }
}

impl Block for ConnectProperties {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        sink.property_u32(P::SessionExpiryInterval, self.session_expiry_secs);
        sink.property_nonzero_u16(P::ReceiveMaximum, self.receive_maximum);
        sink.property_nonzero_u32(P::MaximumPacketSize, self.max_packet_bytes);
        sink.property_u16(P::TopicAliasMaximum, self.topic_alias_maximum);
        sink.property_flag(
            P::RequestResponseInformation,
            self.request_response_information,
        );
        sink.property_flag(
            P::RequestProblemInformation,
            self.request_problem_information,
        );
        sink.authentication(self.authentication.as_ref());
        sink.user_properties(&self.user_properties);
    }
}

impl Block for Will {
    fn write_properties<S: Sink>(&self, _form: Form, sink: &mut S) {
        sink.property_u32(P::WillDelayInterval, self.delay_secs);
        self.properties
            .write_expiry(self.properties.expiry_secs, sink);
        self.properties.write_shared(sink);
    }
}

impl Body for Connect {
    fn write<S: Sink>(&self, form: Form, sink: &mut S) {
        let version = self.version;
        if self.client_id.is_empty() && !may_be_nameless(version, self.clean_start) {
            sink.fail(EncodeError::EmptyClientId);
        }
        if self.password.is_some() && self.username.is_none() && !version.is_v5() {
            sink.fail(EncodeError::PasswordAlone);
        }
        sink.str(version.protocol_name());
        sink.raw(&[version.level(), self.flag_bits()]);
        sink.u16(self.keep_alive_secs);
        if version.is_v5() {
            self.properties.write_block(form, sink);
        }
        sink.str(&self.client_id);
        if let Some(will) = &self.will {
            if version.is_v5() {
                will.write_block(form, sink);
            }
            sink.str(will.topic.as_str());
            sink.binary(&will.payload);
        }
        if let Some(username) = &self.username {
            sink.str(username);
        }
        if let Some(password) = &self.password {
            sink.binary(password);
        }
    }
}
