//! Files: giving, reading, deleting, and addresses that need no login.

use std::sync::Arc;

use axum::extract::{Multipart, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use crosstalk_core::file::{FileId, FileRecord, Grant};
use crosstalk_core::im::{Im, Viewer};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::input::{self, Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use crate::files::{About, FileService, MAX_NAME_CHARS};
use crate::http::files::{give, give_thumbnail, read_form};
use crate::http::state::ApiState;

/// The longest time for which an address can be asked.
const MAX_TTL_SECS: u64 = 30 * 24 * 3600;

/// A file.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "ctf_0f2b3c4d5e6f708192a3b4c5d6e7f809",
    "name": "cat.png",
    "type": "image/png",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width": 800,
    "height": 600,
    "public": false,
    "owner": "alice",
    "url": "http://127.0.0.1:8080/v1/files/ctf_0f2b3c4d5e6f708192a3b4c5d6e7f809",
    "created_at": 1_715_000_001_234_i64,
}))]
pub(super) struct FileView {
    /// Its id, which names it in messages.
    id: String,
    /// What it is called.
    name: String,
    /// Its media type, as its content shows.
    #[serde(rename = "type")]
    media_type: String,
    /// Its length in bytes.
    size: u64,
    /// The SHA-256 digest of its bytes, hexadecimal.
    sha256: String,
    /// An image's width in pixels; 0 = none, or not known.
    width: u32,
    /// An image's height in pixels; 0 = none, or not known.
    height: u32,
    /// Whether everybody may read it.
    public: bool,
    /// Who gave it; null = the application.
    owner: Option<String>,
    /// Where it is, for those who may read it; a public one for everybody.
    url: String,
    /// When it came, ms since 1970.
    created_at: i64,
}

impl FileView {
    /// A file as it is shown.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn of(im: &Im, file: &FileRecord) -> Result<Self, Problem> {
        let owner = im.file_owner(file).await?;
        Ok(Self {
            id: file.id.to_string(),
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            size: file.size,
            sha256: hex::encode(file.sha256),
            width: file.width,
            height: file.height,
            public: file.public,
            owner: owner.map(|user| user.uid.as_str().to_owned()),
            url: address(im, file),
            created_at: file.created_at_ms,
        })
    }
}

/// Where a file is.
pub(in crate::http) fn address(im: &Im, file: &FileRecord) -> String {
    let base = im.file_urls().map_or("", |urls| urls.base());
    let place = if file.public { "/f/" } else { "/v1/files/" };
    format!("{base}{place}{}", file.id)
}

/// A file's id out of a path.
pub(super) fn file_id(text: &str) -> Result<FileId, Problem> {
    FileId::parse(text).ok_or_else(|| Refusal::NoSuchFile.into())
}

/// Whose rights count.
pub(super) fn viewer(caller: &Caller) -> Viewer {
    match caller {
        Caller::User(identity) => Viewer::User(identity.user.clone()),
        Caller::Admin(_) | Caller::App(_) => Viewer::Application,
    }
}

/// Whose file it is going to be, and what it is called.
pub(super) async fn about(
    api: &ApiState,
    caller: &Caller,
    name: &str,
    owner: Option<&str>,
    public: bool,
) -> Result<About, Problem> {
    input::check_name("name", name, MAX_NAME_CHARS)?;
    let realm = caller.realm()?;
    let owner = match (caller, owner) {
        (Caller::User(identity), owner) => {
            caller.reaches(owner.unwrap_or(identity.user.uid.as_str()))?;
            Some(identity.user.num)
        }
        (_, Some(owner)) => {
            let uid = input::uid("owner", owner)?;
            Some(api.im.user(realm, &uid).await?.record.user.num)
        }
        (_, None) => None,
    };
    Ok(About {
        realm: realm.clone(),
        owner,
        name: name.to_owned(),
        public,
    })
}

async fn found(api: &ApiState, caller: &Caller, id: &str) -> Result<FileRecord, Problem> {
    let id = file_id(id)?;
    Ok(api.im.file(caller.realm()?, &viewer(caller), id).await?)
}

/// A file in a form.
#[derive(ToSchema)]
#[allow(dead_code)] // describes the form
pub(super) struct FileForm {
    /// The bytes.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    /// What it is called, if not as the part says.
    name: Option<String>,
    /// `true`: everybody may read it.
    public: Option<bool>,
    /// With an app secret or the admin key: whose it is. Absent: the application's.
    owner: Option<String>,
}

/// Give a file
///
/// As a form (`multipart/form-data`) with the bytes in `file`. What it is shows its content, not
/// its name. Bytes that are there already are kept once. Its id or address in a message lets
/// those read it who may see the message.
#[utoipa::path(
    post, path = "/v1/files", tag = "files",
    request_body(content = FileForm, content_type = "multipart/form-data"),
    responses(
        (status = 201, description = "The file", body = FileView),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn give_file(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    form: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<(StatusCode, Json<FileView>), Problem> {
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    let form = form.map_err(|why| Problem::new(Refusal::UndecodableContent, why.body_text()))?;
    let form = read_form(&service, form).await.map_err(|why| match why {
        Refusal::InvalidArgument => Problem::field("file", "is missing, or a text is too long"),
        Refusal::Forbidden => Problem::new(why, "no files are taken here"),
        why => why.into(),
    })?;
    let text = |name: &str| form.texts.get(name).map(String::as_str);
    let public = match text("public") {
        None | Some("" | "false" | "0") => false,
        Some("true" | "1") => true,
        Some(_) => return Err(Problem::field("public", "must be true or false")),
    };
    let name = text("name").unwrap_or(&form.name);
    let about = about(&api, &caller, name, text("owner"), public).await?;
    let file = service.keep(form.file, &about).await.map_err(not_kept)?;
    Ok((
        StatusCode::CREATED,
        Json(FileView::of(&api.im, &file).await?),
    ))
}

/// Why a file was not kept, in words.
pub(super) fn not_kept(why: Refusal) -> Problem {
    match why {
        Refusal::InvalidArgument => Problem::field(
            "file",
            "is of a type that is not taken, or not what was said",
        ),
        Refusal::RateLimited => Problem::new(why, "the user has given too much today"),
        why => why.into(),
    }
}

/// Read a file
///
/// Its bytes, whole or a stretch (`Range`). What a browser could run is sent as an attachment.
#[utoipa::path(
    get, path = "/v1/files/{id}", tag = "files",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "The bytes", content_type = "*/*"),
        (status = 206, description = "A stretch of them", content_type = "*/*"),
        (status = 304, description = "The caller has them already"),
        (status = 416, description = "There is no such stretch"),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn read_file(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = found(&api, &caller, &id).await?;
    Ok(give(&service, &file, &headers).await?)
}

/// What size is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Size {
    /// The side of the square in which it fits, pixels; the next larger one that there is.
    #[param(minimum = 1, maximum = 4096)]
    size: Option<u32>,
}

/// Read a small picture of an image
///
/// As JPEG, or as PNG where places are transparent.
#[utoipa::path(
    get, path = "/v1/files/{id}/thumbnail", tag = "files",
    params(("id" = String, Path, description = "The file's id"), Size),
    responses(
        (status = 200, description = "The picture",
            content((inline(String) = "image/jpeg"), (inline(String) = "image/png"))),
        (status = 206, description = "A stretch of it",
            content((inline(String) = "image/jpeg"), (inline(String) = "image/png"))),
        (status = 304, description = "The caller has it already"),
        (status = 416, description = "There is no such stretch"),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn read_thumbnail(
    State(api): State<ApiState>,
    Extension(service): Extension<Arc<FileService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(size): Params<Size>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let file = found(&api, &caller, &id).await?;
    let given = give_thumbnail(&service, &file, size.size, &headers).await;
    given.map_err(|why| match why {
        Refusal::NotFound => Problem::new(why, "there is no picture of this file"),
        why => why.into(),
    })
}

/// Look at a file
#[utoipa::path(
    get, path = "/v1/files/{id}/meta", tag = "files",
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "What is known of it", body = FileView),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn look_at_file(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<FileView>, Problem> {
    let file = found(&api, &caller, &id).await?;
    Ok(Json(FileView::of(&api.im, &file).await?))
}

/// Delete a file
///
/// For everybody; its owner and the application may. Messages that name it stay. Its bytes go
/// within two days, unless another file is made of them.
#[utoipa::path(
    delete, path = "/v1/files/{id}", tag = "files",
    params(("id" = String, Path, description = "The file's id")),
    responses((status = 204, description = "It is gone"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_file(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    let id = file_id(&id)?;
    api.im
        .delete_file(caller.realm()?, &viewer(&caller), id)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An address that is wanted.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"ttl_secs": 3600}))]
pub(super) struct WantedAddress {
    /// For how long it is to hold, seconds; absent: as the server is set.
    #[schema(minimum = 1, maximum = 2_592_000)]
    ttl_secs: Option<u64>,
    /// Of the small picture that fits a square with this side, pixels, instead of the file.
    #[schema(minimum = 1, maximum = 4096)]
    thumbnail: Option<u32>,
}

/// An address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Address {
    /// Where the file is for whoever has this.
    url: String,
    /// Until when, ms since 1970.
    expires_at: i64,
}

/// Make an address that needs no login
///
/// Whoever may read the file only because a message shows it to them gets one that ends with
/// that message: when it is revoked, edited to name it no more, or expires.
#[utoipa::path(
    post, path = "/v1/files/{id}/url", tag = "files", request_body = WantedAddress,
    params(("id" = String, Path, description = "The file's id")),
    responses(
        (status = 200, description = "The address", body = Address),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn make_address(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(wanted): Body<WantedAddress>,
) -> Result<Json<Address>, Problem> {
    let (realm, viewer) = (caller.realm()?, viewer(&caller));
    let (file, shown_by) = api.im.file_shown(realm, &viewer, file_id(&id)?).await?;
    let urls = api.im.file_urls().ok_or(Refusal::Unavailable)?;
    let ttl_ms = match wanted.ttl_secs {
        None => urls.ttl_ms(),
        Some(secs @ 1..=MAX_TTL_SECS) => i64::try_from(secs).unwrap_or(i64::MAX) * 1000,
        Some(_) => {
            let wrong = format_args!("must be between 1 and {MAX_TTL_SECS}");
            return Err(Problem::field("ttl_secs", wrong));
        }
    };
    if wanted
        .thumbnail
        .is_some_and(|side| !(1..=4096).contains(&side))
    {
        return Err(Problem::field("thumbnail", "must be between 1 and 4096"));
    }
    let until_ms = api.im.clock().now_ms() + ttl_ms;
    let grant = Grant {
        file: file.id,
        until_ms,
        thumbnail: wanted.thumbnail,
        shown_by,
    };
    Ok(Json(Address {
        url: urls.address(&grant),
        expires_at: until_ms,
    }))
}
