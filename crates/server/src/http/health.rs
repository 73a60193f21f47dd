//! Whether the process is up, and whether it can serve.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::problem::Problem;
use super::state::Readiness;

/// `/healthz`: the process runs.
pub(super) async fn alive() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// `/readyz`: requests would be served.
pub(super) async fn ready(State(ready): State<Readiness>) -> Response {
    match ready.check().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, why.to_string()).into_response(),
    }
}
