//! The numbers that a running server and its test share: `tests/faults/control.h` has the same.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// The file's size: a page, to be mapped.
const FILE_BYTES: u64 = 4096;

/// A number's place among them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    SyncDelayUs,
    SpacePlus1,
    SyncsToPass,
    SyncsToFail,
    FailedIsForgotten,
    ClockOffsetMs,
    SendBufferBytes,
    WritesRefused,
    SyncsFailed,
}

/// The file that holds them, each in eight bytes of the machine's own order.
pub(super) struct Control {
    path: PathBuf,
    file: File,
}

impl Control {
    /// All of them 0.
    pub(super) fn new(path: &Path) -> Control {
        let mut options = File::options();
        let file = options.create_new(true).read(true).write(true).open(path);
        let file = file.expect("a new file for the control numbers");
        file.set_len(FILE_BYTES).expect("room for a page");
        Control {
            path: path.to_owned(),
            file,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn set(&self, number: Number, value: u64) {
        let written = self
            .file
            .write_all_at(&value.to_ne_bytes(), number as u64 * 8);
        written.expect("a writable control file");
    }

    pub(super) fn get(&self, number: Number) -> u64 {
        let mut bytes = [0; 8];
        let read = self.file.read_exact_at(&mut bytes, number as u64 * 8);
        read.expect("a readable control file");
        u64::from_ne_bytes(bytes)
    }
}
