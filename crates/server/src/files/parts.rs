//! Uploads that come in parts: begun, added to from where they are, finished by the last part.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crosstalk_core::file::{FileId, FileRecord, Upload, UploadBegun};
use crosstalk_core::refusal::Refusal;
use parking_lot::Mutex;
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::incoming::Staged;
use super::{About, FileService, disk};

/// What staged parts are called at their end.
const SUFFIX: &str = "part";

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes are there.
    At(u64),
    /// All are there: this is the file.
    Done(Box<FileRecord>),
}

/// Somebody who adds to an upload; nobody else does meanwhile.
pub struct Part<'a> {
    service: &'a FileService,
    upload: Upload,
    at: u64,
    /// Where to add; only until this is dropped.
    open: Option<Open>,
    /// What was written last may still be on its way to the disk.
    is_under_way: bool,
}

/// A staged file, and that nobody else adds to it.
struct Open {
    file: File,
    _claim: Claim,
}

/// That nobody else adds to an upload.
struct Claim {
    busy: Arc<Mutex<HashSet<FileId>>>,
    id: FileId,
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.busy.lock().remove(&self.id);
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.service.room.settle(self.upload.id, self.at);
        if !self.is_under_way {
            return;
        }
        // Whoever brought it has gone away. Nobody else begins behind what is not there yet.
        if let Some(mut open) = self.open.take() {
            tokio::spawn(async move {
                // What did not get there was not counted.
                let _ = open.file.flush().await;
            });
        }
    }
}

/// Whose part a file in the staging folder is.
fn part_of(path: &Path) -> Option<FileId> {
    let is_part = path.extension().is_some_and(|it| it == SUFFIX);
    let name = path.file_stem().filter(|_| is_part)?;
    FileId::parse(name.to_str()?)
}

/// How many bytes an earlier run has left of each upload.
pub(super) fn left(staging: &Path) -> std::io::Result<Vec<(FileId, u64)>> {
    let mut left = Vec::new();
    for entry in std::fs::read_dir(staging)? {
        let entry = entry?;
        if let Some(id) = part_of(&entry.path()) {
            left.push((id, entry.metadata()?.len()));
        }
    }
    Ok(left)
}

/// There is no room for an upload now.
fn no_room() -> Refusal {
    tracing::warn!("too much is being uploaded: files.max_staged_bytes");
    Refusal::RateLimited
}

impl FileService {
    fn part_file(&self, id: FileId) -> PathBuf {
        self.staging.join(format!("{id}.{SUFFIX}"))
    }

    /// Begins an upload.
    ///
    /// # Errors
    /// `TooLarge`; `TooMany` of the same owner; `RateLimited` while there is no room for it
    /// beside what is there of others; `Forbidden` if files are switched off.
    pub async fn begin_upload(
        &self,
        about: About,
        size: u64,
        sha256: Option<[u8; 32]>,
    ) -> Result<Upload, Refusal> {
        self.check_enabled()?;
        if size > self.settings.max_bytes {
            return Err(Refusal::TooLarge);
        }
        if !self.room.has(about.owner, size) {
            return Err(no_room());
        }
        let upload = Upload {
            id: FileId::new(self.clock()),
            realm: about.realm,
            owner: about.owner,
            name: about.name,
            size,
            sha256,
            public: about.public,
            expires_at_ms: self.clock().now_ms() + self.settings.upload_ttl_ms,
        };
        match self.im.uploads().begin_upload(&upload).await? {
            UploadBegun::Begun => {}
            UploadBegun::TooMany => return Err(Refusal::TooMany),
        }
        File::create(self.part_file(upload.id))
            .await
            .map_err(|error| disk(&error))?;
        Ok(upload)
    }

    /// An upload of this owner that goes on, and how much of it is there.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn upload(&self, about: &About, id: FileId) -> Result<(Upload, u64), Refusal> {
        let upload = self.im.uploads().upload(id).await?;
        let now_ms = self.clock().now_ms();
        let upload = upload
            .filter(|it| it.realm == about.realm && it.owner == about.owner)
            .filter(|it| it.expires_at_ms > now_ms)
            .ok_or(Refusal::NotFound)?;
        let file = tokio::fs::metadata(self.part_file(id)).await;
        // It went with this machine's disk, or was begun at another one.
        let file = file.map_err(|_| Refusal::NotFound)?;
        Ok((upload, file.len()))
    }

    /// The file that an upload of this owner has become: it has the same id. `None` if it is
    /// not done, or the file is gone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn finished(&self, about: &About, id: FileId) -> Result<Option<FileRecord>, Refusal> {
        let file = self.im.files().file(id).await?;
        Ok(file.filter(|it| it.realm == about.realm && it.owner == about.owner))
    }

    /// Gives an upload up.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` while somebody adds to it.
    pub async fn give_up(&self, about: &About, id: FileId) -> Result<(), Refusal> {
        let (upload, _) = self.upload(about, id).await?;
        let part = self.claim(upload).await?;
        part.remove().await
    }

    /// Makes sure that nobody else adds to an upload.
    async fn claim(&self, upload: Upload) -> Result<Part<'_>, Refusal> {
        let path = self.part_file(upload.id);
        if !self.busy.lock().insert(upload.id) {
            return Err(Refusal::WrongState);
        }
        let claim = Claim {
            busy: Arc::clone(&self.busy),
            id: upload.id,
        };
        let opened: std::io::Result<_> = async {
            let file = OpenOptions::new().append(true).open(path).await?;
            let at = file.metadata().await?.len();
            Ok((file, at))
        }
        .await;
        let (file, at) = opened.map_err(|error| match error.kind() {
            // It has just ended.
            std::io::ErrorKind::NotFound => Refusal::NotFound,
            _ => disk(&error),
        })?;
        Ok(Part {
            service: self,
            upload,
            at,
            open: Some(Open {
                file,
                _claim: claim,
            }),
            is_under_way: false,
        })
    }

    /// Goes on with an upload from where the caller believes it to be.
    ///
    /// # Errors
    /// `NotFound`; `WrongState` if it is elsewhere, or somebody else adds to it; `RateLimited`
    /// while there is no room for the rest of it.
    pub async fn go_on(&self, about: &About, id: FileId, at: u64) -> Result<Part<'_>, Refusal> {
        let (upload, _) = self.upload(about, id).await?;
        let part = self.claim(upload).await?;
        if part.at != at {
            return Err(Refusal::WrongState);
        }
        let Upload { owner, size, .. } = part.upload;
        // What is all there needs no more.
        if at < size && !self.room.take(id, owner, size) {
            return Err(no_room());
        }
        Ok(part)
    }

    /// Removes what nobody goes on with: uploads whose time is over, and staged parts of none.
    pub(super) async fn sweep_parts(&self) -> Result<(), Refusal> {
        let now_ms = self.clock().now_ms();
        loop {
            let expired = self.im.uploads().expired_uploads(now_ms, 100).await?;
            if expired.is_empty() {
                break;
            }
            for id in expired {
                self.im.uploads().end_upload(id).await?;
            }
        }
        let mut entries = tokio::fs::read_dir(&self.staging)
            .await
            .map_err(|error| disk(&error))?;
        while let Some(entry) = entries.next_entry().await.map_err(|error| disk(&error))? {
            let path = entry.path();
            let Some(id) = part_of(&path) else {
                continue;
            };
            if let Some(wanted) = self.im.uploads().upload(id).await? {
                self.room.belongs(id, wanted.owner);
            } else if !self.busy.lock().contains(&id) {
                self.room.leave(id);
                tokio::fs::remove_file(&path)
                    .await
                    .map_err(|error| disk(&error))?;
            }
        }
        Ok(())
    }
}

impl Part<'_> {
    /// How many bytes are there.
    #[must_use]
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Adds some more. What was added stays, also if more does not come.
    ///
    /// # Errors
    /// `TooLarge` if it is more than was said; `Unavailable` when the disk does not take it.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.at.saturating_add(bytes.len() as u64) > self.upload.size {
            self.settle().await?;
            return Err(Refusal::TooLarge);
        }
        let open = self.open.as_mut().ok_or(Refusal::Internal)?;
        self.is_under_way = true;
        open.file
            .write_all(bytes)
            .await
            .map_err(|error| disk(&error))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Waits until what was added is there.
    ///
    /// # Errors
    /// `Unavailable` when the disk does not take it.
    pub async fn settle(&mut self) -> Result<(), Refusal> {
        let open = self.open.as_mut().ok_or(Refusal::Internal)?;
        open.file.flush().await.map_err(|error| disk(&error))?;
        self.is_under_way = false;
        Ok(())
    }

    /// Says that this part is over. The last one makes a file of all.
    ///
    /// # Errors
    /// `InvalidArgument` if the bytes are not those that were said or of a type that is not
    /// taken, and it is given up then; and as [`FileService::keep`].
    pub async fn finish(mut self) -> Result<Progress, Refusal> {
        self.settle().await?;
        if self.at < self.upload.size {
            return Ok(Progress::At(self.at));
        }
        let service = self.service;
        // It was kept, and then something failed: asked again, it is the same.
        if let Some(file) = service.im.files().file(self.upload.id).await? {
            self.remove().await?;
            return Ok(Progress::Done(Box::new(file)));
        }
        let staged = Staged::of(service.part_file(self.upload.id)).await?;
        if self.upload.sha256.is_some_and(|said| said != staged.sha256) {
            self.remove().await?;
            return Err(Refusal::InvalidArgument);
        }
        let about = About::of(&self.upload);
        let kept = service.keep_staged(self.upload.id, &staged, &about).await;
        if let Ok(_) | Err(Refusal::InvalidArgument) = kept {
            self.remove().await?;
        }
        Ok(Progress::Done(Box::new(kept?)))
    }

    async fn remove(self) -> Result<(), Refusal> {
        let service = self.service;
        service.im.uploads().end_upload(self.upload.id).await?;
        service.room.leave(self.upload.id);
        let path = service.part_file(self.upload.id);
        tokio::fs::remove_file(path)
            .await
            .map_err(|error| disk(&error))
    }
}
