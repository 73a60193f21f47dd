//! Small pictures of images: made when they are first asked for, on threads that may take
//! their time, within limits that a hostile image cannot pass.

use std::io::{BufRead, Cursor, Seek};
use std::path::Path;

use bytes::Bytes;
use crosstalk_core::file::{FileRecord, NewThumbnail, Thumbnail};
use crosstalk_core::refusal::Refusal;
use futures_util::TryStreamExt;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};
use tokio::task::spawn_blocking;

use super::{FileService, unavailable};

/// The longest file of which a small picture is made.
const MAX_FILE_BYTES: u64 = 32 << 20;
/// The longest side of an image that is decoded.
const MAX_SIDE: u32 = 16_384;
/// The most pixels of an image that is decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// The most memory that decoding may take.
const MAX_DECODED_BYTES: u64 = 256 << 20;

fn format(media_type: &str) -> Option<ImageFormat> {
    match media_type {
        "image/png" => Some(ImageFormat::Png),
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

fn reader<R: BufRead + Seek>(bytes: R, format: ImageFormat) -> ImageReader<R> {
    let mut reader = ImageReader::with_format(bytes, format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    reader.limits(limits);
    reader
}

/// Width and height of an image on this machine's disk; zeros if it is none or broken.
pub(super) async fn dimensions(media_type: &str, path: &Path) -> (u32, u32) {
    let Some(format) = format(media_type) else {
        return (0, 0);
    };
    let path = path.to_owned();
    let read = spawn_blocking(move || {
        let file = std::fs::File::open(path).ok()?;
        let bytes = std::io::BufReader::new(file);
        reader(bytes, format).into_dimensions().ok()
    });
    // Only a panic of a decoder ends it otherwise: then it is not known.
    read.await.ok().flatten().unwrap_or_default()
}

/// The picture that fits a square, and its media type. One with transparent places stays one.
fn shrink(bytes: &[u8], format: ImageFormat, side: u32) -> Option<(Vec<u8>, &'static str)> {
    let (width, height) = reader(Cursor::new(bytes), format).into_dimensions().ok()?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return None;
    }
    let image = reader(Cursor::new(bytes), format).decode().ok()?;
    let small = if width.max(height) > side {
        image.thumbnail(side, side)
    } else {
        image
    };
    let mut out = Cursor::new(Vec::new());
    let (small, format, media_type) = if small.color().has_alpha() {
        (small, ImageFormat::Png, "image/png")
    } else {
        let small = DynamicImage::ImageRgb8(small.into_rgb8());
        (small, ImageFormat::Jpeg, "image/jpeg")
    };
    small.write_to(&mut out, format).ok()?;
    Some((out.into_inner(), media_type))
}

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
    /// read now.
    pub async fn thumbnail(&self, file: &FileRecord, side: u32) -> Result<Thumbnail, Refusal> {
        let format = format(&file.media_type).filter(|_| file.width > 0);
        let format = format.filter(|_| file.size <= MAX_FILE_BYTES);
        let format = format.ok_or(Refusal::NotFound)?;
        let files = self.im.files();
        if let Some(made) = files.thumbnail(&file.blob, side).await? {
            return Ok(made);
        }
        let turn = self.decoders.acquire().await;
        let _turn = turn.map_err(|_| Refusal::Unavailable)?;
        // Somebody else may have had it made while this waited.
        if let Some(made) = files.thumbnail(&file.blob, side).await? {
            return Ok(made);
        }
        let bytes = self.read(&file.blob, 0..file.size).await?;
        let chunks: Vec<Bytes> = bytes
            .try_collect()
            .await
            .map_err(|error| unavailable(&error))?;
        let made = spawn_blocking(move || shrink(&chunks.concat(), format, side)).await;
        let (small, media_type) = made.ok().flatten().ok_or(Refusal::NotFound)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, RgbaImage};

    fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).expect("an image");
        out.into_inner()
    }

    fn size(bytes: &[u8], format: ImageFormat) -> (u32, u32) {
        reader(Cursor::new(bytes), format)
            .into_dimensions()
            .expect("an image")
    }

    #[test]
    fn pictures_of_all_formats_are_shrunk_in_proportion() {
        let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(400, 200, Rgb([9, 99, 200])));
        for from in [
            ImageFormat::Png,
            ImageFormat::Jpeg,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ] {
            let bytes = encoded(&image, from);
            let (small, media_type) = shrink(&bytes, from, 100).expect("a picture");
            let to = format(media_type).expect("a format");
            assert_eq!(size(&small, to), (100, 50), "{from:?}");
        }
        let small = encoded(&image.thumbnail(20, 20), ImageFormat::Png);
        let (same, _) = shrink(&small, ImageFormat::Png, 100).expect("a picture");
        assert_eq!(size(&same, ImageFormat::Jpeg), (20, 10), "never larger");
    }

    #[test]
    fn transparent_places_stay() {
        let image = DynamicImage::ImageRgba8(RgbaImage::new(300, 300));
        let bytes = encoded(&image, ImageFormat::Png);
        let (_, media_type) = shrink(&bytes, ImageFormat::Png, 100).expect("a picture");
        assert_eq!(media_type, "image/png");
    }

    #[test]
    fn what_is_broken_or_too_large_is_no_picture() {
        assert!(shrink(b"\x89PNG\r\n\x1a\n", ImageFormat::Png, 100).is_none());
        let wide = DynamicImage::ImageLuma8(image::GrayImage::new(MAX_SIDE + 1, 1));
        let bytes = encoded(&wide, ImageFormat::Png);
        assert!(shrink(&bytes, ImageFormat::Png, 100).is_none());
        let many = DynamicImage::ImageLuma8(image::GrayImage::new(8000, 8000));
        let bytes = encoded(&many, ImageFormat::Png);
        assert!(shrink(&bytes, ImageFormat::Png, 100).is_none());
    }
}
