//! WebSocket connections that arrive on `listen.http`; from the handshake on they are the
//! gateway's.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use crosstalk_gateway::{Dialect, Gateway};

/// `/wk`: WuKongIM's protocols.
pub(super) async fn wukong(
    State(gateway): State<Arc<Gateway>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    mut request: Request,
) -> Response {
    gateway
        .upgrade(Dialect::Wukong, &mut request, client)
        .map(Body::from)
}
