//! `/f/{id}`: a file for whoever has an address that the server made, for as long as that
//! holds; a public file for everybody.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use crosstalk_core::file::{FileId, Grant};
use crosstalk_core::id::MessageId;
use crosstalk_core::refusal::Refusal;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{give, give_thumbnail};
use crate::files::FileService;
use crate::http::v1::ProblemBody;

/// What an address carries.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub(super) struct Carried {
    /// When it ends, ms since 1970.
    e: Option<i64>,
    /// The signature.
    #[param(required = false)]
    s: String,
    /// The side of a small picture.
    t: Option<u32>,
    /// The message that has to show it.
    m: Option<i64>,
}

/// Read a file by an address that the server made
///
/// Needs no login: such addresses are made by `POST /v1/files/{id}/url` and stand in messages.
/// They are taken as they are and end by themselves. A public file needs nothing beside its id.
#[utoipa::path(
    get, path = "/f/{id}", tag = "files",
    params(("id" = String, Path, description = "The file's id"), Carried),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*"),
        (status = 206, description = "A stretch of them", content_type = "*/*"),
        (status = 304, description = "The caller has them already"),
        (status = 400, description = "The query cannot be read", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 403, description = "The address does not hold, or no longer",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "There is no such file, or no picture of it",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 416, description = "There is no such stretch"),
        (status = 503, description = "The file cannot be read now", body = ProblemBody,
            content_type = "application/problem+json"),
    ),
    security(())
)]
pub(super) async fn open(
    Extension(service): Extension<Arc<FileService>>,
    Path(id): Path<String>,
    Query(carried): Query<Carried>,
    headers: HeaderMap,
) -> Response {
    match opened(&service, &id, &carried, &headers).await {
        Ok(response) => response,
        Err(Refusal::NoSuchFile | Refusal::NotFound) => StatusCode::NOT_FOUND.into_response(),
        Err(Refusal::Forbidden) => StatusCode::FORBIDDEN.into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// A wrong signature is told from a file that is not there for public files only: nobody else
/// learns whether there is one.
async fn opened(
    service: &Arc<FileService>,
    id: &str,
    carried: &Carried,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let id = FileId::parse(id).ok_or(Refusal::Forbidden)?;
    let file = service.im().files().file(id).await?;
    let is_public = file.as_ref().is_some_and(|file| file.public);
    let holds = carried.e.is_some_and(|until_ms| {
        let grant = Grant {
            file: id,
            until_ms,
            thumbnail: carried.t,
            shown_by: carried.m.map(MessageId),
        };
        let urls = service.im().file_urls();
        let now_ms = service.im().clock().now_ms();
        urls.is_some_and(|urls| urls.holds(&grant, &carried.s, now_ms))
    });
    let is_shown = match carried.m.map(MessageId) {
        Some(message) if holds && !is_public => {
            service.im().files().is_shown_by(id, message).await?
        }
        _ => holds,
    };
    if !is_public && !is_shown {
        return Err(Refusal::Forbidden);
    }
    let file = file.ok_or(Refusal::NoSuchFile)?;
    match carried.t {
        Some(side) => give_thumbnail(service, &file, Some(side), headers).await,
        None => give(service, &file, headers).await,
    }
}
