//! Who may call this API: with a manager token whoever shows it, without one whoever reaches
//! the listener but no web page (contract.md §3).

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use super::answer::failure;
use crate::http::state::WukongApiState;

/// The header with the manager token.
pub(super) const TOKEN_HEADER: &str = "token";
/// Says nothing of anybody, and is asked by machines that have no token.
const OPEN_PATH: &str = "/health";
/// Routes that look at the token themselves: users have one, too.
const OWN_GUARD: &str = "/v1/";

pub(super) async fn guard(
    State(api): State<WukongApiState>,
    request: Request,
    next: Next,
) -> Response {
    let headers = request.headers();
    let Some(expected) = &api.manager_token else {
        if headers.contains_key(header::ORIGIN) {
            let why = "web pages may call this API only when it has a manager token";
            return failure(StatusCode::FORBIDDEN, why);
        }
        return next.run(request).await;
    };
    let offered = headers
        .get(TOKEN_HEADER)
        .map(header::HeaderValue::as_bytes)
        .unwrap_or_default();
    let path = request.uri().path();
    let is_guarded = path != OPEN_PATH && !path.starts_with(OWN_GUARD);
    if is_guarded && !is_same(offered, expected.as_bytes()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    next.run(request).await
}

/// Digests are compared, so the time this takes tells nothing of the token.
pub(super) fn is_same(offered: &[u8], expected: &[u8]) -> bool {
    !expected.is_empty() && Sha256::digest(offered) == Sha256::digest(expected)
}
