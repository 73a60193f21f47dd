//! What of a packet a version can carry: the value that comes back when a
//! packet is encoded and decoded. Written from the specifications,
//! independently of the codec.

use crosstalk_wire::mqtt::{
    ConnackProperties, ConnectProperties, Diagnostics, Disconnect, MessageProperties, Packet, Qos,
    ReasonCode, RetainHandling, UserProperties, Version,
};

/// `packet` reduced to what travels in `version`.
pub(crate) fn wire_form(mut packet: Packet, version: Version) -> Packet {
    if version == Version::V5 {
        if let Packet::Connack(connack) = &mut packet {
            let qos = &mut connack.properties.maximum_qos;
            *qos = qos.filter(|qos| *qos != Qos::ExactlyOnce);
        }
        return packet;
    }
    match &mut packet {
        Packet::Connect(connect) => {
            connect.properties = ConnectProperties::default();
            if let Some(will) = &mut connect.will {
                will.delay_secs = None;
                will.properties = MessageProperties::default();
            }
        }
        Packet::Connack(connack) => {
            connack.properties = ConnackProperties::default();
            connack.session_present &= version == Version::V311;
            connack.reason = match connack.reason {
                ReasonCode::Success => ReasonCode::Success,
                ReasonCode::UnsupportedProtocolVersion => ReasonCode::UnsupportedProtocolVersion,
                ReasonCode::ClientIdNotValid => ReasonCode::ClientIdNotValid,
                ReasonCode::BadUserNameOrPassword => ReasonCode::BadUserNameOrPassword,
                ReasonCode::NotAuthorized
                | ReasonCode::Banned
                | ReasonCode::BadAuthenticationMethod => ReasonCode::NotAuthorized,
                _ => ReasonCode::ServerUnavailable,
            };
        }
        Packet::Publish(publish) => {
            publish.topic_alias = None;
            publish.subscription_ids.clear();
            publish.properties = MessageProperties::default();
        }
        Packet::Puback(ack) | Packet::Pubrec(ack) | Packet::Pubrel(ack) | Packet::Pubcomp(ack) => {
            ack.reason = ReasonCode::Success;
            ack.diagnostics = Diagnostics::default();
        }
        Packet::Subscribe(subscribe) => {
            subscribe.subscription_id = None;
            subscribe.user_properties = UserProperties::new();
            for subscription in &mut subscribe.subscriptions {
                subscription.no_local = false;
                subscription.retain_as_published = false;
                subscription.retain_handling = RetainHandling::Send;
            }
        }
        Packet::Suback(suback) => {
            suback.diagnostics = Diagnostics::default();
            for reason in &mut suback.reasons {
                if reason.code() >= 0x80 {
                    *reason = ReasonCode::UnspecifiedError;
                }
            }
        }
        Packet::Unsubscribe(unsubscribe) => {
            unsubscribe.user_properties = UserProperties::new();
        }
        Packet::Unsuback(unsuback) => {
            unsuback.reasons.clear();
            unsuback.diagnostics = Diagnostics::default();
        }
        Packet::Disconnect(disconnect) => *disconnect = Disconnect::default(),
        Packet::Pingreq | Packet::Pingresp | Packet::Auth(_) => {}
    }
    packet
}
