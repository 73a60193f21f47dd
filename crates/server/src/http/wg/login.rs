//! The login that gives a session id, and its end (wg.md S0-5 to S0-10, Q0-1 to Q0-6).

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, Method, header};
use axum::response::Response;
use crosstalk_core::im::{LoginRequest, LoginScope};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::foreign::ForeignHeaders;
use crosstalk_gateway::net::cookies_may_go;
use crosstalk_gateway::{Dialect, WG_SESSION_SECS};
use crosstalk_wire::wg::{
    HttpError, Login, LoginShape, done as succeeded, login_path, token_of_query,
};

use super::{WgState, address, done, other_method, refusal};
use crate::config::LoginData;

/// `GET` gives a session id, `DELETE` voids those of the client.
pub(super) async fn serve(
    State(state): State<WgState>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    if ![Method::GET, Method::DELETE].contains(&parts.method) {
        return other_method("GET");
    }
    let name = match login_path(parts.uri.path()) {
        Some((_, Ok(name))) => name,
        Some((_, Err(_))) => return refusal(HttpError::BadClientName),
        None => return refusal(HttpError::NotFound),
    };
    let query = parts.uri.query().unwrap_or_default();
    let proof = proof(&state, client, parts.uri.path(), query, &parts.headers);
    let manager = &state.manager;
    if parts.method == Method::DELETE {
        return match manager.logout(&proof, &name).await {
            Ok(()) => done(succeeded()),
            Err(why) => refusal(error(why)),
        };
    }
    let session_id = match manager.login(&proof, &name).await {
        Ok(session_id) => session_id,
        Err(why) => return refusal(error(why)),
    };
    let wg = &state.edge.config.wg;
    let login = Login {
        session_id: &session_id,
        url: &address::announced(wg, &state.edge.bound, &parts.headers),
        expires_in_secs: WG_SESSION_SECS,
    };
    done(login.answer(match wg.login_data {
        LoginData::Text => LoginShape::Text,
        LoginData::Object => LoginShape::Object,
    }))
}

/// Everything in a request that may prove who it is from (wg.md Q0-2).
fn proof(
    state: &WgState,
    client: SocketAddr,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> LoginRequest {
    let text = |name: HeaderName| Some(headers.get(name)?.to_str().ok()?.to_owned());
    let token = text(HeaderName::from_static("token"));
    let authorization = text(header::AUTHORIZATION);
    let bearer = authorization.as_deref().and_then(bearer).map(str::to_owned);
    let origins = &state.edge.config.wg.allowed_origins;
    let scope = LoginScope::Realm(state.manager.realm().clone());
    let mut proof = LoginRequest::new(scope, Dialect::Wg.name(), path, client.ip());
    let tokens = [token.clone(), bearer, token_of_query(query)];
    proof.credentials.extend(tokens.into_iter().flatten());
    proof.headers = ForeignHeaders {
        token,
        authorization,
        cookie: text(header::COOKIE).filter(|_| cookies_may_go(headers, origins)),
    };
    query.clone_into(&mut proof.query);
    proof
}

/// What stands behind `Bearer` in an `Authorization` header.
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.trim().split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start())
}

pub(super) fn error(why: Refusal) -> HttpError {
    match why {
        Refusal::LoginThrottled | Refusal::RateLimited => HttpError::TooMany,
        Refusal::UserBanned => HttpError::Banned,
        Refusal::Unavailable => HttpError::Unavailable,
        Refusal::Internal => HttpError::Internal,
        Refusal::TooLarge | Refusal::InvalidArgument => HttpError::BadRequest,
        _ => HttpError::NotLoggedIn,
    }
}
