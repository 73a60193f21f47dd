//! `Idempotency-Key`: one layer around the routes of POST. The first request with a caller's
//! key is answered, and the answer is kept for 24 hours; whoever asks again gets it again, and
//! nothing is done twice.
//!
//! It asks `auth` who calls before it looks anything up, so that nobody is shown what another
//! was answered. What is done and what is kept are two writes: between them the server can die.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use crosstalk_core::answered::{Answered, Asker, Fingerprint, MAX_BODY_BYTES};
use crosstalk_core::refusal::Refusal;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::admin::audit::to_its_end;
use super::auth::Caller;
use super::input;
use super::problem::Problem;
use crate::http::state::ApiState;

/// The header with the caller's key.
pub(super) const KEY_HEADER: &str = "idempotency-key";
/// Its name as it is written.
const KEY_NAME: &str = "Idempotency-Key";
/// The longest key, characters.
pub(super) const KEY_CHARS: usize = 255;
/// Requests with keys that are answered at the same time, of an app or the admin key…
const AT_ONCE_OF_BACKEND: usize = 1000;
/// … and of a user.
const AT_ONCE_OF_USER: usize = 16;
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Routes of POST where the layer leaves the key alone.
pub(super) const APART: &[&str] = &[
    // The key is the client number there, which is known for longer.
    "/v1/messages",
    "/v1/messages/batch",
    "/v1/messages/forward",
    // These only ask, or say what passes.
    "/v1/users/batch",
    "/v1/users/{uid}/blacklist-check",
    "/v1/users/{uid}/friends-check",
    "/v1/presence",
    "/v1/channels/{kind}/{id}/typing",
    "/v1/files/{id}/url",
    // The older token would be nearer its end, or void by now.
    "/v1/users/{uid}/tokens",
    // Its body is of any length; the same bytes are stored once.
    "/v1/files",
    // What it answers, headers too, is true once; an upload that is left ends by itself.
    "/v1/uploads",
];

/// What the layer is given.
#[derive(Clone)]
pub(super) struct Keys {
    api: ApiState,
    running: Running,
}

/// Requests that are being answered, each asker's by their keys. They are seen through though
/// their caller has hung up: more of one asker's than `at_once` are refused.
#[derive(Debug, Clone, Default)]
struct Running(Arc<Mutex<HashMap<Asker, HashMap<String, Fingerprint>>>>);

/// A key is taken until this goes.
struct Turn {
    running: Running,
    asker: Asker,
    key: String,
}

impl Keys {
    pub(super) fn new(api: ApiState) -> Self {
        Self {
            api,
            running: Running::default(),
        }
    }
}

/// Why a key cannot be had now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// The same request is being answered.
    Running,
    /// Another request is being answered.
    Another,
    /// So are too many of the same asker's.
    TooMany,
}

impl Running {
    fn take(&self, asker: Asker, key: String, fingerprint: Fingerprint) -> Result<Turn, Taken> {
        let mut all = self.0.lock();
        let own = all.entry(asker.clone()).or_default();
        match own.get(&key) {
            Some(taken) if *taken == fingerprint => return Err(Taken::Running),
            Some(_) => return Err(Taken::Another),
            None if own.len() >= at_once(&asker) => return Err(Taken::TooMany),
            None => own.insert(key.clone(), fingerprint),
        };
        Ok(Turn {
            running: self.clone(),
            asker,
            key,
        })
    }
}

fn at_once(asker: &Asker) -> usize {
    match asker {
        Asker::Admin(_) | Asker::App(_) => AT_ONCE_OF_BACKEND,
        Asker::User(_) => AT_ONCE_OF_USER,
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = self.running.0.lock();
        if let Entry::Occupied(mut own) = all.entry(self.asker.clone()) {
            own.get_mut().remove(&self.key);
            if own.get().is_empty() {
                own.remove();
            }
        }
    }
}

/// Whether the layer sees to the key on a route of POST.
pub(super) fn is_seen_to(route: &str) -> bool {
    !APART.contains(&route)
}

/// Answers the first request with a key, and those after it as the first.
pub(super) async fn once(State(keys): State<Keys>, request: Request, next: Next) -> Response {
    if !request.headers().contains_key(KEY_HEADER) || request.method() != Method::POST {
        return next.run(request).await;
    }
    let route = request.extensions().get::<MatchedPath>();
    if !route.is_some_and(|route| is_seen_to(route.as_str())) {
        return next.run(request).await;
    }
    match asked(&keys, request).await {
        // The turn ends with the answer, also where the caller has hung up.
        Ok((turn, fingerprint, request)) => {
            to_its_end(async move {
                let Turn { asker, key, .. } = &turn;
                answer(&keys.api, asker, key, fingerprint, request, next).await
            })
            .await
        }
        Err(refused) => refused,
    }
}

/// Who asks for what, under a key that nobody else holds.
async fn asked(keys: &Keys, request: Request) -> Result<(Turn, Fingerprint, Request), Response> {
    let (mut parts, body) = request.into_parts();
    let caller = Caller::from_request_parts(&mut parts, &keys.api)
        .await
        .map_err(IntoResponse::into_response)?;
    let key = key(&parts.headers).map_err(IntoResponse::into_response)?;
    let whole = Request::from_parts(parts.clone(), body);
    let body = Bytes::from_request(whole, &keys.api)
        .await
        .map_err(|why| input::unreadable(&why).into_response())?;
    let fingerprint = fingerprint(&parts, &body);
    let taken = keys.running.take(asker(&caller), key, fingerprint);
    let turn = taken.map_err(IntoResponse::into_response)?;
    let request = Request::from_parts(parts, Body::from(body));
    Ok((turn, fingerprint, request))
}

fn asker(caller: &Caller) -> Asker {
    match caller {
        Caller::Admin(app) => Asker::Admin(app.as_ref().map(|app| app.id.clone())),
        Caller::App(app) => Asker::App(app.id.clone()),
        Caller::User(identity) => Asker::User(identity.user.num),
    }
}

fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let mut all = headers.get_all(KEY_HEADER).iter();
    let (first, second) = (all.next(), all.next());
    let key = first
        .filter(|_| second.is_none())
        .map(HeaderValue::as_bytes);
    let is_one =
        |key: &&[u8]| (1..=KEY_CHARS).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    key.filter(is_one)
        .and_then(|key| std::str::from_utf8(key).ok())
        .map(str::to_owned)
        .ok_or_else(|| {
            let wrong = format_args!("has 1 to {KEY_CHARS} visible ASCII characters");
            Problem::field(KEY_NAME, wrong)
        })
}

fn fingerprint(parts: &Parts, body: &[u8]) -> Fingerprint {
    let place = parts.uri.path_and_query();
    let place = place.map_or_else(|| parts.uri.path(), |place| place.as_str());
    let mut digest = Sha256::new();
    for part in [parts.method.as_str(), place] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update(body);
    digest.finalize().into()
}

async fn answer(
    api: &ApiState,
    asker: &Asker,
    key: &str,
    fingerprint: Fingerprint,
    request: Request,
    next: Next,
) -> Response {
    match api.im.answered(asker, key).await {
        Err(why) => Problem::from(why).into_response(),
        Ok(Some(kept)) if kept.fingerprint != fingerprint => another().into_response(),
        Ok(Some(kept)) => again(kept),
        Ok(None) => {
            let response = next.run(request).await;
            if !is_kept(response.status()) {
                return response;
            }
            let (answered, response) = read(fingerprint, response).await;
            // It was done: that it cannot be kept is no failure of the request.
            if let Err(why) = api.im.keep_answer(asker, key, answered).await {
                tracing::error!(%why, %asker, "an answer could not be kept");
            }
            response
        }
    }
}

/// Whether something was done: else the key is free again, and nothing is written.
fn is_kept(status: StatusCode) -> bool {
    status.is_success()
}

/// What is kept of a response, and the response. What is longer than is kept, or of no known
/// length, passes unread.
async fn read(fingerprint: Fingerprint, response: Response) -> (Answered, Response) {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let mut answered = Answered {
        fingerprint,
        status: response.status().as_u16(),
        media_type: media_type.unwrap_or_default().to_owned(),
        body: None,
    };
    let length = response.body().size_hint().exact();
    if length.is_none_or(|length| length > MAX_BODY_BYTES as u64) {
        return (answered, response);
    }
    let (parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY_BYTES).await else {
        return (answered, Problem::from(Refusal::Internal).into_response());
    };
    answered.body = std::str::from_utf8(&bytes).ok().map(str::to_owned);
    (answered, Response::from_parts(parts, Body::from(bytes)))
}

/// The answer that was given before.
fn again(kept: Answered) -> Response {
    let mut response = match (kept.body, StatusCode::from_u16(kept.status)) {
        (Some(body), Ok(status)) => {
            let mut response = (status, Body::from(body)).into_response();
            if let Ok(media_type) = HeaderValue::from_str(&kept.media_type)
                && !media_type.is_empty()
            {
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, media_type);
            }
            response
        }
        _ => {
            let status = kept.status;
            let why = format!("{KEY_NAME}: it was answered with {status} before, too long to keep");
            Problem::new(Refusal::AlreadyExists, why).into_response()
        }
    };
    let yes = HeaderValue::from_static("true");
    response.headers_mut().insert(REPLAYED, yes);
    response
}

fn another() -> Problem {
    let why = format!("{KEY_NAME}: another request was made with this key");
    Problem::new(Refusal::IdempotencyConflict, why)
}

impl IntoResponse for Taken {
    fn into_response(self) -> Response {
        let (refusal, why) = match self {
            Self::Another => return another().into_response(),
            Self::Running => (
                Refusal::WrongState,
                "the first request with this key is not done yet; ask again",
            ),
            Self::TooMany => (
                Refusal::RateLimited,
                "too many requests with keys are being answered; ask again",
            ),
        };
        let problem = Problem::new(refusal, format!("{KEY_NAME}: {why}"));
        let second = HeaderValue::from_static("1");
        ([(header::RETRY_AFTER, second)], problem).into_response()
    }
}

#[cfg(test)]
mod tests;
