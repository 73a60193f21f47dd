//! What administrators change below `/api/im/admin` goes into the audit log.

use std::net::SocketAddr;

use axum::extract::rejection::ExtensionRejection;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use crosstalk_core::admin::AuditEntry;

use super::input::Asker;
use crate::http::edge::Edge;
use crate::http::v1::{shortened, to_its_end};

/// Writes down what was changed before it is answered.
pub(super) async fn watch(
    State(edge): State<Edge>,
    client: Result<ConnectInfo<SocketAddr>, ExtensionRejection>,
    mut request: Request,
    next: Next,
) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let Some(route) = route.filter(|_| method != Method::GET && method != Method::OPTIONS) else {
        return next.run(request).await;
    };
    let target = request.uri().path().to_owned();
    let address = client.map_or_else(|_| String::new(), |client| client.0.ip().to_string());
    let asker = Asker::default();
    request.extensions_mut().insert(asker.clone());
    to_its_end(async move {
        let response = next.run(request).await;
        let Some((realm, actor)) = asker.0.get().cloned() else {
            // Nobody who may do anything.
            return response;
        };
        let entry = AuditEntry {
            realm: Some(realm),
            actor,
            action: format!("{method} {}", route.as_str()),
            target: shortened(target),
            outcome: response.status().as_u16(),
            address,
            note: String::new(),
        };
        if let Err(error) = edge.im.audit().log_act(&entry).await {
            tracing::error!(%error, ?entry, "an act could not be written down");
        }
        response
    })
    .await
}
