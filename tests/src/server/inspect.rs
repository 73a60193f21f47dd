//! Looking at a server from outside: its process, its files, its log, its numbers.

use std::fs;
use std::path::PathBuf;

use super::Server;
use super::process::{command, data_dir, spawn};
use crate::wait::within;

impl Server {
    /// The process id.
    ///
    /// # Panics
    /// When the server has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let process = self.process.lock().expect("no holder of this lock panics");
        process.id().expect("the server is running")
    }

    /// The memory that the process has in use now, in bytes.
    ///
    /// # Panics
    /// When the system does not tell.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.expect("the status of a running process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kib.expect("VmRSS in kB") * 1024
    }

    /// A file of the server's data.
    #[must_use]
    pub fn data_file(&self, name: &str) -> PathBuf {
        data_dir(self.folder.path()).join(name)
    }

    /// Everything that the server has written to its log so far, all its runs in one.
    #[must_use]
    pub fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("server.log"));
        String::from_utf8_lossy(&log.expect("the server's log")).into_owned()
    }

    /// Starts a server that has ended and must refuse to run on this data; returns what it says.
    ///
    /// # Panics
    /// When it does run.
    pub async fn refuses_to_start(&mut self) -> String {
        let before = self.log().len();
        let faults = self.faults.as_ref();
        let mut process = spawn(self.folder.path(), &self.settings, faults, None);
        let status = within("the server's end", process.wait()).await;
        let said = self.log()[before..].to_owned();
        let status = status.expect("the status of a process that has ended");
        assert_eq!(status.code(), Some(1), "{status}: {said}");
        said
    }

    /// What `crosstalk doctor` says of the data, and whether it finds that a server can run.
    pub async fn doctor(&self) -> (bool, String) {
        let mut doctor = command("doctor", self.folder.path(), &self.settings, None);
        let output = within("the doctor's end", doctor.output()).await;
        let output = output.expect("the doctor's output");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        (output.status.success(), said)
    }
}
