//! The channel manager over HTTP, for whoever has the admin key (wg.md Q0-28).

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use crosstalk_gateway::WgSendError;
use crosstalk_wire::wg::{HttpError, Limits, OnlineQuery, SendRequest, online_answer, sent};
use sha2::{Digest, Sha256};

use super::super::audit::Act;
use super::super::v1::to_its_end;
use super::login::{bearer, error};
use super::{WgState, done, other_method, refusal};

/// `GET /api/websocket/online`
pub(super) async fn online(
    State(state): State<WgState>,
    method: Method,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if method != Method::GET {
        return other_method("GET");
    }
    if !is_admin(&state, &headers) {
        return refusal(HttpError::NotLoggedIn);
    }
    match OnlineQuery::parse(query.as_deref().unwrap_or_default()) {
        Some(query) => done(online_answer(&state.manager.online(&query))),
        None => refusal(HttpError::BadRequest),
    }
}

/// `POST /api/websocket/send`
pub(super) async fn send(
    State(state): State<WgState>,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if method != Method::POST {
        return other_method("POST");
    }
    if !is_admin(&state, &headers) {
        return refusal(HttpError::NotLoggedIn);
    }
    let request = body
        .ok()
        .and_then(|body| SendRequest::read(&body, &Limits::default()).ok());
    let Some(SendRequest { to, message }) = request else {
        return refusal(HttpError::BadRequest);
    };
    match state.manager.send(&to, &message).await {
        Ok(channels) => done(sent(channels)),
        Err(WgSendError::Malformed(_)) => refusal(HttpError::BadRequest),
        Err(WgSendError::Refused(why)) => refusal(error(why)),
    }
}

/// What is sent with the admin key goes into the audit log before it is answered.
pub(super) async fn audited(
    State(state): State<WgState>,
    request: Request,
    next: Next,
) -> Response {
    if !is_admin(&state, request.headers()) {
        return next.run(request).await;
    }
    to_its_end(async move {
        let (act, request) = Act::begin(request).await;
        let response = next.run(request).await;
        let Some(act) = act else { return response };
        let realm = Some(state.manager.realm().clone());
        act.end(&state.edge.im, realm, "admin".to_owned(), response)
            .await
    })
    .await
}

fn is_admin(state: &WgState, headers: &HeaderMap) -> bool {
    let said = headers.get(header::AUTHORIZATION);
    let said = said.and_then(|value| bearer(value.to_str().ok()?));
    // Digests are compared, so the time this takes tells nothing of the key.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    said.is_some_and(|said| digest(said) == digest(&state.edge.admin_key))
}
