//! User tokens: made for an app's users, and voided.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::problem::Problem;
use crate::http::state::ApiState;

const DAY_SECS: i64 = 24 * 60 * 60;
/// How long a token holds, if the caller does not say.
const DEFAULT_TTL_SECS: i64 = 30 * DAY_SECS;
/// How long a token holds at most.
const MAX_TTL_SECS: i64 = 400 * DAY_SECS;
/// The longest name of a device, characters.
const DEVICE_CHARS: usize = 128;

/// What a token is to be like.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"ttl_secs": 86400, "device": "phone"}))]
pub(super) struct NewToken {
    /// How long it holds, in seconds: 30 days if absent, 400 days at most.
    #[schema(minimum = 1, maximum = 34_560_000)]
    ttl_secs: Option<i64>,
    /// The device that it is for, as the application names it.
    #[schema(max_length = 128)]
    device: Option<String>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token, example = json!({"token": "eyJ0eXAi…", "expires_at": 1_717_592_001_000_i64}))]
pub(super) struct TokenView {
    /// The token: bearer of this interface and credential of every dialect.
    token: String,
    /// When it expires, ms since 1970.
    expires_at: i64,
}

/// Make a user token
///
/// The user exists from then on.
#[utoipa::path(
    post, path = "/v1/users/{uid}/tokens", tag = "users", request_body = NewToken,
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The token", body = TokenView), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn issue_token(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewToken>,
) -> Result<Json<TokenView>, Problem> {
    let app = caller.app()?;
    let uid = input::uid("uid", &uid)?;
    let ttl_secs = new.ttl_secs.unwrap_or(DEFAULT_TTL_SECS);
    if !(1..=MAX_TTL_SECS).contains(&ttl_secs) {
        let wrong = format_args!("must be between 1 and {MAX_TTL_SECS}");
        return Err(Problem::field("ttl_secs", wrong));
    }
    if let Some(device) = &new.device {
        input::check_name("device", device, DEVICE_CHARS)?;
    }
    let issued = api.im.issue_token(app, &uid, ttl_secs, new.device).await?;
    Ok(Json(TokenView {
        token: issued.token,
        expires_at: issued.expires_at_ms,
    }))
}

/// Void a user's tokens
///
/// All tokens made until now are void, and the user's sessions end.
#[utoipa::path(
    post, path = "/v1/users/{uid}/tokens/revoke", tag = "users",
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn revoke_tokens(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<StatusCode, Problem> {
    let app = caller.app()?;
    api.im
        .revoke_tokens(&app.realm, &input::uid("uid", &uid)?)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
