//! Friends who come and go (T4-28).

use crosstalk_tests::Server;
use crosstalk_tests::gyyx::code;
use serde_json::json;

#[tokio::test]
async fn friends_are_told_of_the_first_connection_and_of_the_last() {
    let server = Server::start().await;
    let (mut alice, mut bob) = super::two(&server).await;
    let mut stranger = server.gyyx("stranger").await;
    alice.expect_friends();
    stranger.expect_friends();
    // Who talks with each other is friends where the app has no list of its own.
    alice.send("48058", "hi").await;
    bob.hear(140).await;
    bob.ask(251, json!({})).await;
    bob.closed().await;
    let gone = alice.hear(210).await;
    assert_eq!(
        (&gone["friendUserId"], &gone["userId"]),
        (&json!("48058"), &json!("48057"))
    );
    assert_eq!(gone["isOnline"], false);
    // That bob had come may have been told late, too.
    alice.so_far().await;
    let mut bob = server.gyyx("48058").await;
    let here = alice.any().await;
    assert_eq!((code(&here), &here["isOnline"]), (200, &json!(true)));
    let mut second = server.gyyx("48058").await;
    second.ask(251, json!({})).await;
    second.closed().await;
    bob.send("48057", "still here").await;
    assert_eq!(
        alice.any().await["message"],
        "still here",
        "a second device changes nothing"
    );
    assert_eq!(stranger.so_far().await, [json!(null); 0]);
}
