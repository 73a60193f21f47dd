//! Files that come in parts: begun, added to from where they are, and finished by the last
//! part, over as many connections as it takes.

use std::sync::Arc;

use axum::body::Body as Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use crosstalk_core::file::{FileRecord, Upload};
use crosstalk_core::refusal::Refusal;
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::auth::Caller;
use super::files::{FileView, about, file_id, not_kept};
use super::input::{Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use crate::files::{About, FileService, Progress};
use crate::http::files::PATIENCE;
use crate::http::state::ApiState;

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");

/// A file that is going to come.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"name": "film.mp4", "size": 734_003_200}))]
pub(super) struct NewUpload {
    /// What it is called.
    #[serde(default)]
    name: String,
    /// Its length in bytes.
    size: u64,
    /// The SHA-256 digest of its bytes, hexadecimal: checked at the end. If the same owner has
    /// given these bytes before, nothing has to come.
    sha256: Option<String>,
    /// Whether everybody is to read it.
    #[serde(default)]
    public: bool,
    /// With an app secret or the admin key: whose it is. Absent: the application's.
    owner: Option<String>,
}

/// How far an upload is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UploadView {
    /// Its id; the file is going to have the same.
    id: String,
    /// Its length in bytes.
    size: u64,
    /// How many bytes are there.
    offset: u64,
    /// When it is given up, ms since 1970; 0 once it is done.
    expires_at: i64,
    /// The file, once all is there.
    file: Option<FileView>,
}

impl UploadView {
    fn at(upload: &Upload, offset: u64) -> Self {
        Self {
            id: upload.id.to_string(),
            size: upload.size,
            offset,
            expires_at: upload.expires_at_ms,
            file: None,
        }
    }

    fn done(file: FileView, id: String, size: u64) -> Self {
        Self {
            id,
            size,
            offset: size,
            expires_at: 0,
            file: Some(file),
        }
    }
}

fn with_offset(status: StatusCode, offset: u64, body: impl IntoResponse) -> Response {
    (status, [(OFFSET, HeaderValue::from(offset))], body).into_response()
}

fn digest(text: &str) -> Result<[u8; 32], Problem> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest)
        .map_err(|_| Problem::field("sha256", "must be 64 hexadecimal digits"))?;
    Ok(digest)
}

/// Begin an upload in parts
///
/// Then `PATCH` brings the parts, `HEAD` says where to go on after a break.
#[utoipa::path(
    post, path = "/v1/uploads", tag = "files", request_body = NewUpload,
    responses(
        (status = 200, description = "Nothing has to come: the file", body = UploadView),
        (status = 201, description = "It has begun", body = UploadView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn begin_upload(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Body(new): Body<NewUpload>,
) -> Result<Response, Problem> {
    let sha256 = new.sha256.as_deref().map(digest).transpose()?;
    let about = about(&api, &caller, &new.name, new.owner.as_deref(), new.public).await?;
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    if let Some(sha256) = &sha256
        && let Some(file) = service.again(&about, sha256, new.size).await?
    {
        let view = FileView::of(&api.im, &file).await?;
        let done = UploadView::done(view, file.id.to_string(), file.size);
        return Ok(with_offset(StatusCode::OK, file.size, Json(done)));
    }
    let own = about.clone();
    let upload = service.begin_upload(about, new.size, sha256).await?;
    if upload.size == 0 {
        // Nothing has to come.
        let part = service.go_on(&own, upload.id, 0).await?;
        if let Progress::Done(file) = part.finish().await.map_err(not_kept)? {
            let view = FileView::of(&api.im, &file).await?;
            let done = UploadView::done(view, file.id.to_string(), 0);
            return Ok(with_offset(StatusCode::OK, 0, Json(done)));
        }
    }
    let view = UploadView::at(&upload, 0);
    Ok(with_offset(StatusCode::CREATED, 0, Json(view)))
}

/// Whose uploads the caller reaches: their own; with an app secret the application's, and those
/// that it began for a user.
async fn own(api: &ApiState, caller: &Caller, id: &str) -> Result<About, Problem> {
    let mut own = about(api, caller, "", None, false).await?;
    if own.owner.is_none() {
        let id = file_id(id)?;
        own.owner = match api.im.uploads().upload(id).await? {
            Some(upload) => upload.owner,
            None => {
                let file = api.im.files().file(id).await?;
                file.and_then(|file| file.owner)
            }
        };
    }
    Ok(own)
}

/// Where an upload is
///
/// One that is done is at its end for as long as its file is there, which has the same id.
#[utoipa::path(
    head, path = "/v1/uploads/{id}", tag = "files",
    params(("id" = String, Path, description = "The upload's id")),
    responses(
        (status = 200, description = "How much is there, in the headers `Upload-Offset` and `Upload-Length`"),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn look_at_upload(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Response, Problem> {
    let own = own(&api, &caller, &id).await?;
    let id = file_id(&id)?;
    let (size, offset) = match service.upload(&own, id).await {
        Ok((upload, offset)) => (upload.size, offset),
        Err(Refusal::NotFound) => {
            let file = service.finished(&own, id).await?;
            let size = file.ok_or(Refusal::NotFound)?.size;
            (size, size)
        }
        Err(why) => return Err(why.into()),
    };
    let length = [(LENGTH, HeaderValue::from(size))];
    Ok(with_offset(StatusCode::OK, offset, length))
}

/// The answer to a part that does not begin where the upload is.
fn elsewhere(at: u64, why: impl Into<String>) -> Response {
    let problem = Problem::new(Refusal::WrongState, why.into());
    ([(OFFSET, HeaderValue::from(at))], problem).into_response()
}

/// The part that has made it whole comes again: its first answer was lost.
async fn repeated(
    api: &ApiState,
    file: &FileRecord,
    said: u64,
    body: Bytes,
) -> Result<Response, Problem> {
    let mut end = said;
    let mut body = body.into_data_stream();
    while end <= file.size {
        match timeout(PATIENCE, body.next()).await {
            Ok(Some(Ok(bytes))) => end = end.saturating_add(bytes.len() as u64),
            Ok(None) => break,
            Ok(Some(Err(_))) => return Err(Refusal::UndecodableContent.into()),
            Err(_) => return Err(Refusal::Unavailable.into()),
        }
    }
    if end != file.size {
        return Ok(elsewhere(file.size, "it is done already"));
    }
    let view = FileView::of(&api.im, file).await?;
    let done = UploadView::done(view, file.id.to_string(), file.size);
    Ok(with_offset(StatusCode::OK, file.size, Json(done)))
}

/// Bring a part
///
/// The header `Upload-Offset` says how much was there before, the body is what follows. If the
/// connection breaks, what has come stays. The part that makes it whole makes the file; brought
/// again, because its answer was lost, it is answered with that file. `409` says in
/// `Upload-Offset` where the upload is; `429`: there is no room for the rest of it now.
#[utoipa::path(
    patch, path = "/v1/uploads/{id}", tag = "files",
    params(
        ("id" = String, Path, description = "The upload's id"),
        ("Upload-Offset" = u64, Header, description = "How much was there before this part")
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 200, description = "How far it is; the file, if this was the last part", body = UploadView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn add_to_upload(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let own = own(&api, &caller, &id).await?;
    let id = file_id(&id)?;
    let said = headers
        .get(OFFSET)
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let said: u64 = said.ok_or_else(|| Problem::field("Upload-Offset", "must be a number"))?;
    let begun = async {
        let (upload, at) = service.upload(&own, id).await?;
        Ok((upload, at, service.go_on(&own, id, said).await))
    };
    let (upload, mut part) = match begun.await {
        Ok((upload, _, Ok(part))) => (upload, part),
        Ok((_, at, Err(Refusal::WrongState))) => {
            let why = format!("{at} bytes are there, or somebody else just adds to it");
            return Ok(elsewhere(at, why));
        }
        Ok((_, _, Err(Refusal::NotFound))) | Err(Refusal::NotFound) => {
            let file = service.finished(&own, id).await?;
            let file = file.ok_or(Refusal::NotFound)?;
            return repeated(&api, &file, said, body).await;
        }
        Ok((_, _, Err(why))) | Err(why) => return Err(why.into()),
    };
    let mut body = body.into_data_stream();
    loop {
        let broken = match timeout(PATIENCE, body.next()).await {
            Ok(Some(Ok(bytes))) => {
                part.write(&bytes).await?;
                continue;
            }
            Ok(None) => break,
            Ok(Some(Err(_))) => Refusal::UndecodableContent,
            Err(_) => Refusal::Unavailable,
        };
        // What has come stays.
        part.settle().await?;
        return Err(broken.into());
    }
    match part.finish().await.map_err(not_kept)? {
        Progress::At(offset) => {
            let view = UploadView::at(&upload, offset);
            Ok(with_offset(StatusCode::OK, offset, Json(view)))
        }
        Progress::Done(file) => {
            let view = FileView::of(&api.im, &file).await?;
            let done = UploadView::done(view, file.id.to_string(), file.size);
            Ok(with_offset(StatusCode::OK, file.size, Json(done)))
        }
    }
}

/// Give an upload up
#[utoipa::path(
    delete, path = "/v1/uploads/{id}", tag = "files",
    params(("id" = String, Path, description = "The upload's id")),
    responses((status = 204, description = "It is gone"), Denials, Missing, Conflict),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn give_up_upload(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    let own = own(&api, &caller, &id).await?;
    service.give_up(&own, file_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
