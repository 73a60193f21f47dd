//! Answers in the form of the dialect.

use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::gyyx::{HttpBody, HttpError, RequestFault};

/// What is answered instead of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure(pub(super) HttpError);

impl From<RequestFault> for Failure {
    fn from(_: RequestFault) -> Self {
        Self(HttpError::BadRequest)
    }
}

/// The body is too large, or does not come.
impl From<BytesRejection> for Failure {
    fn from(_: BytesRejection) -> Self {
        Self(HttpError::BadRequest)
    }
}

impl From<Refusal> for Failure {
    fn from(why: Refusal) -> Self {
        Self(match why {
            Refusal::UserBanned | Refusal::Forbidden => HttpError::Forbidden,
            Refusal::LoginThrottled | Refusal::RateLimited => HttpError::TooMany,
            Refusal::Unavailable | Refusal::Internal => HttpError::Unavailable,
            Refusal::InvalidUid | Refusal::InvalidArgument => HttpError::BadRequest,
            _ => HttpError::NotLoggedIn,
        })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code());
        answer(
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            self.0.body(),
        )
    }
}

/// An answer. What it says is a secret, and old in a moment.
pub(super) fn answer(status: StatusCode, body: HttpBody) -> Response {
    let headers = [
        (header::CONTENT_TYPE, body.content_type),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body.text).into_response()
}
