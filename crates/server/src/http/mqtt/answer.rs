//! Answers in this dialect's frame (mqtt.md Q3-34).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::mqtt_error_code;
use crosstalk_wire::mqtt::im::reply::Reply;
use serde::Serialize;

/// Done, and this came of it.
pub(super) struct Done<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        Json(Reply::success(self.0)).into_response()
    }
}

/// Why something was not done; the HTTP status is the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure(Reply<()>);

impl Failure {
    /// A failure with words.
    pub(super) fn new(status: StatusCode, msg: impl Into<String>) -> Self {
        Self(Reply::error(i64::from(status.as_u16()), msg))
    }

    /// A member that is needed and empty.
    pub(super) fn missing(member: &str) -> Self {
        Self(Reply::missing(member))
    }

    /// Something that cannot be read.
    pub(super) fn bad(msg: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, msg)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = i64::from(mqtt_error_code(refusal));
        Self(Reply::error(code, refusal.code().replace('_', " ")))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = u16::try_from(self.0.code).ok();
        let status = status.and_then(|code| StatusCode::from_u16(code).ok());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.0)).into_response()
    }
}
