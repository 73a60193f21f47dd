//! The stomp dialect over HTTP: logins, and userSigs for administrators (stomp.md D.b.2). Its
//! WebSocket is part of its SockJS endpoint (`super::sockjs`).

mod admin;
mod administration;
mod answer;
mod auth;
mod blacklist;
mod conversations;
mod cors;
mod editing;
mod files;
mod friend_groups;
mod friends;
mod groups;
mod input;
mod marks;
mod people;
mod search;
mod sending;
mod webhooks;

#[cfg(test)]
mod tests;

use anyhow::{Context, Result};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get, post};
use crosstalk_core::id::Realm;
use crosstalk_gateway::StompSettings;

use self::answer::Failure;
use super::audit::asker;
use super::edge::Edge;
use crate::config::Stomp;

/// The dialect as the configuration has it.
///
/// # Errors
/// When the realm is none.
pub(crate) fn settings(stomp: &Stomp) -> Result<StompSettings> {
    Ok(StompSettings {
        realm: Realm::parse(&stomp.realm).context("stomp.realm")?,
        close_on_expiry: stomp.close_on_expiry,
        strict_subscribe: stomp.strict_subscribe,
        allowed_origins: stomp.allowed_origins.clone().into(),
    })
}

/// The routes on `listen.http`.
pub(super) fn router(edge: &Edge) -> Router {
    Router::new()
        .route("/api/im/auth/login", post(auth::login).fallback(no_route))
        .route(
            "/api/im/auth/refresh",
            post(auth::refresh).fallback(no_route),
        )
        .route("/api/im/auth/logout", post(auth::logout).fallback(no_route))
        .merge(administrating(edge))
        .merge(conversations::routes())
        .merge(search::routes())
        .merge(editing::routes())
        .merge(sending::routes())
        .merge(blacklist::routes())
        .merge(friend_groups::routes())
        .merge(friends::routes())
        .merge(groups::routes())
        .merge(people::routes())
        .route("/api/im", any(no_route))
        .route("/api/im/{*rest}", any(no_route))
        .layer(cors::layer(&edge.config.stomp.allowed_origins))
        .with_state(edge.clone())
}

/// What administrators do; what changes something is written down.
fn administrating(edge: &Edge) -> Router<Edge> {
    Router::new()
        .route(
            "/api/im/admin/users/{user_id}/usersig",
            post(admin::user_sig).fallback(no_route),
        )
        .merge(administration::routes())
        .merge(webhooks::router())
        .layer(from_fn_with_state(edge.clone(), asker::watch))
}

/// The routes on `listen.http` that bring files, and those below the same path.
pub(super) fn bringing(edge: &Edge) -> Router {
    Router::new()
        .route("/api/file/upload", post(files::upload).fallback(no_route))
        .route("/api/file/{id}", get(files::read).fallback(no_route))
        .route(
            "/api/file/{id}/thumbnail",
            get(files::thumbnail).fallback(no_route),
        )
        .layer(cors::layer(&edge.config.stomp.allowed_origins))
        .with_state(edge.clone())
}

async fn no_route() -> Failure {
    Failure::no_route()
}
