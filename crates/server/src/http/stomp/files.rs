//! `/api/file/…`: giving and reading files (stomp.md D.b.2).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use crosstalk_core::file::{FileId, FileRecord};
use crosstalk_core::im::Viewer;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};

use super::answer::{Done, Failure};
use super::auth::known;
use super::input::Input;
use crate::files::{About, FileService, MAX_NAME_CHARS};
use crate::http::edge::Edge;
use crate::http::files::{give, give_thumbnail, read_form};

/// A file as clients of this dialect see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FileInfo {
    file_id: String,
    /// Where it is for those who may read it.
    url: String,
    /// An image's small picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    name: String,
    size: u64,
    mime_type: String,
    width: u32,
    height: u32,
    sha256: String,
    /// When it came, ms since 1970.
    created_at: i64,
}

impl FileInfo {
    fn of(edge: &Edge, file: &FileRecord) -> Self {
        let base = edge.im.file_urls().map_or("", |urls| urls.base());
        let url = format!("{base}/api/file/{}", file.id);
        let is_image = file.width > 0;
        Self {
            file_id: file.id.to_string(),
            thumbnail_url: is_image.then(|| format!("{url}/thumbnail")),
            url,
            name: file.name.clone(),
            size: file.size,
            mime_type: file.media_type.clone(),
            width: file.width,
            height: file.height,
            sha256: hex::encode(file.sha256),
            created_at: file.created_at_ms,
        }
    }
}

/// What a request says outside of its body: who asks, and the query.
async fn input(headers: &HeaderMap, uri: &axum::http::Uri) -> Result<Input, Failure> {
    let mut bare = Request::new(Body::empty());
    *bare.uri_mut() = uri.clone();
    let credentials = [
        axum::http::header::AUTHORIZATION,
        axum::http::header::COOKIE,
        axum::http::header::ORIGIN,
        axum::http::header::HOST,
        axum::http::HeaderName::from_static("token"),
    ];
    for name in credentials {
        if let Some(value) = headers.get(&name) {
            bare.headers_mut().insert(name, value.clone());
        }
    }
    Input::read(bare).await
}

/// `POST /upload` (multipart, `file`; `name`, `public`).
pub(super) async fn upload(
    State(edge): State<Edge>,
    Extension(service): Extension<Arc<FileService>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<FileInfo>, Failure> {
    let input = input(request.headers(), request.uri()).await?;
    let login = known(&edge, &input, client).await?;
    edge.im.spend(login.user.num)?;
    let form = Multipart::from_request(request, &()).await;
    let form = form.map_err(|_| Failure::field("file", "must come as multipart/form-data"))?;
    let form = read_form(&service, form).await?;
    let text = |name: &str| form.texts.get(name).map(|text| text.trim());
    let name = text("name").filter(|name| !name.is_empty());
    let name = name.unwrap_or(&form.name);
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Failure::field(
            "name",
            "is too long or has control characters",
        ));
    }
    let about = About {
        realm: login.realm,
        owner: Some(login.user.num),
        name: name.to_owned(),
        public: text("public") == Some("true"),
    };
    let file = service.keep(form.file, &about).await?;
    Ok(Done(FileInfo::of(&edge, &file)))
}

async fn readable(
    edge: &Edge,
    headers: &HeaderMap,
    uri: &axum::http::Uri,
    client: SocketAddr,
    id: &str,
) -> Result<FileRecord, Failure> {
    let login = known(edge, &input(headers, uri).await?, client).await?;
    let id = FileId::parse(id).ok_or(Refusal::NoSuchFile)?;
    let viewer = Viewer::User(login.user);
    Ok(edge.im.file(&login.realm, &viewer, id).await?)
}

/// `GET /{id}`.
pub(super) async fn read(
    State(edge): State<Edge>,
    Extension(service): Extension<Arc<FileService>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    uri: axum::http::Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let file = readable(&edge, &headers, &uri, client, &id).await?;
    Ok(give(&service, &file, &headers).await?)
}

/// What size is wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Size {
    size: Option<u32>,
}

/// `GET /{id}/thumbnail?size`.
#[allow(clippy::too_many_arguments, reason = "what the request has")]
pub(super) async fn thumbnail(
    State(edge): State<Edge>,
    Extension(service): Extension<Arc<FileService>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    size: Result<Query<Size>, axum::extract::rejection::QueryRejection>,
    uri: axum::http::Uri,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Query(size) = size.map_err(|_| Failure::field("size", "must be a number"))?;
    let file = readable(&edge, &headers, &uri, client, &id).await?;
    Ok(give_thumbnail(&service, &file, size.size, &headers).await?)
}
