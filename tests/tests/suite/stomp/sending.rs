//! T2-13 to T2-21, T2-31: one user writes to another.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{StompClient, body, message};
use serde_json::{Value, json};

/// Members that are the same for author and receiver.
const DOCUMENTED: [&str; 8] = [
    "id",
    "fromId",
    "toId",
    "chatType",
    "msgType",
    "content",
    "status",
    "createdAt",
];

#[tokio::test]
async fn a_message_has_the_documented_members_and_comes_once_to_every_session() {
    let server = Server::start().await;
    let mut author = StompClient::ready(&server, "user_001").await;
    let mut tablet = StompClient::ready(&server, "user_001").await;
    let mut receivers = [
        StompClient::ready(&server, "user_002").await,
        StompClient::ready(&server, "user_002").await,
    ];
    let mut sent = message("m-001", "user_002", "Hello");
    sent["appId"] = json!("default");
    author.done("chat.send", &sent).await;
    // The receipt came after the echo.
    let heard = author.heard_so_far().await;
    let echo: Vec<Value> = heard
        .iter()
        .filter(|it| it.header("subscription") == Some("messages"))
        .map(body)
        .collect();
    let [echo] = &echo[..] else {
        panic!("{echo:?}")
    };
    let [one, other] = &mut receivers;
    for session in [&mut tablet, one, other] {
        let frame = session.message("messages").await;
        assert_eq!(frame.header("destination"), Some("/user/queue/messages"));
        assert_eq!(frame.header("content-type"), Some("application/json"));
        assert!(frame.header("message-id").is_some());
        assert!(frame.header("ack").is_none());
        let shown = body(&frame);
        for member in DOCUMENTED {
            assert_eq!(shown[member], echo[member], "{member}");
        }
        let again = session.heard_so_far().await;
        let messages = again
            .iter()
            .filter(|it| it.header("subscription") == Some("messages"));
        assert_eq!(messages.count(), 0, "it comes once");
    }
    assert_eq!(echo["id"], "m-001");
    assert_eq!(echo["messageId"], "m-001");
    assert_eq!(echo["appId"], "default");
    assert_eq!(
        (&echo["fromId"], &echo["toId"]),
        (&json!("user_001"), &json!("user_002"))
    );
    assert_eq!(
        (&echo["chatType"], &echo["msgType"]),
        (&json!("SINGLE"), &json!("TEXT"))
    );
    assert_eq!(
        (&echo["content"], &echo["status"]),
        (&json!("Hello"), &json!("SENT"))
    );
    assert_eq!(
        echo["createdAt"].as_i64().map(|at| at.to_string().len()),
        Some(13)
    );
    assert_eq!(echo["seq"], 1);
}

#[tokio::test]
async fn what_was_receipted_survives_the_death_of_the_server() {
    let mut server = Server::start().await;
    let mut author = StompClient::ready(&server, "alice").await;
    server.user_token("bob").await;
    author.text("m-1", "bob", "keep this").await;
    server.kill().await;
    server.start_again().await;
    let mut bob = StompClient::ready(&server, "bob").await;
    bob.done("chat.sync", &json!({})).await;
    assert_eq!(bob.body("messages").await["content"], "keep this");
}

#[tokio::test]
async fn a_retry_is_echoed_and_not_delivered_and_another_content_is_refused() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    alice.text("m-1", "bob", "once").await;
    let first = alice.body("messages").await;
    alice.text("m-1", "bob", "once").await;
    let second = alice.body("messages").await;
    assert_eq!(first, second);
    alice
        .send("chat.send", &message("m-1", "bob", "another"))
        .await;
    let failed = alice.body("messages").await;
    assert_eq!(
        (&failed["status"], &failed["errorCode"]),
        (&json!("FAILED"), &json!(409))
    );
    assert_eq!(failed["content"], "another");
    assert_eq!(alice.body("errors").await["code"], 409);
    alice.text("m-2", "bob", "twice").await;
    assert_eq!(bob.body("messages").await["id"], "m-1");
    assert_eq!(bob.body("messages").await["id"], "m-2");
}

#[tokio::test]
async fn without_an_id_there_is_one_of_the_servers() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut sent = message("", "alice", "note");
    alice.done("chat.send", &sent).await;
    sent.as_object_mut().expect("an object").remove("messageId");
    alice.done("chat.send", &sent).await;
    for _ in 0..2 {
        let echo = alice.body("messages").await;
        let id = echo["id"].as_str().expect("an id");
        assert!(
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()),
            "{echo}"
        );
    }
}

#[tokio::test]
async fn nobody_speaks_in_anothers_name() {
    let server = Server::start().await;
    let mut mallory = StompClient::ready(&server, "mallory").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    let mut sent = message("m-1", "bob", "send money");
    sent["fromId"] = json!("alice");
    mallory.done("chat.send", &sent).await;
    assert_eq!(bob.body("messages").await["fromId"], "mallory");
}

#[tokio::test]
async fn the_app_is_the_tokens_or_none_is_named() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    for (id, member) in [("m-1", "appId"), ("m-2", "appKey")] {
        let mut sent = message(id, "alice", "note");
        sent[member] = json!("default");
        alice.done("chat.send", &sent).await;
        assert_eq!(alice.body("messages").await["status"], "SENT");
    }
    let mut sent = message("m-3", "alice", "note");
    sent["appId"] = json!("another");
    alice.send("chat.send", &sent).await;
    let failed = alice.body("messages").await;
    assert_eq!(
        (&failed["status"], &failed["errorCode"]),
        (&json!("FAILED"), &json!(403))
    );
    assert_eq!(failed["id"], "m-3");
}

#[tokio::test]
async fn unknown_receivers_and_wrong_members_fail_and_the_connection_stays() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    alice
        .send("chat.send", &message("m-5", "nobody", "hi"))
        .await;
    let failed = alice.body("messages").await;
    assert_eq!(
        (&failed["errorCode"], &failed["errorMessage"]),
        (&json!(404), &json!("User not found"))
    );
    for member in ["id", "messageId"] {
        assert_eq!(failed[member], "m-5");
    }
    for (member, value) in [
        ("chatType", json!("XXX")),
        ("msgType", Value::Null),
        ("content", Value::Null),
        ("content", json!(5)),
        ("toId", Value::Null),
    ] {
        let mut sent = message("m-6", "alice", "hi");
        sent[member] = value;
        alice.send("chat.send", &sent).await;
        let failed = alice.body("messages").await;
        assert_eq!(
            (&failed["status"], &failed["errorCode"]),
            (&json!("FAILED"), &json!(400))
        );
        assert!(
            failed["errorMessage"]
                .as_str()
                .is_some_and(|why| why.contains(member)),
            "{failed}"
        );
    }
    alice.say("SEND\ndestination:/app/chat.send\n\n{\0").await;
    loop {
        let error = alice.body("errors").await;
        if error["message"] == "Invalid JSON" {
            assert_eq!(error["code"], 400);
            break;
        }
    }
    alice.text("m-7", "alice", "still here").await;
}

#[tokio::test]
async fn types_of_ones_own_and_objects_are_relayed() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let mut bob = StompClient::ready(&server, "bob").await;
    let sent = json!({
        "messageId": "m-1", "toId": "bob", "chatType": "c2c", "msgType": "POKE",
        "content": {"hard": true}, "mentionedUserIds": ["bob"], "extra": {"x": [1, 2.50]},
    });
    alice.done("chat.send", &sent).await;
    let frame = bob.message("messages").await;
    let got = body(&frame);
    assert_eq!(got["msgType"], "POKE");
    assert_eq!(got["content"], r#"{"hard": true}"#.replace(": ", ":"));
    assert_eq!(got["mentionedUserIds"], json!(["bob"]));
    // The author's own bytes, not a rendering of them.
    let text = std::str::from_utf8(&frame.body).expect("JSON");
    assert!(text.contains(r#""extra":{"x":[1,2.5"#), "{text}");
}

#[tokio::test]
async fn too_large_a_message_fails_and_too_large_a_frame_ends_the_connection() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let large = "x".repeat(70 * 1024);
    alice
        .send("chat.send", &message("m-1", "alice", &large))
        .await;
    let failed = alice.body("messages").await;
    assert_eq!(
        (&failed["id"], &failed["errorCode"]),
        (&json!("m-1"), &json!(413))
    );
    alice.text("m-2", "alice", "still here").await;
}
