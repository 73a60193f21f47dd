//! Which web pages may read what the routes answer: those that may connect (contract.md §3).

use std::sync::Arc;

use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

/// The layer for these origins, `*` being all. Credentials only for those listed by name.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let origins: Arc<[String]> = origins.into();
    let named = Arc::clone(&origins);
    let is_allowed = move |origin: &HeaderValue, _: &_| {
        origins.iter().any(|it| it == "*") || is_named(&origins, origin)
    };
    let may_show = move |origin: &HeaderValue, _: &_| is_named(&named, origin);
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_credentials(AllowCredentials::predicate(may_show))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        // A star would leave out Authorization.
        .allow_headers(AllowHeaders::mirror_request())
}

fn is_named(origins: &[String], origin: &HeaderValue) -> bool {
    let is_it = |it: &String| it.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
    origins.iter().any(is_it)
}
