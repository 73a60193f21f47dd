//! What can go wrong under a server: its disk, its clock, its sockets.
//!
//! The C sources in `tests/faults/` are built into a library that runs inside the server.
//! [`Faults`] tells it what to break while the server runs ([`control`]), and puts together what
//! a power cut leaves ([`platter`]). It knows nothing of what the files mean.

mod control;
mod library;
mod platter;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use control::{Control, Number};
pub use platter::Cut;
use platter::Platter;

use crate::seed::Seed;

/// How much longer each sync takes on a slow disk. Long against the way of an acknowledgement to
/// a client, so that one that is sent before the sync is there before its end.
pub const SLOW_SYNC: Duration = Duration::from_millis(4);

/// What a failed sync does to what it was to write. Both are seen: it depends on the file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedSync {
    /// The system goes on showing it, though it is not on the disk, and never will be.
    IsShown,
    /// The system forgets it at once, and shows what the disk has.
    IsForgotten,
}

/// What is broken under one server; nothing at first.
pub struct Faults {
    library: PathBuf,
    data: PathBuf,
    control: Control,
    platter: Platter,
}

impl Faults {
    /// Under the data in the folder `data`, with notes in the folder `notes`, which is made. Both
    /// are on one file system, and named without links: the library compares paths.
    pub(crate) async fn under(data: &Path, notes: &Path) -> Faults {
        fs::create_dir(notes).expect("a folder for the faults' notes");
        Faults {
            library: library::path().await,
            control: Control::new(&notes.join("control")),
            platter: Platter::new(data, &notes.join("platter")),
            data: data.to_owned(),
        }
    }

    /// Slips the faults under a server that is to be started.
    pub(crate) fn slip_under(&self, command: &mut Command) {
        command.env("LD_PRELOAD", &self.library);
        command.env("FAULTS_DATA", &self.data);
        command.env("FAULTS_CONTROL", self.control.path());
        command.env("FAULTS_PLATTER", self.platter.path());
    }

    /// Each sync takes this much longer from now on.
    pub fn slow_syncs(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).expect("a short delay");
        self.control.set(Number::SyncDelayUs, micros);
    }

    /// Files may grow by this many bytes from now on, in all; then the disk is full. `None`: as
    /// they like.
    pub fn leave_space(&self, bytes: Option<u64>) {
        let number = bytes.map_or(0, |bytes| bytes + 1);
        self.control.set(Number::SpacePlus1, number);
    }

    /// Writes that were refused or cut short since the start, because the disk was full.
    #[must_use]
    pub fn refused_writes(&self) -> u64 {
        self.control.get(Number::WritesRefused)
    }

    /// After `passing` more syncs of the database or its log, `count` of them fail.
    pub fn fail_syncs(&self, passing: u64, count: u64, how: FailedSync) {
        let is_forgotten = u64::from(how == FailedSync::IsForgotten);
        self.control.set(Number::FailedIsForgotten, is_forgotten);
        self.control.set(Number::SyncsToPass, passing);
        self.control.set(Number::SyncsToFail, count);
    }

    /// Syncs that have failed since the start.
    #[must_use]
    pub fn failed_syncs(&self) -> u64 {
        self.control.get(Number::SyncsFailed)
    }

    /// The wall clock is wrong by this many seconds from now on.
    pub fn set_clock_off_by(&self, secs: i64) {
        let ms = (secs * 1000).cast_unsigned();
        self.control.set(Number::ClockOffsetMs, ms);
    }

    /// Connections that are accepted from now on have a send buffer of this size; the system
    /// doubles it for its own purposes.
    pub fn set_send_buffers(&self, bytes: u32) {
        self.control.set(Number::SendBufferBytes, bytes.into());
    }

    /// Leaves of the data of a killed server what a power cut would: what was synced, and of
    /// the rest nothing, or with a `seed` whatever it chooses, sector by sector.
    pub(crate) fn cut_power(&self, seed: Option<&mut Seed>) -> Cut {
        self.platter.cut(seed)
    }
}
