//! What waits, history, totals, reading (T4-18 to T4-24, T4-27).

use crosstalk_tests::Server;
use crosstalk_tests::gyyx::{GyyxClient, code, frame};
use serde_json::{Value, json};

/// Three messages wait for 48058.
async fn three_waiting() -> (Server, GyyxClient, GyyxClient) {
    let server = Server::start().await;
    server.user_token("48058").await;
    let mut alice = server.gyyx("48057").await;
    for text in ["one", "two", "three"] {
        alice.send("48058", text).await;
    }
    let bob = server.gyyx("48058").await;
    (server, alice, bob)
}

async fn total(client: &mut GyyxClient, more: Value) -> String {
    client.ask(180, more).await;
    let total = client.hear(180).await;
    total["message"].as_str().expect("a number").to_owned()
}

/// T4-18, T4-19.
#[tokio::test]
async fn what_waits_comes_when_it_is_asked_for() {
    let (_server, mut alice, mut bob) = three_waiting().await;
    assert_eq!(bob.so_far().await, [Value::Null; 0], "nothing by itself");
    bob.say(&frame(102, "q1", json!({}))).await;
    let waiting = bob.list(102).await;
    assert_eq!(super::texts(&waiting), ["one", "two", "three"]);
    assert!(
        waiting
            .iter()
            .all(|frame| code(frame) == 140 && frame["unique"] == "q1")
    );
    alice.expect_friends();
    alice.hear(200).await;
    alice.ask(102, json!({})).await;
    assert_eq!(alice.list(102).await, [Value::Null; 0]);
}

/// T4-20, T4-21.
#[tokio::test]
async fn viewing_reads_everything_of_a_peer_and_the_peer_is_told() {
    let (server, mut alice, mut bob) = three_waiting().await;
    let mut carol = server.gyyx("carol").await;
    carol.send("48058", "me too").await;
    bob.hear(140).await;
    assert_eq!(total(&mut bob, json!({})).await, "4");
    assert_eq!(
        total(&mut bob, json!({"receiveUserId": "48057"})).await,
        "3"
    );
    bob.say(&frame(160, "v1", json!({"receiveUserId": "48057"})))
        .await;
    let shown = bob.list(160).await;
    assert_eq!(super::texts(&shown), ["three", "two", "one"]);
    assert!(
        shown
            .iter()
            .all(|frame| code(frame) == 162 && frame["unique"] == "v1")
    );
    let told = alice.hear(199).await;
    assert_eq!(
        (&told["userId"], &told["receiveUserId"]),
        (&json!("48058"), &json!("48057"))
    );
    assert_eq!(total(&mut bob, json!({})).await, "1");
    assert_eq!(
        total(&mut bob, json!({"receiveUserId": "48057"})).await,
        "0"
    );
    bob.ask(160, json!({"receiveUserId": "nobody-there"})).await;
    bob.hear(10).await;
}

/// T4-22, T4-23.
#[tokio::test]
async fn history_comes_by_pages_newest_first() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let mut expected = Vec::new();
    for n in 0..25 {
        let text = format!("t{n}");
        let from = if n % 2 == 0 { &mut alice } else { &mut bob };
        let to = if n % 2 == 0 { "48058" } else { "48057" };
        from.send(to, &text).await;
        expected.insert(0, text);
    }
    let mut pages = Vec::new();
    for (page, size) in [(1, 10), (2, 10), (3, 5), (4, 0)] {
        let more = json!({"pageIndex": page, "pageSize": "10", "sender": "48058"});
        alice.say(&frame(161, "p", more)).await;
        let list: Vec<Value> = alice
            .list(161)
            .await
            .into_iter()
            .filter(|f| code(f) == 162)
            .collect();
        assert_eq!(list.len(), size, "page {page}");
        assert!(list.iter().all(|frame| frame["unique"] == "p"));
        pages.extend(super::texts(&list).into_iter().map(str::to_owned));
    }
    assert_eq!(pages, expected);
    for (size, count) in [(json!(0), 20), (json!(1000), 25), (json!(null), 20)] {
        alice
            .ask(161, json!({"sender": "48058", "pageSize": size}))
            .await;
        assert_eq!(alice.list(161).await.len(), count, "{size}");
    }
    alice
        .ask(161, json!({"sender": "48058", "pageSize": "abc"}))
        .await;
    alice.hear(10).await;
    alice.ask(161, json!({"sender": "nobody-there"})).await;
    alice.hear(10).await;
}

#[tokio::test]
async fn history_of_all_and_of_what_was_sent() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let mut carol = server.gyyx("carol").await;
    alice.send("48058", "a1").await;
    bob.send("48057", "b1").await;
    alice.send("carol", "a2").await;
    carol.send("48057", "c1").await;
    for _ in 0..2 {
        alice.hear(140).await;
    }
    let expected = [
        (json!({}), vec!["c1", "a2", "b1", "a1"]),
        (json!({"pageIndex": 2, "pageSize": 3}), vec!["a1"]),
        (json!({"sender": "48057"}), vec!["a2", "a1"]),
        (
            json!({"sender": "48057", "pageIndex": 2, "pageSize": 1}),
            vec!["a1"],
        ),
    ];
    for (more, texts) in expected {
        alice.ask(161, more.clone()).await;
        assert_eq!(super::texts(&alice.list(161).await), texts, "{more}");
    }
}

/// T4-24.
#[tokio::test]
async fn a_new_device_gets_the_newest_of_each_conversation_once() {
    let (server, _alice, mut bob) = three_waiting().await;
    let mut carol = server.gyyx("carol").await;
    carol.send("48058", "hi").await;
    bob.hear(140).await;
    let on = |device: &str| json!({"deviceId": device});
    bob.ask(20, on("d-1")).await;
    bob.hear(21).await;
    let first = [bob.any().await, bob.any().await];
    assert!(first.iter().all(|frame| code(frame) == 1170), "{first:?}");
    assert_eq!(super::texts(&first), ["hi", "three"]);
    let mut again = server.gyyx("48058").await;
    again.ask(20, on("d-1")).await;
    again.hear(21).await;
    again.ask(102, json!({})).await;
    let list = again.list(102).await;
    assert!(list.iter().all(|frame| code(frame) == 140), "{list:?}");
    let url = format!("{}&first=1", server.gyyx_url("48058").await);
    let mut at_once = GyyxClient::open(&url).await;
    assert_eq!(code(&at_once.any().await), 101);
    for _ in 0..2 {
        assert_eq!(code(&at_once.any().await), 1170);
    }
}

/// T4-27.
#[tokio::test]
async fn reading_is_told_to_the_reader_and_to_the_author() {
    let (_server, mut alice, mut bob) = three_waiting().await;
    bob.ask(102, json!({})).await;
    let waiting = bob.list(102).await;
    let second = &waiting[1]["messageId"];
    let more = json!({"messageId": second, "receiveUserId": "48057"});
    bob.say(&frame(198, "d1", more)).await;
    let received = bob.any().await;
    assert_eq!(
        (code(&received), &received["receiveMsgType"]),
        (30, &json!(198))
    );
    let done = bob.any().await;
    assert_eq!((code(&done), &done["unique"]), (199, &json!("d1")));
    let told = alice.hear(199).await;
    assert_eq!(
        (&told["userId"], &told["receiveUserId"]),
        (&json!("48058"), &json!("48057"))
    );
    assert_eq!(&told["messageId"], second);
    assert_eq!(
        total(&mut bob, json!({})).await,
        "1",
        "that one and all before it"
    );
    bob.say(&frame(198, "d2", json!({"receiveUserId": "48057"})))
        .await;
    bob.hear(199).await;
    assert_eq!(alice.hear(199).await["messageId"], waiting[2]["messageId"]);
    assert_eq!(total(&mut bob, json!({})).await, "0");
    for unknown in [
        json!({"messageId": "no-such"}),
        json!({"receiveUserId": "nobody-there"}),
    ] {
        bob.ask(198, unknown).await;
        bob.hear(10).await;
    }
}

#[tokio::test]
async fn settings_change_how_lists_come() {
    let settings = [
        "gyyx.list=array",
        "gyyx.view_reply=false",
        "gyyx.ack30=minimal",
    ];
    let server = Server::start_with(&settings).await;
    let (mut alice, mut bob) = super::two(&server).await;
    for text in ["one", "two"] {
        alice
            .ask(130, json!({"receiveUserId": "48058", "message": text}))
            .await;
        assert_eq!(code(&alice.any().await), 131, "no 30");
        bob.hear(140).await;
    }
    bob.ask(102, json!({})).await;
    let [array] = &bob.list(102).await[..] else {
        panic!("one frame")
    };
    let array: Vec<Value> =
        serde_json::from_str(array["message"].as_str().expect("a text")).expect("an array");
    assert_eq!(super::texts(&array), ["one", "two"]);
    bob.ask(160, json!({"receiveUserId": "48057"})).await;
    assert_eq!(bob.list(160).await, [Value::Null; 0]);
}

/// What the server says itself is a conversation with SYSTEM: counted, shown and read.
#[tokio::test]
async fn what_the_server_says_can_be_read() {
    let server = Server::start().await;
    let mut bob = server.gyyx("48058").await;
    let said = json!({"to": {"kind": "direct", "id": "48058"}, "content": {"type": "text", "text": "维护"}});
    for _ in 0..2 {
        server.admin().post("/v1/messages", said.clone()).await.ok();
        assert_eq!(bob.hear(140).await["userId"], "SYSTEM");
    }
    let system = json!({"receiveUserId": "SYSTEM"});
    assert_eq!(total(&mut bob, system.clone()).await, "2");
    bob.ask(161, json!({"sender": "SYSTEM"})).await;
    assert_eq!(super::texts(&bob.list(161).await), ["维护", "维护"]);
    bob.ask(160, system.clone()).await;
    assert_eq!(super::texts(&bob.list(160).await), ["维护", "维护"]);
    assert_eq!(total(&mut bob, json!({})).await, "0");
    server.admin().post("/v1/messages", said).await.ok();
    let id = bob.hear(140).await["messageId"].clone();
    bob.ask(198, json!({"receiveUserId": "SYSTEM", "messageId": id}))
        .await;
    bob.hear(30).await;
    bob.hear(199).await;
    assert_eq!(total(&mut bob, system).await, "0");
}

/// T4-24, where the newest was recalled: the one before it.
#[tokio::test]
async fn a_new_device_is_not_told_what_was_recalled() {
    let (_server, mut alice, mut bob) = three_waiting().await;
    alice.expect_friends();
    alice.hear(200).await;
    let id = alice.send("48058", "oops").await["messageId"].clone();
    alice.ask(190, json!({"messageId": id})).await;
    alice.hear(30).await;
    alice.hear(191).await;
    bob.hear(140).await;
    bob.hear(192).await;
    bob.ask(20, json!({"deviceId": "new"})).await;
    bob.hear(21).await;
    assert_eq!(bob.hear(1170).await["message"], "three");
}
