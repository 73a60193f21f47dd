//! What a disk can do: how long a small durable write takes there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

const WRITES: usize = 200;
const WRITE_BYTES: usize = 4096;

/// How long a write of 4 KiB with its fsync took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsyncLatency {
    /// Half of the writes took at most this.
    pub p50: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
}

/// Measures the latency of `fsync` in a directory: 200 appends of 4 KiB to a file of its
/// own, which is removed again. It blocks for as long as they take. `elapsed` is a
/// monotonic clock with at least µs, since an arbitrary start.
///
/// # Errors
/// When the directory cannot be written.
pub fn doctor_fsync(dir: &Path, elapsed: &dyn Fn() -> Duration) -> io::Result<FsyncLatency> {
    let path = dir.join(format!(".crosstalk-doctor-{}", std::process::id()));
    let measured = measure(&path, elapsed);
    let removed = fs::remove_file(&path);
    let mut times = measured?;
    removed?;
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent).div_ceil(100).saturating_sub(1)];
    Ok(FsyncLatency {
        p50: at(50),
        p99: at(99),
    })
}

fn measure(path: &Path, elapsed: &dyn Fn() -> Duration) -> io::Result<Vec<Duration>> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .append(true)
        .open(path)?;
    let block = [0x5a_u8; WRITE_BYTES];
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let begun = elapsed();
        file.write_all(&block)?;
        file.sync_all()?;
        times.push(elapsed().saturating_sub(begun));
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_writable_directory_is_measured_and_left_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let latency = doctor_fsync(dir.path(), &|| start.elapsed()).unwrap();
        assert!(latency.p50 <= latency.p99 && latency.p99 > Duration::ZERO);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(doctor_fsync(&dir.path().join("missing"), &|| start.elapsed()).is_err());
    }
}
