//! What the dialects' own HTTP routes are given, and which of them are served.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use crosstalk_core::im::Im;
use crosstalk_gateway::{Dialect, Gateway};

use crate::compose::Bound;
use crate::config::Config;

/// What the dialects' own HTTP routes are given.
#[derive(Clone)]
pub struct Edge {
    /// The messenger.
    pub im: Arc<Im>,
    /// Who takes WebSocket connections.
    pub gateway: Arc<Gateway>,
    /// The bearer key that may do everything.
    pub admin_key: Arc<str>,
    /// The configuration.
    pub config: Arc<Config>,
    /// What is bound.
    pub bound: Arc<Bound>,
}

impl Edge {
    /// Hands a WebSocket handshake to the gateway.
    pub async fn upgrade(
        &self,
        dialect: Dialect,
        client: ConnectInfo<std::net::SocketAddr>,
        mut request: Request,
    ) -> Response {
        let ConnectInfo(client) = client;
        let answer = self.gateway.upgrade(dialect, &mut request, client);
        answer.map(Body::from)
    }
}

/// The routes on `listen.http` of the dialects that are switched on.
pub fn routes(edge: &Edge) -> Router {
    let mut routes = Router::new();
    for dialect in Dialect::ALL {
        if !edge.gateway.speaks(dialect) {
            continue;
        }
        routes = match dialect {
            #[cfg(feature = "wukong")]
            Dialect::Wukong => routes.merge(super::upgrade::router(edge)),
            #[cfg(feature = "stomp")]
            Dialect::Stomp => routes.merge(super::stomp::router(edge)),
            #[cfg(feature = "mqtt")]
            Dialect::Mqtt => routes.merge(super::mqtt::router(edge)),
            #[cfg(feature = "gyyx")]
            Dialect::Gyyx => routes.merge(super::gyyx::router(edge)),
            #[cfg(feature = "wg")]
            Dialect::Wg => routes.merge(super::wg::router(edge)),
            #[allow(unreachable_patterns)]
            _ => routes,
        };
    }
    if edge.gateway.speaks(Dialect::Mqtt) || edge.gateway.speaks(Dialect::Gyyx) {
        routes = routes.merge(super::root::router(edge));
    }
    routes
}

/// The routes on `listen.http` of the dialects that are switched on which bring files: these
/// take bodies of any length.
pub fn bringing(edge: &Edge) -> Router {
    let mut routes = Router::new();
    for dialect in Dialect::ALL {
        if !edge.gateway.speaks(dialect) {
            continue;
        }
        routes = match dialect {
            #[cfg(feature = "stomp")]
            Dialect::Stomp => routes.merge(super::stomp::bringing(edge)),
            #[cfg(feature = "mqtt")]
            Dialect::Mqtt => routes.merge(super::mqtt::bringing(edge)),
            #[cfg(feature = "gyyx")]
            Dialect::Gyyx => routes.merge(super::gyyx::bringing(edge)),
            #[allow(unreachable_patterns)]
            _ => routes,
        };
    }
    super::files::guard(routes)
}

/// The routes of a listener that serves one dialect alone, for the dialects that have one.
#[must_use]
pub fn alone(dialect: Dialect, edge: &Edge) -> Option<Router> {
    match dialect {
        #[cfg(feature = "gyyx")]
        Dialect::Gyyx => Some(super::gyyx::site(edge)),
        #[cfg(feature = "wg")]
        Dialect::Wg => Some(super::wg::site(edge)),
        _ => {
            let _ = edge;
            None
        }
    }
}
