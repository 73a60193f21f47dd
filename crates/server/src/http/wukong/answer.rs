//! Answers as this API writes them (protocols/wukong.md §4.0).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Refused;
use serde::Serialize;
use serde_json::json;

/// What was asked is done, and there is nothing to say.
pub(super) struct Done;

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        Json(json!({"status": 200})).into_response()
    }
}

/// Done, and this came of it.
pub(super) struct Data<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Data<T> {
    fn into_response(self) -> Response {
        Json(json!({"status": 200, "data": self.0})).into_response()
    }
}

/// The longest message, characters: what is quoted in it is the caller's own.
const MSG_CHARS: usize = 1000;

/// Why something was not done. Always HTTP 400, except where a route says otherwise.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure(String);

impl Failure {
    /// A field that is missing or wrong.
    pub(super) fn new(msg: impl Into<String>) -> Self {
        let mut msg = msg.into();
        if let Some((end, _)) = msg.char_indices().nth(MSG_CHARS) {
            msg.truncate(end);
            msg.push('…');
        }
        Self(msg)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.code().replace('_', " "))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        refused.why.into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        failure(StatusCode::BAD_REQUEST, &self.0)
    }
}

/// A failure with a status of its own.
pub(super) fn failure(status: StatusCode, msg: &str) -> Response {
    (status, Json(json!({"msg": msg, "status": status.as_u16()}))).into_response()
}
