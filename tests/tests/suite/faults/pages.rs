//! Messages that are told apart in the server's files, and what a reader is shown of them.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use crosstalk_tests::wukong::Outgoing;
use crosstalk_tests::{Reply, Server};
use serde_json::{Value, json};

use crate::crash::ledger::READER;

/// A channel as the reader names it.
pub(super) type Channel = (&'static str, u8);

/// A message whose bytes occur nowhere else.
pub(super) fn marked(channel: &str, kind: u8, number: u64) -> Outgoing {
    let text = format!("<<{channel} {number:04}>>").repeat(12);
    Outgoing::bytes(channel, kind, text).numbered(&format!("{channel}-{number}"))
}

/// What is shown in place of a damaged message: nothing that can be read.
pub(super) const DAMAGED: &str = r#"{"raw":"","type":999}"#;

/// A row of history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) id: i64,
    /// What was written, or [`DAMAGED`].
    pub(super) payload: String,
}

/// A channel's history as the reader is shown it, all of it.
pub(super) async fn history(server: &Server, channel: Channel) -> Vec<Row> {
    rows(ask(server, channel, 1).await)
}

/// What a reader is answered who asks for a channel's history from a seq on.
pub(super) async fn ask(server: &Server, channel: Channel, from: u64) -> Reply {
    let ask = json!({
        "login_uid": READER, "channel_id": channel.0, "channel_type": channel.1,
        "start_message_seq": from, "end_message_seq": 0, "limit": 1000, "pull_mode": 1,
    });
    server.wukong_api().post("/channel/messagesync", ask).await
}

/// The rows of an answer.
pub(super) fn rows(answer: Reply) -> Vec<Row> {
    let answer = answer.ok();
    let messages = answer["messages"].as_array().expect("messages");
    let text = |it: &Value| it.as_str().expect("a text").to_owned();
    let rows = messages.iter().map(|message| Row {
        seq: message["message_seq"].as_u64().expect("a seq"),
        id: text(&message["message_idstr"]).parse().expect("an id"),
        payload: decoded(&text(&message["payload"])),
    });
    rows.collect()
}

fn decoded(payload: &str) -> String {
    let bytes = BASE64_STANDARD.decode(payload).expect("base64");
    String::from_utf8(bytes).expect("a text")
}

/// All places of some bytes in a file.
pub(super) fn places(path: &Path, bytes: &[u8]) -> Vec<u64> {
    let content = fs::read(path).expect("a file of the server's");
    let windows = content.windows(bytes.len()).enumerate();
    let found = windows.filter(|(_, window)| *window == bytes);
    found.map(|(at, _)| at as u64).collect()
}

/// Flips one bit of a file.
pub(super) fn flip(path: &Path, at: u64, bit: u8) {
    let file = File::options().read(true).write(true).open(path);
    let file = file.expect("a file of the server's");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("a byte");
    byte[0] ^= 1 << bit;
    file.write_all_at(&byte, at).expect("a byte");
}
