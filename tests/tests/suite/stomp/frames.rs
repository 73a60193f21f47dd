//! T2-25, T2-33 to T2-37: frames as such.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{Heard, StompClient, message};
use crosstalk_wire::stomp::Command;
use serde_json::json;

#[tokio::test]
async fn frames_may_be_cut_packed_and_ended_in_any_way() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let send = |id: &str| {
        let sent = message(id, "alice", "x");
        format!("SEND\r\ndestination:/app/chat.send\r\n\r\n{sent}\0")
    };
    let cut = send("m-1");
    for part in [&cut[..7], &cut[7..30], &cut[30..]] {
        alice.say(part).await;
    }
    let packed = format!("\n\r\n{}\n\n{}{}\n", send("m-2"), send("m-3"), send("m-4"));
    alice.say(&packed).await;
    assert!(alice.say_bytes(send("m-5").as_bytes()).await);
    // In the middle of a character.
    let chinese = send("消息");
    let at = chinese.find('消').expect("it is there") + 1;
    assert!(alice.say_bytes(&chinese.as_bytes()[..at]).await);
    assert!(alice.say_bytes(&chinese.as_bytes()[at..]).await);
    for id in ["m-1", "m-2", "m-3", "m-4", "m-5", "消息"] {
        assert_eq!(alice.body("messages").await["id"], id);
    }
}

#[tokio::test]
async fn escapes_are_undone_and_unknown_ones_are_errors() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    alice
        .say("SUBSCRIBE\nid:a\\cb\\\\c\\nd\ndestination:/user/queue\\cx\nreceipt:r\\c1\n\n\0")
        .await;
    alice.receipt("r:1").await;
    alice
        .say("SUBSCRIBE\nid:1\ndestination:/user/queue/a\\tb\n\n\0")
        .await;
    let (error, code) = alice.error().await;
    assert_eq!(error.header("message"), Some("Illegal escape sequence"));
    assert_eq!(code, Some(1002));
}

#[tokio::test]
async fn a_content_length_counts() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let sent = message("m-1", "alice", "x")
        .to_string()
        .replace('x', "a\\u0000b");
    let length = sent.len();
    alice
        .say(&format!(
            "SEND\ndestination:/app/chat.send\ncontent-length:{length}\n\n{sent}\0"
        ))
        .await;
    assert_eq!(alice.body("messages").await["content"], "a\0b");
    // A NUL that is not escaped is a part of the body, which is no JSON then.
    let raw = "{\"content\":\"a\0b\"}";
    let length = raw.len();
    alice
        .say(&format!(
            "SEND\ndestination:/app/chat.send\ncontent-length:{length}\n\n{raw}\0"
        ))
        .await;
    assert_eq!(alice.body("errors").await["message"], "Invalid JSON");
    alice
        .say("SEND\ndestination:/app/chat.send\ncontent-length:3\n\nabcdef\0")
        .await;
    let (error, _) = alice.error().await;
    assert_eq!(error.header("message"), Some("Wrong content-length"));
}

#[tokio::test]
async fn clients_do_not_speak_for_the_broker() {
    let server = Server::start().await;
    server.user_token("bob").await;
    server.group("g_100", &["alice", "bob"]).await;
    let mut bob = StompClient::ready(&server, "bob").await;
    bob.subscribe("topic", "/topic/group/g_100").await;
    for destination in ["/topic/group/g_100", "/queue/x", "/user/bob/queue/messages"] {
        let mut alice = StompClient::connected(&server, "alice").await;
        alice
            .say(&format!("SEND\ndestination:{destination}\n\n{{}}\0"))
            .await;
        let (error, code) = alice.error().await;
        assert_eq!(error.header("message"), Some("Forbidden"), "{destination}");
        assert_eq!(code, Some(1008));
    }
    let heard = bob.heard_so_far().await;
    let messages = heard.iter().filter(|it| it.command == Command::Message);
    let messages: Vec<_> = messages
        .filter(|it| it.header("subscription") != Some("events"))
        .collect();
    assert!(messages.is_empty(), "{messages:?}");
}

#[tokio::test]
async fn a_disconnect_is_receipted_after_everything_before_it() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let sends: String = (0..10)
        .map(|n| {
            let sent = message(&format!("m-{n}"), "alice", "x");
            format!("SEND\ndestination:/app/chat.send\nreceipt:r-{n}\n\n{sent}\0")
        })
        .collect();
    alice
        .say(&format!("{sends}DISCONNECT\nreceipt:bye\n\n\0"))
        .await;
    let mut receipts = Vec::new();
    let code = loop {
        match alice.heard_within(crosstalk_tests::PATIENCE).await {
            Some(Heard::Frame(frame)) if frame.command == Command::Receipt => {
                receipts.push(frame.header("receipt-id").expect("an id").to_owned());
            }
            Some(Heard::Closed(code)) => break code,
            Some(_) => {}
            None => panic!("no close after {receipts:?}"),
        }
    };
    let expected: Vec<_> = (0..10)
        .map(|n| format!("r-{n}"))
        .chain(["bye".to_owned()])
        .collect();
    assert_eq!(receipts, expected);
    assert_eq!(code, Some(1000));
}

#[tokio::test]
async fn a_transaction_is_sent_as_a_whole_or_not_at_all() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    let send = |id: &str| {
        let sent = message(id, "alice", "x");
        format!("SEND\ndestination:/app/chat.send\ntransaction:t\n\n{sent}\0")
    };
    alice
        .say(&format!("BEGIN\ntransaction:t\n\n\0{}", send("no")))
        .await;
    alice.say("ABORT\ntransaction:t\nreceipt:a\n\n\0").await;
    alice.receipt("a").await;
    let both = format!("BEGIN\ntransaction:t\n\n\0{}{}", send("m-1"), send("m-2"));
    alice.say(&both).await;
    alice.say("COMMIT\ntransaction:t\nreceipt:c\n\n\0").await;
    alice.receipt("c").await;
    for id in ["m-1", "m-2"] {
        assert_eq!(alice.body("messages").await["id"], id);
    }
}

#[tokio::test]
async fn what_is_too_large_ends_the_connection_and_nobody_elses() {
    let server = Server::start().await;
    let mut bystander = StompClient::ready(&server, "bob").await;
    let headers: String = (0..10_000).map(|n| format!("h{n}:x\n")).collect();
    let mut alice = StompClient::ready(&server, "alice").await;
    alice
        .say(&format!("SEND\ndestination:/app/chat.send\n{headers}\n\0"))
        .await;
    let (error, _) = alice.error().await;
    assert_eq!(error.header("message"), Some("Too many headers"));
    let mut alice = StompClient::ready(&server, "alice").await;
    let line = "x".repeat(9 * 1024);
    alice
        .say(&format!("SEND\ndestination:/app/chat.send\nh:{line}\n\n\0"))
        .await;
    let (error, _) = alice.error().await;
    assert_eq!(error.header("message"), Some("Header line too long"));
    let mut alice = StompClient::ready(&server, "alice").await;
    let body = vec![b'x'; 10 << 20];
    let mut frame = b"SEND\ndestination:/app/chat.send\n\n".to_vec();
    frame.extend(body);
    // The server may close before all of it is out.
    alice.say_bytes(&frame).await;
    let ends = alice.closed().await;
    assert!(matches!(ends, Some(1009 | 1002) | None), "{ends:?}");
    bystander.text("m-1", "bob", "still here").await;
    bystander.send("chat.nope", &json!({})).await;
    assert_eq!(
        bystander.body("errors").await["message"],
        "Unknown destination"
    );
}

#[tokio::test]
async fn garbage_is_an_illegal_frame() {
    let server = Server::start().await;
    let mut alice = StompClient::ready(&server, "alice").await;
    alice.say("\u{1}\u{2}garbage").await;
    let (error, code) = alice.error().await;
    assert_eq!(error.header("message"), Some("Illegal frame"));
    assert_eq!(code, Some(1002));
}
