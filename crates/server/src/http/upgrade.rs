//! WuKongIM's protocols over WebSocket, at `/wk`.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use crosstalk_gateway::Dialect;

use super::edge::Edge;

pub(super) fn router(edge: &Edge) -> Router {
    Router::new()
        .route("/wk", get(wukong))
        .with_state(edge.clone())
}

async fn wukong(
    State(edge): State<Edge>,
    client: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    edge.upgrade(Dialect::Wukong, client, request).await
}
