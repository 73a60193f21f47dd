//! Whom a user does not want to hear from.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::refusal::Refusal;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Params, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::profiles::Uids;
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "b";

/// A user who is blocked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Blocked, example = json!({"uid": "mallory"}))]
pub(super) struct BlockedView {
    /// Who.
    uid: String,
}

/// Whom a user blocks
///
/// In the order in which the server first heard of them.
#[utoipa::path(
    get, path = "/v1/users/{uid}/blacklist", tag = "users",
    params(("uid" = String, Path, description = "Who blocks; `me` with a user token"), Paging),
    responses(
        (status = 200, description = "Who is blocked", body = Page<BlockedView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_blocked(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BlockedView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let limit = paging.limit()? as usize;
    let after = paging.after(LIST)?.map_or(i64::MIN, |[num]| num);
    api.im.user(realm, &uid).await?;
    let relations = api.im.relations(realm, &uid).await?.into_iter();
    let mut blocked: Vec<_> = relations
        .filter(|(other, relation)| relation.blocked && other.num.0 > after)
        .map(|(other, _)| other)
        .collect();
    blocked.sort_by_key(|other| other.num);
    let is_more = blocked.len() > limit;
    blocked.truncate(limit);
    let last = blocked.last().filter(|_| is_more);
    let next_cursor = last.map(|last| page::encode(LIST, [last.num.0]));
    let items = blocked.iter().map(|other| BlockedView {
        uid: other.uid.as_str().to_owned(),
    });
    Ok(Json(Page {
        items: items.collect(),
        next_cursor,
    }))
}

/// Block a user
///
/// From then on `other` cannot write to the user directly.
#[utoipa::path(
    put, path = "/v1/users/{uid}/blacklist/{other}", tag = "users",
    params(
        ("uid" = String, Path, description = "Who blocks; `me` with a user token"),
        ("other" = String, Path, description = "Who is blocked"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Conflict),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn block_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (realm, uid, other) = pair(&api, &caller, &uid, &other).await?;
    let blocked = api.im.block(realm, &uid, &other, true).await;
    blocked.map_err(|why| match why {
        Refusal::NoSuchUser => Problem::new(why, format!("other: there is no {other}")),
        why => why.into(),
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// Unblock a user
///
/// Unblocking who is not blocked changes nothing.
#[utoipa::path(
    delete, path = "/v1/users/{uid}/blacklist/{other}", tag = "users",
    params(
        ("uid" = String, Path, description = "Who blocked; `me` with a user token"),
        ("other" = String, Path, description = "Who was blocked"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn unblock_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (realm, uid, other) = pair(&api, &caller, &uid, &other).await?;
    // A dialect may block names that never became users: they come off, too.
    api.im.block(realm, &uid, &other, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether somebody is blocked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BlockCheck, example = json!({"uid": "mallory", "blocked": true}))]
pub(super) struct Checked {
    /// Who.
    uid: String,
    /// The user blocks them.
    blocked: bool,
    /// They block the user. Shown to the application only.
    #[serde(skip_serializing_if = "Option::is_none")]
    blocks: Option<bool>,
}

/// Whether users are blocked
///
/// Whoever does not exist is not.
#[utoipa::path(
    post, path = "/v1/users/{uid}/blacklist-check", tag = "users", request_body = Uids,
    params(("uid" = String, Path, description = "Who blocks; `me` with a user token")),
    responses(
        (status = 200, description = "Whether they are", body = Page<Checked>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn check_blocked(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(body): Body<Uids>,
) -> Result<Json<Page<Checked>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let others = body.read()?;
    let are = api.im.are_blocked(realm, &uid, &others).await?;
    // Nobody is told who blocks them.
    let is_told = caller.as_user().is_none();
    let checked = others
        .iter()
        .zip(are)
        .map(|(other, (blocked, blocks))| Checked {
            uid: other.as_str().to_owned(),
            blocked,
            blocks: is_told.then_some(blocks),
        });
    Ok(Json(Page::whole(checked.collect())))
}

/// The user, who exists, and somebody else.
async fn pair<'a>(
    api: &ApiState,
    caller: &'a Caller,
    uid: &str,
    other: &str,
) -> Result<(&'a Realm, Uid, Uid), Problem> {
    let (realm, uid) = caller.reaches(uid)?;
    let other = input::uid("other", other)?;
    if uid == other {
        return Err(Problem::field("other", "is the user themselves"));
    }
    api.im.user(realm, &uid).await?;
    Ok((realm, uid, other))
}
