//! T2-1 to T2-9: from the handshake to CONNECTED, or to the close.

use std::time::Duration;

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{Heard, StompClient};
use crosstalk_wire::stomp::{Command, Version};

#[tokio::test]
async fn the_documented_connect_is_answered_as_documented() {
    let server = Server::start().await;
    let token = server.user_token("user_001").await;
    let mut client = StompClient::open(&server, &format!("?token={token}")).await;
    client
        .say(&format!(
            "CONNECT\naccept-version:1.2\nheart-beat:0,0\nhost:dev.xuqinmin.com\n\
             Authorization:Bearer {token}\n\n\0"
        ))
        .await;
    let connected = client.frame().await;
    assert_eq!(connected.command, Command::Connected);
    assert_eq!(connected.header("version"), Some("1.2"));
    assert_eq!(connected.header("heart-beat"), Some("0,0"));
    assert_eq!(connected.header("user-name"), Some("user_001"));
    assert!(connected.body.is_empty());
}

#[tokio::test]
async fn one_place_for_the_token_is_enough() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    let query = format!("?token={token}");
    let places = [
        (query.as_str(), String::new()),
        ("", format!("Authorization:Bearer {token}\n")),
        ("", format!("Authorization: Bearer {token}\n")),
        ("", format!("passcode:{token}\n")),
        ("", format!("token:{token}\n")),
    ];
    for (query, headers) in places {
        let mut client = StompClient::open(&server, query).await;
        let connected = client.connect(&headers).await;
        assert_eq!(
            connected.header("user-name"),
            Some("alice"),
            "{query} {headers}"
        );
    }
}

#[tokio::test]
async fn without_a_good_token_there_is_the_documented_error() {
    let server = Server::start().await;
    let (alice, bob) = (
        server.user_token("alice").await,
        server.user_token("bob").await,
    );
    let (head, signature) = alice.rsplit_once('.').expect("a token");
    let (_, claims) = head.split_once('.').expect("a token");
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    let forged = format!("{head}.{}", signature.chars().rev().collect::<String>());
    let cases = [
        (String::new(), String::new()),
        (String::new(), format!("Authorization:Bearer {none}\n")),
        (String::new(), format!("Authorization:Bearer {forged}\n")),
        (format!("?token={forged}"), String::new()),
        (
            format!("?token={alice}"),
            format!("Authorization:Bearer {bob}\n"),
        ),
    ];
    for (query, headers) in cases {
        let mut client = StompClient::open(&server, &query).await;
        client
            .say(&format!("CONNECT\naccept-version:1.2\n{headers}\n\0"))
            .await;
        let (error, code) = client.error().await;
        assert_eq!(
            error.header("message"),
            Some("Unauthorized"),
            "{query} {headers}"
        );
        assert_eq!(error.header("content-type"), Some("text/plain"));
        assert_eq!(&error.body[..], b"Unauthorized");
        assert_eq!(code, Some(1008));
    }
}

#[tokio::test]
async fn connect_comes_first_and_once() {
    let server = Server::start().await;
    let mut client = StompClient::open(&server, "").await;
    client.say("SEND\ndestination:/app/chat.send\n\n{}\0").await;
    let (error, _) = client.error().await;
    assert_eq!(error.header("message"), Some("Not connected"));
    let mut client = StompClient::connected(&server, "alice").await;
    client.say("CONNECT\naccept-version:1.2\n\n\0").await;
    let (error, _) = client.error().await;
    assert_eq!(error.header("message"), Some("Already connected"));
}

#[tokio::test]
async fn versions_are_agreed_on() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    for (accept, version) in [("1.0,1.1", "1.1"), ("1.0", "1.0"), ("1.1,1.2", "1.2")] {
        let mut client = StompClient::open(&server, &format!("?token={token}")).await;
        client
            .say(&format!("STOMP\naccept-version:{accept}\n\n\0"))
            .await;
        let connected = client.frame().await;
        assert_eq!(connected.header("version"), Some(version));
        client.set_version(Version::parse(version).expect("a version"));
        client.subscribe_all().await;
        client.text(&format!("m-{version}"), "alice", "note").await;
        assert_eq!(client.body("messages").await["content"], "note");
    }
    let mut client = StompClient::open(&server, &format!("?token={token}")).await;
    client.say("CONNECT\naccept-version:9.9\n\n\0").await;
    let (error, _) = client.error().await;
    assert_eq!(error.header("version"), Some("1.0,1.1,1.2"));
}

#[tokio::test]
async fn subprotocols_are_answered_and_do_not_bind() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    let path = format!("/ws/im?token={token}");
    for (offered, answered) in [
        (Some("v12.stomp"), Some("v12.stomp")),
        (Some("v10.stomp, v11.stomp"), Some("v10.stomp")),
        (None, None),
    ] {
        let mut client = StompClient::open_at(&server, &path, offered).await;
        if offered != Some("v10.stomp, v11.stomp") {
            assert_eq!(client.subprotocol.as_deref(), answered);
        } else {
            assert!(client.subprotocol.is_some());
        }
        let connected = client.connect("").await;
        assert_eq!(connected.header("version"), Some("1.2"));
    }
    let path = format!("/ws/im/websocket?token={token}");
    StompClient::open_at(&server, &path, None)
        .await
        .connect("")
        .await;
    let plain = server.rest().get("/ws/im").await;
    assert_eq!(
        (plain.status, &plain.body[..]),
        (200, &b"Welcome to SockJS!\n"[..])
    );
}

#[tokio::test]
async fn heart_beats_come_as_agreed_and_silence_ends_the_connection() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    let mut client = StompClient::open(&server, &format!("?token={token}")).await;
    client
        .say("CONNECT\naccept-version:1.2\nheart-beat:1000,1000\n\n\0")
        .await;
    assert_eq!(client.frame().await.header("heart-beat"), Some("1000,1000"));
    let patience = Duration::from_secs(15);
    assert_eq!(client.heard_within(patience).await, Some(Heard::Beat));
    // The client says nothing for twice its period.
    let (error, code) = client.error().await;
    assert_eq!(error.header("message"), Some("Session closed."));
    assert_eq!(code, Some(1002));
}

#[tokio::test]
async fn who_wants_no_heart_beats_gets_none_and_stays() {
    let server = Server::start().await;
    let mut client = StompClient::ready(&server, "alice").await;
    let quiet = Duration::from_secs(4);
    assert_eq!(client.heard_within(quiet).await, None);
    client.text("m-1", "alice", "still here").await;
}

#[tokio::test]
async fn the_same_device_takes_its_own_place_and_the_eleventh_that_of_the_oldest() {
    let server = Server::start().await;
    let mut first = StompClient::connected_with(&server, "alice", "deviceId:phone\n").await;
    first.subscribe("events", "/user/queue/events").await;
    let mut silent = StompClient::connected_with(&server, "alice", "deviceId:watch\n").await;
    let mut others = Vec::new();
    for _ in 0..8 {
        others.push(StompClient::connected(&server, "alice").await);
    }
    let _phone = StompClient::connected_with(&server, "alice", "deviceId:phone\n").await;
    let kicked = first.body("events").await;
    assert_eq!(kicked["event"], "KICKED");
    assert_eq!(first.closed().await, Some(1008));
    // Ten sessions now; one more, and the oldest goes.
    let _eleventh = StompClient::connected(&server, "alice").await;
    let (error, _) = silent.error().await;
    assert_eq!(error.header("message"), Some("Session replaced"));
    others[0].subscribe_all().await;
}
