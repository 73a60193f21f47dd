//! `crosstalk doctor`: looks at what a server needs of this machine and says what is missing.
//! It changes nothing: where no server has run yet, nothing is made.

use std::fmt;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Result;
use crosstalk_backends::doctor::doctor_fsync;
use crosstalk_backends::sqlite::DamagedMessage;
use crosstalk_core::clock::{Clock, SystemClock};
use crosstalk_core::id::{MessageId, SNOWFLAKE_EPOCH_MS};
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};

use crate::compose::Core;
use crate::config::{Config, Loaded, Sources, load};
use crate::data_dir::{DataDir, STORE_FILE};

/// Fewer open files than this are few for a server.
const FEW_FILES: u64 = 10_000;
const MIB: u64 = 1 << 20;
/// Less free space than this will be gone soon.
const LOW_DISK: u64 = 1024 * MIB;
/// Less free space than this is as good as none.
const NO_DISK: u64 = 64 * MIB;
/// A slower disk makes every message wait.
const SLOW_FSYNC: Duration = Duration::from_millis(50);
/// No disk is this fast: nothing is written, or it forgets at power loss.
const UNREAL_FSYNC: Duration = Duration::from_micros(15);
/// 2024-01-01 and 2100-01-01; a clock outside was never set.
const SANE_MS: std::ops::Range<i64> = 1_704_067_200_000..4_102_444_800_000;
/// The newest message may be this far ahead of the clock.
const AHEAD_MS: i64 = 1000;
/// The bits of a message id below its time.
const ID_TIME_SHIFT: u32 = 22;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    Warning,
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        })
    }
}

/// What was found: one line per check.
#[derive(Debug, Default)]
pub struct Report {
    lines: Vec<String>,
    has_failed: bool,
}

impl Report {
    /// Whether a server can run here.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.has_failed
    }

    fn say(&mut self, what: &str, verdict: Verdict, why: impl fmt::Display) {
        self.lines.push(format!("{verdict:<8} {what:<12} {why}"));
        self.has_failed |= verdict == Verdict::Failed;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

/// Checks everything.
///
/// # Errors
/// When the configuration is not valid.
pub async fn examine(sources: &Sources) -> Result<Report> {
    let Loaded {
        config,
        file,
        warnings,
        ..
    } = load(sources)?;
    let mut report = Report::default();
    let from = file.map_or("defaults".to_owned(), |file| file.display().to_string());
    report.say("settings", Verdict::Fine, from);
    for warning in warnings {
        report.say("settings", Verdict::Warning, warning);
    }
    files(&mut report);
    let folder = Path::new(&config.server.data_dir);
    let existing = nearest_folder(folder);
    disk(&mut report, &existing);
    fsync(&mut report, &existing);
    let clock = SystemClock::new();
    wall_clock(&mut report, clock.now_ms());
    if !folder.join(STORE_FILE).exists() {
        let why = format!("{} will be made at first start", folder.display());
        report.say("store", Verdict::Fine, why);
        ports(&mut report, &config);
        return Ok(report);
    }
    match DataDir::take(folder) {
        Ok(Some(data_dir)) => {
            store(&mut report, &config, &data_dir).await;
            ports(&mut report, &config);
        }
        Ok(None) => {
            let why = format!(
                "a server runs on {}; store and ports are its own",
                folder.display()
            );
            report.say("store", Verdict::Fine, why);
        }
        Err(error) => report.say("store", Verdict::Failed, format!("{error:#}")),
    }
    Ok(report)
}

fn files(report: &mut Report) {
    match getrlimit(Resource::Nofile).maximum {
        None => report.say("open files", Verdict::Fine, "no limit"),
        Some(limit) if limit < FEW_FILES => {
            let why = format!("{limit} at most, one per connection; raise it with ulimit -Hn");
            report.say("open files", Verdict::Warning, why);
        }
        Some(limit) => report.say("open files", Verdict::Fine, format!("{limit} at most")),
    }
}

/// The folder itself, or the nearest one above that exists.
fn nearest_folder(folder: &Path) -> PathBuf {
    let found = folder
        .ancestors()
        .find(|it| !it.as_os_str().is_empty() && it.is_dir());
    found.unwrap_or(Path::new(".")).to_owned()
}

fn disk(report: &mut Report, folder: &Path) {
    let stat = match statvfs(folder) {
        Ok(stat) => stat,
        Err(error) => return report.say("disk", Verdict::Failed, error),
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let verdict = match free {
        free if free < NO_DISK => Verdict::Failed,
        free if free < LOW_DISK => Verdict::Warning,
        _ => Verdict::Fine,
    };
    report.say(
        "disk",
        verdict,
        format!("{} MiB free at {}", free / MIB, folder.display()),
    );
}

fn fsync(report: &mut Report, folder: &Path) {
    let start = Instant::now();
    match doctor_fsync(folder, &|| start.elapsed()) {
        Ok(latency) => {
            let times = format!(
                "half within {:?}, 99 % within {:?}",
                latency.p50, latency.p99
            );
            let (verdict, why) = if latency.p99 > SLOW_FSYNC {
                (
                    Verdict::Warning,
                    ": a slow disk, every message waits for it",
                )
            } else if latency.p50 < UNREAL_FSYNC {
                (
                    Verdict::Warning,
                    ": too fast to be a disk, a power cut may lose messages",
                )
            } else {
                (Verdict::Fine, "")
            };
            report.say("fsync", verdict, format!("{times}{why}"));
        }
        Err(error) => {
            let why = format!("{} cannot be written: {error}", folder.display());
            report.say("fsync", Verdict::Failed, why);
        }
    }
}

fn wall_clock(report: &mut Report, now_ms: i64) {
    if SANE_MS.contains(&now_ms) {
        report.say("clock", Verdict::Fine, "is set");
    } else {
        report.say(
            "clock",
            Verdict::Failed,
            format!("is not set: {now_ms} ms since 1970"),
        );
    }
}

fn ports(report: &mut Report, config: &Config) {
    for (name, listener) in config.listen.all() {
        let what = format!("listen.{name}");
        let Some(address) = listener.address() else {
            continue;
        };
        match TcpListener::bind(address) {
            Ok(_) => report.say("port", Verdict::Fine, format!("{what} = {address} is free")),
            Err(error) => {
                report.say(
                    "port",
                    Verdict::Failed,
                    format!("{what} = {address}: {error}"),
                );
            }
        }
    }
}

async fn store(report: &mut Report, config: &Config, data_dir: &DataDir) {
    let core = match Core::open(config, data_dir).await {
        Ok(core) => core,
        Err(error) => return report.say("store", Verdict::Failed, format!("{error:#}")),
    };
    let file = data_dir.file(STORE_FILE);
    let size = std::fs::metadata(&file).map_or(0, |it| it.len());
    report.say(
        "store",
        Verdict::Fine,
        format!("{} opens, {} MiB", file.display(), size / MIB),
    );
    messages(report, &core).await;
    let ahead_ms = time_of(core.ids.next()) - core.clock.now_ms();
    if ahead_ms > AHEAD_MS {
        let why = format!(
            "is {} s behind the newest message; was it set back?",
            ahead_ms / 1000
        );
        report.say("clock", Verdict::Warning, why);
    }
    core.close().await;
}

/// Reads every message.
async fn messages(report: &mut Report, core: &Core) {
    let verified = match core.store.verify().await {
        Ok(verified) => verified,
        Err(error) => return report.say("messages", Verdict::Failed, error.to_string()),
    };
    let (read, damaged) = (verified.read, verified.damaged);
    if damaged == 0 {
        report.say(
            "messages",
            Verdict::Fine,
            format!("{read} read, none damaged"),
        );
    } else {
        let name =
            |it: &DamagedMessage| format!("{} (seq {} of log {})", it.id, it.seq, it.channel);
        let named: Vec<String> = verified.named.iter().map(name).collect();
        let why = format!("{damaged} of {read} are damaged: {}", named.join(", "));
        report.say("messages", Verdict::Failed, why);
    }
    if let Some(said) = verified.file {
        report.say("store file", Verdict::Failed, said);
    }
}

fn time_of(id: MessageId) -> i64 {
    (id.0 >> ID_TIME_SHIFT) + SNOWFLAKE_EPOCH_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Listen;

    #[tokio::test]
    async fn a_fresh_machine_is_fit_and_left_as_it_was() {
        let parent = tempfile::tempdir().expect("a folder");
        let data = parent.path().join("deep/data");
        let sources = Sources {
            data_dir: Some(data.display().to_string()),
            sets: Listen::default()
                .all()
                .map(|(name, _)| format!("listen.{name}=127.0.0.1:0"))
                .to_vec(),
            folder: parent.path().to_owned(),
            ..Sources::default()
        };
        let report = examine(&sources).await.expect("valid settings");
        assert!(report.is_healthy(), "{report}");
        assert!(
            report.to_string().contains("will be made at first start"),
            "{report}"
        );
        assert_eq!(
            std::fs::read_dir(parent.path()).expect("a folder").count(),
            0
        );
    }

    #[tokio::test]
    async fn a_taken_port_is_found() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("an address");
        let parent = tempfile::tempdir().expect("a folder");
        let all = Listen::default().all();
        let mut sets = all.map(|(name, _)| format!("listen.{name}=off")).to_vec();
        sets.push(format!("listen.http={address}"));
        let sources = Sources {
            data_dir: Some(parent.path().join("data").display().to_string()),
            sets,
            folder: parent.path().to_owned(),
            ..Sources::default()
        };
        let report = examine(&sources).await.expect("valid settings");
        assert!(!report.is_healthy(), "{report}");
        let line = format!("failed   port         listen.http = {address}: ");
        assert!(report.to_string().contains(&line), "{report}");
    }

    #[test]
    fn ids_tell_their_time() {
        let clock =
            std::sync::Arc::new(crosstalk_core::clock::ManualClock::at_ms(1_800_000_000_123));
        let ids = crosstalk_core::id::Snowflake::new(clock, 7);
        assert_eq!(time_of(ids.next()), 1_800_000_000_123);
    }
}
