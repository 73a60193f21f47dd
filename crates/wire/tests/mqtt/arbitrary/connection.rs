//! CONNECT and CONNACK.

use std::num::{NonZeroU16, NonZeroU32};

use crosstalk_wire::mqtt::{
    Connack, ConnackProperties, Connect, ConnectProperties, Kind, Packet, ReasonCode, Side,
    Version, Will,
};
use proptest::option::of;
use proptest::prelude::*;

use super::{
    authentication, binary, diagnostics, message_properties, qos, reason, text, topic_name,
    user_properties,
};

fn will() -> BoxedStrategy<Will> {
    let fields = (
        topic_name(),
        binary(),
        qos(),
        any::<(bool, Option<u32>)>(),
        message_properties(),
    );
    fields
        .prop_map(
            |(topic, payload, qos, (retain, delay_secs), properties)| Will {
                topic,
                payload,
                qos,
                retain,
                delay_secs,
                properties,
            },
        )
        .boxed()
}

fn connect_properties() -> BoxedStrategy<ConnectProperties> {
    let fields = (
        any::<(
            Option<u32>,
            Option<NonZeroU16>,
            Option<NonZeroU32>,
            Option<u16>,
        )>(),
        any::<(Option<bool>, Option<bool>)>(),
        of(authentication()),
        user_properties(),
    );
    fields
        .prop_map(
            |((expiry, receive, packet, alias), (response, problem), auth, user)| {
                ConnectProperties {
                    session_expiry_secs: expiry,
                    receive_maximum: receive,
                    max_packet_bytes: packet,
                    topic_alias_maximum: alias,
                    request_response_information: response,
                    request_problem_information: problem,
                    authentication: auth,
                    user_properties: user,
                }
            },
        )
        .boxed()
}

pub(super) fn connect(version: Version) -> BoxedStrategy<Packet> {
    let fields = (
        any::<(bool, u16)>(),
        text(),
        of(will()),
        of(text()),
        of(binary()),
        connect_properties(),
    );
    fields
        .prop_map(
            move |((clean_start, keep_alive_secs), name, will, username, password, properties)| {
                let needs_name = match version {
                    Version::V31 => true,
                    Version::V311 => !clean_start,
                    Version::V5 => false,
                };
                let client_id = if needs_name { format!("c{name}") } else { name };
                let needs_user = version != Version::V5;
                let password = password.filter(|_| username.is_some() || !needs_user);
                let connect = Connect {
                    version,
                    clean_start,
                    keep_alive_secs,
                    client_id,
                    will,
                    username,
                    password,
                    properties,
                };
                Packet::Connect(connect.into())
            },
        )
        .boxed()
}

pub(super) fn connack(version: Version) -> BoxedStrategy<Packet> {
    let properties = (
        any::<(
            Option<u32>,
            Option<NonZeroU16>,
            Option<bool>,
            Option<NonZeroU32>,
        )>(),
        any::<(
            Option<u16>,
            Option<bool>,
            Option<bool>,
            Option<bool>,
            Option<u16>,
        )>(),
        (of(text()), of(text()), of(text())),
        (of(qos()), of(authentication()), diagnostics()),
    );
    let properties = properties.prop_map(|(first, second, texts, rest)| ConnackProperties {
        session_expiry_secs: first.0,
        receive_maximum: first.1,
        maximum_qos: rest.0,
        retain_available: first.2,
        max_packet_bytes: first.3,
        assigned_client_id: texts.0,
        topic_alias_maximum: second.0,
        wildcard_subscription_available: second.1,
        subscription_ids_available: second.2,
        shared_subscription_available: second.3,
        server_keep_alive_secs: second.4,
        response_information: texts.1,
        server_reference: texts.2,
        authentication: rest.1,
        diagnostics: rest.2,
    });
    let reason = reason(Kind::Connack, Side::Server).prop_filter("3.1.1 can say it", move |code| {
        version == Version::V5 || code.return_code().is_some()
    });
    (any::<bool>(), reason, properties)
        .prop_map(|(session, reason, properties)| {
            let connack = Connack {
                session_present: session && reason == ReasonCode::Success,
                reason,
                properties,
            };
            Packet::Connack(connack.into())
        })
        .boxed()
}
