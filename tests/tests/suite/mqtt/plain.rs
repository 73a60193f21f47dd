//! Plain topics below `t/` (mqtt-wire.md §4.2, §4.3).

use std::num::{NonZeroU16, NonZeroU32};

use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, connect};
use crosstalk_wire::mqtt::{
    Ack, Connect, Delivery, Disconnect, MessageProperties, Packet, PacketId, Publish, Qos,
    ReasonCode, Subscription, SubscriptionId, TopicFilter, TopicName, Version, Will,
};

async fn hello(server: &Server, uid: &str, version: Version, clean: bool) -> Connect {
    let token = server.user_token(uid).await;
    connect(version, &format!("{uid}-device"), clean, uid, &token)
}

async fn open(server: &Server, uid: &str) -> MqttClient {
    let hello = hello(server, uid, Version::V5, true).await;
    let (client, connack) = MqttClient::connect(server, &hello).await;
    assert_eq!(connack.reason, ReasonCode::Success);
    client
}

fn qos0(topic: &str, payload: &str) -> Publish {
    MqttClient::publish_packet(topic, Delivery::AtMostOnce, payload.as_bytes())
}

fn is(topic: &str) -> impl Fn(&Publish) -> bool {
    move |publish| {
        publish
            .topic
            .as_ref()
            .is_some_and(|it| it.as_str() == topic)
    }
}

fn plain(publish: &Publish) -> bool {
    publish
        .topic
        .as_ref()
        .is_some_and(|it| it.as_str().starts_with("t/"))
}

#[tokio::test]
async fn wildcards_match_and_properties_pass() {
    let server = Server::start().await;
    let mut to = open(&server, "bob").await;
    let mut from = open(&server, "ann").await;
    let suback = to.subscribe("t/+/temp", Qos::ExactlyOnce).await;
    assert_eq!(suback.reasons, [ReasonCode::GrantedQos2]);
    let mut publish = qos0("t/kitchen/temp", "21");
    publish.properties.content_type = Some("text/plain".into());
    publish.properties.correlation_data = Some("c".into());
    publish.properties.expiry_secs = Some(60);
    for value in ["1", "2"] {
        publish
            .properties
            .user_properties
            .push("k", value)
            .expect("short");
    }
    from.say(&Packet::Publish(qos0("t/kitchen/light", "off")))
        .await;
    from.say(&Packet::Publish(publish.clone())).await;
    let heard = to.published(plain).await;
    assert_eq!(
        heard.topic.as_ref().map(TopicName::as_str),
        Some("t/kitchen/temp")
    );
    assert!(heard.properties.expiry_secs.is_some_and(|secs| secs <= 60));
    let without = |properties: MessageProperties| MessageProperties {
        expiry_secs: None,
        ..properties
    };
    assert_eq!(without(heard.properties), without(publish.properties));
    // One copy, with all numbers of the subscriptions that match.
    let filter = |text: &str| {
        let filter = TopicFilter::new(text).expect("a filter");
        Subscription::new(filter, Qos::AtMostOnce)
    };
    to.subscribe_all(vec![filter("t/a")], Some(7)).await;
    to.subscribe_all(vec![filter("t/#")], Some(9)).await;
    from.say(&Packet::Publish(qos0("t/a", "x"))).await;
    let mut ids: Vec<u32> = to
        .published(is("t/a"))
        .await
        .subscription_ids
        .into_iter()
        .map(SubscriptionId::get)
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, [7, 9]);
    assert_eq!(from.publish("t/a", b"y").await, ReasonCode::Success);
    assert_eq!(
        from.publish("u/a", b"y").await,
        ReasonCode::PayloadFormatInvalid
    );
    let nobody = open(&server, "carol").await.publish("t", b"y").await;
    assert_eq!(nobody, ReasonCode::PayloadFormatInvalid, "no plain topic");
}

#[tokio::test]
async fn nobody_listening_is_said_so() {
    let server = Server::start().await;
    let mut from = open(&server, "ann").await;
    assert_eq!(
        from.publish("t/x", b"1").await,
        ReasonCode::NoMatchingSubscribers
    );
    assert_eq!(
        from.publish("$SYS/x", b"1").await,
        ReasonCode::NoMatchingSubscribers
    );
}

#[tokio::test]
async fn each_guarantee_is_kept_in_both_directions() {
    let server = Server::start().await;
    let mut to = open(&server, "bob").await;
    let mut from = open(&server, "ann").await;
    to.subscribe("t/#", Qos::ExactlyOnce).await;
    from.say(&Packet::Publish(qos0("t/0", "0"))).await;
    assert_eq!(from.publish("t/1", b"1").await, ReasonCode::Success);
    let id = from.id();
    for dup in [false, true] {
        let delivery = Delivery::ExactlyOnce { id, dup };
        from.say(&Packet::Publish(MqttClient::publish_packet(
            "t/2", delivery, b"2",
        )))
        .await;
        from.hears(|it| matches!(it, Packet::Pubrec(ack) if ack.packet_id == id).then_some(()))
            .await;
    }
    from.say(&Packet::Pubrel(Ack::new(id, ReasonCode::Success)))
        .await;
    let comp = from.hears(|it| match it {
        Packet::Pubcomp(ack) => Some(ack.reason),
        _ => None,
    });
    assert_eq!(comp.await, ReasonCode::Success);
    for (topic, qos) in [
        ("t/0", Qos::AtMostOnce),
        ("t/1", Qos::AtLeastOnce),
        ("t/2", Qos::ExactlyOnce),
    ] {
        let heard = to.published(plain).await;
        assert_eq!(
            (
                heard.topic.as_ref().map(TopicName::as_str),
                heard.delivery.qos()
            ),
            (Some(topic), qos)
        );
        if let Delivery::ExactlyOnce { id, .. } = heard.delivery {
            to.say(&Packet::Pubrec(Ack::new(id, ReasonCode::Success)))
                .await;
            let rel = to.hears(|it| match it {
                Packet::Pubrel(ack) if ack.packet_id == id => Some(ack.reason),
                _ => None,
            });
            assert_eq!(rel.await, ReasonCode::Success);
            to.say(&Packet::Pubcomp(Ack::new(id, ReasonCode::Success)))
                .await;
        }
    }
    from.say(&Packet::Publish(qos0("t/end", ""))).await;
    assert!(
        is("t/end")(&to.published(plain).await),
        "nothing came twice"
    );
    let unknown = PacketId::new(999).expect("an id");
    from.say(&Packet::Pubrel(Ack::new(unknown, ReasonCode::Success)))
        .await;
    let comp = from.hears(|it| match it {
        Packet::Pubcomp(ack) => Some(ack.reason),
        _ => None,
    });
    assert_eq!(comp.await, ReasonCode::PacketIdNotFound);
}

#[tokio::test]
async fn a_durable_session_is_kept_over_a_restart() {
    let mut server = Server::start().await;
    let durable = hello(&server, "bob", Version::V311, false).await;
    let (mut to, connack) = MqttClient::connect(&server, &durable).await;
    assert!(!connack.session_present);
    to.subscribe("t/news", Qos::AtLeastOnce).await;
    to.say(&Packet::Disconnect(Disconnect::default())).await;
    to.closed().await;
    let mut from = open(&server, "ann").await;
    for at in 0..10 {
        from.publish("t/news", at.to_string().as_bytes()).await;
    }
    let id = from.id();
    let delivery = Delivery::AtLeastOnce { id, dup: false };
    let mut kept = MqttClient::publish_packet("t/kept", delivery, b"kept");
    kept.retain = true;
    from.say(&Packet::Publish(kept)).await;
    from.hears(|it| matches!(it, Packet::Puback(ack) if ack.packet_id == id).then_some(()))
        .await;
    server.restart().await;
    let (mut to, connack) = MqttClient::connect(&server, &durable).await;
    assert!(connack.session_present);
    to.acks = false;
    for at in 0..10 {
        assert_eq!(to.published(plain).await.payload, at.to_string().as_bytes());
    }
    drop(to);
    let (mut to, _) = MqttClient::connect(&server, &durable).await;
    for at in 0..10 {
        let again = to.published(plain).await;
        assert_eq!(again.payload, at.to_string().as_bytes());
        assert!(again.delivery.is_dup());
    }
    to.subscribe("t/kept", Qos::AtLeastOnce).await;
    let kept = to.published(plain).await;
    assert!(kept.retain && &kept.payload[..] == b"kept");
    to.say(&Packet::Disconnect(Disconnect::default())).await;
    to.closed().await;
    let clean = Connect {
        clean_start: true,
        ..durable
    };
    let (_, connack) = MqttClient::connect(&server, &clean).await;
    assert!(!connack.session_present);
}

#[tokio::test]
async fn a_will_is_published_when_a_connection_is_lost() {
    let server = Server::start().await;
    let mut to = open(&server, "bob").await;
    to.subscribe("t/wills/#", Qos::AtMostOnce).await;
    let mut hello = hello(&server, "ann", Version::V5, true).await;
    let will = |topic: &str| {
        Some(Will {
            topic: TopicName::new(topic).expect("a topic"),
            payload: "gone".into(),
            qos: Qos::AtMostOnce,
            retain: false,
            delay_secs: None,
            properties: MessageProperties::default(),
        })
    };
    for (topic, reason) in [
        ("t/wills/no", Some(ReasonCode::Success)),
        ("t/wills/asked", Some(ReasonCode::DisconnectWithWill)),
        ("t/wills/lost", None),
    ] {
        hello.will = will(topic);
        let (mut client, _) = MqttClient::connect(&server, &hello).await;
        if let Some(reason) = reason {
            client
                .say(&Packet::Disconnect(Disconnect::new(reason)))
                .await;
            client.closed().await;
        }
    }
    for topic in ["t/wills/asked", "t/wills/lost"] {
        let heard = to.published(plain).await;
        assert_eq!(heard.topic.as_ref().map(TopicName::as_str), Some(topic));
    }
}

#[tokio::test]
async fn aliases_stand_for_topics_within_their_bounds() {
    let server = Server::start().await;
    let mut to = open(&server, "bob").await;
    to.subscribe("t/#", Qos::AtMostOnce).await;
    let mut from = open(&server, "ann").await;
    let mut first = qos0("t/long/name", "1");
    first.topic_alias = NonZeroU16::new(32);
    let mut second = first.clone();
    second.topic = None;
    for publish in [first.clone(), second] {
        from.say(&Packet::Publish(publish)).await;
        assert!(is("t/long/name")(&to.published(plain).await));
    }
    first.topic_alias = NonZeroU16::new(33);
    from.say(&Packet::Publish(first)).await;
    let said = from.closed().await;
    assert!(
        matches!(said.last(), Some(Packet::Disconnect(it)) if it.reason == ReasonCode::TopicAliasInvalid),
        "{said:?}"
    );
}

#[tokio::test]
async fn what_a_client_cannot_take_is_left_out() {
    let server = Server::start().await;
    let mut hello = hello(&server, "bob", Version::V5, true).await;
    hello.properties.max_packet_bytes = NonZeroU32::new(100);
    let (mut to, _) = MqttClient::connect(&server, &hello).await;
    to.subscribe("t/#", Qos::AtLeastOnce).await;
    let mut from = open(&server, "ann").await;
    assert_eq!(from.publish("t/x", &[b'x'; 200]).await, ReasonCode::Success);
    assert_eq!(from.publish("t/x", b"small").await, ReasonCode::Success);
    assert_eq!(&to.published(plain).await.payload[..], b"small");
}

#[tokio::test]
async fn more_unacknowledged_than_agreed_ends_the_connection() {
    let server = Server::start_with(&["mqtt.receive_maximum=3"]).await;
    let mut from = open(&server, "ann").await;
    for id in 1..=4 {
        let id = PacketId::new(id).expect("an id");
        let delivery = Delivery::ExactlyOnce { id, dup: false };
        from.say(&Packet::Publish(MqttClient::publish_packet(
            "t/x", delivery, b"x",
        )))
        .await;
    }
    let said = from.closed().await;
    assert!(
        matches!(said.last(), Some(Packet::Disconnect(it)) if it.reason == ReasonCode::ReceiveMaximumExceeded),
        "{said:?}"
    );
}

#[tokio::test]
async fn shared_subscriptions_divide_messages() {
    let server = Server::start().await;
    let mut one = open(&server, "bob").await;
    let mut other = open(&server, "carol").await;
    for client in [&mut one, &mut other] {
        let suback = client.subscribe("$share/g/t/work", Qos::AtLeastOnce).await;
        assert_eq!(suback.reasons, [ReasonCode::GrantedQos1]);
    }
    let mut from = open(&server, "ann").await;
    for at in 0..4 {
        from.publish("t/work", at.to_string().as_bytes()).await;
    }
    for client in [&mut one, &mut other] {
        for _ in 0..2 {
            client.published(plain).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_takes_aliases_is_given_them() {
    let server = Server::start().await;
    let mut hello = hello(&server, "bob", Version::V5, true).await;
    hello.properties.topic_alias_maximum = Some(1);
    let (mut to, _) = MqttClient::connect(&server, &hello).await;
    to.subscribe("t/#", Qos::AtMostOnce).await;
    let mut from = open(&server, "ann").await;
    for topic in ["t/a", "t/a", "t/b"] {
        from.say(&Packet::Publish(qos0(topic, topic))).await;
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        let next = to.published(|it| it.payload.starts_with(b"t/")).await;
        let topic = next.topic.map(|it| it.as_str().to_owned());
        heard.push((topic, next.topic_alias.map(NonZeroU16::get)));
    }
    let expected = [
        (Some("t/a".to_owned()), Some(1)),
        (None, Some(1)),
        (Some("t/b".to_owned()), None),
    ];
    assert_eq!(heard, expected);
}
