//! What could not be delivered to a hook.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::{Extension, Json};
use crosstalk_core::hook::DeadLetter;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{Params, Segments};
use super::openapi::{Denials, Missing};
use super::page::{Page, Paging, encode};
use super::problem::Problem;
use crate::hooks::HookService;

/// Marks cursors of this list.
const TAG: &str = "dl";

/// A request that was given up.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetter)]
pub(super) struct LetterView {
    /// Its number.
    n: i64,
    /// What it was about: the event's name, or the first one's.
    event: String,
    /// The id under which it was sent.
    event_id: String,
    /// The body.
    #[schema(value_type = Object)]
    body: Value,
    /// How often it was tried.
    tries: u32,
    /// What went wrong at last.
    reason: String,
    /// When it was given up, ms since 1970.
    at: i64,
}

impl From<DeadLetter> for LetterView {
    fn from(DeadLetter { n, letter }: DeadLetter) -> Self {
        Self {
            n,
            event: letter.event,
            event_id: letter.event_id,
            body: serde_json::from_slice(&letter.body).unwrap_or_default(),
            tries: letter.tries,
            reason: letter.reason,
            at: letter.at_ms,
        }
    }
}

/// What became of another try.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLetterRetry)]
pub(super) struct Retried {
    /// True: it was taken, and is a dead letter no longer.
    delivered: bool,
    /// Why it was not.
    error: Option<String>,
}

/// How many went.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeadLettersDropped)]
pub(super) struct Dropped {
    /// So many.
    dropped: u64,
}

/// Dead letters of a hook
///
/// Oldest first; the newest 10,000 are kept.
#[utoipa::path(
    get, path = "/v1/hooks/{id}/dead-letters", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id"), Paging),
    responses(
        (status = 200, description = "A page of dead letters", body = Page<LetterView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_dead_letters(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<LetterView>>, Problem> {
    let realm = &caller.app()?.realm;
    let limit = paging.limit()?;
    let [after] = paging.after(TAG)?.unwrap_or([0]);
    let mut letters = service.dead_letters(realm, &id, after, limit + 1).await?;
    let is_more = letters.len() > limit as usize;
    letters.truncate(limit as usize);
    let last = letters.last().map(|letter| letter.n);
    Ok(Json(Page {
        next_cursor: last.filter(|_| is_more).map(|n| encode(TAG, [n])),
        items: letters.into_iter().map(LetterView::from).collect(),
    }))
}

/// Try a dead letter again
///
/// Once, now, with the id it had.
#[utoipa::path(
    post, path = "/v1/hooks/{id}/dead-letters/{n}/retry", tag = "hooks",
    params(
        ("id" = String, Path, description = "The hook's id"),
        ("n" = i64, Path, description = "The dead letter's number"),
    ),
    responses((status = 200, description = "What became of it", body = Retried), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn retry_dead_letter(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments((id, n)): Segments<(String, i64)>,
) -> Result<Json<Retried>, Problem> {
    let retried = service.retry(&caller.app()?.realm, &id, n).await?;
    Ok(Json(Retried {
        delivered: retried.is_ok(),
        error: retried.err(),
    }))
}

/// Drop a dead letter
#[utoipa::path(
    delete, path = "/v1/hooks/{id}/dead-letters/{n}", tag = "hooks",
    params(
        ("id" = String, Path, description = "The hook's id"),
        ("n" = i64, Path, description = "The dead letter's number"),
    ),
    responses((status = 204, description = "It is gone"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn drop_dead_letter(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments((id, n)): Segments<(String, i64)>,
) -> Result<StatusCode, Problem> {
    let realm = &caller.app()?.realm;
    service.drop_dead_letters(realm, &id, Some(n)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Drop all dead letters of a hook
#[utoipa::path(
    delete, path = "/v1/hooks/{id}/dead-letters", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id")),
    responses((status = 200, description = "How many went", body = Dropped), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn drop_dead_letters(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<Dropped>, Problem> {
    let realm = &caller.app()?.realm;
    let dropped = service.drop_dead_letters(realm, &id, None).await?;
    Ok(Json(Dropped { dropped }))
}
