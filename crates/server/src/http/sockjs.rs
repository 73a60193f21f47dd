//! SockJS endpoints on `listen.http`: everything at and below a dialect's base path is the
//! gateway's, the plain WebSocket at the base included.
//!
//! Its errors have the form that SockJS clients know, so they are mounted outside the layer
//! that makes problems of errors.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::any;
use crosstalk_gateway::Dialect;

use super::edge::Edge;

/// Where the stomp dialect is (stomp.md Q2-27).
const STOMP_BASE: &str = "/ws/im";

/// The endpoints of the dialects that have one and are switched on.
pub(super) fn router(edge: &Edge) -> Router {
    if !edge.gateway.speaks(Dialect::Stomp) {
        return Router::new();
    }
    Router::new()
        .route("/ws/im", any(stomp))
        .route("/ws/im/", any(stomp))
        .route("/ws/im/{*below}", any(stomp))
        .with_state(edge.clone())
}

async fn stomp(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    edge.gateway
        .sockjs(Dialect::Stomp, STOMP_BASE, request, client)
        .await
        .map(Body::new)
}
