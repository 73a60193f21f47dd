//! What images look like: their size as they are shown, and small pictures of them, within
//! limits that a hostile image cannot pass. Cameras store how they were held beside the
//! picture: it is turned as viewers turn it.

use std::io::{BufRead, Cursor, Seek};
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use tokio::task::spawn_blocking;

/// The longest side of an image that is decoded.
const MAX_SIDE: u32 = 16_384;
/// The most pixels of an image that is decoded.
const MAX_PIXELS: u64 = 50_000_000;
/// The most memory that decoding may take.
const MAX_DECODED_BYTES: u64 = 256 << 20;

/// The format of a media type; `None` if it is no image that is read here.
pub(super) fn format(media_type: &str) -> Option<ImageFormat> {
    match media_type {
        "image/png" => Some(ImageFormat::Png),
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODED_BYTES);
    limits
}

/// What decodes an image, and how it has to be turned then.
fn opened<'a, R: BufRead + Seek + 'a>(
    bytes: R,
    format: ImageFormat,
) -> Option<(impl ImageDecoder + 'a, Orientation)> {
    let mut reader = ImageReader::with_format(bytes, format);
    reader.limits(limits());
    let mut decoder = reader.into_decoder().ok()?;
    // What is said of it may be broken while the image is not.
    let turned = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    Some((decoder, turned))
}

/// Width and height of an image as it is shown, pixels.
fn size<R: BufRead + Seek>(bytes: R, format: ImageFormat) -> Option<(u32, u32)> {
    let (decoder, turned) = opened(bytes, format)?;
    let (width, height) = decoder.dimensions();
    Some(match turned {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
    })
}

/// Width and height of an image on this machine's disk, as it is shown; zeros if it is none or
/// broken.
pub(super) async fn dimensions(media_type: &str, path: &Path) -> (u32, u32) {
    let Some(format) = format(media_type) else {
        return (0, 0);
    };
    let path = path.to_owned();
    let read = spawn_blocking(move || {
        let file = std::fs::File::open(path).ok()?;
        size(std::io::BufReader::new(file), format)
    });
    // Only a panic of a decoder ends it otherwise: then it is not known.
    read.await.ok().flatten().unwrap_or_default()
}

/// The picture that fits a square, and its media type. One with transparent places stays one.
pub(super) fn shrink(
    bytes: &[u8],
    format: ImageFormat,
    side: u32,
) -> Option<(Vec<u8>, &'static str)> {
    let (mut decoder, turned) = opened(Cursor::new(bytes), format)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return None;
    }
    let mut left = limits();
    left.reserve(decoder.total_bytes()).ok()?;
    decoder.set_limits(left).ok()?;
    let image = DynamicImage::from_decoder(decoder).ok()?;
    let mut small = if width.max(height) > side {
        image.thumbnail(side, side)
    } else {
        image
    };
    small.apply_orientation(turned);
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

#[cfg(test)]
pub(in crate::files) mod tests {
    use super::*;
    use image::{Rgb, RgbImage, RgbaImage};

    pub(in crate::files) fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.write_to(&mut out, format).expect("an image");
        out.into_inner()
    }

    fn size_of(bytes: &[u8], format: ImageFormat) -> (u32, u32) {
        size(Cursor::new(bytes), format).expect("an image")
    }

    /// A JPEG with its left half red and its right half blue, as a camera writes it that was
    /// held so (EXIF 2.3 §4.6.4).
    pub(in crate::files) fn photo(width: u32, height: u32, orientation: u8) -> Vec<u8> {
        let image = RgbImage::from_fn(width, height, |x, _| {
            Rgb(if x < width / 2 {
                [250, 0, 0]
            } else {
                [0, 0, 250]
            })
        });
        let jpeg = encoded(&DynamicImage::ImageRgb8(image), ImageFormat::Jpeg);
        let (begin, rest) = jpeg.split_at(2);
        let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
        let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
        [begin, b"\xff\xe1", &length, &exif, rest].concat()
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
            assert_eq!(size_of(&small, to), (100, 50), "{from:?}");
        }
        let small = encoded(&image.thumbnail(20, 20), ImageFormat::Png);
        let (same, _) = shrink(&small, ImageFormat::Png, 100).expect("a picture");
        assert_eq!(size_of(&same, ImageFormat::Jpeg), (20, 10), "never larger");
    }

    #[test]
    fn photos_are_shown_as_the_camera_was_held() {
        // Where the red half is then: left, top, right or bottom.
        let held = [
            (1, (80, 40), (5, 20)),
            (2, (80, 40), (75, 20)),
            (3, (80, 40), (75, 20)),
            (4, (80, 40), (5, 20)),
            (5, (40, 80), (20, 5)),
            (6, (40, 80), (20, 5)),
            (7, (40, 80), (20, 75)),
            (8, (40, 80), (20, 75)),
        ];
        for (orientation, expected, red) in held {
            let bytes = photo(800, 400, orientation);
            let shown = size_of(&bytes, ImageFormat::Jpeg);
            assert_eq!(shown, (expected.0 * 10, expected.1 * 10), "{orientation}");
            let (small, _) = shrink(&bytes, ImageFormat::Jpeg, 80).expect("a picture");
            let small = image::load_from_memory(&small)
                .expect("an image")
                .into_rgb8();
            assert_eq!(small.dimensions(), expected, "{orientation}");
            let Rgb([r, _, b]) = *small.get_pixel(red.0, red.1);
            assert!(r > 150 && b < 100, "{orientation}: {r} {b}");
        }
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
