//! The audit log: one layer around all routes writes down what applications and the holder of
//! the admin key change, and one route reads it.

use axum::Json;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crosstalk_core::admin::{AuditQuery, AuditRecord};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::auth::{self, Caller};
use super::super::input::Params;
use super::super::openapi::Denials;
use super::super::page::{self, Page, Paging};
use super::super::problem::Problem;
use super::actor;
use crate::http::audit::{Act, changes};
pub(super) use crate::http::audit::{AuditNote, Noted};
use crate::http::state::ApiState;

/// What passes every day in users' names, or only asks: acts of nobody's administration.
pub(in crate::http) const ORDINARY: &[(&str, &str)] = &[
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

/// Writes down what was done, before it is answered: what was answered is in the log. The
/// store's queue is bounded; while it is full the answer waits.
pub(in crate::http) async fn watch(
    State(api): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let is_ordinary = route.is_none_or(|route| {
        let act = (request.method().as_str(), route.as_str());
        ORDINARY.contains(&act)
    });
    if is_ordinary || !changes(request.method()) {
        return next.run(request).await;
    }
    let Some(caller) = auth::backend(request.headers(), &api) else {
        return next.run(request).await;
    };
    to_its_end(async move {
        let (act, request) = Act::begin(request).await;
        let response = next.run(request).await;
        let Some(act) = act else { return response };
        let realm = caller.app().ok().map(|app| app.realm.clone());
        act.end(&api.im, realm, actor(&caller), response).await
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

/// An act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Act, example = json!({
    "id": "12", "at": 1_715_000_001_234_i64, "actor": "app:shop",
    "action": "POST /v1/bans", "target": "/v1/bans", "outcome": 201,
    "address": "203.0.113.9", "note": "spam", "subjects": ["alice", "4"],
    "asked": {"user": "alice", "reason": "spam"},
}))]
pub(super) struct ActView {
    /// Its number.
    id: String,
    /// When, ms since 1970.
    at: i64,
    /// Who: `admin`, `app:<id>`, `user:<uid>` or `wukong_api`.
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
    /// Whom and what it concerned: the ids in the path, the query, the body and the answer, at
    /// most 50.
    subjects: Vec<String>,
    /// The essential of what was asked for: ids, numbers, flags and choices; no secrets, no
    /// texts of messages. Null if there is nothing.
    #[schema(value_type = Option<Object>)]
    asked: Option<Value>,
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
            subjects: entry.subjects,
            asked: serde_json::from_str(&entry.asked).ok(),
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
/// Everything that was changed with an app secret, the admin key or an administrator's account,
/// through whichever interface, apart from what passes in users' names every day; nothing secret
/// is in it. `wukong_api` is who called WuKongIM's API. With an app secret only acts in its
/// realm; with the admin key and no `X-App-Id` those of all realms.
#[utoipa::path(
    get, path = "/v1/audit", tag = "administration",
    params(
        Paging,
        ("actor" = Option<String>, Query, description = "`admin`, `app:<id>`, `user:<uid>` or `wukong_api`"),
        ("action" = Option<String>, Query, description = "The verb and the route"),
        ("target" = Option<String>, Query, description = "The path, or the id of somebody or something concerned"),
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
