//! `/im/v1/files`: giving and reading what messages name by `storageId` (mqtt.md Q3-23).

use std::sync::Arc;

use axum::Extension;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crosstalk_core::file::{FileId, FileRecord};
use crosstalk_core::id::Realm;
use crosstalk_core::im::Viewer;
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::foreign_address;
use serde::{Deserialize, Serialize};

use super::MqttState;
use super::answer::{Done, Failure};
use super::caller::Proof;
use crate::files::{About, FileService};
use crate::http::files::{give, give_thumbnail, read_form};

/// A file as clients of this dialect see it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stored {
    storage_id: String,
    url: String,
    file_name: String,
    /// A text, as in messages.
    file_size: String,
    mime_type: String,
    width: u32,
    height: u32,
}

/// Who asks: a device, a user, or a tenant's backend.
async fn viewer(state: &MqttState, proof: &Proof) -> Result<(Realm, Viewer), Failure> {
    if let Some(app) = proof.tenant(state, "")? {
        return Ok((app.realm, Viewer::Application));
    }
    let login = proof.user(state).await?.login;
    Ok((login.realm, Viewer::User(login.user)))
}

/// `POST /im/v1/files` (multipart, `file`).
pub(super) async fn store(
    State(state): State<MqttState>,
    Extension(service): Extension<Arc<FileService>>,
    proof: Proof,
    form: Result<Multipart, MultipartRejection>,
) -> Result<Done<Stored>, Failure> {
    let (realm, viewer) = viewer(&state, &proof).await?;
    if let Viewer::User(user) = &viewer {
        state.edge.im.spend(user.num)?;
    }
    let form = form.map_err(|_| Failure::bad("the file must come as multipart/form-data"))?;
    let form = read_form(&service, form).await?;
    let about = About {
        realm,
        owner: match viewer {
            Viewer::User(user) => Some(user.num),
            Viewer::Application => None,
        },
        name: form.name,
        public: form.texts.get("public").is_some_and(|it| it == "true"),
    };
    let file = service.keep(form.file, &about).await?;
    let base = state.edge.im.file_urls().map_or("", |urls| urls.base());
    Ok(Done(Stored {
        url: format!("{base}/im/v1/files/{}", file.id),
        storage_id: file.id.to_string(),
        file_name: file.name,
        file_size: file.size.to_string(),
        mime_type: file.media_type,
        width: file.width,
        height: file.height,
    }))
}

async fn readable(
    state: &MqttState,
    realm: &Realm,
    viewer: &Viewer,
    id: &str,
) -> Result<FileRecord, Failure> {
    let id = FileId::parse(id).ok_or(Refusal::NoSuchFile)?;
    Ok(state.edge.im.file(realm, viewer, id).await?)
}

/// `GET /im/v1/files/{storageId}`: the bytes; of what is stored elsewhere, where that is. Only
/// who has logged in is sent there, so that no link leads through here to anywhere.
pub(super) async fn read(
    State(state): State<MqttState>,
    Extension(service): Extension<Arc<FileService>>,
    proof: Proof,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (realm, viewer) = viewer(&state, &proof).await?;
    if let Some(address) = foreign_address(&id) {
        let address = HeaderValue::from_str(&address);
        let address = address.map_err(|_| Failure::from(Refusal::NoSuchFile))?;
        return Ok((StatusCode::FOUND, [(header::LOCATION, address)]).into_response());
    }
    let file = readable(&state, &realm, &viewer, &id).await?;
    Ok(give(&service, &file, &headers).await?)
}

/// What size is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Size {
    size: Option<u32>,
}

/// `GET /im/v1/files/{storageId}/thumbnail?size`.
pub(super) async fn thumbnail(
    State(state): State<MqttState>,
    Extension(service): Extension<Arc<FileService>>,
    proof: Proof,
    Path(id): Path<String>,
    Query(size): Query<Size>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let (realm, viewer) = viewer(&state, &proof).await?;
    let file = readable(&state, &realm, &viewer, &id).await?;
    Ok(give_thumbnail(&service, &file, size.size, &headers).await?)
}
