//! Answers in the dialect's envelope (stomp.md Q2-31).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use crosstalk_core::refusal::Refusal;
use crosstalk_gateway::stomp_failure;
use crosstalk_wire::stomp::im::{Answer, Code};
use serde::Serialize;

/// Something was done.
pub(super) struct Done<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        Json(Answer::ok(self.0)).into_response()
    }
}

/// Nothing was done.
#[derive(Debug)]
pub(super) struct Failure {
    code: Code,
    why: String,
}

impl Failure {
    /// A field of the request is missing or wrong.
    pub(super) fn field(name: &str, problem: &str) -> Self {
        Self {
            code: Code::BadRequest,
            why: format!("{name} {problem}"),
        }
    }

    /// A request is wrong, and this is what about it.
    pub(super) fn because(why: &str) -> Self {
        Self {
            code: Code::BadRequest,
            why: why.to_owned(),
        }
    }

    /// A body that cannot be read.
    pub(super) fn body() -> Self {
        Self {
            code: Code::BadRequest,
            why: "Invalid JSON".to_owned(),
        }
    }

    /// There is no such call.
    pub(super) fn no_route() -> Self {
        Self {
            code: Code::NotFound,
            why: "No such call".to_owned(),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        stomp_failure(refusal).into()
    }
}

impl From<(Code, &'static str)> for Failure {
    fn from((code, why): (Code, &'static str)) -> Self {
        Self {
            code,
            why: why.to_owned(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let answer = Answer::failed(self.code, &self.why);
        let status = StatusCode::from_u16(answer.http_status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(answer)).into_response()
    }
}
