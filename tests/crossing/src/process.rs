//! A client that we did not write, in a process of its own: JSON lines in, JSON lines out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crosstalk_tests::within;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::oneshot;

/// Characters of a client's own notes that a failed test shows.
const NOTES_CHARS: usize = 3000;

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

/// A process that runs a script. Dropping it ends the process.
pub(crate) struct ClientProcess {
    who: String,
    commands: tokio::sync::Mutex<ChildStdin>,
    waiting: Waiting,
    last_id: AtomicU64,
    notes: NamedTempFile,
    _process: Child,
}

impl ClientProcess {
    /// Runs a script; what it says by itself goes to `told`.
    pub(crate) fn start(
        who: &str,
        script: &Path,
        told: impl Fn(Value) + Send + Sync + 'static,
    ) -> ClientProcess {
        assert!(
            script.exists(),
            "{} is missing: run scripts/test.sh",
            script.display()
        );
        let notes = NamedTempFile::new().expect("a file for the client's notes");
        let mut command = Command::new(interpreter(script));
        command.arg(script).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(notes.reopen().expect("a second handle of a file"));
        let mut process = command
            .spawn()
            .expect("the interpreter, which scripts/setup.sh installs");
        let commands = process.stdin.take().expect("a piped input");
        let output = process.stdout.take().expect("a piped output");
        let waiting = Waiting::default();
        let mut lines = BufReader::new(output).lines();
        let asked = Arc::clone(&waiting);
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let event: Value = serde_json::from_str(&line).expect("a JSON event");
                let is_answer = event["event"] == "done" || event["event"] == "failed";
                let id = event["id"].as_u64().filter(|_| is_answer);
                let Some(id) = id else {
                    told(event);
                    continue;
                };
                let answer = asked
                    .lock()
                    .expect("no holder of this lock panics")
                    .remove(&id);
                // Who asked may have given up.
                let _ = answer.map(|answer| answer.send(event));
            }
            // Whoever still waits sees that there is nobody left to answer.
            asked.lock().expect("no holder of this lock panics").clear();
        });
        ClientProcess {
            who: who.to_owned(),
            commands: tokio::sync::Mutex::new(commands),
            waiting,
            last_id: AtomicU64::new(0),
            notes,
            _process: process,
        }
    }

    /// A script below `tests/clients`.
    pub(crate) fn script(name: &str) -> PathBuf {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        here.parent()
            .expect("a folder of tests")
            .join("clients")
            .join(name)
    }

    /// Gives a command and waits until it is done; returns the answer.
    pub(crate) async fn ask(&self, mut command: Value) -> Value {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let asked = command.to_string();
        command["id"] = json!(id);
        let (tell, answer) = oneshot::channel();
        self.waiting
            .lock()
            .expect("no holder of this lock panics")
            .insert(id, tell);
        let line = format!("{command}\n");
        let mut commands = self.commands.lock().await;
        let written = commands.write_all(line.as_bytes()).await;
        drop(commands);
        written.unwrap_or_else(|error| panic!("{}: {asked}: {error}", self.who));
        let answer = within(format!("{}: {asked}", self.who), answer).await;
        let answer = answer.unwrap_or_else(|_| panic!("{}: {asked}: the process ended", self.who));
        assert_eq!(answer["event"], "done", "{}: {asked}: {answer}", self.who);
        answer
    }
}

/// What runs a script: Node.js, or the Python of the environment beside it.
fn interpreter(script: &Path) -> PathBuf {
    if script.extension().is_some_and(|it| it == "py") {
        script.with_file_name(".venv/bin/python")
    } else {
        PathBuf::from("node")
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let notes = std::fs::read_to_string(self.notes.path()).unwrap_or_default();
            let from = notes.char_indices().rev().nth(NOTES_CHARS);
            let from = from.map_or(0, |(at, _)| at);
            if !notes.is_empty() {
                eprintln!("--- notes of {} ---\n{}\n---", self.who, &notes[from..]);
            }
        }
    }
}
