//! Proptest strategies for every packet that a side may send.

mod connection;

use std::num::NonZeroU16;

use bytes::Bytes;
use crosstalk_wire::mqtt::{
    Ack, Auth, Authentication, Delivery, Diagnostics, Disconnect, Kind, MessageProperties, Packet,
    PacketId, Publish, Qos, ReasonCode, RetainHandling, Side, Suback, Subscribe, Subscription,
    SubscriptionId, TopicFilter, TopicName, Unsuback, Unsubscribe, UserProperties, Version,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use connection::{connack, connect};

pub(crate) fn version() -> impl Strategy<Value = Version> {
    select(&Version::ALL[..])
}

pub(crate) fn side() -> impl Strategy<Value = Side> {
    select(&[Side::Client, Side::Server][..])
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just(String::new()),
        "[a-z0-9]{1,40}",
        "\\PC{0,20}",
        // Advised against, but legal.
        "[\u{feff}\u{1}\u{7f}\u{fffe}\u{10ffff}x]{1,5}",
    ]
    .boxed()
}

fn binary() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn payload() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..300).prop_map(Bytes::from)
}

pub(crate) fn topic_name() -> BoxedStrategy<TopicName> {
    prop_oneof!["[a-c$ ]{1,3}(/[a-c]{0,2}){0,4}", "/{1,3}", "\\PC{1,20}"]
        .prop_filter_map("a topic", |name| TopicName::new(name).ok())
        .boxed()
}

/// Filters without the syntax of shared subscriptions.
pub(crate) fn plain_filter() -> BoxedStrategy<TopicFilter> {
    let level = prop_oneof![3 => "[a-c]{0,2}", 1 => Just("+".to_owned())];
    let levels = (vec(level, 1..5), any::<bool>()).prop_map(|(mut levels, open)| {
        if open {
            levels.push("#".to_owned());
        }
        levels.join("/")
    });
    prop_oneof![4 => levels, 1 => "\\PC{1,20}", 1 => Just("#".to_owned())]
        .prop_filter("no share", |text| !text.starts_with("$share/"))
        .prop_filter_map("a filter", |text| TopicFilter::new(text).ok())
        .boxed()
}

fn filter() -> BoxedStrategy<TopicFilter> {
    let shared = ("[a-z]{1,5}", plain_filter()).prop_map(|(name, filter)| {
        TopicFilter::new(format!("$share/{name}/{filter}")).expect("a filter")
    });
    prop_oneof![4 => plain_filter(), 1 => shared].boxed()
}

pub(crate) fn packet_id() -> impl Strategy<Value = PacketId> {
    (1..=u16::MAX).prop_map(|id| PacketId::new(id).expect("not 0"))
}

pub(crate) fn subscription_id() -> impl Strategy<Value = SubscriptionId> {
    prop_oneof![
        1..300_u32,
        1..=SubscriptionId::MAX,
        Just(SubscriptionId::MAX)
    ]
    .prop_map(|id| SubscriptionId::new(id).expect("in range"))
}

fn qos() -> impl Strategy<Value = Qos> {
    select(&[Qos::AtMostOnce, Qos::AtLeastOnce, Qos::ExactlyOnce][..])
}

pub(crate) fn delivery() -> impl Strategy<Value = Delivery> {
    (qos(), packet_id(), any::<bool>()).prop_map(|(qos, id, dup)| match qos {
        Qos::AtMostOnce => Delivery::AtMostOnce,
        Qos::AtLeastOnce => Delivery::AtLeastOnce { id, dup },
        Qos::ExactlyOnce => Delivery::ExactlyOnce { id, dup },
    })
}

fn user_properties() -> BoxedStrategy<UserProperties> {
    vec((text(), text()), 0..4)
        .prop_map(|pairs| {
            let mut properties = UserProperties::new();
            for (name, value) in pairs {
                properties.push(&name, &value).expect("short");
            }
            properties
        })
        .boxed()
}

fn diagnostics() -> BoxedStrategy<Diagnostics> {
    (of(text()), user_properties())
        .prop_map(|(reason_string, user_properties)| Diagnostics {
            reason_string,
            user_properties,
        })
        .boxed()
}

fn authentication() -> BoxedStrategy<Authentication> {
    (text(), of(binary()))
        .prop_map(|(method, data)| Authentication { method, data })
        .boxed()
}

pub(crate) fn message_properties() -> BoxedStrategy<MessageProperties> {
    let fields = (
        any::<(Option<bool>, Option<u32>)>(),
        of(text()),
        of(topic_name()),
        of(binary()),
        user_properties(),
    );
    fields
        .prop_map(
            |((payload_is_utf8, expiry_secs), content_type, response_topic, data, user)| {
                MessageProperties {
                    payload_is_utf8,
                    expiry_secs,
                    content_type,
                    response_topic,
                    correlation_data: data,
                    user_properties: user,
                }
            },
        )
        .boxed()
}

/// The codes that a packet may carry.
fn reason(kind: Kind, side: Side) -> impl Strategy<Value = ReasonCode> {
    let allowed = ReasonCode::ALL.into_iter();
    let allowed: Vec<_> = allowed.filter(|code| code.is_allowed(kind, side)).collect();
    select(allowed)
}

pub(crate) fn publish(version: Version, side: Side) -> BoxedStrategy<Publish> {
    let ids = if side == Side::Server {
        0..4_usize
    } else {
        0..1
    };
    let fields = (
        (delivery(), any::<bool>()),
        (of(topic_name()), topic_name(), of(any::<NonZeroU16>())),
        vec(subscription_id(), ids),
        message_properties(),
        payload(),
    );
    fields
        .prop_map(
            move |((delivery, retain), names, ids, properties, payload)| {
                let (maybe_topic, topic, topic_alias) = names;
                let may_lack = version == Version::V5 && topic_alias.is_some();
                Publish {
                    delivery,
                    retain,
                    topic: maybe_topic.or_else(|| (!may_lack).then_some(topic)),
                    topic_alias,
                    subscription_ids: ids,
                    properties,
                    payload,
                }
            },
        )
        .boxed()
}

fn acks(side: Side) -> impl Strategy<Value = Packet> {
    let ack = move |kind, packet: fn(Ack) -> Packet| {
        let fields = (packet_id(), reason(kind, side), diagnostics());
        fields.prop_map(move |(packet_id, reason, diagnostics)| {
            packet(Ack {
                packet_id,
                reason,
                diagnostics,
            })
        })
    };
    prop_oneof![
        ack(Kind::Puback, Packet::Puback),
        ack(Kind::Pubrec, Packet::Pubrec),
        ack(Kind::Pubrel, Packet::Pubrel),
        ack(Kind::Pubcomp, Packet::Pubcomp),
    ]
}

fn subscription() -> BoxedStrategy<Subscription> {
    const HANDLING: [RetainHandling; 3] = [
        RetainHandling::Send,
        RetainHandling::SendIfNew,
        RetainHandling::DoNotSend,
    ];
    let fields = (
        filter(),
        qos(),
        any::<(bool, bool)>(),
        select(&HANDLING[..]),
    );
    fields
        .prop_map(|(filter, qos, (no_local, published), retain_handling)| {
            let is_shared = filter.shared().expect("well formed").is_some();
            Subscription {
                filter,
                qos,
                no_local: no_local && !is_shared,
                retain_as_published: published,
                retain_handling,
            }
        })
        .boxed()
}

fn subscribe() -> impl Strategy<Value = Packet> {
    let fields = (
        packet_id(),
        vec(subscription(), 1..5),
        of(subscription_id()),
        user_properties(),
    );
    fields.prop_map(
        |(packet_id, subscriptions, subscription_id, user_properties)| {
            Packet::Subscribe(Subscribe {
                packet_id,
                subscriptions,
                subscription_id,
                user_properties,
            })
        },
    )
}

fn unsubscribe() -> impl Strategy<Value = Packet> {
    let fields = (packet_id(), vec(filter(), 1..5), user_properties());
    fields.prop_map(|(packet_id, filters, user_properties)| {
        Packet::Unsubscribe(Unsubscribe {
            packet_id,
            filters,
            user_properties,
        })
    })
}

fn suback() -> impl Strategy<Value = Packet> {
    let codes = vec(reason(Kind::Suback, Side::Server), 1..6);
    (packet_id(), codes, diagnostics()).prop_map(|(packet_id, reasons, diagnostics)| {
        Packet::Suback(Suback {
            packet_id,
            reasons,
            diagnostics,
        })
    })
}

fn unsuback() -> impl Strategy<Value = Packet> {
    let codes = vec(reason(Kind::Unsuback, Side::Server), 1..6);
    (packet_id(), codes, diagnostics()).prop_map(|(packet_id, reasons, diagnostics)| {
        Packet::Unsuback(Unsuback {
            packet_id,
            reasons,
            diagnostics,
        })
    })
}

fn disconnect(side: Side) -> impl Strategy<Value = Packet> {
    let fields = (
        reason(Kind::Disconnect, side),
        any::<Option<u32>>(),
        of(text()),
        diagnostics(),
    );
    fields.prop_map(move |(reason, expiry, reference, diagnostics)| {
        Packet::Disconnect(Disconnect {
            reason,
            session_expiry_secs: expiry.filter(|_| side == Side::Client),
            server_reference: reference.filter(|_| side == Side::Server),
            diagnostics,
        })
    })
}

fn auth(side: Side) -> impl Strategy<Value = Packet> {
    let fields = (reason(Kind::Auth, side), authentication(), diagnostics());
    fields.prop_map(|(reason, authentication, diagnostics)| {
        Packet::Auth(Auth {
            reason,
            authentication,
            diagnostics,
        })
    })
}

/// Any packet that `side` may send on an open connection of `version`.
pub(crate) fn later_packet(version: Version, side: Side) -> BoxedStrategy<Packet> {
    let publish = publish(version, side).prop_map(Packet::Publish);
    let both = prop_oneof![2 => publish, 2 => acks(side)].boxed();
    let both = if version == Version::V5 {
        prop_oneof![4 => both, 1 => disconnect(side), 1 => auth(side)].boxed()
    } else {
        both
    };
    match side {
        Side::Client => prop_oneof![
            3 => both,
            1 => subscribe(),
            1 => unsubscribe(),
            1 => Just(Packet::Pingreq),
            1 => disconnect(side),
        ]
        .boxed(),
        Side::Server => prop_oneof![
            4 => both,
            1 => connack(version),
            1 => suback(),
            1 => unsuback(),
            1 => Just(Packet::Pingresp),
        ]
        .boxed(),
    }
}

/// Any packet at all, with its version and side.
pub(crate) fn packet() -> impl Strategy<Value = (Version, Side, Packet)> {
    (version(), side()).prop_flat_map(|(version, side)| {
        let packets = match side {
            Side::Client => {
                prop_oneof![1 => connect(version), 5 => later_packet(version, side)].boxed()
            }
            Side::Server => later_packet(version, side),
        };
        (Just(version), Just(side), packets)
    })
}

/// A stream: from a client it begins with CONNECT.
pub(crate) fn stream() -> impl Strategy<Value = (Version, Side, Vec<Packet>)> {
    (version(), side()).prop_flat_map(|(version, side)| {
        let later = vec(later_packet(version, side), 0..6);
        let packets = (connect(version), later).prop_map(move |(connect, mut packets)| {
            if side == Side::Client {
                packets.insert(0, connect);
            }
            packets
        });
        (Just(version), Just(side), packets)
    })
}
