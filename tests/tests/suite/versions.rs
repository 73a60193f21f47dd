//! Protocol versions against each other, over TCP and WebSocket.

use crosstalk_tests::Server;
use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_tests::wukong::{Outgoing, Transport, WukongClient};
use crosstalk_wire::wukong::binary::{LATEST_VERSION, Setting};

/// The versions that shipped SDKs speak: JS 1.0.4, Flutter and Android, JS 1.3.5.
const SPOKEN: [u8; 3] = [2, 4, 5];

/// A client per spoken version, whose uids begin with `name`.
async fn one_each(server: &Server, name: &str, over: Transport) -> Vec<WukongClient> {
    let mut clients = Vec::new();
    for version in SPOKEN {
        clients.push(
            server
                .client_as(&format!("{name}{version}"), over, version)
                .await,
        );
    }
    clients
}

async fn all_pairs(senders_over: Transport, receivers_over: Transport) {
    let server = Server::start().await;
    let mut senders = one_each(&server, "a", senders_over).await;
    let mut receivers = one_each(&server, "b", receivers_over).await;
    server
        .group("g", &["a2", "a4", "a5", "b2", "b4", "b5"])
        .await;
    for (sender, from) in senders.iter_mut().zip(SPOKEN) {
        for (receiver, to) in receivers.iter_mut().zip(SPOKEN) {
            let text = format!("从 v{from} 到 v{to} 👋");
            let ack = sender
                .accepted(&Outgoing::direct(&format!("b{to}"), &text))
                .await;
            let heard = receiver.hears(&text).await.packet;
            assert_eq!(
                (ack.message_id, ack.message_seq),
                (heard.message_id, heard.message_seq)
            );
            assert_eq!(
                (heard.from_uid, heard.channel_id),
                (format!("a{from}"), format!("a{from}"))
            );
            assert_eq!(heard.channel_type, 1);
        }
    }
    for (at, from) in SPOKEN.into_iter().enumerate() {
        let text = format!("v{from} 到群里");
        let ack = senders[at].accepted(&Outgoing::group("g", &text)).await;
        let others = senders
            .iter_mut()
            .enumerate()
            .filter(|(other, _)| *other != at);
        for client in receivers.iter_mut().chain(others.map(|(_, client)| client)) {
            let heard = client.hears(&text).await.packet;
            assert_eq!(
                (heard.message_id, heard.message_seq),
                (ack.message_id, ack.message_seq)
            );
            assert_eq!(
                (heard.from_uid.as_str(), heard.channel_id.as_str()),
                (&*format!("a{from}"), "g")
            );
            assert_eq!(heard.channel_type, 2);
        }
    }
}

#[tokio::test]
async fn all_pairs_from_tcp_to_tcp() {
    all_pairs(Tcp, Tcp).await;
}

#[tokio::test]
async fn all_pairs_from_tcp_to_websocket() {
    all_pairs(Tcp, Ws).await;
}

#[tokio::test]
async fn all_pairs_from_websocket_to_tcp() {
    all_pairs(Ws, Tcp).await;
}

#[tokio::test]
async fn all_pairs_from_websocket_to_websocket() {
    all_pairs(Ws, Ws).await;
}

/// That the version byte is there exactly for versions above 3 is checked at each login.
#[tokio::test]
async fn every_version_is_granted_what_it_and_the_server_speak() {
    let server = Server::start().await;
    for version in [0, 1, 2, 3, 4, 5, 6, 7, 255] {
        let client = server.client_as("alice", Tcp, version).await;
        let connack = client.connack();
        let has_node = connack.node_id.is_some_and(|node| node > 0);
        assert_eq!(has_node, version > 3, "version {version}: {connack:?}");
        assert!(
            connack.time_diff_ms.abs() < 60_000,
            "version {version}: {connack:?}"
        );
    }
}

#[tokio::test]
async fn each_login_has_keys_of_its_own() {
    let server = Server::start().await;
    let first = server.client("alice").await.connack().clone();
    let second = server.client("alice").await.connack().clone();
    assert_ne!(first.server_key, second.server_key);
    assert_ne!(first.salt, second.salt);
}

/// Flutter reads a node id whenever its own version is 4 or more; the decoder reads it by the
/// client's version, so that a missing or superfluous one would fail here.
#[tokio::test]
async fn a_failed_login_is_answered_in_the_layout_of_its_version() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    for transport in [Tcp, Ws] {
        for version in 1..=LATEST_VERSION {
            let login = server
                .login("alice")
                .over(transport)
                .version(version)
                .token("wrong");
            let connack = login.refused().await.expect("a CONNACK says why");
            assert_eq!(connack.reason, 2, "version {version}: {connack:?}");
            assert_eq!(
                connack.node_id.is_some(),
                version > 3,
                "version {version}: {connack:?}"
            );
        }
    }
}

/// Android and Flutter take 0x04 for the stream bit, Go and JavaScript 0x02.
#[tokio::test]
async fn old_clients_see_no_stream_bits() {
    let server = Server::start().await;
    let bits = Setting::RECEIPT | Setting::STREAM | 0x04;
    for sender in [2, LATEST_VERSION] {
        let mut alice = server.client_as("alice", Tcp, sender).await;
        let mut bob = Vec::new();
        for version in 1..=LATEST_VERSION {
            let login = server
                .login("bob")
                .version(version)
                .device(&format!("v{version}"));
            server.register("bob", 0, 0).await;
            bob.push((version, login.connect().await));
        }
        alice
            .accepted(&Outgoing::direct("bob", "stream").setting(bits))
            .await;
        for (version, client) in &mut bob {
            let heard = client.hears("stream").await.packet;
            let expected = if *version < 5 { Setting::RECEIPT } else { bits };
            assert_eq!(heard.setting.0, expected, "from {sender} to {version}");
            assert_eq!(heard.stream, None, "from {sender} to {version}");
        }
    }
}

#[tokio::test]
async fn expiry_and_topic_are_carried_by_the_versions_that_have_them() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut message = Outgoing::direct("bob", "topical").setting(Setting::TOPIC);
    message.expire_secs = 3600;
    "主题".clone_into(&mut message.topic);
    server.register("bob", 0, 0).await;
    for version in 1..=LATEST_VERSION {
        let mut bob = server.login("bob").version(version).connect().await;
        alice
            .accepted(&message.clone().numbered(&format!("v{version}")))
            .await;
        let heard = bob.hears("topical").await.packet;
        let expire = if version >= 3 { 3600 } else { 0 };
        assert_eq!(
            (heard.expire_secs, heard.topic.as_str()),
            (expire, "主题"),
            "{version}"
        );
        assert_eq!(heard.client_msg_no, format!("v{version}"));
    }
}
