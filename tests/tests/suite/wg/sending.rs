//! T0-18 to T0-28, T0-37, T0-40 to T0-42: messages, their receivers, and what is refused.

use crosstalk_tests::wg::{WgClient, body, envelope};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::server;

#[tokio::test]
async fn a_text_reaches_its_receiver_as_it_was_written() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let text = "你好 😀\n\"quoted\" \\ \t 𠜎";
    assert_eq!(u1.send("c-2", "u2", text).await, "发送成功");
    let message = u2.message().await;
    assert_eq!(message["type"], 2001);
    assert_eq!(message["id"], "c-2");
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!("u1"), &json!("u2"))
    );
    assert_eq!(message["isSystem"], false);
    assert_eq!(message["body"], text);
}

#[tokio::test]
async fn two_hundred_messages_arrive_in_order_and_once() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    for at in 0..200 {
        let id = format!("m{at}");
        u1.say(&envelope(&id, 2001, "u1", "u2", at.to_string()))
            .await;
    }
    for at in 0..200 {
        let message = u2.message().await;
        assert_eq!(message["id"], format!("m{at}"));
        assert_eq!(message["body"], at.to_string());
    }
    for at in 0..200 {
        let status = u1.status().await;
        assert_eq!(status["id"], format!("m{at}"));
        assert_eq!(body(&status)["code"], 200);
    }
    assert!(u2.heard_before_pong().await.is_empty());
}

#[tokio::test]
async fn a_repeated_message_is_answered_again_and_delivered_once() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    for _ in 0..2 {
        u1.send("same", "u2", "once").await;
    }
    // Ids are page counters in some clients: other content is another message.
    u1.send("same", "u2", "another").await;
    u1.send("last", "u2", "end").await;
    for text in ["once", "another", "end"] {
        assert_eq!(u2.message().await["body"], text);
    }
}

#[tokio::test]
async fn the_first_check_that_fails_is_the_answer() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let from = |from: &str| envelope("x", 2001, from, "u2", "hi");
    let to = |to: &str| envelope("x", 2001, "u1", to, "hi");
    let with = |body: Value| envelope("x", 2001, "u1", "u2", body);
    let notice = |body: Value| envelope("x", 3001, "u1", "u2", body.to_string());
    let mut posing = from("u1");
    posing["isSystem"] = json!(true);
    let mut nowhere = from("u1");
    nowhere.as_object_mut().expect("an object").remove("to");
    for (message, code) in [
        (from("u7"), 405),
        (from("SYSTEM"), 405),
        (posing, 405),
        (to(""), 406),
        (to("u9"), 406),
        (to("SYSTEM"), 406),
        (to("group:none"), 406),
        (nowhere, 406),
        (with(json!("")), 404),
        (with(json!(5)), 404),
        (with(json!(null)), 404),
        (notice(json!({"msg": "m"})), 404),
        (notice(json!({"title": "t"})), 404),
    ] {
        assert_eq!(u1.code(message.clone()).await, code, "{message}");
    }
}

#[tokio::test]
async fn a_list_is_one_message_to_each() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let mut u3 = WgClient::registered(&server, "u3", "web").await;
    assert_eq!(
        u1.send("c-3", "u2,u3,u9", "开会").await,
        "部分接收人不存在:u9"
    );
    assert_eq!(u1.send("c-4", "u2,u2, u3 ,", "again").await, "发送成功");
    for (client, uid) in [(&mut u2, "u2"), (&mut u3, "u3")] {
        for id in ["c-3", "c-4"] {
            let message = client.message().await;
            assert_eq!(message["id"], id);
            assert_eq!(message["to"], uid);
            assert_eq!(message["from"], "u1");
        }
        assert!(client.heard_before_pong().await.is_empty(), "one copy each");
    }
    let many: Vec<String> = (0..501).map(|at| format!("n{at}")).collect();
    let too_many = envelope("x", 2001, "u1", &many.join(","), "hi");
    assert_eq!(u1.code(too_many).await, 406);
}

#[tokio::test]
async fn the_list_can_be_shown_as_it_was_sent() {
    let server = server(&["wg.list_to=as_sent"]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    u1.send("c", "u2,u3", "x").await;
    assert_eq!(u2.message().await["to"], "u2,u3");
}

/// A list as long as it may be; one of them exists.
#[tokio::test]
async fn a_list_of_five_hundred_is_answered_once() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let mut names: Vec<String> = (0..499).map(|at| format!("n{at}")).collect();
    names.push("u2".to_owned());
    let msg = u1.send("c", &names.join(","), "all").await;
    assert!(msg.starts_with("部分接收人不存在:n0,n1,"), "{msg}");
    assert_eq!(u2.message().await["id"], "c");
}

#[tokio::test]
async fn a_note_to_oneself_comes_back_on_all_clients() {
    let server = server(&[]).await;
    let mut web = WgClient::registered(&server, "u1", "web").await;
    let mut app = WgClient::registered(&server, "u1", "app").await;
    assert_eq!(web.send("n", "u1", "note").await, "发送成功");
    for client in [&mut web, &mut app] {
        let message = client.message().await;
        assert_eq!(
            (&message["id"], &message["to"]),
            (&json!("n"), &json!("u1"))
        );
    }
    // What goes to others does not come back.
    web.send("o", "u2", "not a note").await;
    web.send("p", "u1", "note").await;
    for client in [&mut web, &mut app] {
        assert_eq!(client.message().await["id"], "p");
    }
}

#[tokio::test]
async fn notices_arrive_with_their_members() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let full = json!({
        "title": "审批", "msg": "请处理", "target": "/page/approve?id=7", "serviceId": "ap-7",
    });
    let text = full.to_string();
    assert_eq!(
        u1.code(envelope("a", 3003, "u1", "u2", text.clone())).await,
        200
    );
    let message = u2.message().await;
    assert_eq!(
        (&message["type"], &message["body"]),
        (&json!(3003), &json!(text))
    );
    let plain = json!({"title": "t", "msg": "m", "target": null});
    assert_eq!(
        u1.code(envelope("b", 3001, "u1", "u2", plain.to_string()))
            .await,
        200
    );
    let message = u2.message().await;
    assert_eq!(message["type"], 3001);
    assert!(body(&message)["target"].is_null());
    // An object in place of its text.
    assert_eq!(
        u1.code(envelope("c", 3001, "u1", "u2", full.clone())).await,
        200
    );
    assert_eq!(body(&u2.message().await), full);
    // 3003 needs no target.
    assert_eq!(
        u1.code(envelope("d", 3003, "u1", "u2", plain.to_string()))
            .await,
        200
    );
    assert_eq!(u2.message().await["type"], 3003);
}

#[tokio::test]
async fn each_of_a_users_clients_receives() {
    let server = server(&[]).await;
    let mut web = WgClient::registered(&server, "u2", "web").await;
    let mut app = WgClient::registered(&server, "u2", "app").await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    u1.send("m", "u2", "both").await;
    for client in [&mut web, &mut app] {
        assert_eq!(client.message().await["id"], "m");
    }
}

#[tokio::test]
async fn a_group_is_written_to_by_its_members() {
    let server = server(&[]).await;
    let members = json!({"name": "g", "members": ["u1", "u2"]});
    server
        .admin()
        .put("/v1/channels/group/g1", members)
        .await
        .ok();
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let mut u3 = WgClient::registered(&server, "u3", "web").await;
    u1.send("m", "group:g1", "to all").await;
    let message = u2.message().await;
    assert_eq!(
        (&message["from"], &message["to"]),
        (&json!("u1"), &json!("group:g1"))
    );
    assert_eq!(
        u3.code(envelope("x", 2001, "u3", "group:g1", "hi")).await,
        406
    );
    // A group is no user.
    assert_eq!(u1.code(envelope("y", 2001, "u1", "g1", "hi")).await, 406);
    u2.send("n", "group:g1", "back").await;
    assert_eq!(u1.message().await["id"], "n");
}

#[tokio::test]
async fn who_is_blocked_is_told_so() {
    let server = server(&["moderation.reject=[\"forbidden\"]"]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    server
        .admin()
        .put("/v1/users/u2/blacklist/u1", json!({}))
        .await
        .ok();
    let status = u1.ask(envelope("x", 2001, "u1", "u2", "hi")).await;
    assert_eq!(body(&status)["code"], 400);
    assert_eq!(body(&status)["status"], "FAILED");
    assert!(!body(&status)["msg"].as_str().expect("words").is_empty());
    server
        .admin()
        .delete("/v1/users/u2/blacklist/u1")
        .await
        .ok();
    let status = u1
        .ask(envelope("w", 2001, "u1", "u2", "a forbidden word"))
        .await;
    assert_eq!(body(&status)["msg"], "包含敏感词");
    u1.send("y", "u2", "welcome").await;
    assert_eq!(u2.message().await["id"], "y", "and nothing before it");
}

#[tokio::test]
async fn size_is_bounded_in_three_steps() {
    let server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let text = |length: usize| envelope("x", 2001, "u1", "u2", "文".repeat(length / 3));
    assert_eq!(u1.code(text(32 * 1024)).await, 200);
    let message = u2.message().await;
    assert_eq!(
        message["body"].as_str().map(str::len),
        Some(32 * 1024 / 3 * 3)
    );
    for kib in [33, 65, 100, 900] {
        assert_eq!(u1.code(text(kib * 1024)).await, 401, "{kib} KiB");
    }
    u1.heard_before_pong().await;
    u1.write_in_vain(Message::text("x".repeat(2 << 20))).await;
    assert_eq!(u1.closed().await, 1009);
    u2.heard_before_pong().await;
}

/// T0-42.
#[tokio::test]
async fn what_was_answered_before_a_stop_is_delivered_after_it() {
    let mut server = server(&[]).await;
    let mut u1 = WgClient::registered(&server, "u1", "web").await;
    for at in 0..100 {
        u1.say(&envelope(&format!("m{at}"), 2001, "u1", "u2", "x"))
            .await;
    }
    server.send_sigterm().await;
    assert_eq!(u1.closed().await, 1001);
    server.ended().await;
    server.start_again().await;
    let mut answered = Vec::new();
    while let Some(status) = u1.said().pop_front() {
        if body(&status)["code"] == 200 {
            answered.push(status["id"].clone());
        }
    }
    let mut u2 = WgClient::registered(&server, "u2", "web").await;
    let mut delivered = std::collections::HashSet::new();
    for id in &answered {
        while !delivered.contains(id) {
            let message = u2.message().await;
            assert!(delivered.insert(message["id"].clone()), "nothing twice");
        }
    }
}
