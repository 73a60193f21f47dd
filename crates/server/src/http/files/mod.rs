//! Files over HTTP, for whichever interface they are asked of: reading forms, giving bytes, and
//! the addresses that need no login.

mod form;
mod give;
mod range;
mod signed;
#[cfg(all(test, feature = "stomp", feature = "mqtt", feature = "gyyx"))]
mod tests;

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::routing::get;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;
use utoipa::OpenApi;

pub(super) use form::read_form;
pub(super) use give::{give, give_thumbnail};

/// How long an upload may take. One that stands still ends long before.
const UPLOAD_DEADLINE: Duration = Duration::from_secs(3600);
/// How long an upload may stand still.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The routes of addresses that need no login.
pub(super) fn router() -> Router {
    Router::new().route("/f/{id}", get(signed::open))
}

/// What these routes are, for the document of `/v1`, which makes such addresses.
pub(super) fn described() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(paths(signed::open))]
    struct Described;

    Described::openapi()
}

/// Bounds on requests that bring files: their length is bounded where they are read.
pub(super) fn guard(routes: Router) -> Router {
    routes
        .layer(DefaultBodyLimit::disable())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            UPLOAD_DEADLINE,
        ))
        .layer(CatchPanicLayer::new())
}
