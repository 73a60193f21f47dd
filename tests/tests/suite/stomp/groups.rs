//! T2-22 to T2-24: groups.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::{MESSAGES, StompClient, body, group_message};
use serde_json::json;

async fn group(server: &Server, members: &[&str]) {
    for member in members {
        server.user_token(member).await;
    }
    server.group("g_100", members).await;
}

#[tokio::test]
async fn members_hear_by_the_topic_or_the_personal_queue_never_both() {
    let server = Server::start().await;
    group(&server, &["user_001", "user_002", "user_003"]).await;
    let mut author = StompClient::ready(&server, "user_001").await;
    author.subscribe("sub-2", "/topic/group/g_100").await;
    let mut at_topic = StompClient::ready(&server, "user_002").await;
    at_topic.subscribe("sub-2", "/topic/group/g_100").await;
    let mut at_queue = StompClient::ready(&server, "user_003").await;
    author
        .done("chat.send", &group_message("m-002", "g_100", "大家好"))
        .await;
    for client in [&mut author, &mut at_topic] {
        let frame = client.message("sub-2").await;
        assert_eq!(frame.header("destination"), Some("/topic/group/g_100"));
        let got = body(&frame);
        assert_eq!(
            (&got["id"], &got["groupId"]),
            (&json!("m-002"), &json!("g_100"))
        );
        assert_eq!(
            (&got["toId"], &got["chatType"]),
            (&json!("g_100"), &json!("GROUP"))
        );
        assert_eq!(
            (&got["content"], &got["seq"]),
            (&json!("大家好"), &json!(1))
        );
        let more = client.heard_so_far().await;
        assert!(
            more.iter()
                .all(|it| it.header("destination") != Some(MESSAGES)),
            "{more:?}"
        );
    }
    let frame = at_queue.message("messages").await;
    assert_eq!(frame.header("destination"), Some(MESSAGES));
    assert_eq!(body(&frame)["id"], "m-002");
}

#[tokio::test]
async fn strangers_are_told_that_they_hear_nothing_and_cannot_speak() {
    let server = Server::start().await;
    group(&server, &["user_001", "user_002"]).await;
    let mut member = StompClient::ready(&server, "user_001").await;
    let mut stranger = StompClient::ready(&server, "mallory").await;
    stranger.subscribe("sub-2", "/topic/group/g_100").await;
    let expected =
        json!({"code": 403, "message": "Not a member", "destination": "/topic/group/g_100"});
    assert_eq!(stranger.body("errors").await, expected);
    stranger.subscribe("sub-3", "/topic/group/g_404").await;
    assert_eq!(stranger.body("errors").await["code"], 403);
    member
        .done("chat.send", &group_message("m-1", "g_100", "secret"))
        .await;
    stranger
        .send("chat.send", &group_message("m-2", "g_100", "let me in"))
        .await;
    let failed = stranger.body("messages").await;
    assert_eq!(
        (&failed["status"], &failed["errorCode"]),
        (&json!("FAILED"), &json!(403))
    );
    stranger
        .send("chat.send", &group_message("m-3", "g_404", "anybody?"))
        .await;
    assert_eq!(stranger.body("messages").await["errorCode"], 404);
    let more = stranger.heard_so_far().await;
    assert!(
        more.iter()
            .all(|it| it.header("subscription") != Some("sub-2")),
        "{more:?}"
    );
}

#[tokio::test]
async fn membership_that_comes_later_makes_the_topic_speak() {
    let server = Server::start().await;
    group(&server, &["user_001"]).await;
    let mut member = StompClient::ready(&server, "user_001").await;
    let mut newcomer = StompClient::ready(&server, "user_002").await;
    newcomer.subscribe("sub-2", "/topic/group/g_100").await;
    assert_eq!(newcomer.body("errors").await["code"], 403);
    let joins = json!({"channel_id": "g_100", "channel_type": 2, "subscribers": ["user_002"]});
    server
        .wukong_ok("/channel/subscriber_add", joins.clone())
        .await;
    member
        .done("chat.send", &group_message("m-1", "g_100", "welcome"))
        .await;
    assert_eq!(body(&newcomer.message("sub-2").await)["content"], "welcome");
    server.wukong_ok("/channel/subscriber_remove", joins).await;
    member
        .done("chat.send", &group_message("m-2", "g_100", "gone"))
        .await;
    let more = newcomer.heard_so_far().await;
    assert!(
        more.iter()
            .all(|it| it.header("subscription") != Some("sub-2")),
        "{more:?}"
    );
}

#[tokio::test]
async fn strict_servers_cut_strangers_off() {
    let server = Server::start_with(&["stomp.strict_subscribe=true"]).await;
    group(&server, &["user_001"]).await;
    let mut member = StompClient::connected(&server, "user_001").await;
    member.subscribe("sub-2", "/topic/group/g_100").await;
    let mut stranger = StompClient::connected(&server, "mallory").await;
    stranger
        .say("SUBSCRIBE\nid:sub-2\ndestination:/topic/group/g_100\n\n\0")
        .await;
    let (error, code) = stranger.error().await;
    assert_eq!(error.header("message"), Some("Forbidden"));
    assert_eq!(code, Some(1008));
}

#[tokio::test]
async fn who_is_removed_is_told_and_hears_no_more() {
    let server = Server::start().await;
    group(&server, &["user_001", "user_002"]).await;
    let mut author = StompClient::ready(&server, "user_001").await;
    let mut member = StompClient::ready(&server, "user_002").await;
    member.subscribe("sub-2", "/topic/group/g_100").await;
    let path = "/v1/channels/group/g_100/members/user_002";
    server.admin().delete(path).await.ok();
    let mut event = member.body("events").await;
    // Who comes and goes is told there, too.
    while event["event"] != "GROUP_KICKED" {
        event = member.body("events").await;
    }
    assert_eq!(event["groupId"], "g_100");
    assert_eq!(event["userIds"], json!(["user_002"]));
    assert_eq!(event["operatorId"], "SYSTEM");
    assert!(event["at"].is_u64(), "{event}");
    author
        .done("chat.send", &group_message("m-1", "g_100", "x"))
        .await;
    let more = member.heard_so_far().await;
    let heard = |it: &crosstalk_wire::stomp::Frame| it.header("subscription") == Some("sub-2");
    assert!(!more.iter().any(heard), "{more:?}");
}
