//! Bytes that come for one file, on their way to the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crosstalk_core::clock::Clock;
use crosstalk_core::refusal::Refusal;
use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};

use super::disk;

/// What staged files of single requests are called at their end.
const SUFFIX: &str = "tmp";
/// How much of a file is looked at to know what it is.
pub(super) const HEAD_BYTES: usize = 8 << 10;
/// What is read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A file on this machine's disk that is removed with this.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "{} cannot be removed", self.0.display());
        }
    }
}

/// What is learned of bytes while they pass.
struct Learned {
    digest: Sha256,
    size: u64,
    head: Vec<u8>,
}

impl Learned {
    fn new() -> Self {
        Self {
            digest: Sha256::new(),
            size: 0,
            head: Vec::new(),
        }
    }

    fn see(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        let room = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Bytes that come.
pub struct Incoming {
    file: BufWriter<File>,
    scratch: Scratch,
    learned: Learned,
    max_bytes: u64,
}

/// Bytes that have come.
pub(super) struct Staged {
    scratch: Kept,
    pub(super) size: u64,
    pub(super) sha256: [u8; 32],
    pub(super) head: Vec<u8>,
}

enum Kept {
    Scratch(Scratch),
    Elsewhere(PathBuf),
}

impl Incoming {
    pub(super) async fn begin(
        folder: &Path,
        max_bytes: u64,
        clock: &dyn Clock,
    ) -> Result<Self, Refusal> {
        let mut random = [0; 16];
        clock.fill_random(&mut random);
        let path = folder.join(format!("{}.{SUFFIX}", hex::encode(random)));
        let file = File::create_new(&path)
            .await
            .map_err(|error| disk(&error))?;
        Ok(Self {
            file: BufWriter::with_capacity(CHUNK_BYTES, file),
            scratch: Scratch(path),
            learned: Learned::new(),
            max_bytes,
        })
    }

    /// Takes some more.
    ///
    /// # Errors
    /// `TooLarge`, or `Unavailable` when the disk does not take it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.learned.size.saturating_add(bytes.len() as u64) > self.max_bytes {
            return Err(Refusal::TooLarge);
        }
        self.learned.see(bytes);
        self.file
            .write_all(bytes)
            .await
            .map_err(|error| disk(&error))
    }

    pub(super) async fn finish(mut self) -> Result<Staged, Refusal> {
        self.file.flush().await.map_err(|error| disk(&error))?;
        let Learned { digest, size, head } = self.learned;
        Ok(Staged {
            scratch: Kept::Scratch(self.scratch),
            size,
            sha256: digest.finalize().into(),
            head,
        })
    }
}

impl Staged {
    /// Looks through a file that is staged already.
    pub(super) async fn of(path: PathBuf) -> Result<Self, Refusal> {
        let mut file = File::open(&path).await.map_err(|error| disk(&error))?;
        let mut learned = Learned::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut chunk).await.map_err(|error| disk(&error))?;
            if read == 0 {
                break;
            }
            learned.see(&chunk[..read]);
        }
        let Learned { digest, size, head } = learned;
        Ok(Self {
            scratch: Kept::Elsewhere(path),
            size,
            sha256: digest.finalize().into(),
            head,
        })
    }

    pub(super) fn path(&self) -> &Path {
        match &self.scratch {
            Kept::Scratch(scratch) => &scratch.0,
            Kept::Elsewhere(path) => path,
        }
    }
}

/// Removes what requests of an earlier run have left.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == SUFFIX) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
