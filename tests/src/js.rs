//! WuKongIM's JavaScript SDK in a process of its own.
//!
//! `clients/wukong/peer.js` says what can be asked of it and what it tells.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::OnceCell;

use crate::server::{Server, profile_dir};
use crate::wait::within;

/// The device flag that the SDK has.
const WEB: u8 = 1;

/// One user of the SDK. Events are kept until a test asks for them.
pub struct JsPeer {
    uid: String,
    events: Vec<Value>,
    commands: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    last_id: u64,
    notes: NamedTempFile,
    _process: Child,
}

impl JsPeer {
    /// Starts a process whose SDK is not connected yet.
    ///
    /// # Panics
    /// When Node.js or the SDK is not installed.
    pub async fn start(uid: &str) -> JsPeer {
        let notes = NamedTempFile::new().expect("a file for the SDK's notes");
        let mut command = Command::new("node");
        command.arg(wukong_bundle().await).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(notes.reopen().expect("a second handle of a file"));
        let mut process = command
            .spawn()
            .expect("Node.js, which scripts/setup.sh installs");
        let commands = process.stdin.take().expect("a piped input");
        let output = process.stdout.take().expect("a piped output");
        JsPeer {
            uid: uid.to_owned(),
            events: Vec::new(),
            commands,
            lines: BufReader::new(output).lines(),
            last_id: 0,
            notes,
            _process: process,
        }
    }

    /// Registers a user's web device and connects it.
    pub async fn connect(server: &Server, uid: &str) -> JsPeer {
        server.register(uid, WEB, 0).await;
        let mut peer = JsPeer::start(uid).await;
        peer.log_in(server, &format!("token-{uid}-{WEB}")).await;
        peer.expect_status(1, 1).await;
        peer
    }

    /// Tells the SDK to connect and to stay connected.
    pub async fn log_in(&mut self, server: &Server, token: &str) {
        let listeners = server.listeners();
        self.ask(json!({
            "cmd": "connect",
            "uid": self.uid,
            "token": token,
            "addr": format!("ws://{}", listeners.wukong_ws),
            "httpApi": listeners.wukong_api,
        }))
        .await;
    }

    /// Sends a text and waits for its acknowledgement.
    pub async fn send(&mut self, to: &str, channel_type: u8, text: &str) -> Value {
        let client_seq = self.post(to, channel_type, text).await;
        self.ack_of(&client_seq).await
    }

    /// Sends a text without waiting; returns its client sequence.
    pub async fn post(&mut self, to: &str, channel_type: u8, text: &str) -> Value {
        let send = json!({"cmd": "send", "to": to, "type": channel_type, "text": text});
        self.ask(send).await["clientSeq"].clone()
    }

    /// Waits for the acknowledgement of a message.
    pub async fn ack_of(&mut self, client_seq: &Value) -> Value {
        self.expect(&format!("the ack of {client_seq}"), |event| {
            event["event"] == "ack" && event["clientSeq"] == *client_seq
        })
        .await
    }

    /// Waits for the next message.
    pub async fn message(&mut self) -> Value {
        self.expect("a message", |event| event["event"] == "message")
            .await
    }

    /// Waits for the next message, which must be this text; returns it.
    ///
    /// # Panics
    /// When it is another.
    pub async fn hears(&mut self, text: &str) -> Value {
        let message = self.message().await;
        assert_eq!(message["text"], text, "{}: {message}", self.uid);
        message
    }

    /// Waits for a connection status with this reason, whatever came before.
    pub async fn expect_status(&mut self, status: u8, reason: u8) -> Value {
        self.expect(&format!("status {status} with reason {reason}"), |event| {
            let is_it = event["status"] == status && event["reasonCode"] == reason;
            event["event"] == "status" && is_it
        })
        .await
    }

    /// Messages of a channel through the SDK's data source, ascending.
    ///
    /// # Panics
    /// When the answer is not a list.
    pub async fn history(&mut self, channel: &str, channel_type: u8, limit: u32) -> Vec<Value> {
        let ask = json!({
            "cmd": "history", "channel": channel, "type": channel_type, "limit": limit,
        });
        let answer = self.ask(ask).await;
        answer["messages"]
            .as_array()
            .expect("a list of messages")
            .clone()
    }

    /// The conversations, through the SDK's data source.
    ///
    /// # Panics
    /// When the answer is not a list.
    pub async fn conversations(&mut self) -> Vec<Value> {
        let answer = self.ask(json!({"cmd": "conversations"})).await;
        answer["conversations"]
            .as_array()
            .expect("a list of conversations")
            .clone()
    }

    /// How many connections the SDK has opened, by what has been read so far.
    #[must_use]
    pub fn sockets_opened(&self) -> usize {
        self.events
            .iter()
            .filter(|event| event["event"] == "socket")
            .count()
    }

    /// Gives a command and waits until it is done; returns the answer.
    ///
    /// # Panics
    /// When the SDK fails.
    pub async fn ask(&mut self, mut command: Value) -> Value {
        self.last_id += 1;
        let id = self.last_id;
        command["id"] = json!(id);
        let line = format!("{command}\n");
        self.commands
            .write_all(line.as_bytes())
            .await
            .expect("a running peer");
        let what = format!("the answer to {command}");
        let answer = self.expect(&what, |event| event["id"] == id).await;
        assert_eq!(answer["event"], "done", "{}: {command}: {answer}", self.uid);
        answer
    }

    /// Waits for the first event that fits, and takes it out.
    ///
    /// # Panics
    /// When the process ends first.
    pub async fn expect(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.events.iter().position(&fits) {
            return self.events.remove(at);
        }
        within(format!("{} (JavaScript): {what}", self.uid), async {
            loop {
                let line = self.lines.next_line().await.expect("a readable output");
                let line = line.unwrap_or_else(|| panic!("{}: the process ended", self.uid));
                let event: Value = serde_json::from_str(&line).expect("a JSON event");
                if fits(&event) {
                    return event;
                }
                self.events.push(event);
            }
        })
        .await
    }
}

impl Drop for JsPeer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let notes = std::fs::read_to_string(self.notes.path()).unwrap_or_default();
            let from = notes.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
            eprintln!(
                "--- notes of the SDK of {} ---\n{}\n---",
                self.uid,
                &notes[from..]
            );
            eprintln!("events not asked for: {:?}", self.events);
        }
    }
}

/// The peer's code as one file that Node.js can load: the SDK is written for bundlers.
pub async fn wukong_bundle() -> &'static Path {
    static BUNDLE: OnceCell<PathBuf> = OnceCell::const_new();
    BUNDLE.get_or_init(make_bundle).await
}

async fn make_bundle() -> PathBuf {
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/wukong");
    let bundler = client.join("node_modules/.bin/esbuild");
    assert!(
        bundler.exists(),
        "the JavaScript client is not installed: run scripts/test.sh, or `npm ci --ignore-scripts` \
         in {}",
        client.display()
    );
    let target = profile_dir().join("test-clients");
    std::fs::create_dir_all(&target).expect("a folder for the bundle");
    // Test processes may run side by side: each makes its own, and the last one stays.
    let made = target.join(format!("wukong-peer-{}.cjs", std::process::id()));
    let mut command = Command::new(bundler);
    command
        .arg(client.join("peer.js"))
        .args(["--bundle", "--platform=node", "--format=cjs"]);
    command
        .arg("--log-level=warning")
        .arg(format!("--outfile={}", made.display()));
    let status = command.status().await.expect("a bundler that runs");
    assert!(status.success(), "the bundler ended with {status}");
    let bundle = target.join("wukong-peer.cjs");
    std::fs::rename(&made, &bundle).expect("a bundle in its place");
    bundle
}
