//! Large messages that fill the write-ahead log, so that it is about to be moved into the database.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::{Http, Seed, Server};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What the log may grow to before the server moves it.
pub(super) const LOG_LIMIT: u64 = 64 << 20;
/// Tells how far it has grown.
pub(super) const LOG_METRIC: &str = "crosstalk_store_wal_bytes";

/// Bytes that are left for others.
const ROOM: u64 = 2 << 20;
/// Bytes of a message.
const PAYLOAD: usize = 512 << 10;
/// Messages on their way at once; they may fill the log by so much more than asked.
const AT_ONCE: u64 = 4;

/// Fills the log nearly; returns the newest seq of what it was filled with.
pub(super) async fn fill_log(server: &Server) -> u64 {
    let payload = BASE64_STANDARD.encode(Seed::new(1).bytes(PAYLOAD));
    let mut newest = send(server.wukong_api(), payload.clone()).await;
    loop {
        let bytes = server.rest().metric(LOG_METRIC).await;
        let lacks = (LOG_LIMIT - ROOM).saturating_sub(bytes) / PAYLOAD as u64;
        if lacks == 0 {
            return newest;
        }
        let mut sending = JoinSet::new();
        for _ in 0..lacks.min(AT_ONCE) {
            sending.spawn(send(server.wukong_api(), payload.clone()));
        }
        while let Some(seq) = sending.join_next().await {
            newest = newest.max(seq.expect("a message that is accepted"));
        }
    }
}

async fn send(api: Http, payload: String) -> u64 {
    let message = json!({
        "from_uid": "ballast", "channel_id": "hold", "channel_type": 1, "payload": payload,
    });
    let answer = api.post("/message/send", message).await.ok();
    answer["data"]["message_seq"].as_u64().expect("a seq")
}

/// Everything of it is there, and nothing else.
pub(super) async fn check(server: &Server, newest: u64) {
    let path = "/channel/max_message_seq?channel_id=hold&channel_type=1&login_uid=ballast";
    let answer: Value = server.wukong_api().get(path).await.ok();
    assert_eq!(answer["message_seq"], newest);
}
