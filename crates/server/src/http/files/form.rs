//! A file in a form (`multipart/form-data`): the first part with a file name, or called `file`;
//! the other parts are short texts.

use std::collections::HashMap;
use std::future::Future;

use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use axum::http::StatusCode;
use crosstalk_core::refusal::Refusal;
use tokio::time::timeout;

use super::PATIENCE;
use crate::files::{FileService, Incoming, MAX_NAME_CHARS};

/// How many parts are looked at.
const MAX_PARTS: usize = 32;
/// The longest text of a part, bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// What a form brings.
pub(in crate::http) struct Form {
    /// The file's bytes.
    pub(in crate::http) file: Incoming,
    /// What it is called there.
    pub(in crate::http) name: String,
    /// The texts of the other parts.
    pub(in crate::http) texts: HashMap<String, String>,
}

/// Reads a form to its end; the file goes to the disk as it comes.
///
/// # Errors
/// `UndecodableContent` for what is no form, `InvalidArgument` for one without a file or with a
/// text that is too long, `TooLarge`, `Unavailable` when it does not go on or cannot be written.
pub(in crate::http) async fn read_form(
    service: &FileService,
    mut form: Multipart,
) -> Result<Form, Refusal> {
    service.check_enabled()?;
    let mut file = None;
    let mut texts = HashMap::new();
    for _ in 0..MAX_PARTS {
        let Some(mut part) = patient(form.next_field()).await? else {
            break;
        };
        let is_file = part.file_name().is_some() || part.name() == Some("file");
        if is_file && file.is_none() {
            let name = clean(part.file_name().unwrap_or_default());
            let mut incoming = service.receive().await?;
            while let Some(bytes) = patient(part.chunk()).await? {
                incoming.write(&bytes).await?;
            }
            file = Some((incoming, name));
        } else if let Some(name) = part.name().map(str::to_owned) {
            texts.insert(name, text(part).await?);
        }
    }
    let (file, name) = file.ok_or(Refusal::InvalidArgument)?;
    Ok(Form { file, name, texts })
}

async fn text(mut part: Field<'_>) -> Result<String, Refusal> {
    let mut text = Vec::new();
    while let Some(bytes) = patient(part.chunk()).await? {
        if text.len() + bytes.len() > MAX_TEXT_BYTES {
            return Err(Refusal::InvalidArgument);
        }
        text.extend_from_slice(&bytes);
    }
    String::from_utf8(text).map_err(|_| Refusal::UndecodableContent)
}

async fn patient<T>(next: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Refusal> {
    match timeout(PATIENCE, next).await {
        Ok(Ok(next)) => Ok(next),
        Ok(Err(error)) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::TooLarge),
        Ok(Err(_)) => Err(Refusal::UndecodableContent),
        Err(_) => Err(Refusal::Unavailable),
    }
}

/// The last part of a path, as browsers of old send them, in one line that is not too long.
fn clean(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let line = name.chars().filter(|it| !it.is_control());
    line.take(MAX_NAME_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_line_without_a_path() {
        assert_eq!(clean(r"C:\x\a.png"), "a.png");
        assert_eq!(clean("../../etc/passwd"), "passwd");
        assert_eq!(clean("a\r\nb: c"), "ab: c");
        assert_eq!(clean(&"é".repeat(999)).chars().count(), MAX_NAME_CHARS);
    }
}
