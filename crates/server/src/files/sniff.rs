//! What bytes are, as they show themselves. Names say nothing: anybody can give any.

/// The type of what is nothing that is known.
const UNKNOWN: &str = "application/octet-stream";
/// Images that every viewer shows and that run nothing.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// The media type of bytes that begin so.
pub(super) fn media_type(head: &[u8], size: u64) -> String {
    if let Some(known) = infer::get(head) {
        return known.mime_type().to_owned();
    }
    let is_whole = size == head.len() as u64;
    let is_text = match std::str::from_utf8(head) {
        Ok(text) => !text.contains('\0'),
        // A character may be cut at the end of what is looked at.
        Err(error) => error.error_len().is_none() && !is_whole && !head.contains(&0),
    };
    let kind = if is_text && size > 0 {
        "text/plain"
    } else {
        UNKNOWN
    };
    kind.to_owned()
}

/// Whether a browser may show it where it was asked for, instead of saving it. What could run
/// in our name (HTML, SVG, PDF with scripts, programs) is not.
#[must_use]
pub fn is_shown_inline(media_type: &str) -> bool {
    IMAGES.contains(&media_type)
        || media_type.starts_with("audio/")
        || media_type.starts_with("video/")
}

/// Whether a media type is one of these: `image/png`, `image/*`, `*/*`; without any all are.
#[must_use]
pub fn matches_any(media_type: &str, allowed: &[String]) -> bool {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some("*/") => true,
        Some(kind) => media_type.starts_with(kind),
        None => media_type == pattern,
    };
    allowed.is_empty() || allowed.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_what_they_are() {
        let cases: [(&[u8], &str); 9] = [
            (b"\x89PNG\r\n\x1a\n....", "image/png"),
            (b"GIF89a..........", "image/gif"),
            (b"\xff\xd8\xff\xe0........", "image/jpeg"),
            (b"<!DOCTYPE html><script>", "text/html"),
            (
                b"\x7fELF\x02\x01\x01.................................................",
                "application/x-executable",
            ),
            (b"%PDF-1.7", "application/pdf"),
            ("Guten Tag, 你好".as_bytes(), "text/plain"),
            (b"\x00\x01\x02", UNKNOWN),
            (b"", UNKNOWN),
        ];
        for (bytes, expected) in cases {
            assert_eq!(media_type(bytes, bytes.len() as u64), expected, "{bytes:?}");
        }
        let cut = &"é".as_bytes()[..1];
        assert_eq!(media_type(cut, 2), "text/plain");
        assert_eq!(media_type(cut, 1), UNKNOWN);
    }

    #[test]
    fn what_could_run_is_saved_and_not_shown() {
        for shown in ["image/png", "audio/mpeg", "video/mp4"] {
            assert!(is_shown_inline(shown), "{shown}");
        }
        for saved in [
            "text/html",
            "image/svg+xml",
            "application/pdf",
            "text/plain",
            UNKNOWN,
        ] {
            assert!(!is_shown_inline(saved), "{saved}");
        }
    }

    #[test]
    fn patterns_name_types() {
        let list = |patterns: &[&str]| patterns.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
        assert!(matches_any("a/b", &[]));
        assert!(matches_any("a/b", &list(&["x/y", "a/*"])));
        assert!(matches_any("a/b", &list(&["*/*"])));
        assert!(matches_any("a/b", &list(&["a/b"])));
        assert!(!matches_any("a/bc", &list(&["a/b", "aa/*"])));
    }
}
