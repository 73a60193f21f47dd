//! A disk that forgets: what was not synced is gone after a kill, as after a power cut.
//!
//! `faults/disk.c` runs inside the server and notes what each write replaced until it is synced;
//! [`FaultyDisk::lose_unsynced`] puts that back.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::server::profile_dir;

/// How much longer each sync takes. Long against the way of an acknowledgement to a client, so
/// that one that is sent before the sync is there before its end.
const SYNC_DELAY: Duration = Duration::from_millis(4);

/// Bytes before the old content in an undo record: three numbers.
const RECORD_HEADER: usize = 24;

/// The disk under one server's data.
pub(crate) struct FaultyDisk {
    library: PathBuf,
    data: PathBuf,
    undo: TempDir,
}

/// What a write replaced.
struct Record {
    at: u64,
    old: Vec<u8>,
    old_size: u64,
}

impl FaultyDisk {
    /// Under the databases in `data`.
    pub(crate) async fn under(data: &Path) -> FaultyDisk {
        static LIBRARY: OnceCell<PathBuf> = OnceCell::const_new();
        let library = LIBRARY.get_or_init(make_library).await.clone();
        let undo = tempfile::tempdir().expect("a temporary folder");
        FaultyDisk {
            library,
            data: data.to_owned(),
            undo,
        }
    }

    /// Puts the disk under a server that is to be started.
    pub(crate) fn slip_under(&self, command: &mut std::process::Command) {
        command.env("LD_PRELOAD", &self.library);
        command.env("FAULTY_DISK", &self.data);
        command.env("FAULTY_DISK_UNDO", self.undo.path());
        command.env("FAULTY_DISK_SYNC_US", SYNC_DELAY.as_micros().to_string());
    }

    /// Undoes every write since the last sync of its file; the server must have ended. Returns
    /// how many there were.
    pub(crate) fn lose_unsynced(&self) -> usize {
        let mut lost = 0;
        for entry in fs::read_dir(self.undo.path()).expect("a folder of undo files") {
            let undo = entry.expect("an undo file").path();
            let name = undo.file_stem().expect("named after its database");
            let file = File::options().write(true).open(self.data.join(name));
            let file = file.expect("the database");
            let records = records(&fs::read(&undo).expect("a readable undo file"));
            for record in records.iter().rev() {
                file.write_all_at(&record.old, record.at)
                    .expect("a writable database");
                file.set_len(record.old_size).expect("a writable database");
            }
            lost += records.len();
            fs::remove_file(undo).expect("an undo file that can go");
        }
        // Shared memory is no disk: a restart finds none.
        for entry in fs::read_dir(&self.data).expect("the data folder") {
            let path = entry.expect("a file").path();
            if path.to_string_lossy().ends_with("-shm") {
                fs::remove_file(path).expect("a file that can go");
            }
        }
        lost
    }
}

/// Reads an undo file. The last record may be cut short: its write never came.
fn records(bytes: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let mut rest = bytes;
    while let Some((header, tail)) = rest.split_at_checked(RECORD_HEADER) {
        let number = |at: usize| {
            let bytes = header[at * 8..at * 8 + 8].try_into().expect("eight bytes");
            u64::from_ne_bytes(bytes)
        };
        let old_len = usize::try_from(number(1)).expect("a length that fits");
        let Some((old, next)) = tail.split_at_checked(old_len) else {
            break;
        };
        records.push(Record {
            at: number(0),
            old: old.to_vec(),
            old_size: number(2),
        });
        rest = next;
    }
    records
}

async fn make_library() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults/disk.c");
    let target = profile_dir().join("test-clients");
    fs::create_dir_all(&target).expect("a folder for the library");
    // Test processes may run side by side: each makes its own, and the last one stays.
    let made = target.join(format!("disk-{}.so", std::process::id()));
    let mut command = Command::new("cc");
    command.args([
        "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o",
    ]);
    command.arg(&made).arg(source).args(["-ldl", "-lpthread"]);
    let status = command
        .status()
        .await
        .expect("the C compiler that the build needs as well");
    assert!(status.success(), "the C compiler ended with {status}");
    let library = target.join("disk.so");
    fs::rename(&made, &library).expect("a library in its place");
    library
}
