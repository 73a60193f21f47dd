//! Sending, acknowledging, recalling (T4-8 to T4-12, T4-15 to T4-17, T4-25, T4-26).

use crosstalk_tests::gyyx::{GyyxClient, code, frame};
use crosstalk_tests::{Server, eventually};
use serde_json::{Value, json};

/// T4-8.
#[tokio::test]
async fn a_message_is_answered_with_30_and_131_and_arrives_as_140() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let more = json!({
        "receiveUserId": "48058", "message": "你好 👋 \u{10348}\n\"q\"", "contentType": 1,
        "receiveSign": "1.x", "mark": {"k": 1}, "deviceId": "d-1", "userId": "48057",
    });
    alice.say(&frame(130, "s1", more.clone())).await;
    let received = alice.any().await;
    assert_eq!(
        (code(&received), &received["receiveMsgType"]),
        (30, &json!(130))
    );
    let sent = alice.any().await;
    assert_eq!((code(&sent), &sent["unique"]), (131, &json!("s1")));
    let id = sent["messageId"].as_str().expect("an id");
    assert!(id.parse::<i64>().is_ok_and(|id| id > 0), "{id}");
    assert_eq!(sent["message"], more["message"]);
    let pushed = bob.any().await;
    assert_eq!((code(&pushed), &pushed["messageId"]), (140, &json!(id)));
    assert_eq!(
        (&pushed["userId"], &pushed["receiveUserId"]),
        (&json!("48057"), &json!("48058"))
    );
    assert_eq!(
        (&pushed["message"], &pushed["unique"]),
        (&more["message"], &json!("s1"))
    );
    assert_eq!(
        (&pushed["mark"], &pushed["deviceId"]),
        (&more["mark"], &json!("d-1"))
    );
    assert_eq!(pushed["sendTime"], sent["sendTime"]);
    assert_eq!(
        alice.so_far().await,
        [Value::Null; 0],
        "no copy for the sender"
    );
}

/// T4-9. That it comes three times at most, is tested where time can be held.
#[tokio::test]
async fn what_is_not_acknowledged_comes_again() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let first = alice.send("48058", "one").await;
    bob.hear(140).await;
    bob.ask(141, json!({"messageId": first["messageId"]})).await;
    let second = alice.send("48058", "two").await;
    for _ in 0..2 {
        let pushed = bob.any().await;
        assert_eq!(pushed["messageId"], second["messageId"], "{pushed}");
    }
    bob.ask(141, json!({"messageId": second["messageId"]}))
        .await;
}

/// T4-10.
#[tokio::test]
async fn the_same_unique_and_content_is_the_same_message() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let asked = frame(
        130,
        "s1",
        json!({"receiveUserId": "48058", "message": "once"}),
    );
    let mut ids = Vec::new();
    for _ in 0..3 {
        alice.say(&asked).await;
        assert_eq!(code(&alice.any().await), 30);
        ids.push(alice.hear(131).await["messageId"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    alice.send("48058", "marker").await;
    assert_eq!(bob.any().await["message"], "once");
    assert_eq!(bob.any().await["message"], "marker");
}

/// Q4-10.
#[tokio::test]
async fn a_client_may_name_its_message_if_the_name_is_free() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    for (unique, name, is_kept) in [
        ("s1", "m-1", true),
        ("s2", "m-1", false),
        ("s3", "a b", false),
    ] {
        let more = json!({"receiveUserId": "48058", "message": unique, "messageId": name});
        alice.say(&frame(130, unique, more)).await;
        let sent = alice.hear(131).await;
        assert_eq!(sent["messageId"] == name, is_kept, "{sent}");
        let pushed = bob.any().await;
        assert_eq!(
            (&pushed["unique"], &pushed["messageId"]),
            (&json!(unique), &sent["messageId"])
        );
    }
    // A retry is answered like the first time, whatever it is called now.
    let again = json!({"receiveUserId": "48058", "message": "s1"});
    alice.say(&frame(130, "s1", again)).await;
    assert_eq!(alice.hear(131).await["messageId"], "m-1");
    bob.ask(198, json!({"messageId": "m-1"})).await;
    assert_eq!(bob.hear(199).await["messageId"], "m-1");
    alice.ask(190, json!({"messageId": "m-1"})).await;
    assert_eq!(alice.hear(191).await["messageId"], "m-1");
    assert_eq!(bob.hear(192).await["messageId"], "m-1");
}

/// T4-11, T4-12, T4-15.
#[tokio::test]
async fn incomplete_and_forged_messages_are_a_10() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    for more in [
        json!({"message": "x"}),
        json!({"receiveUserId": "48058"}),
        json!({"receiveUserId": "48058", "message": "x", "unique": ""}),
        json!({"receiveUserId": "nobody-there", "message": "x"}),
        json!({"receiveUserId": "group:nowhere", "message": "x"}),
        json!({"receiveUserId": "a b", "message": "x"}),
        json!({"receiveUserId": "48058", "message": "x", "userId": "48058"}),
        json!({"receiveUserId": "48058", "message": "x".repeat(33 << 10)}),
    ] {
        alice.say(&frame(130, "e1", more.clone())).await;
        let refused = alice.any().await;
        assert_eq!(code(&refused), 10, "{more}");
        let unique = more.get("unique").cloned().unwrap_or(json!("e1"));
        assert_eq!(refused["unique"], unique);
    }
    alice.send("48058", "marker").await;
    assert_eq!(bob.any().await["message"], "marker");
}

/// T4-16, T4-17.
#[tokio::test]
async fn who_sends_by_the_prose_is_written_to_by_the_prose() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    alice
        .ask(30, json!({"receiveUserId": "48058", "message": "x"}))
        .await;
    assert_eq!(alice.hear(30).await["receiveMsgType"], 30);
    alice.hear(131).await;
    assert_eq!(code(&bob.any().await), 140);
    let sent = bob.send("48057", "back").await;
    let pushed = alice.any().await;
    assert_eq!(
        (code(&pushed), &pushed["messageId"]),
        (40, &sent["messageId"])
    );
    alice
        .ask(141, json!({"messageId": sent["messageId"]}))
        .await;
    bob.send("48057", "more").await;
    let pushed = alice.any().await;
    assert_eq!(code(&pushed), 40);
    alice
        .say(&frame(
            31,
            pushed["unique"].as_str().expect("an id"),
            json!({"receiveMsgType": 40}),
        ))
        .await;
    // Neither comes again while a third does.
    bob.send("48057", "third").await;
    for _ in 0..2 {
        assert_eq!(alice.any().await["message"], "third");
    }
}

#[tokio::test]
async fn the_url_may_say_the_profile() {
    let server = Server::start().await;
    let mut bob = server.gyyx("48058").await;
    let url = format!("{}&codes=prose", server.gyyx_url("48057").await);
    let mut alice = GyyxClient::open(&url).await;
    assert_eq!(code(&alice.any().await), 101);
    bob.send("48057", "x").await;
    assert_eq!(code(&alice.any().await), 40);
}

/// T4-25.
#[tokio::test]
async fn a_recalled_message_is_gone_for_everybody() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let sent = alice.send("48058", "secret").await;
    bob.hear(140).await;
    let more = json!({"messageId": sent["messageId"], "receiveUserId": "48058", "retractTime": 5});
    alice.say(&frame(190, "r1", more)).await;
    let received = alice.any().await;
    assert_eq!(
        (code(&received), &received["receiveMsgType"]),
        (30, &json!(190))
    );
    let done = alice.any().await;
    assert_eq!((code(&done), &done["unique"]), (191, &json!("r1")));
    let told = bob.any().await;
    assert_eq!((code(&told), &told["userId"]), (192, &json!("48057")));
    for frame in [&done, &told] {
        assert_eq!(
            (&frame["messageId"], &frame["message"]),
            (&sent["messageId"], &json!(""))
        );
    }
    for client in [&mut alice, &mut bob] {
        client.ask(161, json!({})).await;
        assert_eq!(client.list(161).await, [Value::Null; 0]);
    }
    assert_eq!(alice.so_far().await, [Value::Null; 0], "no second 191");
}

/// What waits and is recalled, does not come at all.
#[tokio::test]
async fn what_was_recalled_before_it_was_fetched_does_not_come() {
    let server = Server::start().await;
    server.user_token("48058").await;
    let mut alice = server.gyyx("48057").await;
    let sent = alice.send("48058", "secret").await;
    alice.send("48058", "kept").await;
    alice
        .ask(190, json!({"messageId": sent["messageId"]}))
        .await;
    alice.hear(191).await;
    let mut bob = server.gyyx("48058").await;
    bob.ask(102, json!({})).await;
    let mut waiting = bob.list(102).await;
    // That something was recalled, they may be told.
    waiting.retain(|frame| code(frame) == 140);
    assert_eq!(super::texts(&waiting), ["kept"]);
}

/// T4-26.
#[tokio::test]
async fn late_and_foreign_recalls_are_a_10() {
    let server = Server::start_with(&["im.revoke_window_secs=1"]).await;
    let (mut alice, mut bob) = super::two(&server).await;
    let sent = alice.send("48058", "x").await;
    let id = &sent["messageId"];
    bob.hear(140).await;
    bob.ask(190, json!({"messageId": id})).await;
    bob.hear(10).await;
    for unknown in ["12345", "no-such-name"] {
        alice.ask(190, json!({"messageId": unknown})).await;
        alice.hear(10).await;
    }
    let sent_ms = sent["sendTime"].as_i64().expect("a time");
    eventually("the time for recalling to pass", async || {
        (super::server_ms(&mut alice).await > sent_ms + 1_000).then_some(())
    })
    .await;
    alice.ask(190, json!({"messageId": id})).await;
    alice.hear(10).await;
    bob.ask(161, json!({"sender": "48057"})).await;
    assert_eq!(super::texts(&bob.list(161).await), ["x"]);
}

#[tokio::test]
async fn groups_are_written_to_by_their_prefix_or_their_bare_id() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    server.group("g1", &["48057", "48058"]).await;
    let mut carol = server.gyyx("carol").await;
    for to in ["group:g1", "g1"] {
        alice.send(to, to).await;
        let pushed = bob.any().await;
        assert_eq!(
            (&pushed["receiveUserId"], &pushed["userId"]),
            (&json!("group:g1"), &json!("48057"))
        );
    }
    let newest = alice.send("group:g1", "read me").await;
    let id = &newest["messageId"];
    bob.hear(140).await;
    bob.ask(198, json!({"messageId": id, "receiveUserId": "group:g1"}))
        .await;
    bob.hear(30).await;
    bob.hear(199).await;
    let told = alice.hear(199).await;
    assert_eq!((&told["userId"], &told["messageId"]), (&json!("48058"), id));
    assert_eq!(told["receiveUserId"], "group:g1");
    carol
        .ask(
            130,
            json!({"receiveUserId": "group:g1", "message": "let me in"}),
        )
        .await;
    carol.hear(10).await;
    bob.ask(161, json!({"sender": "group:g1"})).await;
    assert_eq!(
        super::texts(&bob.list(161).await),
        ["read me", "g1", "group:g1"]
    );
    carol.ask(161, json!({"sender": "group:g1"})).await;
    carol.hear(10).await;
}

/// The receiver's clients are told, and here they are the sender's.
#[tokio::test]
async fn a_note_to_oneself_arrives_on_all_connections() {
    let server = Server::start().await;
    let mut here = server.gyyx("48057").await;
    let mut there = server.gyyx("48057").await;
    let id = here.send("48057", "milk").await["messageId"].clone();
    for client in [&mut here, &mut there] {
        let pushed = client.hear(140).await;
        assert_eq!(
            (&pushed["messageId"], &pushed["message"]),
            (&id, &json!("milk"))
        );
        assert_eq!(
            (&pushed["userId"], &pushed["receiveUserId"]),
            (&json!("48057"), &json!("48057"))
        );
    }
}
