//! The audit log: one layer around all routes writes down what applications and the holder of
//! the admin key change, and one route reads it.

use std::net::SocketAddr;

use axum::Json;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crosstalk_core::admin::{AuditEntry, AuditQuery, AuditRecord};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::{self, Caller};
use super::super::input::Params;
use super::super::openapi::Denials;
use super::super::page::{self, Page, Paging};
use super::super::problem::Problem;
use super::actor;
use crate::http::state::ApiState;

/// The longest target that is written down, bytes.
const TARGET_BYTES: usize = 512;

/// What passes every day in users' names, or only asks: acts of nobody's administration.
const ORDINARY: &[(&str, &str)] = &[
    ("POST", "/v1/messages"),
    ("POST", "/v1/messages/batch"),
    ("POST", "/v1/messages/forward"),
    ("POST", "/v1/channels/{kind}/{id}/typing"),
    ("POST", "/v1/users/{uid}/conversations/{kind}/{id}/read"),
    ("POST", "/v1/users/{uid}/reminders/done"),
    ("POST", "/v1/users/{uid}/blacklist-check"),
    ("POST", "/v1/users/{uid}/friends-check"),
    ("POST", "/v1/users/batch"),
    ("POST", "/v1/presence"),
    ("PUT", "/v1/users/{uid}/presence"),
    ("PATCH", "/v1/uploads/{id}"),
];

/// A reason that was given, for the log.
#[derive(Debug, Clone)]
pub(in crate::http) struct AuditNote(pub(in crate::http) String);

/// An answer with a note for the log.
pub(super) struct Noted<T> {
    note: String,
    answer: T,
}

impl AuditNote {
    /// Puts a note on an answer.
    pub(super) fn on<T>(note: String, answer: T) -> Noted<T> {
        Noted { note, answer }
    }
}

impl<T: IntoResponse> IntoResponse for Noted<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        response.extensions_mut().insert(AuditNote(self.note));
        response
    }
}

/// Writes down what was done, before it is answered: what was answered is in the log. The
/// store's queue is bounded; while it is full the answer waits.
pub(in crate::http) async fn watch(
    State(api): State<ApiState>,
    client: Result<ConnectInfo<SocketAddr>, ExtensionRejection>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    if matches!(method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>().cloned();
    let Some(route) = route.filter(|route| {
        let act = (method.as_str(), route.as_str());
        !ORDINARY.contains(&act)
    }) else {
        return next.run(request).await;
    };
    let Some(caller) = auth::backend(request.headers(), &api) else {
        return next.run(request).await;
    };
    let target = request.uri().path().to_owned();
    let address = client.map_or_else(|_| String::new(), |client| client.0.ip().to_string());
    to_its_end(async move {
        let response = next.run(request).await;
        let entry = AuditEntry {
            realm: caller.app().ok().map(|app| app.realm.clone()),
            actor: actor(&caller),
            action: format!("{method} {}", route.as_str()),
            target: shortened(target),
            outcome: response.status().as_u16(),
            address,
            note: noted(&response),
        };
        write(&api, entry).await;
        response
    })
    .await
}

/// Sees an act and its entry through, even if the caller hangs up meanwhile: nothing is done
/// that is not written down.
pub(in crate::http) async fn to_its_end(
    act: impl Future<Output = Response> + Send + 'static,
) -> Response {
    match tokio::spawn(act).await {
        Ok(response) => response,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The server stops.
            Err(_) => Problem::from(Refusal::Unavailable).into_response(),
        },
    }
}

/// What a handler has said for the log.
pub(in crate::http) fn noted(response: &Response) -> String {
    let note = response.extensions().get::<AuditNote>();
    note.map_or_else(String::new, |note| note.0.clone())
}

/// The beginning of what could be long.
pub(crate) fn shortened(mut target: String) -> String {
    if target.len() > TARGET_BYTES {
        let end = (0..=TARGET_BYTES)
            .rev()
            .find(|at| target.is_char_boundary(*at));
        target.truncate(end.unwrap_or(0));
    }
    target
}

/// Writes an act down. It was done: should the store fail now, at least the log has it.
pub(in crate::http) async fn write(api: &ApiState, entry: AuditEntry) {
    if let Err(error) = api.im.audit().log_act(&entry).await {
        tracing::error!(%error, ?entry, "an act could not be written down");
    }
}

/// An act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Act, example = json!({
    "id": "12", "at": 1_715_000_001_234_i64, "actor": "app:shop",
    "action": "POST /v1/bans", "target": "/v1/bans", "outcome": 201,
    "address": "203.0.113.9", "note": "spam",
}))]
pub(super) struct ActView {
    /// Its number.
    id: String,
    /// When, ms since 1970.
    at: i64,
    /// Who: `admin`, `app:<id>` or `user:<uid>`.
    actor: String,
    /// What: the verb and the route.
    action: String,
    /// What it was about: the path.
    target: String,
    /// What became of it: the HTTP status.
    outcome: u16,
    /// Where it came from.
    address: String,
    /// A reason that was given.
    note: String,
}

impl From<AuditRecord> for ActView {
    fn from(record: AuditRecord) -> Self {
        let entry = record.entry;
        Self {
            id: record.num.to_string(),
            at: record.at_ms,
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            outcome: entry.outcome,
            address: entry.address,
            note: entry.note,
        }
    }
}

/// Which acts are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    actor: Option<String>,
    action: Option<String>,
    target: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
}

/// Who did what
///
/// Everything that was changed with an app secret or the admin key, apart from what passes
/// in users' names every day; nothing secret is in it. With an app secret only acts in its
/// realm; with the admin key and no `X-App-Id` those of all realms.
#[utoipa::path(
    get, path = "/v1/audit", tag = "administration",
    params(
        Paging,
        ("actor" = Option<String>, Query, description = "`admin`, `app:<id>` or `user:<uid>`"),
        ("action" = Option<String>, Query, description = "The verb and the route"),
        ("target" = Option<String>, Query, description = "The path"),
        ("since" = Option<i64>, Query, description = "Then or later, ms since 1970"),
        ("until" = Option<i64>, Query, description = "Before, ms since 1970"),
    ),
    responses((status = 200, description = "The newest first", body = Page<ActView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_acts(
    State(api): State<ApiState>,
    caller: Caller,
    headers: axum::http::HeaderMap,
    Params(paging): Params<Paging>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<ActView>>, Problem> {
    let realm = match &caller {
        Caller::Admin(_) if !auth::names_app(&headers) => None,
        caller => Some(caller.app()?.realm.clone()),
    };
    let before = paging.after::<1>("u")?.map(|[before]| before);
    let limit = paging.limit()?;
    let query = AuditQuery {
        realm,
        actor: wanted.actor,
        action: wanted.action,
        target: wanted.target,
        since_ms: wanted.since,
        until_ms: wanted.until,
        before,
        limit: limit + 1,
    };
    let mut acts = api.im.audit().acts(&query).await?;
    let more = acts.len() > limit as usize;
    acts.truncate(limit as usize);
    let last = acts.last().filter(|_| more);
    let next_cursor = last.map(|last| page::encode("u", [last.num]));
    Ok(Json(Page {
        items: acts.into_iter().map(ActView::from).collect(),
        next_cursor,
    }))
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_target_has_an_end() {
        assert_eq!(shortened("é".to_owned()), "é");
        assert!(shortened("é".repeat(1000)).len() <= TARGET_BYTES);
    }
}
