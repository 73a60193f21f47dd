//! The data folder: made with the owner's rights only, and held by one process at a time.

use std::fs::{self, DirBuilder, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The lock's file in the data folder. It stays when the lock is gone; only the lock counts.
pub const LOCK_FILE: &str = "crosstalk.lock";
/// The store's file in the data folder.
pub const STORE_FILE: &str = "crosstalk.db";
/// The file that names the addresses bound, while a server runs.
pub const LISTENERS_FILE: &str = "listeners.json";

/// A data folder that belongs to this process until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Makes the folder if need be and takes it. `None` when another process has it.
    ///
    /// # Errors
    /// When the folder cannot be made or written.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        let shown = path.display();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| format!("the data folder {shown} cannot be made"))?;
        let file = path.join(LOCK_FILE);
        let lock = File::options().create(true).append(true).open(&file);
        let lock = lock.with_context(|| format!("the data folder {shown} cannot be written"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self {
                path: path.to_owned(),
                _lock: lock,
            })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", file.display()))
            }
        }
    }

    /// Takes the folder for a server.
    ///
    /// # Errors
    /// As [`take`](Self::take), and when another server has it.
    pub fn take_for_server(path: &Path) -> Result<Self> {
        let Some(taken) = Self::take(path)? else {
            let listeners = fs::read_to_string(path.join(LISTENERS_FILE)).unwrap_or_default();
            bail!(
                "another crosstalk already uses the data folder {}{}; stop it, or give this one \
                 a folder of its own with --data-dir",
                path.display(),
                if listeners.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", listeners.trim())
                }
            );
        };
        Ok(taken)
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file in the folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// Replaces a file so that readers see the old content or the new one, and so does whoever looks
/// after a power cut.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_atomically(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let write = || -> io::Result<()> {
        let draft = path.with_extension("tmp");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&draft)?;
        // The process may mask more than the file is meant to.
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    write().with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time() {
        let parent = tempfile::tempdir().expect("a folder");
        let path = parent.path().join("deep/data");
        let first = DataDir::take(&path).expect("a folder").expect("free");
        assert!(DataDir::take(&path).expect("a folder").is_none());
        let refusal = DataDir::take_for_server(&path)
            .expect_err("taken")
            .to_string();
        assert!(refusal.contains("another crosstalk") && refusal.contains("deep/data"));
        drop(first);
        assert!(DataDir::take(&path).expect("a folder").is_some());
    }
}
