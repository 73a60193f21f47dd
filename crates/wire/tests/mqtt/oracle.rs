//! An independent codec (`mqtt-proto`), with its packets translated into ours
//! field by field.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::Bytes;
use crosstalk_wire::mqtt::{
    Ack, Auth, Authentication, Connack, ConnackProperties, Connect, ConnectProperties, Delivery,
    Diagnostics, Disconnect, MessageProperties, Packet, PacketId, Publish, Qos, ReasonCode,
    RetainHandling, Suback, Subscribe, Subscription, SubscriptionId, TopicFilter, TopicName,
    Unsuback, Unsubscribe, UserProperties, Version, Will,
};
use mqtt_proto::{Pid, Protocol, QoS, QosPid, v3, v5};

/// What the other codec reads in `bytes`, as ours, and how it writes that
/// again.
pub(crate) fn through(bytes: &[u8], version: Version) -> Result<(Packet, Vec<u8>), String> {
    if version == Version::V5 {
        let packet = v5::Packet::decode(bytes).map_err(|error| format!("{error:?}"))?;
        let packet = packet.ok_or("incomplete")?;
        let again = packet.encode().map_err(|error| format!("{error:?}"))?;
        Ok((of_v5(packet), again.as_ref().to_vec()))
    } else {
        let packet = v3::Packet::decode(bytes).map_err(|error| format!("{error:?}"))?;
        let packet = packet.ok_or("incomplete")?;
        let again = packet.encode().map_err(|error| format!("{error:?}"))?;
        Ok((of_v3(packet), again.as_ref().to_vec()))
    }
}

fn id(pid: Pid) -> PacketId {
    PacketId::new(pid.value()).expect("not 0")
}

fn qos(qos: QoS) -> Qos {
    match qos {
        QoS::Level0 => Qos::AtMostOnce,
        QoS::Level1 => Qos::AtLeastOnce,
        QoS::Level2 => Qos::ExactlyOnce,
    }
}

fn delivery(pid: QosPid, dup: bool) -> Delivery {
    match pid {
        QosPid::Level0 => Delivery::AtMostOnce,
        QosPid::Level1(pid) => Delivery::AtLeastOnce { id: id(pid), dup },
        QosPid::Level2(pid) => Delivery::ExactlyOnce { id: id(pid), dup },
    }
}

fn version(protocol: Protocol) -> Version {
    match protocol {
        Protocol::V310 => Version::V31,
        Protocol::V311 => Version::V311,
        Protocol::V500 => Version::V5,
    }
}

fn reason(code: u8) -> ReasonCode {
    ReasonCode::from_code(code).expect("a reason code")
}

fn topic(name: &mqtt_proto::TopicName) -> TopicName {
    TopicName::new(name.to_string()).expect("a topic")
}

fn filter(text: &mqtt_proto::TopicFilter) -> TopicFilter {
    TopicFilter::new(text.to_string()).expect("a filter")
}

fn text(text: Option<Arc<str>>) -> Option<String> {
    text.map(|text| text.to_string())
}

fn user(list: Vec<v5::UserProperty>) -> UserProperties {
    let mut properties = UserProperties::new();
    for pair in list {
        properties.push(&pair.name, &pair.value).expect("short");
    }
    properties
}

fn diagnostics(reason_string: Option<Arc<str>>, list: Vec<v5::UserProperty>) -> Diagnostics {
    Diagnostics {
        reason_string: text(reason_string),
        user_properties: user(list),
    }
}

fn authentication(method: Option<Arc<str>>, data: Option<Bytes>) -> Option<Authentication> {
    let method = text(method)?;
    Some(Authentication { method, data })
}

fn subscription_id(number: v5::VarByteInt) -> SubscriptionId {
    SubscriptionId::new(number.value()).expect("in range")
}

fn of_v3(packet: v3::Packet) -> Packet {
    let ack = |pid| Ack::new(id(pid), ReasonCode::Success);
    match packet {
        v3::Packet::Connect(packet) => Packet::Connect(
            Connect {
                version: version(packet.protocol),
                clean_start: packet.clean_session,
                keep_alive_secs: packet.keep_alive,
                client_id: packet.client_id.to_string(),
                will: packet.last_will.map(|will| Will {
                    topic: topic(&will.topic_name),
                    payload: will.message,
                    qos: qos(will.qos),
                    retain: will.retain,
                    delay_secs: None,
                    properties: MessageProperties::default(),
                }),
                username: text(packet.username),
                password: packet.password,
                properties: ConnectProperties::default(),
            }
            .into(),
        ),
        v3::Packet::Connack(packet) => {
            let reason = ReasonCode::from_return_code(packet.code as u8);
            let mut connack = Connack::refusing(reason.expect("0 to 5"));
            connack.session_present = packet.session_present;
            Packet::Connack(connack.into())
        }
        v3::Packet::Publish(packet) => Packet::Publish(Publish {
            delivery: delivery(packet.qos_pid, packet.dup),
            retain: packet.retain,
            topic: Some(topic(&packet.topic_name)),
            topic_alias: None,
            subscription_ids: Vec::new(),
            properties: MessageProperties::default(),
            payload: packet.payload,
        }),
        v3::Packet::Puback(pid) => Packet::Puback(ack(pid)),
        v3::Packet::Pubrec(pid) => Packet::Pubrec(ack(pid)),
        v3::Packet::Pubrel(pid) => Packet::Pubrel(ack(pid)),
        v3::Packet::Pubcomp(pid) => Packet::Pubcomp(ack(pid)),
        v3::Packet::Subscribe(packet) => Packet::Subscribe(Subscribe {
            packet_id: id(packet.pid),
            subscriptions: packet
                .topics
                .iter()
                .map(|(text, level)| Subscription::new(filter(text), qos(*level)))
                .collect(),
            subscription_id: None,
            user_properties: UserProperties::new(),
        }),
        v3::Packet::Suback(packet) => Packet::Suback(Suback {
            packet_id: id(packet.pid),
            reasons: packet
                .topics
                .iter()
                .map(|code| match code {
                    v3::SubscribeReturnCode::MaxLevel0 => ReasonCode::Success,
                    v3::SubscribeReturnCode::MaxLevel1 => ReasonCode::GrantedQos1,
                    v3::SubscribeReturnCode::MaxLevel2 => ReasonCode::GrantedQos2,
                    v3::SubscribeReturnCode::Failure => ReasonCode::UnspecifiedError,
                })
                .collect(),
            diagnostics: Diagnostics::default(),
        }),
        v3::Packet::Unsubscribe(packet) => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(packet.pid),
            filters: packet.topics.iter().map(filter).collect(),
            user_properties: UserProperties::new(),
        }),
        v3::Packet::Unsuback(pid) => Packet::Unsuback(Unsuback {
            packet_id: id(pid),
            reasons: Vec::new(),
            diagnostics: Diagnostics::default(),
        }),
        v3::Packet::Pingreq => Packet::Pingreq,
        v3::Packet::Pingresp => Packet::Pingresp,
        v3::Packet::Disconnect => Packet::Disconnect(Disconnect::default()),
    }
}

fn ack(pid: Pid, code: u8, diagnostics: Diagnostics) -> Ack {
    Ack {
        packet_id: id(pid),
        reason: reason(code),
        diagnostics,
    }
}

fn of_v5(packet: v5::Packet) -> Packet {
    match packet {
        v5::Packet::Connect(packet) => Packet::Connect(connect(packet).into()),
        v5::Packet::Connack(packet) => Packet::Connack(connack(packet).into()),
        v5::Packet::Publish(packet) => Packet::Publish(publish(packet)),
        v5::Packet::Puback(packet) => {
            let words = packet.properties;
            let words = diagnostics(words.reason_string, words.user_properties);
            Packet::Puback(ack(packet.pid, packet.reason_code as u8, words))
        }
        v5::Packet::Pubrec(packet) => {
            let words = packet.properties;
            let words = diagnostics(words.reason_string, words.user_properties);
            Packet::Pubrec(ack(packet.pid, packet.reason_code as u8, words))
        }
        v5::Packet::Pubrel(packet) => {
            let words = packet.properties;
            let words = diagnostics(words.reason_string, words.user_properties);
            Packet::Pubrel(ack(packet.pid, packet.reason_code as u8, words))
        }
        v5::Packet::Pubcomp(packet) => {
            let words = packet.properties;
            let words = diagnostics(words.reason_string, words.user_properties);
            Packet::Pubcomp(ack(packet.pid, packet.reason_code as u8, words))
        }
        v5::Packet::Subscribe(packet) => Packet::Subscribe(subscribe(packet)),
        v5::Packet::Suback(packet) => Packet::Suback(Suback {
            packet_id: id(packet.pid),
            reasons: packet
                .topics
                .iter()
                .map(|code| reason(*code as u8))
                .collect(),
            diagnostics: diagnostics(
                packet.properties.reason_string,
                packet.properties.user_properties,
            ),
        }),
        v5::Packet::Unsubscribe(packet) => Packet::Unsubscribe(Unsubscribe {
            packet_id: id(packet.pid),
            filters: packet.topics.iter().map(filter).collect(),
            user_properties: user(packet.properties.user_properties),
        }),
        v5::Packet::Unsuback(packet) => Packet::Unsuback(Unsuback {
            packet_id: id(packet.pid),
            reasons: packet
                .topics
                .iter()
                .map(|code| reason(*code as u8))
                .collect(),
            diagnostics: diagnostics(
                packet.properties.reason_string,
                packet.properties.user_properties,
            ),
        }),
        v5::Packet::Pingreq => Packet::Pingreq,
        v5::Packet::Pingresp => Packet::Pingresp,
        v5::Packet::Disconnect(packet) => Packet::Disconnect(Disconnect {
            reason: reason(packet.reason_code as u8),
            session_expiry_secs: packet.properties.session_expiry_interval,
            server_reference: text(packet.properties.server_reference),
            diagnostics: diagnostics(
                packet.properties.reason_string,
                packet.properties.user_properties,
            ),
        }),
        v5::Packet::Auth(packet) => Packet::Auth(Auth {
            reason: reason(packet.reason_code as u8),
            authentication: authentication(
                packet.properties.auth_method,
                packet.properties.auth_data,
            )
            .expect("a method"),
            diagnostics: diagnostics(
                packet.properties.reason_string,
                packet.properties.user_properties,
            ),
        }),
    }
}

fn connect(packet: v5::Connect) -> Connect {
    let properties = packet.properties;
    Connect {
        version: version(packet.protocol),
        clean_start: packet.clean_start,
        keep_alive_secs: packet.keep_alive,
        client_id: packet.client_id.to_string(),
        will: packet.last_will.map(|will| Will {
            topic: topic(&will.topic_name),
            payload: will.payload,
            qos: qos(will.qos),
            retain: will.retain,
            delay_secs: will.properties.delay_interval,
            properties: MessageProperties {
                payload_is_utf8: will.properties.payload_is_utf8,
                expiry_secs: will.properties.message_expiry_interval,
                content_type: text(will.properties.content_type),
                response_topic: will.properties.response_topic.as_ref().map(topic),
                correlation_data: will.properties.correlation_data,
                user_properties: user(will.properties.user_properties),
            },
        }),
        username: text(packet.username),
        password: packet.password,
        properties: ConnectProperties {
            session_expiry_secs: properties.session_expiry_interval,
            receive_maximum: properties.receive_max.and_then(NonZeroU16::new),
            max_packet_bytes: properties.max_packet_size.and_then(NonZeroU32::new),
            topic_alias_maximum: properties.topic_alias_max,
            request_response_information: properties.request_response_info,
            request_problem_information: properties.request_problem_info,
            authentication: authentication(properties.auth_method, properties.auth_data),
            user_properties: user(properties.user_properties),
        },
    }
}

fn connack(packet: v5::Connack) -> Connack {
    let properties = packet.properties;
    Connack {
        session_present: packet.session_present,
        reason: reason(packet.reason_code as u8),
        properties: ConnackProperties {
            session_expiry_secs: properties.session_expiry_interval,
            receive_maximum: properties.receive_max.and_then(NonZeroU16::new),
            maximum_qos: properties.max_qos.map(qos),
            retain_available: properties.retain_available,
            max_packet_bytes: properties.max_packet_size.and_then(NonZeroU32::new),
            assigned_client_id: text(properties.assigned_client_id),
            topic_alias_maximum: properties.topic_alias_max,
            wildcard_subscription_available: properties.wildcard_subscription_available,
            subscription_ids_available: properties.subscription_id_available,
            shared_subscription_available: properties.shared_subscription_available,
            server_keep_alive_secs: properties.server_keep_alive,
            response_information: text(properties.response_info),
            server_reference: text(properties.server_reference),
            authentication: authentication(properties.auth_method, properties.auth_data),
            diagnostics: diagnostics(properties.reason_string, properties.user_properties),
        },
    }
}

fn publish(packet: v5::Publish) -> Publish {
    let properties = packet.properties;
    let has_topic = !packet.topic_name.is_empty();
    Publish {
        delivery: delivery(packet.qos_pid, packet.dup),
        retain: packet.retain,
        topic: has_topic.then(|| topic(&packet.topic_name)),
        topic_alias: properties.topic_alias.and_then(NonZeroU16::new),
        subscription_ids: properties
            .subscription_id
            .map(subscription_id)
            .into_iter()
            .collect(),
        properties: MessageProperties {
            payload_is_utf8: properties.payload_is_utf8,
            expiry_secs: properties.message_expiry_interval,
            content_type: text(properties.content_type),
            response_topic: properties.response_topic.as_ref().map(topic),
            correlation_data: properties.correlation_data,
            user_properties: user(properties.user_properties),
        },
        payload: packet.payload,
    }
}

fn subscribe(packet: v5::Subscribe) -> Subscribe {
    let subscriptions = packet.topics.iter().map(|(text, options)| Subscription {
        filter: filter(text),
        qos: qos(options.max_qos),
        no_local: options.no_local,
        retain_as_published: options.retain_as_published,
        retain_handling: match options.retain_handling {
            v5::RetainHandling::SendAtSubscribe => RetainHandling::Send,
            v5::RetainHandling::SendAtSubscribeIfNotExist => RetainHandling::SendIfNew,
            v5::RetainHandling::DoNotSend => RetainHandling::DoNotSend,
        },
    });
    Subscribe {
        packet_id: id(packet.pid),
        subscriptions: subscriptions.collect(),
        subscription_id: packet.properties.subscription_id.map(subscription_id),
        user_properties: user(packet.properties.user_properties),
    }
}
