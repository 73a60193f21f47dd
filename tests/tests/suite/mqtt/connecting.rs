//! CONNECT and the life of a connection: T3-8 to T3-11, T3-38 to T3-40.

use std::num::NonZeroU16;

use bytes::Bytes;
use crosstalk_tests::Server;
use crosstalk_tests::mqtt::{MqttClient, connect, register, text};
use crosstalk_wire::mqtt::{
    Authentication, Delivery, Packet, PacketId, Qos, ReasonCode, TopicName, Version, Will,
};

#[tokio::test]
async fn every_version_connects_over_tcp_and_websocket() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    for version in [Version::V31, Version::V311, Version::V5] {
        let mut hello = ann.connect(true);
        hello.version = version;
        let (_, connack) = MqttClient::connect(&server, &hello).await;
        assert_eq!(connack.reason, ReasonCode::Success, "{version:?}");
        assert!(!connack.session_present);
        for path in ["/mqtt", "/"] {
            let mut client = MqttClient::ws(&server, path, version).await;
            let connack = client.log_in(&hello).await;
            assert_eq!(connack.reason, ReasonCode::Success, "{version:?} {path}");
            client.say(&Packet::Pingreq).await;
            assert_eq!(client.hear().await, Packet::Pingresp);
        }
    }
}

#[tokio::test]
async fn a_user_token_logs_in_without_a_registration() {
    let server = Server::start().await;
    let token = server.user_token("ann").await;
    let ann = register(&server, "ann", "elsewhere").await;
    for name in ["ann", "default/ann", &ann.account, ""] {
        let hello = connect(Version::V311, "c1", true, name, &token);
        let (_, connack) = MqttClient::connect(&server, &hello).await;
        assert_eq!(connack.reason, ReasonCode::Success, "{name}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused_with_the_right_code() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let token = server.user_token("bob").await;
    for version in [Version::V311, Version::V5] {
        let cases = [
            (ann.account.as_str(), "wrong"),
            (ann.account.as_str(), ""),
            (ann.account.as_str(), bob.token.as_str()),
            ("bob", ann.token.as_str()),
            ("ann", token.as_str()),
            ("no such app/bob", token.as_str()),
        ];
        for (name, password) in cases {
            let hello = connect(version, "c", true, name, password);
            let (mut client, connack) = MqttClient::connect(&server, &hello).await;
            assert_eq!(
                connack.reason,
                ReasonCode::BadUserNameOrPassword,
                "{version:?} {name}"
            );
            client.closed().await;
        }
    }
    let mut hello = ann.connect_v5(true, 0);
    hello.properties.authentication = Some(Authentication {
        method: "SCRAM".into(),
        data: None,
    });
    let (_, connack) = MqttClient::connect(&server, &hello).await;
    assert_eq!(connack.reason, ReasonCode::BadAuthenticationMethod);
}

#[tokio::test]
async fn a_nameless_client_is_given_a_name() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let mut hello = ann.connect_v5(true, 0);
    hello.client_id = String::new();
    hello.keep_alive_secs = 65_535;
    let (_, connack) = MqttClient::connect(&server, &hello).await;
    let properties = connack.properties;
    assert!(
        properties
            .assigned_client_id
            .is_some_and(|id| !id.is_empty())
    );
    assert_eq!(properties.server_keep_alive_secs, Some(600));
    assert_eq!(properties.receive_maximum, NonZeroU16::new(256));
}

#[tokio::test]
async fn only_ones_own_account_is_subscribed_to() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let (mut client, _) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    for foreign in [bob.account.as_str(), "#", "+", "+/#", "$share/x/y"] {
        let suback = client.subscribe(foreign, Qos::AtLeastOnce).await;
        assert_eq!(suback.reasons, [ReasonCode::NotAuthorized], "{foreign}");
    }
    let own = client.subscribe(&ann.account, Qos::AtLeastOnce).await;
    assert_eq!(own.reasons, [ReasonCode::GrantedQos1]);
    let below = client
        .subscribe(&format!("{}/#", ann.account), Qos::AtLeastOnce)
        .await;
    assert_eq!(below.reasons, [ReasonCode::GrantedQos1]);
    let (mut client, _) = MqttClient::connect(&server, &ann.connect(true)).await;
    let suback = client.subscribe(&bob.account, Qos::AtLeastOnce).await;
    assert_eq!(suback.reasons, [ReasonCode::UnspecifiedError], "0x80");
}

#[tokio::test]
async fn who_does_not_subscribe_is_given_messages_all_the_same() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let (mut to, _) = MqttClient::connect(&server, &bob.connect(true)).await;
    let mut from = ann.open(&server, true).await;
    assert_eq!(
        from.send(&text("m1", &bob.account, "hi")).await,
        ReasonCode::Success
    );
    assert_eq!(to.message().await["id"], "m1");
}

#[tokio::test]
async fn what_follows_connect_in_the_same_breath_is_answered() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let mut client = MqttClient::tcp(&server, Version::V311).await;
    client
        .say(&Packet::Connect(Box::new(ann.connect(true))))
        .await;
    let suback = client.subscribe(&ann.account, Qos::AtLeastOnce).await;
    assert_eq!(suback.reasons, [ReasonCode::GrantedQos1]);
}

#[tokio::test]
async fn the_same_client_id_takes_over() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let (mut old, _) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    let (_new, connack) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    assert_eq!(connack.reason, ReasonCode::Success);
    let said = old.closed().await;
    assert!(
        matches!(&said[..], [Packet::Disconnect(it)] if it.reason == ReasonCode::SessionTakenOver),
        "{said:?}"
    );
    // Another user's client of that name is another client.
    let bob = register(&server, "bob", "d2").await;
    let mut hello = bob.connect_v5(true, 0);
    hello.client_id = "d1".into();
    let (mut bobs, _) = MqttClient::connect(&server, &hello).await;
    let (_, connack) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    assert_eq!(connack.reason, ReasonCode::Success);
    bobs.say(&Packet::Pingreq).await;
    assert_eq!(bobs.hear().await, Packet::Pingresp);
}

#[tokio::test]
async fn silence_beyond_the_keep_alive_ends_it_and_the_will_is_said() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let carol = register(&server, "carol", "d3").await;
    let mut watcher = bob.open(&server, true).await;
    let mut hello = ann.connect_v5(true, 0);
    hello.keep_alive_secs = 1;
    hello.will = Some(Will {
        topic: TopicName::new("im/send").expect("a topic"),
        payload: text("w1", &bob.account, "gone").to_string().into(),
        qos: Qos::AtLeastOnce,
        retain: false,
        delay_secs: None,
        properties: crosstalk_wire::mqtt::MessageProperties::default(),
    });
    let mut bad = carol.connect_v5(true, 0);
    bad.keep_alive_secs = 1;
    bad.will = hello.will.clone();
    if let Some(will) = &mut bad.will {
        will.payload = Bytes::from_static(b"no envelope");
    }
    let (mut silent, _) = MqttClient::connect(&server, &hello).await;
    let (mut other, _) = MqttClient::connect(&server, &bad).await;
    for client in [&mut silent, &mut other] {
        let said = client.closed().await;
        assert!(
            said.iter().any(|it| matches!(it, Packet::Disconnect(it) if it.reason == ReasonCode::KeepAliveTimeout)),
            "{said:?}"
        );
    }
    let said = watcher.message().await;
    assert_eq!(
        (&said["id"], &said["content"]["text"]),
        (&"w1".into(), &"gone".into())
    );
    // Who says goodbye leaves no will; and what was no envelope has not come before this.
    hello.keep_alive_secs = 60;
    let (mut polite, _) = MqttClient::connect(&server, &hello).await;
    polite
        .say(&Packet::Disconnect(
            crosstalk_wire::mqtt::Disconnect::default(),
        ))
        .await;
    polite.closed().await;
    let mut sender = carol.open(&server, true).await;
    sender.send(&text("m2", &bob.account, "next")).await;
    assert_eq!(watcher.message().await["id"], "m2");
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_what_is_far_too_large_ends_it() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let (mut client, _) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
    client.subscribe(&ann.account, Qos::AtLeastOnce).await;
    let large = text("m1", &bob.account, &"x".repeat(300 << 10));
    assert_eq!(client.send(&large).await, ReasonCode::PayloadFormatInvalid);
    let error = client.told("error").await;
    assert_eq!((&error["id"], &error["code"]), (&"m1".into(), &413.into()));
    assert_eq!(
        client.send(&text("m2", &bob.account, "small")).await,
        ReasonCode::Success
    );
    let huge = vec![b'x'; (1 << 20) + 1];
    let delivery = Delivery::AtLeastOnce {
        id: PacketId::new(9).expect("an id"),
        dup: false,
    };
    let huge = MqttClient::publish_packet("im/send", delivery, &huge);
    client.say(&Packet::Publish(huge)).await;
    let said = client.closed().await;
    assert!(
        matches!(said.last(), Some(Packet::Disconnect(it)) if it.reason == ReasonCode::PacketTooLarge),
        "{said:?}"
    );
    ann.open(&server, true).await;
}

#[tokio::test]
async fn retained_messages_of_the_messenger_are_not_kept() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let elsewhere = register(&server, "bob", "d3").await;
    let mut from = ann.open(&server, true).await;
    let mut witness = elsewhere.open(&server, true).await;
    let id = from.id();
    let delivery = Delivery::AtLeastOnce { id, dup: false };
    let payload = text("r1", &bob.account, "keep").to_string();
    let mut publish = MqttClient::publish_packet(&bob.account, delivery, payload.as_bytes());
    publish.retain = true;
    from.say(&Packet::Publish(publish)).await;
    from.hears(|it| matches!(it, Packet::Puback(ack) if ack.packet_id == id).then_some(()))
        .await;
    // It is handed out: who comes now is not among those who are there.
    assert_eq!(witness.message().await["id"], "r1");
    let mut to = bob.open(&server, true).await;
    from.send(&text("m2", &bob.account, "next")).await;
    assert_eq!(to.message().await["id"], "m2");
}

#[tokio::test]
async fn broken_packets_end_their_connection_and_no_other() {
    let server = Server::start().await;
    let ann = register(&server, "ann", "d1").await;
    let bob = register(&server, "bob", "d2").await;
    let mut witness = bob.open(&server, true).await;
    let broken: [(&str, &[u8], ReasonCode); 9] = [
        ("a second CONNECT", b"\x10\x00", ReasonCode::ProtocolError),
        (
            "SUBSCRIBE with the flags of another",
            b"\x80\x06\x00\x01\x00\x00\x00\x00",
            ReasonCode::MalformedPacket,
        ),
        (
            "a length of five bytes",
            b"\x30\xff\xff\xff\xff\x01",
            ReasonCode::MalformedPacket,
        ),
        (
            "QoS 3",
            b"\x36\x05\x00\x03t/x\x00",
            ReasonCode::MalformedPacket,
        ),
        (
            "a packet id of 0",
            b"\x32\x08\x00\x03t/x\x00\x00\x00",
            ReasonCode::ProtocolError,
        ),
        (
            "a topic with a wildcard",
            b"\x30\x06\x00\x03t/#\x00",
            ReasonCode::MalformedPacket,
        ),
        (
            "no topic and no alias",
            b"\x30\x03\x00\x00\x00",
            ReasonCode::ProtocolError,
        ),
        (
            "a SUBSCRIBE to nothing",
            b"\x82\x03\x00\x01\x00",
            ReasonCode::ProtocolError,
        ),
        (
            "AUTH out of the blue",
            b"\xf0\x00",
            ReasonCode::ProtocolError,
        ),
    ];
    for (what, bytes, reason) in broken {
        let (mut client, _) = MqttClient::connect(&server, &ann.connect_v5(true, 0)).await;
        client.say_bytes(bytes).await;
        let said = client.closed().await;
        assert!(
            matches!(said.last(), Some(Packet::Disconnect(it)) if it.reason == reason),
            "{what}: {said:?}"
        );
    }
    for greeting in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        b"\xc0\x00",
        b"\x10\x04\x00\x04MQ",
    ] {
        let mut client = MqttClient::tcp(&server, Version::V311).await;
        client.say_bytes(greeting).await;
        if greeting[0] != 0x10 {
            assert_eq!(client.closed().await, []);
        }
    }
    witness.say(&Packet::Pingreq).await;
    witness
        .hears(|it| (*it == Packet::Pingresp).then_some(()))
        .await;
}
