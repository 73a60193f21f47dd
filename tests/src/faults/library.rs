//! Building the library that runs inside a server with faults.

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::server::profile_dir;

const SOURCES: [&str; 4] = ["control.c", "disk.c", "clock.c", "net.c"];

/// The library, built at the first call of a process.
pub(super) async fn path() -> PathBuf {
    static LIBRARY: OnceCell<PathBuf> = OnceCell::const_new();
    LIBRARY.get_or_init(make).await.clone()
}

async fn make() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults");
    let target = profile_dir().join("test-clients");
    fs::create_dir_all(&target).expect("a folder for the library");
    // Test processes may run side by side: each makes its own, and the last one stays.
    let made = target.join(format!("faults-{}.so", std::process::id()));
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]);
    command.arg("-o").arg(&made);
    command.args(SOURCES.map(|source| folder.join(source)));
    command.args(["-ldl", "-lpthread"]);
    let status = command
        .status()
        .await
        .expect("the C compiler that the build needs as well");
    assert!(status.success(), "the C compiler ended with {status}");
    let library = target.join("faults.so");
    fs::rename(&made, &library).expect("a library in its place");
    library
}
