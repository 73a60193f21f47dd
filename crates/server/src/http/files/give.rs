//! Giving bytes: whole or a stretch, and nothing where they are known already. Whatever could
//! run in a browser is saved by it, not shown.

use std::sync::Arc;

use axum::body::Body;
use axum::http::response::Builder;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use crosstalk_core::file::FileRecord;
use crosstalk_core::refusal::Refusal;

use super::range::{Wanted, wanted};
use crate::files::{FileService, is_shown_inline};

/// How long browsers may show it without asking again. Who may see it can change.
const CACHE: &str = "private, max-age=3600";
/// Nothing of a file runs, whatever it turns out to be.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

/// What is given.
struct Given<'a> {
    key: &'a str,
    size: u64,
    media_type: &'a str,
    name: &'a str,
    tag: String,
}

/// A file.
///
/// # Errors
/// `Unavailable` when its bytes cannot be read now.
pub(in crate::http) async fn give(
    service: &FileService,
    file: &FileRecord,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let given = Given {
        key: &file.blob,
        size: file.size,
        media_type: &file.media_type,
        name: &file.name,
        tag: format!("\"{}\"", hex::encode(&file.sha256[..16])),
    };
    respond(service, &given, headers).await
}

/// A small picture of a file, of about the size asked for.
///
/// # Errors
/// `NotFound` if there is none, `Unavailable` when it cannot be made or read now.
pub(in crate::http) async fn give_thumbnail(
    service: &Arc<FileService>,
    file: &FileRecord,
    asked: Option<u32>,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let side = service.side(asked);
    let small = service.thumbnail(file, side).await?;
    let given = Given {
        key: &small.key,
        size: small.size,
        media_type: &small.media_type,
        name: "",
        tag: format!("\"{}-{side}\"", hex::encode(&file.sha256[..16])),
    };
    respond(service, &given, headers).await
}

async fn respond(
    service: &FileService,
    given: &Given<'_>,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let answer = || described(given);
    let known = headers.get(header::IF_NONE_MATCH);
    let known = known
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let is_known = known
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == given.tag);
    if is_known {
        return done(answer().status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    let (status, stretch) = match wanted(headers, given.size, &given.tag) {
        Wanted::All => (StatusCode::OK, 0..given.size),
        Wanted::Stretch(stretch) => (StatusCode::PARTIAL_CONTENT, stretch),
        Wanted::Nothing => {
            let answer = answer()
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::CONTENT_RANGE, format!("bytes */{}", given.size));
            return done(answer, Body::empty());
        }
    };
    let mut answer = answer()
        .status(status)
        .header(header::CONTENT_LENGTH, stretch.end - stretch.start);
    if status == StatusCode::PARTIAL_CONTENT {
        let (first, last) = (stretch.start, stretch.end - 1);
        let range = format!("bytes {first}-{last}/{}", given.size);
        answer = answer.header(header::CONTENT_RANGE, range);
    }
    let bytes = service.read(given.key, stretch).await?;
    done(answer, Body::from_stream(bytes))
}

fn described(given: &Given<'_>) -> Builder {
    let how = if is_shown_inline(given.media_type) {
        "inline"
    } else {
        "attachment"
    };
    // What is text is read as what it was written as, and as nothing else.
    let media_type = match given.media_type {
        "text/plain" => "text/plain; charset=utf-8",
        other => other,
    };
    Response::builder()
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_DISPOSITION, disposition(how, given.name))
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::CACHE_CONTROL, CACHE)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, &given.tag)
}

fn done(answer: Builder, body: Body) -> Result<Response, Refusal> {
    answer.body(body).map_err(|_| Refusal::Internal)
}

/// The name for those who know RFC 6266, and one in plain letters for the others.
fn disposition(how: &str, name: &str) -> HeaderValue {
    if name.is_empty() {
        return HeaderValue::from_str(how)
            .unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    }
    let plain: String = name
        .chars()
        .map(|it| match it {
            '"' | '\\' => '_',
            ' '..='~' => it,
            _ => '_',
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    let value = format!("{how}; filename=\"{plain}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn names_cannot_leave_their_header() {
        let value = disposition("inline", "a\"\r\nx: é.png");
        assert_eq!(
            value,
            "inline; filename=\"a___x: _.png\"; filename*=UTF-8''a%22%0D%0Ax%3A%20%C3%A9.png"
        );
        assert_eq!(disposition("inline", ""), "inline");
    }
}
