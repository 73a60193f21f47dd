//! The audit log's writers: each interface wraps its routes in a layer that says which acts are
//! whose; what an act concerned and what was asked for is found here, the same for all.

#[cfg(any(feature = "mqtt", feature = "stomp"))]
pub(in crate::http) mod asker;
mod essence;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::RequestExt;
use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, MatchedPath, RawPathParams, Request};
use axum::http::{HeaderMap, Method, header};
use axum::response::{IntoResponse, Response};
use crosstalk_core::admin::AuditEntry;
use crosstalk_core::id::Realm;
use crosstalk_core::im::Im;
use futures_util::StreamExt;
use parking_lot::Mutex;

use self::essence::Essence;

/// The longest target that is written down, bytes.
const TARGET_BYTES: usize = 512;
/// The longest body that is looked at; of a longer one the log says nothing.
const BODY_BYTES: usize = 1 << 20;
/// The longest answer that is looked at.
const ANSWER_BYTES: u64 = 64 * 1024;

/// A reason that was given, for the log.
#[derive(Debug, Clone)]
pub(in crate::http) struct AuditNote(pub(in crate::http) String);

/// An answer with a note for the log.
pub(in crate::http) struct Noted<T> {
    note: String,
    answer: T,
}

impl AuditNote {
    /// Puts a note on an answer.
    pub(in crate::http) fn on<T>(note: String, answer: T) -> Noted<T> {
        Noted { note, answer }
    }
}

impl<T: IntoResponse> IntoResponse for Noted<T> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        response.extensions_mut().insert(AuditNote(self.note));
        response
    }
}

/// What came of a body as it was read; `None` once that is too much.
type Seen = Arc<Mutex<Option<Vec<u8>>>>;

/// An act that is under way.
pub(in crate::http) struct Act {
    action: String,
    target: String,
    address: String,
    is_form: bool,
    seen: Seen,
    essence: Essence,
}

impl Act {
    /// Begins to look at a request; `None` for one that changes nothing, or that no route takes.
    pub(in crate::http) async fn begin(request: Request) -> (Option<Self>, Request) {
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let Some(route) = route.filter(|_| changes(&method)) else {
            return (None, request);
        };
        let mut request = request;
        let client = request.extract_parts::<ConnectInfo<SocketAddr>>().await;
        let mut act = Self {
            action: format!("{method} {}", route.as_str()),
            target: shortened(request.uri().path().to_owned()),
            address: client.map_or_else(|_| String::new(), |client| client.0.ip().to_string()),
            is_form: is(request.headers(), "application/x-www-form-urlencoded"),
            seen: Arc::default(),
            essence: Essence::default(),
        };
        if let Ok(params) = request.extract_parts::<RawPathParams>().await {
            for (name, value) in &params {
                act.essence.path(name, value);
            }
        }
        act.essence.form(request.uri().query().unwrap_or_default());
        // Files are nothing to look at.
        if act.is_form
            || is(request.headers(), "application/json")
            || is(request.headers(), "text/plain")
            || !request.headers().contains_key(header::CONTENT_TYPE)
        {
            *act.seen.lock() = Some(Vec::new());
            request = watched(request, Arc::clone(&act.seen));
        }
        (Some(act), request)
    }

    /// Writes the act down. It was done: should the store fail now, at least the server's own
    /// log has it.
    pub(in crate::http) async fn end(
        mut self,
        im: &Im,
        realm: Option<Realm>,
        actor: String,
        response: Response,
    ) -> Response {
        if let Some(body) = self.seen.lock().take() {
            if self.is_form {
                self.essence.form(&String::from_utf8_lossy(&body));
            } else {
                self.essence.json(&body);
            }
        }
        let response = self.answered(response).await;
        let (subjects, asked) = self.essence.told();
        let entry = AuditEntry {
            realm,
            actor,
            action: self.action,
            target: self.target,
            outcome: response.status().as_u16(),
            address: self.address,
            note: noted(&response),
            subjects,
            asked,
        };
        if let Err(error) = im.audit().log_act(&entry).await {
            tracing::error!(%error, ?entry, "an act could not be written down");
        }
        response
    }

    /// Looks at what an answer calls what was made.
    async fn answered(&mut self, response: Response) -> Response {
        let size = response.body().size_hint().exact();
        let is_short = size.is_some_and(|size| size <= ANSWER_BYTES);
        if !is_short || !is(response.headers(), "application/json") {
            return response;
        }
        let (parts, body) = response.into_parts();
        // It is in memory, and no longer than this.
        let bytes = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
        if parts.status.is_success() {
            self.essence.answer(&bytes);
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// Whether something is done that way.
pub(in crate::http) fn changes(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn is(headers: &HeaderMap, kind: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    value.is_some_and(|value| value.as_bytes().starts_with(kind.as_bytes()))
}

/// Keeps what is read of a body.
fn watched(request: Request, seen: Seen) -> Request {
    let (parts, body) = request.into_parts();
    let keep = move |part: Result<Bytes, axum::Error>| {
        if let Ok(part) = &part {
            let mut seen = seen.lock();
            let fits = |kept: &Vec<u8>| kept.len() + part.len() <= BODY_BYTES;
            *seen = seen.take().filter(fits).map(|mut kept| {
                kept.extend_from_slice(part);
                kept
            });
        }
        part
    };
    let body = Body::from_stream(body.into_data_stream().map(keep));
    Request::from_parts(parts, body)
}

/// What a handler has said for the log.
fn noted(response: &Response) -> String {
    let note = response.extensions().get::<AuditNote>();
    note.map_or_else(String::new, |note| note.0.clone())
}

/// The beginning of what could be long.
fn shortened(mut target: String) -> String {
    target.truncate(target.floor_char_boundary(TARGET_BYTES));
    target
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_target_has_an_end() {
        assert_eq!(shortened("é".to_owned()), "é");
        assert!(shortened("é".repeat(1000)).len() <= TARGET_BYTES);
    }
}
