//! A real server: the `crosstalk` binary on free ports, over a directory of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::disk::FaultyDisk;
use crate::http::Http;
use crate::wait::{eventually, within};
use crate::wukong::{Login, Transport, WukongClient};

/// Lines of the server's log that a failed test shows.
const LOG_TAIL_LINES: usize = 60;

/// The addresses that a server has announced in `listeners.json`.
#[derive(Debug, Clone, Deserialize)]
pub struct Listeners {
    /// REST, and the WebSocket paths of all dialects.
    pub http: String,
    /// WuKongIM's binary dialect over TCP.
    pub wukong_tcp: String,
    /// The same over WebSocket.
    pub wukong_ws: String,
    /// WuKongIM's HTTP API.
    pub wukong_api: String,
}

/// A running server. Dropping it kills the process and removes its data; if the test has failed,
/// the end of the log is shown first.
pub struct Server {
    process: Arc<Mutex<Child>>,
    folder: TempDir,
    settings: Vec<String>,
    disk: Option<FaultyDisk>,
    listeners: Listeners,
    admin_key: String,
}

/// Kills a server from wherever the right moment is noticed.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    /// Sends SIGKILL, at once.
    pub fn kill(&self) {
        // An error means that the process has ended already.
        let _ = self
            .0
            .lock()
            .expect("no holder of this lock panics")
            .start_kill();
    }
}

impl Server {
    /// A server with default settings on free ports of the loopback interface.
    pub async fn start() -> Server {
        Server::start_with(&[]).await
    }

    /// A server with more settings, each `section.key=value`.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(settings: &[&str]) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Server::start_in(folder, settings, None).await
    }

    /// As [`start_with`](Self::start_with), on a slow disk that forgets what was not synced when
    /// [`lose_unsynced`](Self::lose_unsynced) says so.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_on_faulty_disk(settings: &[&str]) -> Server {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let disk = FaultyDisk::under(&data_dir(folder.path())).await;
        Server::start_in(folder, settings, Some(disk)).await
    }

    async fn start_in(folder: TempDir, settings: &[&str], disk: Option<FaultyDisk>) -> Server {
        let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut process = spawn(folder.path(), &settings, disk.as_ref(), None);
        let listeners = ready(folder.path(), &mut process).await;
        let admin_key = std::fs::read_to_string(data_dir(folder.path()).join("admin.key"))
            .expect("the server has written admin.key");
        let process = Arc::new(Mutex::new(process));
        let admin_key = admin_key.trim().to_owned();
        Server {
            process,
            folder,
            settings,
            disk,
            listeners,
            admin_key,
        }
    }

    /// Starts a server that has ended on the same data and the same addresses.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_again(&mut self) {
        self.run_again(Some(self.listeners.clone())).await;
    }

    /// Starts a server that has ended on the same data and any free ports.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_elsewhere(&mut self) {
        self.run_again(None).await;
    }

    /// Starts a server that has ended and kills it again, wherever it then is in its start.
    pub async fn start_and_kill_after(&mut self, delay: Duration) {
        let process = spawn(self.folder.path(), &self.settings, self.disk.as_ref(), None);
        *self.process.lock().expect("no holder of this lock panics") = process;
        // wait: the moment of the kill is what is asked for
        tokio::time::sleep(delay).await;
        self.kill().await;
    }

    async fn run_again(&mut self, at: Option<Listeners>) {
        // What a killed server has left behind must not pass for the new one's.
        let _ = std::fs::remove_file(self.listeners_file());
        let mut process = spawn(
            self.folder.path(),
            &self.settings,
            self.disk.as_ref(),
            at.as_ref(),
        );
        self.listeners = ready(self.folder.path(), &mut process).await;
        *self.process.lock().expect("no holder of this lock panics") = process;
    }

    /// Stops the server gracefully and starts it again on the same data and addresses.
    pub async fn restart(&mut self) {
        self.terminate().await;
        self.start_again().await;
    }

    /// Sends SIGTERM and waits for the end, which must be a success.
    ///
    /// # Panics
    /// When it takes too long or fails.
    pub async fn terminate(&mut self) {
        self.send_sigterm().await;
        let status = self.ended().await;
        assert!(
            status.success(),
            "after SIGTERM the server ended with {status}"
        );
    }

    /// Sends SIGTERM and returns.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub async fn send_sigterm(&self) {
        let pid = self
            .process
            .lock()
            .expect("no holder of this lock panics")
            .id();
        let pid = pid.expect("the server is running");
        let kill = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -TERM {pid}"))
            .status()
            .await;
        assert!(
            kill.is_ok_and(|status| status.success()),
            "cannot send SIGTERM to {pid}"
        );
    }

    /// Sends SIGKILL and waits for the end.
    pub async fn kill(&mut self) {
        self.killer().kill();
        self.ended().await;
    }

    /// Takes from a killed server on a faulty disk what it had not synced; returns the number of
    /// writes that are lost.
    ///
    /// # Panics
    /// When the disk is a good one, or the server runs.
    #[must_use]
    pub fn lose_unsynced(&self) -> usize {
        assert!(!self.is_running(), "a running server has lost nothing");
        let disk = self
            .disk
            .as_ref()
            .expect("a server that was started on a faulty disk");
        disk.lose_unsynced()
    }

    /// What can kill the process that runs now; not one that is started later.
    #[must_use]
    pub fn killer(&self) -> Killer {
        Killer(Arc::clone(&self.process))
    }

    /// Waits until the process has ended.
    ///
    /// # Panics
    /// When that takes too long.
    pub async fn ended(&mut self) -> ExitStatus {
        eventually("the server's end", async || {
            self.process
                .lock()
                .expect("no holder of this lock panics")
                .try_wait()
                .ok()
                .flatten()
        })
        .await
    }

    /// Whether the process runs.
    #[must_use]
    pub fn is_running(&self) -> bool {
        let mut process = self.process.lock().expect("no holder of this lock panics");
        matches!(process.try_wait(), Ok(None))
    }

    /// Where the server listens.
    #[must_use]
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// The file that tells where the server listens.
    #[must_use]
    pub fn listeners_file(&self) -> PathBuf {
        data_dir(self.folder.path()).join("listeners.json")
    }

    /// REST with the admin key.
    #[must_use]
    pub fn admin(&self) -> Http {
        self.rest().bearer(&self.admin_key)
    }

    /// REST without credentials.
    #[must_use]
    pub fn rest(&self) -> Http {
        Http::at(&self.listeners.http)
    }

    /// WuKongIM's HTTP API.
    #[must_use]
    pub fn wukong_api(&self) -> Http {
        Http::at(&self.listeners.wukong_api)
    }

    /// Registers a token for a user's device flag, as a slave (0) or master (1) device, and
    /// returns it.
    pub async fn register(&self, uid: &str, device_flag: u8, device_level: u8) -> String {
        let token = format!("token-{uid}-{device_flag}");
        let body = json!({
            "uid": uid, "token": token, "device_flag": device_flag, "device_level": device_level,
        });
        assert_eq!(
            self.wukong_api().post("/user/token", body).await.ok()["status"],
            200
        );
        token
    }

    /// A user token (JWT) from REST.
    ///
    /// # Panics
    /// When there is none in the answer.
    pub async fn user_token(&self, uid: &str) -> String {
        let path = format!("/v1/users/{uid}/tokens");
        let answer = self.admin().post(&path, json!({})).await.ok();
        answer["token"]
            .as_str()
            .expect("`token` in the answer")
            .to_owned()
    }

    /// Creates a group with these members.
    pub async fn group(&self, id: &str, members: &[&str]) {
        let body = json!({"channel_id": id, "channel_type": 2, "subscribers": members});
        assert_eq!(
            self.wukong_api().post("/channel", body).await.ok()["status"],
            200
        );
    }

    /// Asks one route of WuKongIM's HTTP API that answers `{"status":200}`.
    pub async fn wukong_ok(&self, path: &str, body: Value) {
        let asked = format!("{path} {body}");
        let answer = self.wukong_api().post(path, body).await.ok();
        assert_eq!(answer["status"], 200, "{asked}: {answer}");
    }

    /// A login over TCP with the newest version, whose token must have been registered by
    /// [`Server::register`].
    #[must_use]
    pub fn login(&self, uid: &str) -> Login {
        Login::new(&self.listeners, uid)
    }

    /// Registers a user and logs it in over TCP with the newest version.
    pub async fn client(&self, uid: &str) -> WukongClient {
        self.client_as(
            uid,
            Transport::Tcp,
            crosstalk_wire::wukong::binary::LATEST_VERSION,
        )
        .await
    }

    /// Registers a user and logs it in.
    pub async fn client_as(&self, uid: &str, over: Transport, version: u8) -> WukongClient {
        self.register(uid, 0, 0).await;
        self.login(uid).over(over).version(version).connect().await
    }

    fn log_tail(&self) -> String {
        tail(&self.folder.path().join("server.log"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.killer().kill();
        if std::thread::panicking() {
            eprintln!("--- end of the server's log ---\n{}---", self.log_tail());
        }
    }
}

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

fn data_dir(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn spawn(
    folder: &Path,
    settings: &[String],
    disk: Option<&FaultyDisk>,
    at: Option<&Listeners>,
) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("server.log"));
    let log = log.expect("a log file");
    let any = "127.0.0.1:0";
    let mut command = Command::new(binary());
    command.arg("serve").arg("--data-dir").arg(data_dir(folder));
    for (listener, addr) in [
        ("http", at.map_or(any, |it| &it.http)),
        ("wukong_tcp", at.map_or(any, |it| &it.wukong_tcp)),
        ("wukong_ws", at.map_or(any, |it| &it.wukong_ws)),
        ("wukong_api", at.map_or(any, |it| &it.wukong_api)),
    ] {
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
    if let Some(disk) = disk {
        disk.slip_under(command.as_std_mut());
    }
    command
        .current_dir(folder)
        .kill_on_drop(true)
        .stdin(Stdio::null());
    command
        .stdout(log.try_clone().expect("a second handle of the log"))
        .stderr(log);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {}: {error}", binary().display()))
}

/// Waits until the server has announced its addresses and says that it is ready.
async fn ready(folder: &Path, process: &mut Child) -> Listeners {
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

fn tail(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_else(|error| format!("no log: {error}"));
    let lines: Vec<_> = text.lines().collect();
    let from = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines[from..]
        .iter()
        .map(|line| format!("{line}\n"))
        .collect()
}
