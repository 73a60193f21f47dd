//! Hostile and broken clients, while two honest ones chat undisturbed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use crosstalk_tests::wukong::Transport::{Tcp, Ws};
use crosstalk_tests::wukong::{Link, Login, Outgoing, Transport, WukongClient, random_keys};
use crosstalk_tests::{Seed, Server, within};
use crosstalk_wire::wukong::binary::{
    Connack, Disconnect, Event, Flags, LATEST_VERSION, MAX_FRAME_BYTES, Packet, Send, Sendack,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Two honest clients.
struct Chat {
    alice: WukongClient,
    bob: WukongClient,
    said: usize,
}

impl Chat {
    async fn of(server: &Server) -> Chat {
        let alice = server.client_as("alice", Tcp, LATEST_VERSION).await;
        let bob = server.client_as("bob", Ws, 4).await;
        Chat {
            alice,
            bob,
            said: 0,
        }
    }

    /// A word and an answer, both acknowledged and heard.
    async fn goes_on(&mut self) {
        self.said += 1;
        let (there, back) = (format!("去 {}", self.said), format!("回 {}", self.said));
        self.alice.accepted(&Outgoing::direct("bob", &there)).await;
        self.bob.hears(&there).await;
        self.bob.accepted(&Outgoing::direct("alice", &back)).await;
        self.alice.hears(&back).await;
    }
}

async fn stored(server: &Server, viewer: &str, peer: &str) -> Vec<Value> {
    let ask = json!({
        "login_uid": viewer, "channel_id": peer, "channel_type": 1, "limit": 1000,
        "start_message_seq": 0, "end_message_seq": 0, "pull_mode": 0,
    });
    let answer = server
        .wukong_api()
        .post("/channel/messagesync", ask)
        .await
        .ok();
    answer["messages"].as_array().expect("messages").clone()
}

/// Frames that no version of the protocol has.
fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let mut endless_string = vec![0x30, 20, 0, 0, 0, 0, 1, 0x7f, 0xff];
    endless_string.resize(22, b'x');
    vec![
        ("the reserved type", vec![0x00, 1, 0]),
        ("type 13", vec![0xd0, 1, 0]),
        ("type 15", vec![0xff, 0xff, 0xff, 0xff]),
        (
            "a length that never ends",
            vec![0x30, 0xff, 0xff, 0xff, 0xff, 0x7f],
        ),
        ("a length above the limit", vec![0x30, 0x81, 0x80, 0x40]),
        ("the longest length", vec![0x30, 0xff, 0xff, 0xff, 0x7f]),
        ("a SEND without a body", vec![0x30, 0]),
        ("a SEND of one byte", vec![0x30, 1, 0]),
        ("a string longer than its frame", endless_string),
        (
            "a string of negative length",
            vec![0x30, 9, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 0],
        ),
        (
            "a string that is no UTF-8",
            vec![0x30, 9, 0, 0, 0, 0, 1, 0, 2, 0xc3, 0x28],
        ),
        ("a RECVACK that is too short", vec![0x60, 3, 1, 2, 3]),
        (
            "a RECVACK that is too long",
            [vec![0x60, 14], vec![1; 14]].concat(),
        ),
        ("a CONNECT cut short", vec![0x10, 3, 5, 0, 0]),
        ("a SUB cut short", vec![0xa0, 2, 0, 0]),
    ]
}

#[tokio::test]
async fn malformed_frames_close_their_connection_only() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    server.register("mallory", 0, 0).await;
    for over in [Tcp, Ws] {
        for (what, bytes) in malformed() {
            let mut link = server.login("mallory").over(over).link().await;
            link.write_bytes(&bytes).await;
            assert_eq!(
                link.closed().await,
                [],
                "{what}, before the login, {over:?}"
            );

            let mut mallory = server.login("mallory").over(over).connect().await;
            mallory.link().write_bytes(&bytes).await;
            let said = mallory.closed().await;
            assert_eq!(said, [], "{what}, after the login, {over:?}");
        }
        chat.goes_on().await;
    }
}

/// What only servers send is no reason to fall over.
#[tokio::test]
async fn packets_of_the_wrong_direction_do_no_harm() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let connack = Connack {
        server_version: Some(5),
        time_diff_ms: 0,
        reason: 1,
        server_key: String::new(),
        salt: String::new(),
        node_id: Some(1),
    };
    let sendack = Sendack {
        flags: Flags::default(),
        message_id: 1,
        client_seq: 1,
        message_seq: 1,
        reason: 1,
    };
    let event = Event {
        id: "e".to_owned(),
        event_type: "stream.delta".to_owned(),
        timestamp_ms: 1,
        data: Bytes::from_static(b"{}"),
    };
    let packets = [
        Packet::Pong,
        Packet::Connack(connack),
        Packet::Sendack(sendack),
        Packet::Event(event),
        Packet::Disconnect(Disconnect {
            reason: 12,
            text: "bye".to_owned(),
        }),
    ];
    server.register("mallory", 0, 0).await;
    for packet in packets {
        let mut mallory = server.login("mallory").connect().await;
        mallory.link().write(&packet).await;
        mallory.link().finish().await;
        mallory.closed().await;
        chat.goes_on().await;
    }
}

/// A SEND whose remaining length is exactly `len`, and its client sequence.
fn send_of_length(client: &mut WukongClient, len: usize) -> (Vec<u8>, u32) {
    // Encrypted payloads grow in steps of a block; the client number fills what is left.
    let empty = client.seal_text(&Outgoing::bytes("bob", 1, b"").numbered(""), b"");
    let fixed = body_len(&client.link().encode(&Packet::Send(empty)));
    let mut plain = (len - fixed) / 4 * 3 - 64;
    loop {
        let payload = vec![b'x'; plain];
        let bare = client.seal(&Outgoing::bytes("bob", 1, payload.clone()).numbered(""));
        let missing = len - fixed - bare.payload.len();
        if missing <= 60 {
            let number = "n".repeat(missing);
            let send = client.seal(&Outgoing::bytes("bob", 1, payload).numbered(&number));
            let client_seq = send.client_seq;
            let frame = client.link().encode(&Packet::Send(send));
            assert_eq!(body_len(&frame), len);
            return (frame, client_seq);
        }
        plain += 16;
    }
}

fn body_len(frame: &[u8]) -> usize {
    let varint = frame[1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
    frame.len() - 1 - varint
}

#[tokio::test]
async fn a_frame_of_one_mebibyte_is_answered_and_one_byte_more_is_closed() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    for over in [Tcp, Ws] {
        let mut carol = server.client_as("carol", over, LATEST_VERSION).await;
        let (frame, client_seq) = send_of_length(&mut carol, MAX_FRAME_BYTES);
        carol.link().write_bytes(&frame).await;
        let ack = carol.ack_of(client_seq).await;
        if ack.reason == 1 {
            let heard = chat.bob.message().await;
            assert_eq!(
                heard.packet.message_id, ack.message_id,
                "what is accepted is delivered"
            );
        }
        // Either way the connections live.
        carol.ping().await;
        chat.goes_on().await;

        let mut oversized = vec![0x30, 0x81, 0x80, 0x40];
        oversized.resize(64, 0);
        carol.link().write_bytes(&oversized).await;
        assert_eq!(carol.closed().await, []);
        chat.goes_on().await;
    }
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let mut seed = Seed::new(1);
    let payload = seed.bytes(700 * 1024);
    chat.alice
        .accepted(&Outgoing::bytes("bob", 1, payload.clone()))
        .await;
    let heard = chat.bob.message().await;
    assert!(
        heard.payload == payload,
        "{} bytes of {}",
        heard.payload.len(),
        payload.len()
    );
    chat.goes_on().await;
}

#[tokio::test]
async fn a_tampered_message_is_reason_9_and_not_stored() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let alice = &mut chat.alice;
    let good = alice.seal(&Outgoing::direct("bob", "tampered"));
    let other = alice.seal(&Outgoing::direct("bob", "another"));
    let mut tampered = Vec::new();
    let mut tamper = |change: fn(&mut Send)| {
        let mut send = good.clone();
        change(&mut send);
        tampered.push(send);
    };
    tamper(|send| send.msg_key = "0".repeat(32));
    tamper(|send| send.msg_key.clear());
    tamper(|send| send.msg_key.make_ascii_uppercase());
    tamper(|send| send.channel_id = "carol".to_owned());
    tamper(|send| send.client_msg_no.push('x'));
    tamper(|send| send.payload = Bytes::from_static(b"plain text"));
    tamper(|send| send.payload = Bytes::new());
    let mut swapped = good.clone();
    swapped.payload = other.payload.clone();
    tampered.push(swapped);
    for send in tampered {
        let client_seq = send.client_seq;
        alice.link().write(&Packet::Send(send.clone())).await;
        let ack = alice.ack_of(client_seq).await;
        assert_eq!((ack.reason, ack.message_seq), (9, 0), "{send:?}");
    }
    assert_eq!(stored(&server, "bob", "alice").await, Vec::<Value>::new());
    chat.goes_on().await;
}

/// A key that fits, over bytes that are no ciphertext.
#[tokio::test]
async fn a_payload_that_cannot_be_decrypted_is_reason_9() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    for payload in [
        &b"AAAA"[..],
        b"not base64!",
        b"",
        b"QUJDREVGR0hJSktMTU5PUA==",
    ] {
        let send = chat.alice.seal_text(&Outgoing::direct("bob", ""), payload);
        let client_seq = send.client_seq;
        chat.alice.link().write(&Packet::Send(send)).await;
        assert_eq!(chat.alice.ack_of(client_seq).await.reason, 9, "{payload:?}");
    }
    assert_eq!(stored(&server, "bob", "alice").await, Vec::<Value>::new());
    chat.goes_on().await;
}

/// Random bytes, some behind a beginning that looks right.
fn garbage(seed: &mut Seed, login: &Login, link: &Link) -> Vec<u8> {
    let len = seed.within(1..3000);
    let noise = seed.bytes(len);
    match seed.within(0..5) {
        0 => noise,
        1 => [vec![0x10], noise].concat(),
        2 => [vec![0x10, 0x80, 0x01], noise].concat(),
        3 => {
            let mut connect = link.encode(&login.packet(&random_keys()));
            for _ in 0..seed.within(1..8) {
                let at = seed.within(0..connect.len());
                connect[at] = noise[0];
            }
            connect
        }
        _ => {
            let mut connect = link.encode(&login.packet(&random_keys()));
            connect.extend(noise);
            connect
        }
    }
}

#[tokio::test]
async fn garbage_disturbs_nobody() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    server.register("mallory", 0, 0).await;
    let mut seed = Seed::from_env();
    for round in 0..60 {
        let over = if round % 2 == 0 { Tcp } else { Ws };
        let login = server.login("mallory").over(over);
        let mut link = login.link().await;
        let bytes = garbage(&mut seed, &login, &link);
        // The server may close while this is still being written.
        link.try_write_bytes(&bytes).await;
        chat.goes_on().await;
    }
    server.login("mallory").connect().await.ping().await;
}

#[tokio::test]
async fn garbage_after_a_login_disturbs_nobody() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    server.register("mallory", 0, 0).await;
    let mut seed = Seed::from_env();
    for round in 0..40 {
        let over = if round % 2 == 0 { Tcp } else { Ws };
        let mut mallory = server.login("mallory").over(over).connect().await;
        let len = seed.within(1..3000);
        let mut noise = seed.bytes(len);
        if round % 3 == 0 {
            noise[0] = 0x30 | (noise[0] & 0x0f);
        }
        mallory.link().try_write_bytes(&noise).await;
        chat.goes_on().await;
    }
}

async fn half_open(server: &Server, over: Transport) -> Vec<Link> {
    let mut links = Vec::new();
    for _ in 0..50 {
        let mut link = server.login("mallory").over(over).link().await;
        link.write_bytes(&[0x10]).await;
        links.push(link);
    }
    links
}

#[tokio::test]
async fn half_open_connections_disturb_nobody_and_end() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let mut links = half_open(&server, Tcp).await;
    links.extend(half_open(&server, Ws).await);
    for _ in 0..20 {
        chat.goes_on().await;
    }
    for link in &mut links {
        assert_eq!(link.closed().await, []);
    }
    chat.goes_on().await;
}

/// The port speaks WebSocket, but not everybody who connects does.
#[tokio::test]
async fn connections_that_never_become_websockets_end() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let addr = server.listeners().wukong_ws.clone();
    let beginnings: [&[u8]; 5] = [
        b"",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: webso",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x10\x67\x05\x01",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
    ];
    let mut streams = Vec::new();
    for beginning in beginnings {
        let mut stream = TcpStream::connect(&addr).await.expect("a connection");
        stream
            .write_all(beginning)
            .await
            .expect("bytes that are taken");
        streams.push((beginning, stream));
    }
    chat.goes_on().await;
    for (beginning, mut stream) in streams {
        let beginning = String::from_utf8_lossy(beginning);
        let mut answer = Vec::new();
        // A reset is an end as well.
        let _ = within(
            format!("the end after {beginning:?}"),
            stream.read_to_end(&mut answer),
        )
        .await;
    }
    chat.goes_on().await;
}

/// A message that fits into the backend's request may not fit into a client's frame.
#[tokio::test]
async fn what_a_backend_sends_is_delivered_or_refused() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    for kib in [700, 780, 900, 1000] {
        let payload = BASE64_STANDARD.encode(vec![b'x'; kib * 1024]);
        let send = json!({
            "header": {"red_dot": 1}, "from_uid": "carol", "channel_id": "bob", "channel_type": 1,
            "payload": payload,
        });
        let answer = server.wukong_api().post("/message/send", send).await;
        if answer.status == 200 {
            let heard = chat.bob.message().await;
            assert_eq!(
                heard.payload.len(),
                kib * 1024,
                "what is accepted is delivered"
            );
        } else {
            assert!(
                (400..500).contains(&answer.status),
                "{kib} KiB: {}",
                answer.text()
            );
        }
        chat.goes_on().await;
    }
}

/// The sender of a message is who has logged in, whatever else is said.
#[tokio::test]
async fn nobody_can_forge_a_sender() {
    let server = Server::start().await;
    let mut chat = Chat::of(&server).await;
    let payload = json!({"type": 1, "content": "send money", "from_uid": "carol"}).to_string();
    chat.alice
        .accepted(&Outgoing::bytes("bob", 1, payload))
        .await;
    let heard = chat.bob.hears("send money").await.packet;
    assert_eq!(
        (heard.from_uid.as_str(), heard.channel_id.as_str()),
        ("alice", "alice")
    );
    assert_eq!(
        stored(&server, "bob", "alice").await[0]["from_uid"],
        "alice"
    );
    assert_eq!(stored(&server, "bob", "carol").await, Vec::<Value>::new());
}
