//! Taking files in and giving them out, on the messenger's knowledge of them and a blob store.
//!
//! What comes is written to this machine's disk first, never held in memory; then it is known
//! what it is, how long, and whether its bytes are there already. Only then is it put into the
//! blob store and kept. What a crash interrupts leaves staged bytes and noted keys, which the
//! sweeper finds.

mod incoming;
mod making;
mod parts;
mod picture;
mod room;
mod settings;
mod sniff;
mod sweep;
mod thumbnail;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crosstalk_core::clock::Clock;
use crosstalk_core::file::{
    BlobError, BlobStore, BlobStream, FileId, FileRecord, KeepOutcome, NewFile, Upload,
};
use crosstalk_core::id::{Realm, UserNum};
use crosstalk_core::im::Im;
use crosstalk_core::refusal::Refusal;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

pub use self::incoming::Incoming;
use self::making::Making;
pub use self::parts::{Part, Progress};
use self::room::Room;
pub(crate) use self::settings::settings;
pub use self::settings::{FileSettings, blobs};
pub use self::sniff::{is_shown_inline, matches_any};
pub use self::sweep::Sweeper;

/// The longest name of a file, characters.
pub const MAX_NAME_CHARS: usize = 200;

/// What is said of a file that comes.
#[derive(Debug, Clone)]
pub struct About {
    /// Where it belongs.
    pub realm: Realm,
    /// Who gives it; `None` = the application.
    pub owner: Option<UserNum>,
    /// What it is called.
    pub name: String,
    /// Whether everybody may read it.
    pub public: bool,
}

/// Takes files in and gives them out.
pub struct FileService {
    im: Arc<Im>,
    blobs: Arc<dyn BlobStore>,
    settings: FileSettings,
    /// Where bytes wait that are not kept yet.
    staging: PathBuf,
    making: Arc<Making>,
    /// Cancelled when the server stops.
    stop: CancellationToken,
    /// Uploads to which somebody just adds.
    busy: Arc<Mutex<HashSet<FileId>>>,
    /// What uploads take of the disk.
    room: Room,
}

impl FileService {
    /// A service that stages in a folder, which is made. What was staged in it for one request
    /// by an earlier run is gone.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub fn open(
        im: &Arc<Im>,
        blobs: Arc<dyn BlobStore>,
        settings: FileSettings,
        staging: &Path,
    ) -> std::io::Result<Arc<Self>> {
        std::fs::create_dir_all(staging)?;
        incoming::clear(staging)?;
        let room = Room::new(settings.max_staged_bytes);
        for (id, bytes) in parts::left(staging)? {
            room.found(id, bytes);
        }
        let stop = CancellationToken::new();
        Ok(Arc::new(Self {
            im: Arc::clone(im),
            blobs,
            settings,
            staging: staging.to_owned(),
            making: Making::new(stop.clone()),
            stop,
            busy: Arc::default(),
            room,
        }))
    }

    /// How it behaves.
    #[must_use]
    pub fn settings(&self) -> &FileSettings {
        &self.settings
    }

    /// The messenger.
    #[must_use]
    pub fn im(&self) -> &Arc<Im> {
        &self.im
    }

    fn clock(&self) -> &dyn Clock {
        &**self.im.clock()
    }

    /// Whether files are taken at all.
    ///
    /// # Errors
    /// `Forbidden` if they are not.
    pub fn check_enabled(&self) -> Result<(), Refusal> {
        if self.settings.enabled {
            Ok(())
        } else {
            Err(Refusal::Forbidden)
        }
    }

    /// Begins to take a file in.
    ///
    /// # Errors
    /// `Forbidden` if files are switched off, `Unavailable` when nothing can be written.
    pub async fn receive(&self) -> Result<Incoming, Refusal> {
        self.check_enabled()?;
        Incoming::begin(&self.staging, self.settings.max_bytes, self.clock()).await
    }

    /// Keeps what has come.
    ///
    /// # Errors
    /// `InvalidArgument` for a type that is not taken, `RateLimited` when its owner has given
    /// too much today, `Unavailable` when it cannot be kept now.
    pub async fn keep(&self, incoming: Incoming, about: &About) -> Result<FileRecord, Refusal> {
        let staged = incoming.finish().await?;
        let id = FileId::new(self.clock());
        self.keep_staged(id, &staged, about).await
    }

    async fn keep_staged(
        &self,
        id: FileId,
        staged: &incoming::Staged,
        about: &About,
    ) -> Result<FileRecord, Refusal> {
        let media_type = sniff::media_type(&staged.head, staged.size);
        if !matches_any(&media_type, &self.settings.allowed_types) {
            return Err(Refusal::InvalidArgument);
        }
        let (width, height) = picture::dimensions(&media_type, staged.path()).await;
        let mut new = NewFile {
            file: FileRecord {
                id,
                realm: about.realm.clone(),
                owner: about.owner,
                name: about.name.clone(),
                media_type,
                size: staged.size,
                sha256: staged.sha256,
                blob: String::new(),
                width,
                height,
                public: about.public,
                created_at_ms: self.clock().now_ms(),
            },
            // The application itself is not limited.
            max_bytes_per_day: about.owner.map_or(0, |_| self.settings.max_bytes_per_day),
        };
        let files = self.im.files();
        let mut outcome = files.keep(&new).await?;
        if outcome == KeepOutcome::NoBlob {
            let key = self.new_key("blobs", &hex::encode(staged.sha256));
            files.note_key(&key).await?;
            let put = self.blobs.put_file(&key, staged.path()).await;
            put.map_err(|error| unavailable(&error))?;
            new.file.blob = key;
            outcome = files.keep(&new).await?;
        }
        match outcome {
            KeepOutcome::Kept(file) => Ok(file),
            KeepOutcome::TooMuch => Err(Refusal::RateLimited),
            KeepOutcome::NoBlob => Err(Refusal::Internal),
        }
    }

    /// A key that was never used: what is under a key never changes.
    fn new_key(&self, folder: &str, name: &str) -> String {
        let mut random = [0; 8];
        self.clock().fill_random(&mut random);
        let shelf = name.get(..2).unwrap_or("00");
        format!("{folder}/{shelf}/{name}-{}", hex::encode(random))
    }

    /// The bytes of a file, or a stretch of them.
    ///
    /// # Errors
    /// `Unavailable` when they cannot be read now.
    pub async fn read(
        &self,
        key: &str,
        range: std::ops::Range<u64>,
    ) -> Result<BlobStream, Refusal> {
        match self.blobs.get(key, range).await {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => {
                tracing::error!(key, "the bytes of a file are gone");
                Err(Refusal::Unavailable)
            }
            Err(error) => Err(unavailable(&error)),
        }
    }

    /// Makes a file at once of bytes that its owner has given before; `None` if they have not.
    /// Whoever knows only a digest has not shown that they have the bytes.
    ///
    /// # Errors
    /// As [`keep`](Self::keep).
    pub async fn again(
        &self,
        about: &About,
        sha256: &[u8; 32],
        size: u64,
    ) -> Result<Option<FileRecord>, Refusal> {
        self.check_enabled()?;
        let files = self.im.files();
        let same = files.same(&about.realm, about.owner, sha256).await?;
        let Some(same) = same.filter(|same| same.size == size) else {
            return Ok(None);
        };
        let file = FileRecord {
            id: FileId::new(self.clock()),
            name: about.name.clone(),
            public: about.public,
            created_at_ms: self.clock().now_ms(),
            blob: String::new(),
            ..same
        };
        let new = NewFile {
            file,
            max_bytes_per_day: 0,
        };
        Ok(match files.keep(&new).await? {
            KeepOutcome::Kept(file) => Some(file),
            // It was swept in this very moment.
            KeepOutcome::NoBlob | KeepOutcome::TooMuch => None,
        })
    }
}

/// Reports what the blob store or the disk said.
fn unavailable(error: &BlobError) -> Refusal {
    tracing::error!(%error, "a file cannot be stored or read");
    Refusal::Unavailable
}

/// Reports what the disk said.
fn disk(error: &std::io::Error) -> Refusal {
    tracing::error!(%error, "the disk does not take or give a file");
    Refusal::Unavailable
}

impl About {
    /// What was said of an upload when it began.
    fn of(upload: &Upload) -> Self {
        Self {
            realm: upload.realm.clone(),
            owner: upload.owner,
            name: upload.name.clone(),
            public: upload.public,
        }
    }
}
