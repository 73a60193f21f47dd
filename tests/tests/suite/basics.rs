//! The harness against a server: starts, says hello, stops.

use crosstalk_tests::Server;
use crosstalk_tests::wukong::Outgoing;

#[tokio::test]
async fn two_users_talk() {
    let server = Server::start().await;
    let mut alice = server.client("alice").await;
    let mut bob = server.client("bob").await;
    alice.accepted(&Outgoing::direct("bob", "hello")).await;
    bob.hears("hello").await;
}
