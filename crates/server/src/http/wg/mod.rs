//! The wg dialect over HTTP: its WebSocket, logins, and the channel manager (protocols/wg.md
//! B.b).

mod address;
mod cors;
mod custom;
mod login;
mod manage;
mod settings;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use crosstalk_gateway::{Dialect, WgManager, WgSettings};
use crosstalk_wire::wg::HttpError;

use super::edge::Edge;

pub(crate) use settings::settings;

/// The path of the WebSocket on `listen.http`.
const CONTEXT: &str = "websocket";

/// What the routes are given.
#[derive(Clone)]
struct WgState {
    edge: Edge,
    manager: WgManager,
}

/// The routes on `listen.http`.
pub(super) fn router(edge: &Edge) -> Router {
    routes(edge, CONTEXT)
}

/// The routes of `listen.wg`: the dialect alone.
pub fn site(edge: &Edge) -> Router {
    routes(edge, &edge.config.wg.context).fallback(no_route)
}

fn routes(edge: &Edge, context: &str) -> Router {
    let Some(settings) = edge.gateway.plugged::<WgSettings>(Dialect::Wg) else {
        return Router::new();
    };
    let state = WgState {
        edge: edge.clone(),
        manager: WgManager::new(&edge.im, settings.realm.clone(), &settings.logins),
    };
    let mut api = Router::new();
    // One slash at the end is tolerated (wg.md Q0-31).
    for end in ["", "/"] {
        api = api
            .route(
                &format!("/api/websocket/client/login/{{client}}{end}"),
                any(login::serve),
            )
            .route(
                &format!("/app/websocket/client/login/{{client}}{end}"),
                any(login::serve),
            )
            .route(&format!("/api/websocket/online{end}"), any(manage::online))
            .route(
                &format!("/api/websocket/send{end}"),
                any(manage::send).layer(from_fn_with_state(state.clone(), manage::audited)),
            );
    }
    let api = api
        .layer(cors::layer(&settings.allowed_origins))
        .with_state(state);
    Router::new()
        .route(&format!("/{context}"), get(open))
        .route(&format!("/{context}/"), get(open))
        .with_state(edge.clone())
        .merge(api)
}

async fn open(
    State(edge): State<Edge>,
    client: ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    edge.upgrade(Dialect::Wg, client, request).await
}

async fn no_route() -> Response {
    refusal(HttpError::NotFound)
}

/// An answer, which is JSON always.
fn answer(status: StatusCode, body: String) -> Response {
    let kind = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, kind)], body).into_response()
}

fn done(body: String) -> Response {
    answer(StatusCode::OK, body)
}

fn refusal(why: HttpError) -> Response {
    let status = StatusCode::from_u16(why.code()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer(status, why.body())
}

/// The answer to a method that a route does not have.
fn other_method(allowed: &'static str) -> Response {
    let mut response = refusal(HttpError::MethodNotAllowed);
    let allowed = HeaderValue::from_static(allowed);
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}
