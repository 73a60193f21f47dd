//! WebSocket on `/` itself: who offers the subprotocol of MQTT speaks it, others speak gyyx
//! (contract.md §3).

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::get;
use crosstalk_gateway::Dialect;

use super::edge::Edge;

pub(super) fn router(edge: &Edge) -> Router {
    Router::new().route("/", get(open)).with_state(edge.clone())
}

async fn open(
    State(edge): State<Edge>,
    client: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let mut offered = offered.iter().filter_map(|value| value.to_str().ok());
    let is_mqtt = offered.any(|value| value.split(',').any(|name| name.trim().starts_with("mqtt")));
    let dialect = if is_mqtt {
        Dialect::Mqtt
    } else {
        Dialect::Gyyx
    };
    edge.upgrade(dialect, client, request).await
}
