//! What administrators change below `/api/im/admin` goes into the audit log.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::audit::{Act, Asker};
use crate::http::edge::Edge;
use crate::http::v1::to_its_end;

/// Writes down what was changed before it is answered.
pub(super) async fn watch(State(edge): State<Edge>, request: Request, next: Next) -> Response {
    to_its_end(async move {
        let (act, mut request) = Act::begin(request).await;
        let asker = Asker::default();
        request.extensions_mut().insert(asker.clone());
        let response = next.run(request).await;
        match (act, asker.0.get().cloned()) {
            (Some(act), Some((realm, actor))) => {
                act.end(&edge.im, Some(realm), actor, response).await
            }
            // Nothing was changed, or by nobody who may.
            _ => response,
        }
    })
    .await
}
