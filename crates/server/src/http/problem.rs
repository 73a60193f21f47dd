//! Problem details (RFC 9457) for what no handler answered: unknown routes and methods, bodies
//! that are too large, time-outs, panics.

#[cfg(feature = "wukong")]
use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
#[cfg(feature = "wukong")]
use serde_json::json;

/// The longest text of a plain answer that becomes a problem's detail.
const DETAIL_BYTES: usize = 2048;

/// One problem.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: String,
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let code = code(status);
        Self {
            kind: format!("urn:crosstalk:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).unwrap_or_default();
        (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

fn code(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "not_authenticated",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::NOT_FOUND => "no_such_route",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported_media_type",
        StatusCode::TOO_MANY_REQUESTS => "rate_limited",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        status if status.is_client_error() => "invalid_argument",
        _ => "internal",
    }
}

/// The answer where nothing is.
pub(super) async fn no_route(uri: Uri) -> Problem {
    let detail = format!("there is nothing at {}; see /docs", uri.path());
    Problem::new(StatusCode::NOT_FOUND, detail)
}

/// Turns errors that are plain text or empty into problems; what has a form of its own passes.
pub(super) async fn explain(request: Request, next: Next) -> Response {
    explained(request, next, |status, detail| {
        Problem::new(status, detail).into_response()
    })
    .await
}

/// The same in the form of WuKongIM's API.
#[cfg(feature = "wukong")]
pub(super) async fn explain_to_wukong(request: Request, next: Next) -> Response {
    let form = |status: StatusCode, msg: String| {
        if status == StatusCode::UNAUTHORIZED {
            // A wrong manager token is answered without a body (wukong.md §4.0).
            return status.into_response();
        }
        (
            status,
            Json(json!({ "msg": msg, "status": status.as_u16() })),
        )
            .into_response()
    };
    explained(request, next, form).await
}

/// Gives errors that are plain text or empty another form.
pub(super) async fn explained(
    request: Request,
    next: Next,
    form: impl FnOnce(StatusCode, String) -> Response,
) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    let content_type = response
        .headers()
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes);
    let is_plain = content_type.is_none_or(|it| it.starts_with(b"text/plain"));
    if !(status.is_client_error() || status.is_server_error()) || !is_plain {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, DETAIL_BYTES).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let detail = match (status, text.trim()) {
        (StatusCode::NOT_FOUND, "") => format!("there is nothing at {asked}"),
        (StatusCode::METHOD_NOT_ALLOWED, _) => format!("{asked} is not allowed"),
        (StatusCode::INTERNAL_SERVER_ERROR, _) => "the server failed".to_owned(),
        (StatusCode::SERVICE_UNAVAILABLE, "") => "the request took too long".to_owned(),
        (_, text) => text.to_owned(),
    };
    let (answer, body) = form(status, detail).into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.extend(answer.headers);
    Response::from_parts(parts, body)
}
