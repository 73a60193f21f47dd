//! `/im/video/upload`: the recording of a call (gyyx.md Q4-23).

use std::sync::Arc;

use axum::Extension;
use axum::extract::multipart::MultipartRejection;
use axum::extract::{ConnectInfo, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::{Realm, UserNum};
use crosstalk_core::im::{LoginRequest, LoginScope};
use crosstalk_wire::gyyx::{HttpError, upload_answer};

use super::answer::{Failure, answer};
use super::input::{credentials, headers};
use crate::files::{About, FileService};
use crate::http::edge::Edge;
use crate::http::files::read_form;

/// What host applications are told that was called.
const ROUTE: &str = "/im/video/upload";
/// The longest room, characters.
const MAX_ROOM_CHARS: usize = 64;

pub(super) async fn upload(
    State(edge): State<Edge>,
    Extension(service): Extension<Arc<FileService>>,
    ConnectInfo(client): ConnectInfo<std::net::SocketAddr>,
    request: Request,
) -> Result<Response, Failure> {
    let (parts, body) = request.into_parts();
    let (realm, owner) = caller(&edge, &parts, client).await?;
    let request = Request::from_parts(parts, body);
    let form: Result<_, MultipartRejection> = Multipart::from_request(request, &()).await;
    let form = form.map_err(|_| Failure(HttpError::BadRequest))?;
    let form = read_form(&service, form).await?;
    let room = form.texts.get("roomId").map_or("", |room| room.trim());
    let fits = room.chars().count() <= MAX_ROOM_CHARS && !room.chars().any(char::is_control);
    if room.is_empty() || !fits {
        return Err(Failure(HttpError::BadRequest));
    }
    let about = About {
        realm,
        owner,
        // The recording is found by its room.
        name: format!("{room}-{}", form.name)
            .chars()
            .take(crate::files::MAX_NAME_CHARS)
            .collect(),
        public: false,
    };
    let file = service.keep(form.file, &about).await?;
    Ok(answer(StatusCode::OK, upload_answer(&file.id.to_string())))
}

/// A user with a token, or the business server.
async fn caller(
    edge: &Edge,
    parts: &axum::http::request::Parts,
    client: std::net::SocketAddr,
) -> Result<(Realm, Option<UserNum>), Failure> {
    let headers = headers(parts, &edge.config.gyyx.allowed_origins);
    let credentials = credentials(&headers);
    let mut apps = credentials
        .iter()
        .filter_map(|it| edge.im.apps().by_secret(it));
    if let Some(app) = apps.next() {
        return Ok((app.realm, None));
    }
    // Without a name it is the app that is there from the beginning.
    let query = parts.uri.query().unwrap_or_default();
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("appId="));
    let app = named.map_or_else(|| Ok(AppId::default()), AppId::parse);
    let app = app.map_err(|_| Failure(HttpError::NotLoggedIn))?;
    let mut login = LoginRequest::new(LoginScope::App(app), "gyyx", ROUTE, client.ip());
    login.query = query.to_owned();
    login.credentials = credentials;
    login.headers = headers;
    let login = edge.im.login(&login).await?;
    Ok((login.realm, Some(login.user.num)))
}
