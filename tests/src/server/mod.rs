//! A real server: the `crosstalk` binary on free ports, over a directory of its own.

mod inspect;
mod process;

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::faults::{Cut, Faults};
use crate::http::Http;
use crate::seed::Seed;
use crate::wait::eventually;
use crate::wukong::{Login, Transport, WukongClient};

use process::{data_dir, ready, spawn, tail};

pub(crate) use process::profile_dir;

/// The addresses that a server has announced in `listeners.json`; blank where it has none.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Listeners {
    /// REST, and the WebSocket paths of all dialects.
    pub http: String,
    /// WuKongIM's binary dialect over TCP.
    pub wukong_tcp: String,
    /// The same over WebSocket.
    pub wukong_ws: String,
    /// WuKongIM's HTTP API.
    pub wukong_api: String,
    /// MQTT over TCP.
    pub mqtt_tcp: String,
    /// wg alone.
    pub wg: String,
    /// gyyx alone.
    pub gyyx: String,
}

/// A running server. Dropping it kills the process and removes its data; if the test has failed,
/// the end of the log is shown first.
pub struct Server {
    process: Arc<Mutex<Child>>,
    folder: TempDir,
    settings: Vec<String>,
    faults: Option<Faults>,
    listeners: Listeners,
    admin_key: String,
}

/// Kills a server from wherever the right moment is noticed.
#[derive(Clone)]
pub struct Killer(Arc<Mutex<Child>>);

impl Killer {
    /// Sends SIGTERM and returns.
    pub async fn terminate(&self) {
        let pid = self.0.lock().expect("no holder of this lock panics").id();
        // Without one the process has ended already; and it may end before this reaches it.
        if let Some(pid) = pid {
            let mut kill = Command::new("sh");
            kill.arg("-c").arg(format!("kill -TERM {pid}"));
            let _ = kill.stderr(Stdio::null()).status().await;
        }
    }

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

    /// As [`start_with`](Self::start_with), with [`faults`](Self::faults) under it that break
    /// nothing yet.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with_faults(settings: &[&str]) -> Server {
        let (folder, faults) = faulty_folder().await;
        Server::start_in(folder, settings, Some(faults)).await
    }

    /// As [`start_with_faults`](Self::start_with_faults), after starts that power cuts have ended
    /// after so much time each.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_after_power_cuts(after: &[Duration], seed: &mut Seed) -> Server {
        let (folder, faults) = faulty_folder().await;
        for delay in after {
            let mut process = spawn(folder.path(), &[], Some(&faults), None);
            // wait: the moment of the cut is what is asked for
            tokio::time::sleep(*delay).await;
            process.kill().await.expect("a process that can be killed");
            faults.cut_power(Some(seed));
            // What a killed server has left behind must not pass for the next one's.
            let _ = std::fs::remove_file(data_dir(folder.path()).join("listeners.json"));
        }
        Server::start_in(folder, &[], Some(faults)).await
    }

    async fn start_in(folder: TempDir, settings: &[&str], faults: Option<Faults>) -> Server {
        let settings: Vec<_> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut process = spawn(folder.path(), &settings, faults.as_ref(), None);
        let listeners = ready(folder.path(), &mut process).await;
        let admin_key = std::fs::read_to_string(data_dir(folder.path()).join("admin.key"))
            .expect("the server has written admin.key");
        let process = Arc::new(Mutex::new(process));
        let admin_key = admin_key.trim().to_owned();
        Server {
            process,
            folder,
            settings,
            faults,
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
        let process = spawn(
            self.folder.path(),
            &self.settings,
            self.faults.as_ref(),
            None,
        );
        self.process = Arc::new(Mutex::new(process));
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
            self.faults.as_ref(),
            at.as_ref(),
        );
        self.listeners = ready(self.folder.path(), &mut process).await;
        self.process = Arc::new(Mutex::new(process));
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
        let pid = self.pid();
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

    /// Leaves of a killed server's data what a power cut would: what was synced, and of the
    /// rest nothing, or with a `seed` whatever it chooses.
    ///
    /// # Panics
    /// When the server has no faults, or runs.
    pub fn cut_power(&self, seed: Option<&mut Seed>) -> Cut {
        assert!(!self.is_running(), "a running server has lost nothing");
        self.faults().cut_power(seed)
    }

    /// What can be broken under the server.
    ///
    /// # Panics
    /// When it was not started with faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.faults
            .as_ref()
            .expect("a server that was started with faults")
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

    /// The server's own key.
    #[must_use]
    pub fn admin_key(&self) -> &str {
        &self.admin_key
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

/// A folder for a server, and faults under its data.
async fn faulty_folder() -> (TempDir, Faults) {
    let parent = std::env::temp_dir().canonicalize();
    let folder = tempfile::tempdir_in(parent.expect("a folder for temporary ones"));
    let folder = folder.expect("a temporary folder");
    let faults = Faults::under(&data_dir(folder.path()), &folder.path().join("faults")).await;
    (folder, faults)
}
