//! Which web pages may read what the routes answer: those that may connect (contract.md §3).

use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowCredentials, AllowHeaders, AllowOrigin, CorsLayer};

/// The layer for these origins, `*` being all. Credentials only for those listed by name.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let is_named = |origins: &[String], origin: &HeaderValue| {
        let named = |it: &String| it.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
        origins.iter().any(named)
    };
    let (some, named) = (origins.to_vec(), origins.to_vec());
    let allow_origin = AllowOrigin::predicate(move |origin, _| {
        some.iter().any(|it| it == "*") || is_named(&some, origin)
    });
    let credentials = AllowCredentials::predicate(move |origin, _| is_named(&named, origin));
    CorsLayer::new()
        .allow_origin(allow_origin)
        .allow_credentials(credentials)
        .allow_methods([Method::GET, Method::POST])
        // A star would leave out Authorization.
        .allow_headers(AllowHeaders::mirror_request())
}
