//! Acts of those whom only the handler of a request knows.

use std::sync::{Arc, OnceLock};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use crosstalk_core::id::Realm;

use super::Act;
use crate::http::edge::Edge;
use crate::http::v1::to_its_end;

/// Who it turned out to be that asks; empty in the request's extensions until a handler says.
#[derive(Clone, Default)]
pub(in crate::http) struct Asker(Arc<OnceLock<(Realm, String)>>);

impl Asker {
    /// Says who asks; that stays the same within a request.
    pub(in crate::http) fn is(&self, realm: &Realm, actor: String) {
        let _ = self.0.set((realm.clone(), actor));
    }
}

/// Puts into the audit log, before it is answered, what is changed by whoever may.
pub(in crate::http) async fn watch(
    State(edge): State<Edge>,
    request: Request,
    next: Next,
) -> Response {
    to_its_end(async move {
        let (act, mut request) = Act::begin(request).await;
        let asker = Asker::default();
        request.extensions_mut().insert(asker.clone());
        let response = next.run(request).await;
        match (act, asker.0.get().cloned()) {
            (Some(act), Some((realm, actor))) => {
                act.end(&edge.im, Some(realm), actor, response).await
            }
            // Nothing was changed, or by a user.
            _ => response,
        }
    })
    .await
}
