//! Small pictures of images: made when they are first asked for, on threads that may take
//! their time. Each is made once, however many ask for it, and what cannot be made is not
//! tried again ([`making`](super::making)).

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::file::{FileRecord, NewThumbnail, Thumbnail};
use crosstalk_core::refusal::Refusal;
use futures_util::TryStreamExt;
use image::ImageFormat;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_blocking;

use super::making::Wanted;
use super::picture::{format, shrink};
use super::{FileService, unavailable};

/// The longest file of which a small picture is made.
const MAX_FILE_BYTES: u64 = 32 << 20;

impl FileService {
    /// The side that is made for one that was asked for: the next larger one that there is.
    #[must_use]
    pub fn side(&self, asked: Option<u32>) -> u32 {
        let sizes = &self.settings.thumbnail_sizes;
        let asked = asked.unwrap_or(0);
        let next = sizes.iter().copied().filter(|size| *size >= asked).min();
        let largest = sizes.iter().copied().max();
        next.or(largest).unwrap_or(asked)
    }

    /// The small picture of an image that fits a square of `side` pixels, made now if it was
    /// never asked for.
    ///
    /// # Errors
    /// `NotFound` if none can be made of this file; `Unavailable` when its bytes cannot be
    /// read now, or too many others are to be made before it.
    pub async fn thumbnail(
        self: &Arc<Self>,
        file: &FileRecord,
        side: u32,
    ) -> Result<Thumbnail, Refusal> {
        let format = format(&file.media_type).filter(|_| file.width > 0);
        let format = format.filter(|_| file.size <= MAX_FILE_BYTES);
        let format = format.ok_or(Refusal::NotFound)?;
        let kept = self.im.files().thumbnail(&file.blob, side).await?;
        if let Some(made) = kept {
            return Ok(made);
        }
        let wanted = Wanted {
            blob: file.blob.clone(),
            side,
        };
        let (service, of) = (Arc::clone(self), file.clone());
        let make = move |turn| async move { service.make(&of, side, format, turn).await };
        self.making.once(wanted, file.owner, make).await
    }

    /// Makes a small picture. Its turn lasts until the decoder has ended, also if nobody waits
    /// for it any more.
    async fn make(
        &self,
        file: &FileRecord,
        side: u32,
        format: ImageFormat,
        turn: Vec<OwnedSemaphorePermit>,
    ) -> Result<Thumbnail, Refusal> {
        let files = self.im.files();
        // Others may have had it made while this waited for its turn.
        if let Some(made) = files.thumbnail(&file.blob, side).await? {
            return Ok(made);
        }
        let bytes = self.read(&file.blob, 0..file.size).await?;
        let chunks: Vec<Bytes> = bytes
            .try_collect()
            .await
            .map_err(|error| unavailable(&error))?;
        let made = spawn_blocking(move || {
            let made = shrink(&chunks.concat(), format, side);
            drop(turn);
            made
        });
        let (small, media_type) = made.await.ok().flatten().ok_or(Refusal::NotFound)?;
        let key = self.new_key("thumbnails", &hex::encode(file.sha256));
        let thumbnail = Thumbnail {
            key: key.clone(),
            media_type: media_type.to_owned(),
            size: small.len() as u64,
        };
        files.note_key(&key).await?;
        let put = self.blobs.put(&key, small.into()).await;
        put.map_err(|error| unavailable(&error))?;
        let new = NewThumbnail {
            of: file.blob.clone(),
            side,
            thumbnail,
        };
        let kept = files.keep_thumbnail(&new).await?;
        kept.ok_or(Refusal::NoSuchFile)
    }
}
