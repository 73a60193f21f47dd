//! The JavaScript SDK as applications use it: nothing here is ours but the server.

use std::time::Duration;

use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::{JsPeer, Server};
use serde_json::{Value, json};

const DIRECT: u8 = 1;
const GROUP: u8 = 2;
const TEXT: &str = "你好，世界！“引号” 👨‍👩‍👧‍👦🎉 \u{1F1E8}\u{1F1F3} naïve";

/// The SDK's connection statuses.
const DISCONNECTED: u8 = 0;
const CONNECTED: u8 = 1;
const FAILED: u8 = 3;
const KICKED: u8 = 4;

#[tokio::test]
async fn two_sdks_chat_in_chinese_and_emoji() {
    let server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;

    let ack = alice.send("bob", DIRECT, TEXT).await;
    assert_eq!(
        (&ack["reasonCode"], &ack["messageSeq"]),
        (&json!(1), &json!(1))
    );
    let heard = bob.hears(TEXT).await;
    assert_eq!(heard["fromUID"], "alice");
    assert_eq!(
        (&heard["channelID"], &heard["channelType"]),
        (&json!("alice"), &json!(DIRECT))
    );
    assert_eq!(
        (&heard["messageID"], &heard["messageSeq"]),
        (&ack["messageID"], &json!(1))
    );
    assert_eq!(heard["redDot"], true);
    assert_eq!(heard["timestamp"].to_string().len(), 10, "seconds: {heard}");

    let back = bob.send("alice", DIRECT, "收到 👌").await;
    assert_eq!(
        (&back["reasonCode"], &back["messageSeq"]),
        (&json!(1), &json!(2))
    );
    alice.hears("收到 👌").await;
}

#[tokio::test]
async fn a_group_chats() {
    let server = Server::start().await;
    let uids = ["alice", "bob", "carol"];
    server.group("g1", &uids).await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    let mut carol = JsPeer::connect(&server, "carol").await;

    alice.send("g1", GROUP, "大家好").await;
    for peer in [&mut bob, &mut carol] {
        let heard = peer.hears("大家好").await;
        assert_eq!(
            (&heard["channelID"], &heard["channelType"]),
            (&json!("g1"), &json!(GROUP))
        );
        assert_eq!(
            (&heard["fromUID"], &heard["messageSeq"]),
            (&json!("alice"), &json!(1))
        );
    }
    let ack = carol.send("g1", GROUP, "在").await;
    assert_eq!(ack["messageSeq"], 2);
    for peer in [&mut alice, &mut bob] {
        assert_eq!(peer.hears("在").await["fromUID"], "carol");
    }
}

#[tokio::test]
async fn acks_have_growing_seqs_and_ids_of_their_own() {
    let server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut sent = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        sent.push(alice.post("bob", DIRECT, text).await);
    }
    let mut ids = Vec::new();
    for (at, client_seq) in sent.iter().enumerate() {
        let ack = alice.ack_of(client_seq).await;
        assert_eq!(
            (&ack["reasonCode"], &ack["messageSeq"]),
            (&json!(1), &json!(at + 1))
        );
        let id: u64 = ack["messageID"]
            .as_str()
            .and_then(|id| id.parse().ok())
            .expect("decimal");
        ids.push(id);
    }
    assert!(ids.is_sorted_by(|before, after| before < after), "{ids:?}");
}

/// The SDK 1.0.4 loses all but the first packet of a WebSocket message that holds several.
#[tokio::test]
async fn a_burst_reaches_the_sdk_whole() {
    let server = Server::start().await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    let mut alice = server.client("alice").await;
    for at in 0..200 {
        alice.post(&Outgoing::direct("bob", &at.to_string())).await;
    }
    for at in 0..200 {
        let heard = bob.hears(&at.to_string()).await;
        assert_eq!(heard["messageSeq"], at + 1);
    }
}

/// A large message comes in several WebSocket frames; what follows it comes whole, too. (The
/// SDK itself fails at some 100 KiB: it decodes on the stack.)
#[tokio::test]
async fn a_large_message_reaches_the_sdk_whole() {
    let server = Server::start().await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    let mut alice = server.client("alice").await;
    let large = "字".repeat(10_000);
    alice.post(&Outgoing::direct("bob", &large)).await;
    alice.post(&Outgoing::direct("bob", "small")).await;
    assert_eq!(bob.hears(&large).await["messageSeq"], 1);
    assert_eq!(bob.hears("small").await["messageSeq"], 2);
}

#[tokio::test]
async fn content_of_any_type_arrives_as_it_was_sent() {
    let server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    let image = json!({
        "type": 2, "url": "http://files/一.png", "width": 100, "height": 200, "localPath": "/tmp/a",
    });
    let custom = json!({"type": 101, "n": {"deep": [1, 2.5, null, "字"]}, "flag": true});
    for content in [image, custom] {
        alice
            .ask(json!({"cmd": "send", "to": "bob", "type": 1, "content": content}))
            .await;
        let heard = bob.message().await;
        assert_eq!(heard["content"], content);
    }
}

#[tokio::test]
async fn a_command_from_the_backend_reaches_the_command_listener() {
    let server = Server::start().await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    // base64 of {"type":99,"cmd":"hello","param":{"a":1}}
    let payload = "eyJ0eXBlIjo5OSwiY21kIjoiaGVsbG8iLCJwYXJhbSI6eyJhIjoxfX0=";
    let send = json!({
        "header": {"no_persist": 0, "red_dot": 0, "sync_once": 1},
        "from_uid": "alice", "channel_id": "bob", "channel_type": 1, "payload": payload,
    });
    server.wukong_ok("/message/send", send).await;
    let command = bob
        .expect("a command", |event| event["event"] == "cmd")
        .await;
    assert_eq!(
        (&command["cmd"], &command["syncOnce"]),
        (&json!("hello"), &json!(true))
    );
    assert_eq!(command["param"]["a"], 1);
    let conversations = bob.conversations().await;
    assert_eq!(
        conversations,
        Vec::<Value>::new(),
        "a command makes no conversation"
    );
}

#[tokio::test]
async fn who_comes_and_goes_reaches_the_command_listener() {
    let server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    // Whoever talks with somebody is told.
    bob.send("alice", DIRECT, TEXT).await;
    alice.hears(TEXT).await;
    bob.ask(json!({"cmd": "disconnect"})).await;
    let tells = |event: &Value, online: u8| {
        let param = &event["param"];
        event["cmd"] == "onlineStatus" && param["uid"] == "bob" && param["online"] == online
    };
    let gone = alice.expect("that bob has gone", |event| tells(event, 0));
    let gone = gone.await;
    assert_eq!(
        (&gone["event"], &gone["syncOnce"], &gone["noPersist"]),
        (&json!("cmd"), &json!(true), &json!(true))
    );
    let _bob = JsPeer::connect(&server, "bob").await;
    let come = alice.expect("that bob has come", |event| tells(event, 1));
    come.await;
}

#[tokio::test]
async fn a_second_master_login_kicks_the_first() {
    let server = Server::start().await;
    let token = server.register("alice", 1, 1).await;
    let mut bob = server.client("bob").await;
    let mut first = JsPeer::start("alice").await;
    first.log_in(&server, &token).await;
    first.expect_status(CONNECTED, 1).await;

    let mut second = JsPeer::start("alice").await;
    second.log_in(&server, &token).await;
    second.expect_status(CONNECTED, 1).await;
    first.expect_status(KICKED, 12).await;

    bob.accepted(&Outgoing::direct("alice", "谁在？")).await;
    second.hears("谁在？").await;
    // wait: the SDK would open a new connection 3 s after the end of a kicked one
    tokio::time::sleep(Duration::from_millis(3500)).await;
    first.conversations().await;
    assert_eq!(first.sockets_opened(), 1, "what was kicked stays away");
    second.send("bob", DIRECT, "我").await;
    bob.hears("我").await;
}

#[tokio::test]
async fn a_wrong_token_is_told_at_once_and_for_good() {
    let server = Server::start().await;
    server.register("alice", 1, 0).await;
    let mut alice = JsPeer::start("alice").await;
    alice.log_in(&server, "not the token").await;
    alice.expect_status(FAILED, 2).await;
    // wait: the SDK would open a new connection 3 s after a close that it was not told about
    tokio::time::sleep(Duration::from_millis(3500)).await;
    alice.ask(json!({"cmd": "disconnect"})).await;
    assert_eq!(alice.sockets_opened(), 1, "no reconnect loop");
}

#[tokio::test]
async fn sdks_reconnect_by_themselves_after_a_restart() {
    let mut server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    let mut bob = JsPeer::connect(&server, "bob").await;
    alice.send("bob", DIRECT, "before").await;
    bob.hears("before").await;

    server.restart().await;
    for peer in [&mut alice, &mut bob] {
        peer.expect_status(DISCONNECTED, 0).await;
        peer.expect_status(CONNECTED, 1).await;
    }
    let ack = alice.send("bob", DIRECT, "after").await;
    assert_eq!(
        (&ack["reasonCode"], &ack["messageSeq"]),
        (&json!(1), &json!(2))
    );
    bob.hears("after").await;
    bob.send("alice", DIRECT, "still here").await;
    alice.hears("still here").await;
}

#[tokio::test]
async fn what_an_sdk_sends_while_the_server_is_down_arrives_once() {
    let mut server = Server::start().await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    server.register("bob", 0, 0).await;
    alice.send("bob", DIRECT, "one").await;

    server.kill().await;
    alice.expect_status(DISCONNECTED, 0).await;
    let waiting = alice.post("bob", DIRECT, "two").await;
    server.start_again().await;
    let ack = alice.ack_of(&waiting).await;
    assert_eq!(
        (&ack["reasonCode"], &ack["messageSeq"]),
        (&json!(1), &json!(2))
    );
    alice.send("bob", DIRECT, "three").await;

    let mut bob = JsPeer::connect(&server, "bob").await;
    let history = bob.history("alice", DIRECT, 30).await;
    let texts: Vec<_> = history.iter().map(|message| &message["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

#[tokio::test]
async fn history_and_conversations_are_there_after_a_restart() {
    let mut server = Server::start().await;
    server.group("g1", &["alice", "bob"]).await;
    let mut alice = JsPeer::connect(&server, "alice").await;
    for at in 1..=25 {
        alice.send("bob", DIRECT, &format!("第{at}条")).await;
    }
    alice.send("g1", GROUP, "群里").await;
    drop(alice);
    server.restart().await;

    let mut bob = JsPeer::connect(&server, "bob").await;
    let history = bob.history("alice", DIRECT, 20).await;
    let seqs: Vec<_> = history
        .iter()
        .filter_map(|it| it["messageSeq"].as_u64())
        .collect();
    assert_eq!(seqs, (6..=25).collect::<Vec<_>>());
    for (message, at) in history.iter().zip(6..) {
        assert_eq!(message["text"], format!("第{at}条"));
        assert_eq!(
            (&message["fromUID"], &message["channelID"]),
            (&json!("alice"), &json!("alice"))
        );
    }
    let conversations = bob.conversations().await;
    let mut seen: Vec<_> = conversations
        .iter()
        .map(|it| (&it["channelID"], &it["unread"]))
        .collect();
    seen.sort_by_key(|(channel, _)| channel.to_string());
    assert_eq!(
        seen,
        [(&json!("alice"), &json!(25)), (&json!("g1"), &json!(1))]
    );
}
