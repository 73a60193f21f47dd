//! Whom a user does not want to hear from.

use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::refusal::Refusal;

use super::auth::Caller;
use super::input::{self, Segments};
use super::openapi::{Denials, Missing};
use super::problem::Problem;
use crate::http::state::ApiState;

/// Block a user
///
/// From then on `other` cannot write to the user directly.
#[utoipa::path(
    put, path = "/v1/users/{uid}/blacklist/{other}", tag = "users",
    params(
        ("uid" = String, Path, description = "Who blocks; `me` with a user token"),
        ("other" = String, Path, description = "Who is blocked"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn block_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    set_blocked(&api, &caller, &uid, &other, true).await
}

/// Unblock a user
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
    set_blocked(&api, &caller, &uid, &other, false).await
}

async fn set_blocked(
    api: &ApiState,
    caller: &Caller,
    uid: &str,
    other: &str,
    blocked: bool,
) -> Result<StatusCode, Problem> {
    let (realm, uid) = caller.reaches(uid)?;
    let other = input::uid("other", other)?;
    if uid == other {
        return Err(Problem::field("other", "is the user themselves"));
    }
    // Both exist, so that no caller can fill the directory with names.
    api.im.user(realm, &uid).await?;
    match api.im.user(realm, &other).await {
        Ok(_) => {}
        Err(Refusal::NoSuchUser) => {
            return Err(Problem::new(
                Refusal::NoSuchUser,
                format!("other: there is no {other}"),
            ));
        }
        Err(why) => return Err(why.into()),
    }
    api.im
        .relate(realm, &uid, &other, |relation| relation.blocked = blocked)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
