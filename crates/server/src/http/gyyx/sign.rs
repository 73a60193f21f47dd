//! `/im/sign`: the signed URL by which a client connects (gyyx.md Q4-1, Q4-3).

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::response::Response;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::Uid;
use crosstalk_core::im::{LoginRequest, LoginScope};
use crosstalk_core::refusal::Refusal;
use crosstalk_wire::gyyx::{ConnectQuery, HttpError, Key, SignRequest, SignShape, sign_answer};

use super::answer::{Failure, answer};
use super::behaviour::behaviour;
use super::input::{app_by_secret, credentials, headers, parameters};
use crate::config::SignAnswer;
use crate::http::edge::Edge;

/// What host applications are told that was called.
const ROUTE: &str = "/im/sign";
/// The longest version that is signed, bytes.
const MAX_VERSION_BYTES: usize = 64;

/// Who is to connect.
struct Admitted {
    app: App,
    uid: Uid,
    /// What the URL is signed with must be later than what voids it, ms since 1970.
    not_before_ms: i64,
}

pub(super) async fn sign(
    State(edge): State<Edge>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    parts: Parts,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let body = body?;
    let request = SignRequest::read(parameters(&parts.uri, &body)?)?;
    if request.version.len() > MAX_VERSION_BYTES {
        return Err(Failure(HttpError::BadRequest));
    }
    let admitted = admit(&edge, &parts, client, &request).await?;
    let settings = &edge.config.gyyx;
    let behaviour = behaviour(settings);
    let rules = behaviour.of_app(admitted.app.id.as_str());
    let key = Key {
        method: rules.sign,
        secret: admitted.app.secret.as_bytes(),
    };
    let signed_ms = edge.im.clock().now_ms().max(admitted.not_before_ms);
    let (app, uid) = (admitted.app.id.as_str(), admitted.uid.as_str());
    let query = ConnectQuery::signed(app, uid, &request.version, signed_ms, key);
    let query = query.ok_or(Failure(HttpError::BadRequest))?;
    let shape = match settings.sign_answer {
        SignAnswer::Data => SignShape::Data,
        SignAnswer::Object => SignShape::Object,
        SignAnswer::Plain => SignShape::Plain,
    };
    let url = query.url(&root(&edge, &parts));
    Ok(answer(
        StatusCode::OK,
        sign_answer(&url, rules.heartbeat_secs, shape),
    ))
}

/// The business server may sign for everybody, others for themselves.
async fn admit(
    edge: &Edge,
    parts: &Parts,
    client: SocketAddr,
    request: &SignRequest,
) -> Result<Admitted, Failure> {
    let im = &edge.im;
    let claimed = Uid::parse(&request.user_id).map_err(|_| Failure(HttpError::BadRequest))?;
    // A wrong app is a wrong login (protocols/README.md A1).
    let app = AppId::parse(&request.app_id).map_err(|_| Failure(HttpError::NotLoggedIn))?;
    let headers = headers(parts, &edge.config.gyyx.allowed_origins);
    let credentials = credentials(&headers);
    if let Some(app) = app_by_secret(im, &credentials, &app)? {
        let revoked_ms = match im.user(&app.realm, &claimed).await {
            Ok(state) => state.record.tokens_after_ms,
            Err(Refusal::NoSuchUser) => 0,
            Err(why) => return Err(why.into()),
        };
        return Ok(Admitted {
            app,
            uid: claimed,
            not_before_ms: revoked_ms + 1,
        });
    }
    let scope = LoginScope::App(app);
    let login = LoginRequest {
        claimed_uid: Some(claimed),
        credentials,
        headers,
        query: parts.uri.query().unwrap_or_default().to_owned(),
        ..LoginRequest::new(scope.clone(), "gyyx", ROUTE, client.ip())
    };
    let login = im.login(&login).await?;
    // Another app of the realm may have vouched for the user; the URL is of the one named.
    let LoginScope::App(app) = scope else {
        return Err(Refusal::Internal.into());
    };
    let app = im.apps().get(&app).ok_or(Refusal::NotAuthenticated)?;
    Ok(Admitted {
        app,
        uid: login.user.uid,
        not_before_ms: login.proven_at_ms,
    })
}

/// Where to connect: as configured, or where this was asked, since both are served alike.
fn root(edge: &Edge, parts: &Parts) -> String {
    let configured = &edge.config.gyyx.url;
    if !configured.is_empty() {
        return configured.trim_end_matches('/').to_owned();
    }
    let host = parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    if let Some(host) = host {
        return format!("ws://{host}");
    }
    let bound = edge
        .bound
        .local("gyyx")
        .or_else(|| edge.bound.local("http"));
    bound.map_or_else(String::new, |bound| format!("ws://{bound}"))
}
