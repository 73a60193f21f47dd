//! A user with all their data: erasing it, and writing it down.

use axum::Json;
use axum::body::{Body as Answer, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use crosstalk_core::admin::{Chore, ChoreKind, ChoreState};
use crosstalk_core::im::Im;
use crosstalk_core::message::Message;
use crosstalk_core::refusal::Refusal;
use futures_util::stream;
use serde_json::json;

use super::super::auth::Caller;
use super::super::input::{self, Segments};
use super::super::openapi::{Conflict, Denials, Missing};
use super::super::problem::Problem;
use super::super::view::MessageView;
use super::{WorkView, actor, number};
use crate::http::state::ApiState;

/// The media type of an export.
const LINES: &str = "application/x-ndjson";

/// A message in an export.
pub(crate) fn line(im: &Im, message: &Message) -> String {
    let view = MessageView::at(im.clock().now_ms(), message);
    let mut line = serde_json::to_value(view).unwrap_or_else(|_| json!({}));
    line["kind"] = "message".into();
    line.to_string()
}

/// Erase a user
///
/// Sessions end and no login succeeds at once; in the background memberships end, what the
/// user said is taken back, and everything else that is kept of them goes. The name is never
/// given again. It goes on after a restart; called again, it answers how far it is, and 200
/// once it is done.
#[utoipa::path(
    delete, path = "/v1/users/{uid}", tag = "administration",
    params(("uid" = String, Path, description = "The user's id")),
    responses(
        (status = 202, description = "It goes on", body = WorkView),
        (status = 200, description = "It was done before", body = WorkView),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(in crate::http::v1) async fn erase_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<(StatusCode, Json<WorkView>), Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    let chore = api.im.erase_user(realm, &uid, &actor(&caller)).await?;
    let status = if chore.state == ChoreState::Done {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    Ok((status, Json(chore.into())))
}

/// How far erasing a user is
#[utoipa::path(
    get, path = "/v1/users/{uid}/erasure", tag = "administration",
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "How far it is", body = WorkView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_erasure(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<WorkView>, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    let found = api.im.chore_about(realm, ChoreKind::Erase, &uid).await?;
    Ok(Json(found.into()))
}

/// Write down everything of a user
///
/// In the background; the answer's `id` names the export.
#[utoipa::path(
    post, path = "/v1/users/{uid}/export", tag = "administration",
    params(("uid" = String, Path, description = "The user's id")),
    responses(
        (status = 202, description = "It goes on", body = WorkView),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn export_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<(StatusCode, Json<WorkView>), Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    let chore = api.im.export_user(realm, &uid, &actor(&caller)).await?;
    Ok((StatusCode::ACCEPTED, Json(chore.into())))
}

/// How far an export is
#[utoipa::path(
    get, path = "/v1/users/{uid}/exports/{id}", tag = "administration",
    params(
        ("uid" = String, Path, description = "The user's id"),
        ("id" = String, Path, description = "The export's number"),
    ),
    responses((status = 200, description = "How far it is", body = WorkView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_export(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, id)): Segments<(String, String)>,
) -> Result<Json<WorkView>, Problem> {
    Ok(Json(export(&api, &caller, &uid, &id).await?.into()))
}

/// What an export has written
///
/// One JSON object per line: first what is kept of the user, each with the `kind` of its
/// table, then the messages they sent, with the kind `message`. Kept for 7 days.
#[utoipa::path(
    get, path = "/v1/users/{uid}/exports/{id}/download", tag = "administration",
    params(
        ("uid" = String, Path, description = "The user's id"),
        ("id" = String, Path, description = "The export's number"),
    ),
    responses(
        (status = 200, description = "The lines", body = String, content_type = "application/x-ndjson"),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn download_export(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, id)): Segments<(String, String)>,
) -> Result<Response, Problem> {
    let found = export(&api, &caller, &uid, &id).await?;
    if found.state != ChoreState::Done {
        let why = format!("the export is {}", found.state.name());
        return Err(Problem::new(Refusal::WrongState, why));
    }
    let num = found.num;
    if api.im.chore_output(num, 0).await?.is_none() {
        return Err(Problem::new(Refusal::NotFound, "the export was dropped"));
    }
    // Piece by piece: nobody has all of it in memory.
    let pieces = stream::try_unfold((api.im, 0), move |(im, n)| async move {
        match im.chore_output(num, n).await {
            Ok(Some(piece)) => Ok(Some((Bytes::from(piece), (im, n + 1)))),
            Ok(None) => Ok(None),
            Err(why) => Err(std::io::Error::other(why)),
        }
    });
    let mut response = Answer::from_stream(pieces).into_response();
    let kind = HeaderValue::from_static(LINES);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    let name = format!("attachment; filename=\"export-{num}.jsonl\"");
    if let Ok(name) = HeaderValue::from_str(&name) {
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

async fn export(api: &ApiState, caller: &Caller, uid: &str, id: &str) -> Result<Chore, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", uid)?;
    let num = number("id", id)?;
    let found = api.im.chore(realm, ChoreKind::Export, num).await?;
    let is_of = |chore: &Chore| chore.chore.user.as_ref().is_some_and(|of| of.uid == uid);
    if is_of(&found) {
        Ok(found)
    } else {
        Err(Refusal::NotFound.into())
    }
}
