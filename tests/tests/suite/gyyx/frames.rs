//! What holds for every frame (T4-5, T4-6, T4-46, T4-47; the schema check, T4-48, is made by
//! the client of every test).

use crosstalk_tests::Server;
use crosstalk_tests::gyyx::{code, frame};
use serde_json::json;

/// T4-5.
#[tokio::test]
async fn a_heartbeat_gets_its_own_unique_and_mark_back() {
    let server = Server::start().await;
    let mut client = server.gyyx("48057").await;
    for mark in [
        json!({"k": 1}),
        json!("x"),
        json!([1, null]),
        json!(0),
        json!(null),
    ] {
        let asked = json!({"mark": mark, "deviceId": "d-1", "userId": 48057});
        client.say(&frame(20, "h1", asked)).await;
        let answer = client.any().await;
        assert_eq!(
            (&answer["msgType"], &answer["unique"]),
            (&json!(21), &json!("h1"))
        );
        assert_eq!(
            (&answer["mark"], &answer["deviceId"]),
            (&mark, &json!("d-1"))
        );
    }
}

/// T4-6.
#[tokio::test]
async fn codes_are_written_as_the_client_first_wrote_one() {
    let server = Server::start().await;
    let (mut one, mut other) = super::two(&server).await;
    one.say(&frame("20", "h1", json!({}))).await;
    assert_eq!(one.any().await["msgType"], "21");
    one.say(&frame(20, "h2", json!({}))).await;
    assert_eq!(one.any().await["msgType"], "21");
    other.send("48057", "x").await;
    assert_eq!(one.any().await["msgType"], "140");
}

/// T4-46.
#[tokio::test]
async fn nonsense_is_a_10_and_the_connection_stays() {
    let server = Server::start().await;
    let mut client = server.gyyx("48057").await;
    for text in [
        "abc",
        "[]",
        "{\"unique\":\"u\"}",
        "{\"msgType\":9999}",
        "{\"msgType\":131}",
        "",
    ] {
        client.text(text).await;
        assert_eq!(code(&client.any().await), 10, "{text}");
    }
    // A pasted sample of the document's, which ends with a comma.
    client.text("{\"msgType\":20,\"unique\":\"s\",}").await;
    assert_eq!(code(&client.any().await), 21);
    // Too large for a frame of the dialect, but not for the connection.
    let large = frame(20, "l", json!({"message": "x".repeat(1 << 20)}));
    client.say(&large).await;
    assert_eq!(code(&client.any().await), 10);
    let mut other = server.gyyx("48058").await;
    client
        .try_text(&format!("\"{}\"", "x".repeat(2 << 20)))
        .await;
    assert_eq!(client.closed().await.1, Some(1009));
    other.so_far().await;
}

/// T4-47.
#[tokio::test]
async fn every_code_with_f0_only_is_answered_or_refused() {
    let server = Server::start().await;
    let mut client = server.gyyx("48057").await;
    for (asked, expected) in [
        (20, vec![21]),
        (31, vec![]),
        (102, vec![30]),
        (130, vec![10]),
        (141, vec![10]),
        (160, vec![10]),
        (161, vec![30]),
        (180, vec![180]),
        (190, vec![10]),
        (198, vec![10]),
        (300, vec![10]),
        (310, vec![10]),
        (320, vec![10]),
        (330, vec![10]),
        (400, vec![10]),
        (401, vec![10]),
        (420, vec![10]),
        (430, vec![10]),
        (540, vec![10]),
        (550, vec![10]),
        (30, vec![10]),
        (301, vec![10]),
        (302, vec![10]),
        (403, vec![10]),
        (251, vec![252]),
    ] {
        let f0 = json!({
            "appId": "default", "deviceId": "", "mark": null, "timestamp": 1,
            "userId": "48057", "version": "1.10",
        });
        client.say(&frame(asked, "f0", f0)).await;
        for expected in expected {
            let answer = client.any().await;
            assert_eq!(
                (code(&answer), &answer["unique"]),
                (expected, &json!("f0")),
                "{asked}"
            );
        }
    }
    assert_eq!(client.closed().await.1, Some(1000));
}

#[tokio::test]
async fn a_reason_is_told_where_the_app_wants_it() {
    let server = Server::start_with(&["gyyx.error_detail=true"]).await;
    let mut client = server.gyyx("48057").await;
    client.expect_details();
    client
        .ask(130, json!({"receiveUserId": "nobody", "message": "x"}))
        .await;
    let refused = client.hear(10).await;
    assert!(refused["message"].is_string(), "{refused}");
}
