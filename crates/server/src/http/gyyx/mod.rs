//! The gyyx dialect over HTTP: its WebSocket, and its own routes (gyyx.md Q4-1, Q4-5, Q4-11).

mod answer;
mod behaviour;
mod chat_sign;
mod input;
mod sign;
mod video;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::{get, post};
use crosstalk_gateway::Dialect;
use tower_http::cors::{AllowCredentials, AllowOrigin, CorsLayer};

use super::edge::Edge;

pub use behaviour::behaviour;

/// Where a login's token stands.
const TOKEN_HEADER: HeaderName = HeaderName::from_static("token");

/// The routes on `listen.http`; `/` is there for several dialects.
pub(super) fn router(edge: &Edge) -> Router {
    let im = Router::new()
        .route("/im/sign", get(sign::sign).post(sign::sign))
        .route("/im/chat-sign", post(chat_sign::chat_sign))
        .layer(cors(&edge.config.gyyx.allowed_origins));
    Router::new()
        .route("/ws", get(open))
        .merge(im)
        .with_state(edge.clone())
}

/// The routes on `listen.http` that bring files.
pub(super) fn bringing(edge: &Edge) -> Router {
    Router::new()
        .route("/im/video/upload", post(video::upload))
        .layer(cors(&edge.config.gyyx.allowed_origins))
        .with_state(edge.clone())
}

/// The routes of `listen.gyyx`: the dialect alone.
pub fn site(edge: &Edge) -> Router {
    let root = Router::new().route("/", get(open));
    root.with_state(edge.clone()).merge(router(edge))
}

/// Pages of these origins may ask; with cookies only those that are listed by name
/// (contract.md §3).
fn cors(allowed: &[String]) -> CorsLayer {
    let is_named = |allowed: &[String], origin: &HeaderValue| {
        allowed.iter().any(|it| it.as_bytes() == origin.as_bytes())
    };
    let (listed, named) = (allowed.to_vec(), allowed.to_vec());
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            listed.iter().any(|it| it == "*") || is_named(&listed, origin)
        }))
        .allow_credentials(AllowCredentials::predicate(move |origin, _| {
            is_named(&named, origin)
        }))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([TOKEN_HEADER, header::AUTHORIZATION, header::CONTENT_TYPE])
}

async fn open(
    State(edge): State<Edge>,
    client: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    edge.upgrade(Dialect::Gyyx, client, request).await
}
