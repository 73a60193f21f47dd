//! Sessions that outlive their connections: T3-26, T3-30, and what comes again.

use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, register, text};
use crosstalk_wire::mqtt::{Ack, Delivery, Disconnect, Packet, Qos, ReasonCode};

#[tokio::test]
async fn what_was_sent_meanwhile_comes_in_order_after_a_restart_of_the_server_too() {
    let mut server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let mut to = bob.open(&server, false).await;
    to.say(&Packet::Disconnect(Disconnect::default())).await;
    to.closed().await;
    let mut from = ann.open(&server, true).await;
    for at in 0..20 {
        let sent = text(&format!("m{at}"), &bob.account, "x");
        assert_eq!(from.send(&sent).await, ReasonCode::Success);
    }
    server.restart().await;
    // No SUBSCRIBE: the session has it.
    let (mut to, connack) = MqttClient::connect(&server, &bob.connect(false)).await;
    assert!(connack.session_present);
    for at in 0..20 {
        assert_eq!(to.message().await["id"], format!("m{at}"));
    }
    // Once is enough.
    to.say(&Packet::Pingreq).await;
    to.hears(|it| (*it == Packet::Pingresp).then_some(())).await;
    to.say(&Packet::Disconnect(Disconnect::default())).await;
    to.closed().await;
    let (mut to, _) = MqttClient::connect(&server, &bob.connect(false)).await;
    let mut from = ann.open(&server, true).await;
    from.send(&text("next", &bob.account, "x")).await;
    assert_eq!(to.message().await["id"], "next");
}

#[tokio::test]
async fn who_is_logged_out_comes_back_to_nothing() {
    let server = Server::start().await;
    let bob = register(&server, "bob", "d2").await;
    let ann = register(&server, "ann", "d1").await;
    let mut hello = bob.connect(false);
    hello.client_id = "another name".into();
    let (mut to, _) = MqttClient::connect(&server, &hello).await;
    to.subscribe(&bob.account, Qos::AtLeastOnce).await;
    to.subscribe("t/news", Qos::AtLeastOnce).await;
    let out = serde_json::json!({});
    bob.http(&server).post("/im/v1/logout", out).await.ok();
    to.closed().await;
    let mut from = ann.open(&server, true).await;
    from.send(&text("m1", &bob.account, "while away")).await;
    from.publish("t/news", b"while away").await;
    let again = register(&server, "bob", "d2").await;
    hello.password = Some(again.token.into());
    let (mut to, connack) = MqttClient::connect(&server, &hello).await;
    assert!(!connack.session_present);
    to.subscribe("t/after", Qos::AtLeastOnce).await;
    from.publish("t/after", b"after").await;
    let first = to.published(|it| it.payload.ends_with(b"r")).await;
    assert_eq!(&first.payload[..], b"after");
}

#[tokio::test]
async fn what_is_not_acknowledged_comes_again_marked_and_under_its_packet_id() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let mut to = bob.open(&server, false).await;
    to.acks = false;
    let mut from = ann.open(&server, true).await;
    from.send(&text("m1", &bob.account, "x")).await;
    let first = to.published(|_| true).await;
    drop(to);
    let (mut to, connack) = MqttClient::connect(&server, &bob.connect(false)).await;
    assert!(connack.session_present);
    let again = to
        .published(|it| it.delivery.qos() == Qos::AtLeastOnce)
        .await;
    assert_eq!(again.payload, first.payload);
    assert_eq!(again.delivery.packet_id(), first.delivery.packet_id());
    assert!(again.delivery.is_dup() && !first.delivery.is_dup());
    drop(to);
    let (_, connack) = MqttClient::connect(&server, &bob.connect(true)).await;
    assert!(
        !connack.session_present,
        "a clean session has nothing before it"
    );
}

#[tokio::test]
async fn no_more_is_under_way_than_the_client_takes() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let mut hello = bob.connect_v5(true, 0);
    hello.properties.receive_maximum = std::num::NonZeroU16::new(2);
    let (mut to, _) = MqttClient::connect(&server, &hello).await;
    to.acks = false;
    to.subscribe(&bob.account, Qos::AtLeastOnce).await;
    let mut from = ann.open(&server, true).await;
    for at in 0..5 {
        from.send(&text(&format!("m{at}"), &bob.account, "x")).await;
    }
    let is_message = |it: &crosstalk_wire::mqtt::Publish| it.delivery.qos() == Qos::AtLeastOnce;
    let mut open = Vec::new();
    for _ in 0..2 {
        open.push(to.published(is_message).await.delivery.packet_id());
    }
    to.say(&Packet::Pingreq).await;
    let early = to
        .hears(|it| match it {
            Packet::Pingresp => Some(false),
            Packet::Publish(it) if is_message(it) => Some(true),
            _ => None,
        })
        .await;
    assert!(!early, "a third one before an acknowledgement");
    for _ in 0..3 {
        let id = open.remove(0).expect("an id");
        to.say(&Packet::Puback(Ack::new(id, ReasonCode::Success)))
            .await;
        open.push(to.published(is_message).await.delivery.packet_id());
    }
}

#[tokio::test]
async fn a_message_that_has_expired_does_not_come() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let (to, _) = MqttClient::connect(&server, &bob.connect_v5(true, 3600)).await;
    drop(to);
    let (mut from, _) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    let mut send = async |id: &str, secs: u32| {
        let packet_id = from.id();
        let delivery = Delivery::AtLeastOnce {
            id: packet_id,
            dup: false,
        };
        let payload = text(id, &bob.account, "x").to_string();
        let mut publish = MqttClient::publish_packet("im/send", delivery, payload.as_bytes());
        publish.properties.expiry_secs = Some(secs);
        from.say(&Packet::Publish(publish)).await;
        from.hears(|it| matches!(it, Packet::Puback(_)).then_some(()))
            .await;
    };
    send("short", 1).await;
    send("long", 100).await;
    // wait: the first one's second must be over, by the server's clock
    tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
    let (mut to, _) = MqttClient::connect(&server, &bob.connect_v5(false, 3600)).await;
    to.subscribe(&bob.account, Qos::AtLeastOnce).await;
    let heard = to
        .published(|it| it.delivery.qos() == Qos::AtLeastOnce)
        .await;
    let json: serde_json::Value = serde_json::from_slice(&heard.payload).expect("JSON");
    assert_eq!(json["id"], "long");
    assert!(
        heard
            .properties
            .expiry_secs
            .is_some_and(|secs| (1..100).contains(&secs))
    );
}

#[tokio::test]
async fn a_number_that_counts_once_is_known_to_the_next_connection_and_after_a_restart() {
    let mut server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let (mut from, _) = MqttClient::connect(&server, &ann.connect_v5(true, 3600)).await;
    let id = from.id();
    let payload = text("m1", &bob.account, "x").to_string();
    let delivery = Delivery::ExactlyOnce { id, dup: false };
    let publish = MqttClient::publish_packet("im/send", delivery, payload.as_bytes());
    from.say(&Packet::Publish(publish)).await;
    from.hears(|it| matches!(it, Packet::Pubrec(ack) if ack.packet_id == id).then_some(()))
        .await;
    server.restart().await;
    let (mut from, connack) = MqttClient::connect(&server, &ann.connect_v5(false, 3600)).await;
    assert!(connack.session_present);
    for reason in [ReasonCode::Success, ReasonCode::PacketIdNotFound] {
        from.say(&Packet::Pubrel(Ack::new(id, ReasonCode::Success)))
            .await;
        let comp = from.hears(|it| match it {
            Packet::Pubcomp(ack) if ack.packet_id == id => Some(ack.reason),
            _ => None,
        });
        assert_eq!(comp.await, reason);
    }
}
