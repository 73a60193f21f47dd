//! The mqtt dialect over HTTP: its WebSocket, registration, and the twins of what clients can
//! ask over MQTT (protocols/mqtt.md Q3-7, Q3-12, Q3-28, Q3-29, Q3-31, Q3-32, Q3-34).

mod answer;
mod app;
mod caller;
mod cors;
mod device;
mod files;
mod messages;
mod register;
mod settings;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use crosstalk_gateway::{Dialect, MqttSettings};

use self::answer::Failure;
use super::audit::asker;
use super::edge::Edge;
use super::problem::explained;

pub(crate) use settings::settings;

/// The largest body that is read: a group's members are the longest thing that comes.
const BODY_BYTES: usize = 1 << 20;

/// What the routes are given.
#[derive(Clone)]
struct MqttState {
    edge: Edge,
    settings: MqttSettings,
}

/// The routes on `listen.http`.
pub(super) fn router(edge: &Edge) -> Router {
    let socket = Router::new()
        .route("/mqtt", get(open))
        .with_state(edge.clone());
    let Some(settings) = edge.gateway.plugged::<MqttSettings>(Dialect::Mqtt) else {
        return socket;
    };
    let state = MqttState {
        edge: edge.clone(),
        settings: settings.clone(),
    };
    let api = Router::new()
        .route("/im/v1/register", post(register::register))
        .route("/im/v1/devices", get(device::list))
        .route("/im/v1/diagnostics", get(device::diagnostics))
        .route("/im/v1/push/on", post(device::push_on))
        .route("/im/v1/push/off", post(device::push_off))
        .route("/im/v1/logout", post(device::log_out))
        .route("/im/v1/messages/history", get(messages::history))
        .route("/im/v1/messages/offline", get(messages::offline))
        .route("/im/v1/messages/revoke", post(messages::revoke))
        .route("/im/v1/messages/read", post(messages::read))
        .route("/im/v1/app/token", post(app::token))
        .route("/im/v1/app/groups", post(app::groups))
        .route("/im/v1/{*rest}", any(nothing))
        .layer(middleware::from_fn_with_state(edge.clone(), asker::watch))
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(middleware::from_fn(explain))
        .layer(cors::layer(&edge.config.mqtt.allowed_origins))
        .with_state(state);
    socket.merge(api)
}

/// The routes on `listen.http` that bring files, and those below the same path.
pub(super) fn bringing(edge: &Edge) -> Router {
    let Some(settings) = edge.gateway.plugged::<MqttSettings>(Dialect::Mqtt) else {
        return Router::new();
    };
    let state = MqttState {
        edge: edge.clone(),
        settings: settings.clone(),
    };
    Router::new()
        .route("/im/v1/files", post(files::store))
        .route("/im/v1/files/{id}", get(files::read))
        .route("/im/v1/files/{id}/thumbnail", get(files::thumbnail))
        .layer(middleware::from_fn(explain))
        .layer(cors::layer(&edge.config.mqtt.allowed_origins))
        .with_state(state)
}

/// There is no such route.
async fn nothing(uri: Uri) -> Failure {
    let path = uri.path();
    Failure::new(StatusCode::NOT_FOUND, format!("there is nothing at {path}"))
}

/// What goes wrong before a handler is asked is told in this dialect's frame, too.
async fn explain(request: Request, next: Next) -> Response {
    let form = |status, msg| Failure::new(status, msg).into_response();
    explained(request, next, form).await
}

async fn open(
    State(edge): State<Edge>,
    client: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    edge.upgrade(Dialect::Mqtt, client, request).await
}
