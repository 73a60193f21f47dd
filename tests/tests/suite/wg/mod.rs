//! The wg dialect: the conformance checklist of its specification (T0-1 to T0-43), and what
//! else can be seen from outside.

mod crossing;
mod custom;
mod login;
mod manage;
mod offline;
mod origins;
mod receipts;
mod registering;
mod sending;

use crosstalk_tests::wg::WgClient;
use crosstalk_tests::{Http, Server, eventually};
use serde_json::Value;

/// A server on which u1, u2 and u3 exist.
async fn server(settings: &[&str]) -> Server {
    let server = Server::start_with(settings).await;
    for uid in ["u1", "u2", "u3"] {
        server.user_token(uid).await;
    }
    server
}

/// The channel manager, with the admin key.
fn manager(server: &Server) -> Http {
    server.admin()
}

/// The rows that the channel manager finds.
async fn online(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("/api/websocket/online?{query}");
    let answer = manager(server).get(&path).await.ok();
    let rows = answer["rows"].as_array().expect("rows").clone();
    assert_eq!(answer["total"], rows.len());
    rows
}

/// Closes a client and waits until the server knows.
async fn leave(server: &Server, uid: &str, client: WgClient) {
    client.close().await;
    eventually("the client is gone", async || {
        online(server, &format!("userId={uid}"))
            .await
            .is_empty()
            .then_some(())
    })
    .await;
}
