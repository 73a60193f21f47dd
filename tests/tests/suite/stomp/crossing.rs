//! T2-44: messages of another dialect, and REST's.

use crosstalk_tests::Server;
use crosstalk_tests::stomp::StompClient;
use crosstalk_tests::wukong::Outgoing;
use serde_json::{Value, json};

#[tokio::test]
async fn what_wukong_says_is_shown_in_this_dialects_words_and_back() {
    let server = Server::start().await;
    let mut wukong = server.client("wk").await;
    let mut stomp = StompClient::ready(&server, "st").await;
    wukong.accepted(&Outgoing::direct("st", "hello 👋")).await;
    let got = stomp.body("messages").await;
    assert_eq!(
        (&got["msgType"], &got["content"]),
        (&json!("TEXT"), &json!("hello 👋"))
    );
    assert_eq!((&got["fromId"], &got["toId"]), (&json!("wk"), &json!("st")));
    assert!(
        got["id"]
            .as_str()
            .is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()))
    );
    stomp.text("m-1", "wk", "你好").await;
    assert_eq!(
        wukong.message().await.json(),
        json!({"type": 1, "content": "你好"})
    );
}

#[tokio::test]
async fn rests_images_come_with_their_content_in_a_text() {
    let server = Server::start().await;
    let mut stomp = StompClient::ready(&server, "st").await;
    server.user_token("author").await;
    let image = json!({
        "from": "author",
        "to": {"kind": "direct", "id": "st"},
        "content": {"type": "image", "url": "https://x/i.png", "width": 3, "height": 4},
    });
    let answer = server.admin().post("/v1/messages", image).await;
    assert!(answer.status < 300, "{answer:?}");
    let got = stomp.body("messages").await;
    assert_eq!(got["msgType"], "IMAGE");
    let content: Value =
        serde_json::from_str(got["content"].as_str().expect("a text")).expect("JSON in a text");
    assert_eq!(
        (&content["url"], &content["width"]),
        (&json!("https://x/i.png"), &json!(3))
    );
}
