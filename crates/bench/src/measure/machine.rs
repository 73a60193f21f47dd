//! What the machine can do without the server, as a reference for its numbers.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::echo::{self, EchoReport};
use crate::account::histogram;

/// Blocks written to measure fsync, and their size.
const BLOCKS: usize = 200;
const BLOCK_BYTES: usize = 4 * 1024;
/// How long fsync is measured at most: on a slow disk fewer blocks do.
const FSYNC_TIME: Duration = Duration::from_secs(10);
/// How long each of the two measurements of loopback lasts.
const ECHO_TIME: Duration = Duration::from_secs(1);

/// The machine, and how fast its parts are.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MachineReport {
    pub(crate) cores: usize,
    pub(crate) cpu: String,
    pub(crate) memory_bytes: u64,
    pub(crate) kernel: String,
    pub(crate) fsync_p50_us: Option<f64>,
    pub(crate) fsync_p99_us: Option<f64>,
    pub(crate) echo: Option<EchoReport>,
}

/// Describes the machine; measures it, too, unless told not to. Blocks for
/// some seconds.
pub(crate) fn machine(folder: &Path, measures: bool) -> Result<MachineReport> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let value = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key));
        line.and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let memory = value(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let memory_kib: u64 = memory
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap_or_default();
    let mut report = MachineReport {
        cores: thread::available_parallelism().map_or(1, usize::from),
        cpu: value(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown".to_owned()),
        memory_bytes: memory_kib * 1024,
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        fsync_p50_us: None,
        fsync_p99_us: None,
        echo: None,
    };
    if measures {
        let (p50, p99) = fsync(folder)
            .with_context(|| format!("fsync cannot be measured in {}", folder.display()))?;
        (report.fsync_p50_us, report.fsync_p99_us) = (Some(p50), Some(p99));
        let echo = echo::measure(ECHO_TIME).context("loopback cannot be measured")?;
        report.echo = Some(echo);
    }
    Ok(report)
}

/// Median and 99th percentile of writing a block and making it durable, in µs.
fn fsync(folder: &Path) -> io::Result<(f64, f64)> {
    let path = folder.join(format!(".bench-fsync-{}", std::process::id()));
    let measure = || {
        let mut file = File::create(&path)?;
        let block = [0x5a; BLOCK_BYTES];
        let mut times = histogram();
        let start = Instant::now();
        for _ in 0..BLOCKS {
            let before = Instant::now();
            file.write_all(&block)?;
            file.sync_all()?;
            times.saturating_record(before.elapsed().as_nanos() as u64);
            if start.elapsed() > FSYNC_TIME {
                break;
            }
        }
        let at = |quantile| times.value_at_quantile(quantile) as f64 / 1e3;
        Ok((at(0.5), at(0.99)))
    };
    let measured = measure();
    // Also when measuring failed; it may not even be there.
    let _ = fs::remove_file(&path);
    measured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_measured_and_nothing_is_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let report = machine(folder.path(), true).expect("measured");
        assert!(report.cores > 0 && report.memory_bytes > 0 && !report.kernel.is_empty());
        assert!(report.fsync_p99_us >= report.fsync_p50_us);
        assert!(report.echo.is_some());
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
        let quick = machine(Path::new("/nowhere"), false).expect("described");
        assert_eq!(quick.fsync_p50_us, None);
    }
}
