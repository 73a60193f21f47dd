//! A process as `/proc` shows it.

use std::fs;

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;

/// Watches a process.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    folder: String,
}

/// A process at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sample {
    /// Processor time since its start, in all threads.
    pub(crate) cpu_secs: f64,
    pub(crate) rss_bytes: u64,
    /// The most since its start.
    pub(crate) peak_rss_bytes: u64,
    /// Handed to the disk since its start; `None` for another user's process.
    pub(crate) written_bytes: Option<u64>,
}

impl Probe {
    /// A probe of a process that is there.
    pub(crate) fn new(pid: u32) -> Result<Self> {
        let probe = Self {
            folder: format!("/proc/{pid}"),
        };
        probe
            .sample()
            .with_context(|| format!("process {pid} cannot be watched"))?;
        Ok(probe)
    }

    /// This process.
    pub(crate) fn own() -> Self {
        Self {
            folder: "/proc/self".to_owned(),
        }
    }

    /// How the process stands now.
    pub(crate) fn sample(&self) -> Result<Sample> {
        let read = |name: &str| {
            let path = format!("{}/{name}", self.folder);
            fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        let ticks = cpu_ticks(&read("stat")?).context("/proc/PID/stat has an unknown form")?;
        let status = read("status")?;
        let kib = |key| field(&status, key).unwrap_or_default() * 1024;
        Ok(Sample {
            cpu_secs: ticks as f64 / clock_ticks_per_second() as f64,
            rss_bytes: kib("VmRSS:"),
            peak_rss_bytes: kib("VmHWM:"),
            written_bytes: read("io").ok().and_then(|io| field(&io, "write_bytes:")),
        })
    }
}

/// Processor time that all processes of the machine took since it started,
/// with what a virtual machine's host took away.
pub(crate) fn machine_busy_secs() -> Option<f64> {
    let ticks = busy_ticks(&fs::read_to_string("/proc/stat").ok()?)?;
    Some(ticks as f64 / clock_ticks_per_second() as f64)
}

/// All of the first line but the time that was idle or waited for a disk.
fn busy_ticks(stat: &str) -> Option<u64> {
    let fields = stat.lines().next()?.strip_prefix("cpu ")?;
    // user, nice, system, idle, iowait, irq, softirq, steal; guests are in user.
    let fields: Result<Vec<u64>, _> = fields.split_whitespace().take(8).map(str::parse).collect();
    let fields = fields.ok()?;
    let idle = fields.get(3)? + fields.get(4)?;
    Some(fields.iter().sum::<u64>() - idle)
}

/// Ticks in user and system mode. The name, second, may hold blanks.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(ticks()? + ticks()?)
}

/// The number after a key at the beginning of a line.
fn field(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 100 0 0 0 37 5 0 0 20 0 4 0 100 1 2";
        assert_eq!(cpu_ticks(stat), Some(42));
        assert_eq!(cpu_ticks("42 (a) S 1"), None);
    }

    #[test]
    fn fields_are_found_by_whole_keys() {
        let io = "rchar: 5\nwrite_bytes: 4096\ncancelled_write_bytes: 7\n";
        assert_eq!(field(io, "write_bytes:"), Some(4096));
        assert_eq!(field("VmRSS:\t   12 kB\n", "VmRSS:"), Some(12));
        assert_eq!(field(io, "bytes:"), None);
    }

    #[test]
    fn a_machine_is_busy_when_it_is_not_idle() {
        let stat = "cpu  10 1 20 1000 500 2 3 4 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(40));
        assert_eq!(busy_ticks("intr 5"), None);
        assert!(machine_busy_secs().is_some_and(|secs| secs > 0.0));
    }

    #[test]
    fn this_process_can_be_watched() {
        let sample = Probe::new(std::process::id()).and_then(|probe| probe.sample());
        let sample = sample.expect("this process is there");
        assert!(sample.rss_bytes > 0 && sample.peak_rss_bytes >= sample.rss_bytes);
        assert!(Probe::new(u32::MAX).is_err());
    }
}
