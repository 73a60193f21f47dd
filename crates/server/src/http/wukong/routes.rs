//! Where clients connect, and whether the server is well (protocols/wukong.md §4.7).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::answer::Failure;
use super::input::BareList;
use crate::http::state::WukongApiState;

/// The addresses of this server. One node serves all users, from inside and outside alike.
#[derive(Debug, Serialize)]
pub(super) struct Addresses {
    tcp_addr: String,
    ws_addr: String,
    wss_addr: String,
}

/// The addresses for some users.
#[derive(Debug, Serialize)]
pub(super) struct AddressesOf {
    uids: Vec<String>,
    #[serde(flatten)]
    addresses: Addresses,
}

/// Where clients of this server connect.
pub(super) fn addresses(api: &WukongApiState) -> Addresses {
    let routes = &api.routes;
    Addresses {
        tcp_addr: routes.tcp.clone(),
        ws_addr: routes.ws.clone(),
        wss_addr: routes.wss.clone(),
    }
}

pub(super) async fn route(State(api): State<WukongApiState>) -> Json<Addresses> {
    Json(addresses(&api))
}

pub(super) async fn batch(
    State(api): State<WukongApiState>,
    BareList(uids): BareList,
) -> Result<Json<Vec<AddressesOf>>, Failure> {
    if uids.is_empty() {
        return Ok(Json(Vec::new()));
    }
    Ok(Json(vec![AddressesOf {
        uids,
        addresses: addresses(&api),
    }]))
}

pub(super) async fn health(State(api): State<WukongApiState>) -> Response {
    match api.ready.check().await {
        Ok(()) => Json(json!({"status": "ok"})).into_response(),
        Err(why) => {
            let body = json!({"status": "error", "message": why.to_string()});
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
        }
    }
}
