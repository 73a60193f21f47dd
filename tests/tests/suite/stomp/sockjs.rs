//! T2-38: the same over SockJS, by each transport (stomp.md Q2-27).

mod client;

use crosstalk_tests::stomp::{StompClient, message};
use crosstalk_tests::{Server, within};
use crosstalk_wire::stomp::Command;
use serde_json::{Value, json};

use client::{SockJs, Way, http};

/// What breaks in scripts, in JSON, in events and between two pieces.
const NASTY: &str =
    "你好 👋 \"\\ </script>\n\r\n\n\u{0}\u{2028}\u{200d}\u{feff}\u{ffff} data: a[1]";

#[tokio::test]
async fn the_address_says_what_there_is() {
    let server = Server::start().await;
    let rest = server.rest();
    let greeting = rest.get("/ws/im").await;
    assert_eq!(
        (greeting.status, greeting.text().as_str()),
        (200, "Welcome to SockJS!\n")
    );
    let mut seen = Vec::new();
    for _ in 0..2 {
        let info = rest
            .clone()
            .header("origin", "https://anywhere.example")
            .get("/ws/im/info")
            .await;
        let header = |name| info.headers.get(name).and_then(|it| it.to_str().ok());
        assert_eq!(
            header("content-type"),
            Some("application/json;charset=UTF-8")
        );
        assert_eq!(
            header("cache-control"),
            Some("no-store, no-cache, no-transform, must-revalidate, max-age=0")
        );
        let origin = header("access-control-allow-origin");
        assert_eq!(origin, Some("https://anywhere.example"));
        let mut info = info.ok();
        let entropy = info["entropy"].take();
        assert!(entropy.as_u64().is_some_and(|it| it < 1 << 32), "{entropy}");
        seen.push(entropy);
        assert_eq!(
            info,
            json!({
                "websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": null,
            })
        );
    }
    assert_ne!(seen[0], seen[1]);
    let base = format!("http://{}/ws/im", server.listeners().http);
    let asked = http()
        .request(reqwest::Method::OPTIONS, format!("{base}/0/s/xhr_send"))
        .header("origin", "https://anywhere.example")
        .header("access-control-request-headers", "content-type")
        .send();
    let asked = asked.await.expect("an answer");
    assert_eq!(asked.status().as_u16(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://anywhere.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-headers", "content-type"),
        ("access-control-allow-methods", "OPTIONS, POST"),
        ("access-control-max-age", "31536000"),
        ("cache-control", "public, max-age=31536000"),
    ] {
        assert_eq!(asked.headers()[name], value, "{name}");
    }
    for (path, status) in [
        ("/iframe.html", 200),
        ("/iframe-1.6.1.min.html", 200),
        ("/0/s/websocket", 400),
        ("/websocket", 400),
        ("/0/s/xhr", 405),
        ("/0/s/htmlfile", 500),
        ("/0/s/jsonp?c=a(b)", 500),
        ("/0/a.b/eventsource", 404),
        ("/0//eventsource", 404),
        ("/0/s/unknown", 404),
        ("/unknown", 404),
    ] {
        let answer = rest.get(&format!("/ws/im{path}")).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
}

#[tokio::test]
async fn every_transport_connects_by_token_chats_and_ends() {
    let server = Server::start().await;
    for way in Way::ALL {
        let (alice, bob) = (format!("alice-{way:?}"), format!("bob-{way:?}"));
        // One has the token in its address, the other in CONNECT.
        let mut a = SockJs::ready(&server, way, &alice).await;
        let mut b = SockJs::open(&server, way, "").await;
        let token = server.user_token(&bob).await;
        b.connect(&bob, &format!("Authorization:Bearer {token}\n"))
            .await;

        for (n, text) in ["hi", NASTY, &"大".repeat(20_000)].into_iter().enumerate() {
            let id = format!("{alice}-{n}");
            a.chat(&message(&id, &bob, text), &id).await;
            let (echo, heard) = (a.message().await, b.message().await);
            assert_eq!(echo, heard, "{way:?}");
            assert_eq!(
                (&heard["id"], &heard["fromId"]),
                (&json!(id), &json!(alice))
            );
            assert_eq!(heard["content"], text, "{way:?}");
            assert_eq!(heard["status"], "SENT");
            a.receipt(&id).await;
            b.chat(&message(&format!("{bob}-{n}"), &alice, text), "back")
                .await;
            b.receipt("back").await;
            assert_eq!(b.message().await["content"], text, "{way:?}");
            assert_eq!(a.message().await["fromId"], json!(bob), "{way:?}");
        }

        for client in [&mut a, &mut b] {
            client.say(&["DISCONNECT\nreceipt:bye\n\n\0"]).await;
            client.receipt("bye").await;
            assert_eq!(client.closed().await, 1000, "{way:?}");
        }
    }
}

#[tokio::test]
async fn a_bad_token_is_told_by_every_transport() {
    let server = Server::start().await;
    for way in Way::ALL {
        for query in ["", "token=none.of.ours"] {
            let mut client = SockJs::open(&server, way, query).await;
            client.say(&["CONNECT\naccept-version:1.2\n\n\0"]).await;
            let error = client.stomp().await;
            assert_eq!(error.command, Command::Error, "{way:?}");
            assert_eq!(error.header("message"), Some("Unauthorized"));
            assert_eq!(client.closed().await, 1008, "{way:?}");
        }
    }
}

/// More messages than one response of a stream, or one frame, may carry.
#[tokio::test]
async fn a_crowd_of_messages_comes_in_order_by_every_transport() {
    const COUNT: usize = 300;
    let server = Server::start_with(&["limits.send_rate=0"]).await;
    for way in Way::ALL {
        let name = format!("bob-{way:?}");
        let mut bob = SockJs::ready(&server, way, &name).await;
        let mut alice = StompClient::connected(&server, "alice").await;
        let filler = "x".repeat(1_000);
        for n in 0..COUNT {
            let id = format!("{way:?}-{n}");
            let body = message(&id, &name, &format!("{n} {filler}"));
            alice.send("chat.send", &body).await;
        }
        for n in 0..COUNT {
            let heard = bob.message().await;
            assert_eq!(heard["id"], json!(format!("{way:?}-{n}")));
            assert_eq!(
                heard["content"].as_str().map(str::len),
                Some(filler.len() + 1 + n.to_string().len())
            );
        }
    }
}

#[tokio::test]
async fn a_session_is_received_by_one_and_sent_to_with_care() {
    let server = Server::start().await;
    let mut alice = SockJs::ready(&server, Way::XhrStreaming, "alice").await;
    let second = alice.receive().await.text().await.expect("a text");
    let (_, frame) = second.split_once('\n').expect("a prelude");
    assert_eq!(frame, "c[2010,\"Another connection still open\"]\n");
    for (body, answer) in [
        ("", (500, "Payload expected.")),
        ("{}", (500, "Payload expected.")),
        ("[1]", (500, "Broken JSON encoding.")),
        ("[\"SEND", (500, "Broken JSON encoding.")),
        ("[\"\\ud800\"]", (500, "Broken JSON encoding.")),
        ("[]", (204, "")),
    ] {
        let (status, text) = alice.post(body, "application/json").await;
        assert_eq!((status, text.as_str()), answer, "{body}");
    }
    let large = json!(["x".repeat(1 << 20)]).to_string();
    assert_eq!(alice.post(&large, "text/plain").await.0, 413);
    // All that has changed nothing.
    alice.chat(&message("m-1", "alice", "note"), "done").await;
    assert_eq!(alice.message().await["content"], "note");
    alice.receipt("done").await;
    alice.say(&["DISCONNECT\n\n\0"]).await;
    assert_eq!(alice.closed().await, 1000);
    assert_eq!(
        alice.closed().await,
        1000,
        "whoever asks again hears it, too"
    );
    let gone = alice.post("[\"\\n\"]", "text/plain").await;
    assert_eq!(gone.0, 404);
}

/// The receiving request breaks off, as by a page that is left.
#[tokio::test]
async fn who_leaves_without_a_word_is_gone_and_may_come_again() {
    let server = Server::start().await;
    let token = server.user_token("alice").await;
    for way in [Way::XhrStreaming, Way::EventSource, Way::HtmlFile] {
        let mut alice = SockJs::open(&server, way, &format!("token={token}")).await;
        alice.connect("alice", "").await;
        alice.hang_up();
        let told = within("the end", async {
            loop {
                match alice.closed().await {
                    // The server has not noticed yet.
                    2010 => {}
                    other => return other,
                }
            }
        });
        assert_eq!(told.await, 1002, "{way:?}");
        assert_eq!(alice.post("[\"\\n\"]", "text/plain").await.0, 404);
    }
}

/// What was waiting for the next poll when the client went away was not received.
#[tokio::test]
async fn what_was_not_polled_comes_with_the_next_sync() {
    let server = Server::start().await;
    let token = server.user_token("bob").await;
    let header = "deviceId:browser\n";
    let mut bob = SockJs::open(&server, Way::Xhr, &format!("token={token}")).await;
    bob.connect("bob", header).await;
    let mut alice = StompClient::ready(&server, "alice").await;
    for n in 0..3 {
        alice.text(&format!("m-{n}"), "bob", "are you there?").await;
    }
    // The page is loaded anew; the old session polls no more.
    let mut bob = SockJs::open(&server, Way::Xhr, &format!("token={token}")).await;
    bob.connect("bob", header).await;
    bob.say(&["SEND\ndestination:/app/chat.sync\nreceipt:synced\n\n{}\0"])
        .await;
    let ids: Vec<Value> = [
        bob.message().await,
        bob.message().await,
        bob.message().await,
    ]
    .into_iter()
    .map(|it| it["id"].clone())
    .collect();
    assert_eq!(ids, ["m-0", "m-1", "m-2"]);
    bob.receipt("synced").await;
}
