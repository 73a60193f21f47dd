//! `/api/im/auth/…`: a token of ours for a userSig, a newer one for it, and its end
//! (stomp.md D.b.2, Q2-1).

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use crosstalk_core::directory::AppId;
use crosstalk_core::id::Uid;
use crosstalk_core::im::{Login, LoginRequest, LoginScope};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::session::Ending;
use crosstalk_gateway::{Dialect, StompSettings};
use serde::Serialize;

use super::answer::{Done, Failure};
use super::input::Input;
use crate::http::edge::Edge;

/// The path of the dialect's WebSocket.
const WEBSOCKET: &str = "/ws/im";

/// What a login gives.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LoggedIn {
    /// A token of ours.
    token: String,
    user_id: String,
    app_id: String,
    /// When the token ends, ms since 1970.
    expires_at: i64,
    /// Where to connect.
    ws_url: String,
}

/// Reads a request of a user, who is named by a token.
pub(super) async fn asked(
    edge: &Edge,
    client: SocketAddr,
    request: Request,
) -> Result<(Input, Login), Failure> {
    let input = Input::read(request).await?;
    let login = known(edge, &input, client).await?;
    Ok((input, login))
}

/// `POST /auth/login {appId, userId, userSig}`.
pub(super) async fn login(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<LoggedIn>, Failure> {
    let input = Input::read(request).await?;
    let app = input
        .app_id()
        .ok_or_else(|| Failure::field("appId", "is missing"))?;
    let user = input.need("userId")?;
    let app = AppId::parse(app).map_err(|_| Refusal::NotAuthenticated)?;
    let claimed = Uid::parse(user).map_err(|_| Failure::field("userId", "is invalid"))?;
    let mut request = proof(&edge, &input, client, LoginScope::App(app));
    request.claimed_uid = Some(claimed);
    let sig = input.get("userSig").map(str::to_owned);
    request.credentials.splice(0..0, sig);
    let login = edge.im.login(&request).await?;
    logged_in(&edge, &input, &login).await
}

/// `POST /auth/refresh`: a new token for one that still holds.
pub(super) async fn refresh(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<LoggedIn>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    logged_in(&edge, &input, &login).await
}

/// `POST /auth/logout`: the sessions of the token end. With `all`, all tokens of the user that
/// were made until now are void and all of their sessions end.
pub(super) async fn logout(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Done<()>, Failure> {
    let (input, login) = asked(&edge, client, request).await?;
    if input.get("all") == Some("true") {
        edge.im.revoke_tokens(&login.realm, &login.user.uid).await?;
        return Ok(Done(()));
    }
    edge.im
        .hub()
        .end_of(login.user.num, Ending::Kicked, |session| {
            session.origin == Dialect::Stomp.origin()
                && session.app == login.app
                && session.expires_at_ms == login.expires_at_ms
        });
    Ok(Done(()))
}

/// Whose token a request shows.
pub(super) async fn known(
    edge: &Edge,
    input: &Input,
    client: SocketAddr,
) -> Result<Login, Failure> {
    let settings = edge.gateway.plugged::<StompSettings>(Dialect::Stomp);
    let settings = settings.ok_or(Refusal::Internal)?;
    let scope = LoginScope::Token(settings.realm.clone());
    let request = proof(edge, input, client, scope);
    Ok(edge.im.login(&request).await?)
}

/// Everything in a request that may prove who it is from.
fn proof(edge: &Edge, input: &Input, client: SocketAddr, scope: LoginScope) -> LoginRequest {
    let origins = &edge.config.stomp.allowed_origins;
    let mut proof = LoginRequest::new(scope, Dialect::Stomp.name(), &input.path, client.ip());
    let tokens = [input.bearer(), input.get("token")];
    let tokens = tokens.into_iter().flatten().map(str::to_owned);
    proof.credentials.extend(tokens);
    proof.headers = input.foreign(origins);
    proof.query.clone_from(&input.query);
    proof
}

async fn logged_in(edge: &Edge, input: &Input, login: &Login) -> Result<Done<LoggedIn>, Failure> {
    let app = login.app.as_ref().and_then(|app| edge.im.apps().get(app));
    let app = app.ok_or(Refusal::NoSuchApp)?;
    let ttl_secs = i64::from(edge.config.stomp.token_secs);
    let uid = &login.user.uid;
    let issued = edge.im.issue_token(&app, uid, ttl_secs, None).await?;
    Ok(Done(LoggedIn {
        token: issued.token,
        user_id: uid.as_str().to_owned(),
        app_id: app.id.as_str().to_owned(),
        expires_at: issued.expires_at_ms,
        ws_url: websocket(edge, input),
    }))
}

/// Where to connect: what the operator says, or where the request came to.
fn websocket(edge: &Edge, input: &Input) -> String {
    let public = edge.config.server.public.http.trim_end_matches('/');
    if let Some(rest) = public.strip_prefix("http") {
        return format!("ws{rest}{WEBSOCKET}");
    }
    let host = input.headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| host.parse::<Authority>().is_ok());
    let bound = || edge.bound.local("http").map(|bound| bound.to_string());
    let host = host.map(str::to_owned).or_else(bound).unwrap_or_default();
    format!("ws://{host}{WEBSOCKET}")
}
