//! The conformance steps of the gyyx dialect (gyyx.md F.e), each from outside.

mod connecting;
mod crossing;
mod frames;
mod lists;
mod messages;
mod presence;
mod signing;

use crosstalk_tests::Server;
use crosstalk_tests::gyyx::GyyxClient;
use serde_json::Value;

/// Two users on their connections.
async fn two(server: &Server) -> (GyyxClient, GyyxClient) {
    (server.gyyx("48057").await, server.gyyx("48058").await)
}

/// The `message` of each frame.
fn texts(frames: &[Value]) -> Vec<&str> {
    let texts = frames.iter().map(|frame| frame["message"].as_str());
    texts.map(|text| text.expect("a text")).collect()
}

/// The server's time, from the answer to a heartbeat.
async fn server_ms(client: &mut GyyxClient) -> i64 {
    client.ask(20, serde_json::json!({})).await;
    let answer = client.hear(21).await;
    answer["timestamp"].as_i64().expect("a time")
}
