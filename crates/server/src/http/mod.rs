//! HTTP: our own REST interface, WuKongIM's, and what surrounds them: health, metrics, the
//! interface's documentation, WebSocket upgrades, limits.
//!
//! Handlers see the messenger and nothing of the gateway or the store; only `/wk` hands a
//! connection to the gateway.

mod audit;
mod docs;
pub mod edge;
mod files;
#[cfg(feature = "gyyx")]
pub mod gyyx;
mod health;
pub mod listen;
pub mod metrics;
#[cfg(feature = "mqtt")]
pub mod mqtt;
mod problem;
mod root;
mod sockjs;
pub mod state;
#[cfg(feature = "stomp")]
pub mod stomp;
#[cfg(feature = "wukong")]
mod upgrade;
pub mod v1;
pub mod watch;
#[cfg(feature = "wg")]
pub mod wg;
#[cfg(feature = "wukong")]
pub mod wukong;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::routing::get;
use axum::{Extension, Router, middleware};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use self::edge::Edge;
use self::metrics::Metrics;
use self::state::{ApiState, Readiness};
use crate::files::FileService;
use crate::hooks::HookService;

/// The largest body of any request. Routes take less: 2 MiB, unless their interface says
/// otherwise.
const BODY_BYTES: usize = 16 << 20;
/// How long a request may take, its body included.
const REQUEST_DEADLINE: Duration = Duration::from_secs(30);

/// What `listen.http` serves.
pub struct Site {
    /// State of the REST interface.
    pub api: ApiState,
    /// What `/readyz` asks.
    pub ready: Readiness,
    /// What `/metrics` shows.
    pub metrics: Arc<Metrics>,
    /// What the dialects' own routes are given.
    pub edge: Edge,
    /// Who takes files in and gives them out.
    pub files: Arc<FileService>,
    /// Who tells applications what happens, and asks them.
    pub hooks: Arc<HookService>,
    /// The address that the interface's document names; empty = the one it was fetched from.
    pub public_url: String,
}

/// The routes of `listen.http`.
pub fn site(site: Site) -> Router {
    let (rest, bringing, document) = v1::routers(site.api);
    let endpoints = guard(sockjs::router(&site.edge));
    let routes = Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready).with_state(site.ready))
        .route(
            "/metrics",
            get(metrics::show).with_state(Arc::clone(&site.metrics)),
        )
        .merge(edge::routes(&site.edge))
        .merge(docs::router(document, &site.public_url))
        .merge(rest)
        .merge(files::router())
        .fallback(problem::no_route);
    guard(routes)
        .merge(bringing)
        .merge(edge::bringing(&site.edge))
        .layer(middleware::from_fn(problem::explain))
        .merge(endpoints)
        .layer(Extension(site.files))
        .layer(Extension(site.hooks))
        .layer(middleware::from_fn_with_state(site.metrics, watch::watch))
}

/// The routes of `listen.wukong_api`.
#[cfg(feature = "wukong")]
pub fn wukong_site(state: state::WukongApiState, metrics: Arc<Metrics>) -> Router {
    guard(wukong::router(state))
        .layer(middleware::from_fn(problem::explain_to_wukong))
        .layer(middleware::from_fn_with_state(metrics, watch::watch))
}

/// A message as WuKongIM shows it, or as REST does where that dialect is not built in.
pub(crate) fn wukong_message(message: &crosstalk_core::message::Message) -> serde_json::Value {
    #[cfg(feature = "wukong")]
    return wukong::message_json(message);
    #[cfg(not(feature = "wukong"))]
    serde_json::to_value(v1::message_view(message.sent_at_ms, message)).unwrap_or_default()
}

/// The routes of a listener that serves one dialect alone.
pub fn guarded(routes: Router, metrics: Arc<Metrics>) -> Router {
    guard(routes).layer(middleware::from_fn_with_state(metrics, watch::watch))
}

/// Bounds on what one request may use, and what becomes of a handler's panic.
fn guard(routes: Router) -> Router {
    routes
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            REQUEST_DEADLINE,
        ))
        .layer(CatchPanicLayer::new())
}

#[cfg(test)]
mod tests;
