//! The interface's description: `/openapi.json`, and `/docs` to read and try it. Everything
//! these pages load comes from this server.

use axum::Router;
use utoipa::openapi::{OpenApi, Server};
use utoipa_swagger_ui::SwaggerUi;

/// The routes; `public_url` is where callers reach the interface, if the operator said so.
pub(super) fn router(mut document: OpenApi, public_url: &str) -> Router {
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    if !public_url.is_empty() {
        document.servers = Some(vec![Server::new(public_url.trim_end_matches('/'))]);
    }
    SwaggerUi::new("/docs")
        .url("/openapi.json", document)
        .into()
}
