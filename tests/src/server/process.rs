//! The server's process: which binary, how it is started, when it is ready.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::Listeners;
use crate::faults::Faults;
use crate::http::Http;
use crate::wait::{eventually, within};

/// Lines of the server's log that a failed test shows.
const LOG_TAIL_LINES: usize = 60;

/// The server's binary: `CROSSTALK_BIN`, or the one beside this test.
fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("CROSSTALK_BIN") {
        return PathBuf::from(path);
    }
    let path = profile_dir().join(format!("crosstalk{}", std::env::consts::EXE_SUFFIX));
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p crosstalk`",
        path.display()
    );
    path
}

/// Where cargo puts the binaries of this build: `target/debug`, for this very test is in
/// `target/debug/deps`.
pub(crate) fn profile_dir() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let deps = test.parent().expect("a file is in a folder");
    deps.parent()
        .expect("deps is in a profile's folder")
        .to_owned()
}

pub(super) fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// A subcommand over the data in a folder, with the listeners at these addresses, or any.
pub(super) fn command(
    name: &str,
    folder: &Path,
    settings: &[String],
    at: Option<&Listeners>,
) -> Command {
    let any = "127.0.0.1:0";
    let mut command = Command::new(binary());
    command.arg(name).arg("--data-dir").arg(data_dir(folder));
    for (listener, addr) in [
        ("http", at.map_or(any, |it| &it.http)),
        ("wukong_tcp", at.map_or(any, |it| &it.wukong_tcp)),
        ("wukong_ws", at.map_or(any, |it| &it.wukong_ws)),
        ("wukong_api", at.map_or(any, |it| &it.wukong_api)),
        ("mqtt_tcp", at.map_or(any, |it| &it.mqtt_tcp)),
        ("wg", at.map_or(any, |it| &it.wg)),
        ("gyyx", at.map_or(any, |it| &it.gyyx)),
    ] {
        // One that was off stays off.
        let addr = if addr.is_empty() { "off" } else { addr };
        command
            .arg("--set")
            .arg(format!("listen.{listener}={addr}"));
    }
    for setting in settings {
        command.arg("--set").arg(setting);
    }
    // The tests' own surroundings must not change the server.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CROSSTALK_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command
}

/// Starts a server.
pub(super) fn spawn(
    folder: &Path,
    settings: &[String],
    faults: Option<&Faults>,
    at: Option<&Listeners>,
) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("server.log"));
    let log = log.expect("a log file");
    let mut command = command("serve", folder, settings, at);
    if let Some(faults) = faults {
        faults.slip_under(command.as_std_mut());
    }
    command
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()))
}

/// Waits until the server has announced its addresses and says that it is ready.
pub(super) async fn ready(folder: &Path, process: &mut Child) -> Listeners {
    let file = data_dir(folder).join("listeners.json");
    let listeners: Listeners = eventually("the server's listeners.json", async || {
        if let Ok(Some(status)) = process.try_wait() {
            panic!(
                "the server ended with {status}:\n{}",
                tail(&folder.join("server.log"))
            );
        }
        let text = std::fs::read_to_string(&file).ok()?;
        Some(serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!("listeners.json: {error}: {text}");
        }))
    })
    .await;
    let http = Http::at(&listeners.http);
    let asked = eventually("success", async || {
        http.is_ok("/readyz").await.then_some(())
    });
    within("the server's /readyz", asked).await;
    listeners
}

pub(super) fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| format!("no log: {error}"));
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines[from..]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}
