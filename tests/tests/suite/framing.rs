//! One byte stream, however it is cut: in TCP segments, in WebSocket messages.

use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_tests::wukong::{Outgoing, Transport, random_keys};
use crosstalk_tests::{Server, within};
use crosstalk_wire::wukong::binary::{LATEST_VERSION, Packet, Recvack};

async fn a_login_and_a_message_in_single_bytes(over: Transport) {
    let server = Server::start().await;
    let mut bob = server.client("bob").await;
    server.register("alice", 0, 0).await;
    for version in [2, 4, LATEST_VERSION] {
        let login = server.login("alice").over(over).version(version);
        let keys = random_keys();
        let mut link = login.link().await;
        let connect = link.encode(&login.packet(&keys));
        link.write_in_pieces(&connect, 1).await;
        let mut alice = login.finish(link, &keys).await;

        let send = alice.seal(&Outgoing::direct("bob", "一个字节一个字节"));
        let client_seq = send.client_seq;
        let bytes = alice.link().encode(&Packet::Send(send));
        alice.link().write_in_pieces(&bytes, 1).await;
        assert_eq!(
            alice.ack_of(client_seq).await.reason,
            1,
            "version {version}"
        );
        bob.hears("一个字节一个字节").await;
    }
}

#[tokio::test]
async fn single_bytes_over_tcp() {
    a_login_and_a_message_in_single_bytes(Tcp).await;
}

#[tokio::test]
async fn single_bytes_as_websocket_messages() {
    a_login_and_a_message_in_single_bytes(Ws).await;
}

/// Several packets glued, cut at every place of the second one.
async fn glued_and_cut_everywhere(over: Transport) {
    let server = Server::start().await;
    let mut bob = server.client("bob").await;
    let mut alice = server.client_as("alice", over, LATEST_VERSION).await;
    let mut cut = 0;
    loop {
        let mut bytes = Vec::new();
        let mut seqs = Vec::new();
        let mut second = 0..0;
        for text in ["一", "二", "三"] {
            let send = alice.seal(&Outgoing::direct("bob", text));
            seqs.push(send.client_seq);
            let packet = alice.link().encode(&Packet::Send(send));
            if text == "二" {
                second = bytes.len()..bytes.len() + packet.len();
            }
            bytes.extend(packet);
        }
        let (head, tail) = bytes.split_at(second.start + cut);
        alice.link().write_bytes(head).await;
        alice.link().write_bytes(tail).await;
        for (client_seq, text) in seqs.into_iter().zip(["一", "二", "三"]) {
            assert_eq!(alice.ack_of(client_seq).await.reason, 1, "cut at {cut}");
            bob.hears(text).await;
        }
        if cut == second.len() {
            return;
        }
        cut += 1;
    }
}

#[tokio::test]
async fn glued_packets_over_tcp() {
    glued_and_cut_everywhere(Tcp).await;
}

#[tokio::test]
async fn glued_packets_in_websocket_messages() {
    glued_and_cut_everywhere(Ws).await;
}

#[tokio::test]
async fn packets_of_every_kind_in_one_write() {
    let server = Server::start().await;
    for over in [Tcp, Ws] {
        let mut bob = server.client("bob").await;
        let mut alice = server.client_as("alice", over, LATEST_VERSION).await;
        bob.accepted(&Outgoing::direct("alice", "ack me")).await;
        alice.ack_by_hand();
        let heard = alice.hears("ack me").await.packet;

        let send = alice.seal(&Outgoing::direct("bob", "between"));
        let client_seq = send.client_seq;
        let link = alice.link();
        let mut bytes = link.encode(&Packet::Ping);
        bytes.extend(link.encode(&Packet::Recvack(Recvack {
            flags: heard.flags,
            message_id: heard.message_id,
            message_seq: heard.message_seq,
        })));
        bytes.extend(link.encode(&Packet::Send(send)));
        bytes.extend(link.encode(&Packet::Ping));
        link.write_bytes(&bytes).await;
        assert_eq!(alice.ack_of(client_seq).await.reason, 1);
        bob.hears("between").await;
        for _ in 0..2 {
            alice.ping().await;
        }
    }
}

/// The JavaScript SDK 1.0.4 loses packets behind the first one of a message.
#[tokio::test]
async fn each_websocket_message_of_the_server_holds_one_packet() {
    let server = Server::start().await;
    let mut alice = server.client_as("alice", Ws, LATEST_VERSION).await;
    let mut bob = server.client_as("bob", Ws, LATEST_VERSION).await;
    let mut posted = Vec::new();
    for at in 0..300 {
        posted.push(alice.post(&Outgoing::direct("bob", &at.to_string())).await);
    }
    for at in 0..300 {
        bob.hears(&at.to_string()).await;
    }
    for client_seq in posted {
        alice.ack_of(client_seq).await;
    }
    assert_eq!(bob.link().most_packets_in_a_message(), 1, "RECV");
    assert_eq!(alice.link().most_packets_in_a_message(), 1, "SENDACK");
}

#[tokio::test]
async fn websocket_clients_may_ask_for_any_path_and_for_wk_on_the_main_port() {
    let server = Server::start().await;
    server.register("alice", 0, 0).await;
    let listeners = server.listeners().clone();
    for (addr, path) in [
        (&listeners.wukong_ws, "/"),
        (&listeners.wukong_ws, "/ws"),
        (&listeners.wukong_ws, "/any/path?with=query"),
        (&listeners.http, "/wk"),
    ] {
        let alice = server.login("alice").through(addr, path).connect();
        let mut alice = within(format!("{addr}{path}"), alice).await;
        alice.ping().await;
    }
}
