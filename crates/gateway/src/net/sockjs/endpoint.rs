//! What each path and method of a SockJS endpoint does (stomp-sockjs-wire.md §2.1). It finds
//! or makes sessions, but runs none and knows no dialect.

use std::sync::Arc;

use bytes::Bytes;
use crosstalk_core::clock::Clock;
use crosstalk_wire::sockjs::{
    Callback, CallbackError, Frame, Framing, GREETING, HTML, IframePage, Info, JSON, Messages,
    Route, SessionPath, Transport,
};
use http::header::{self, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Body;

use super::SockJsBody;
use super::answer::Answers;
use super::body::{NotRead, read};
use super::session::{MAX_BODY_BYTES, NotTaken, Session};
use super::sessions::{Name, Sessions};
use super::state::NoReceiver;
use crate::net::limits::Admission;
use crate::registry::Dialect;

/// The client's script that the iframe page loads; old browsers only do.
const CLIENT_SCRIPT: &str = "https://cdn.jsdelivr.net/npm/sockjs-client@1.6.1/dist/sockjs.min.js";
/// The methods of the info answer.
const INFO_METHODS: &str = "OPTIONS, GET";
const NOT_FOUND: &str = "Not found\n";

/// Below which base a request was made, and what is allowed there.
pub(super) struct Call<'a> {
    pub(super) dialect: Dialect,
    /// The path after the base.
    pub(super) path: &'a str,
    /// Pages of all origins may connect. If not, there is neither an iframe page, since what
    /// it does for any page that embeds it comes from our own origin, nor JSONP, since
    /// browsers do not say which page loads a script.
    pub(super) is_for_all: bool,
}

/// What becomes of a request.
pub(super) enum Outcome {
    /// This is all.
    Answer(Response<SockJsBody>),
    /// The answer begins a session, which is to be run.
    Session(Response<SockJsBody>, NewSession),
    /// A WebSocket is asked for.
    WebSocket {
        /// With SockJS's frames in its messages.
        is_framed: bool,
    },
}

/// A session that nobody runs yet.
pub(super) struct NewSession {
    pub(super) name: Name,
    pub(super) session: Arc<Session>,
    pub(super) admission: Admission,
}

/// See the module's words.
pub(in crate::net) struct Endpoint {
    clock: Arc<dyn Clock>,
    sessions: Sessions,
    iframe: IframePage,
}

impl Endpoint {
    pub(in crate::net) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            sessions: Sessions::default(),
            iframe: IframePage::new(CLIENT_SCRIPT),
        }
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) fn answers<'r>(&self, headers: &'r HeaderMap) -> Answers<'r> {
        Answers {
            asked: headers,
            now_ms: self.clock.now_ms(),
        }
    }

    /// Answers a request. `admit` is asked when it begins a session.
    pub(super) async fn answer<B: Body + Unpin>(
        &self,
        call: Call<'_>,
        request: &Request<()>,
        body: &mut B,
        admit: impl FnOnce() -> Option<Admission>,
    ) -> Outcome {
        let answers = self.answers(request.headers());
        let is_get = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = match Route::parse(call.path) {
            None => answers.text(StatusCode::NOT_FOUND, NOT_FOUND),
            Some(Route::Greeting) if asks_for_upgrade(request.headers()) => {
                return Outcome::WebSocket { is_framed: false };
            }
            Some(Route::Greeting) if is_get => answers.text(StatusCode::OK, GREETING),
            Some(Route::Info) if request.method() == Method::OPTIONS => {
                answers.preflight(INFO_METHODS)
            }
            Some(Route::Info) if is_get => self.info(&answers),
            Some(Route::Info) => answers.wrong_method(INFO_METHODS),
            Some(Route::Iframe) if !call.is_for_all => {
                answers.text(StatusCode::NOT_FOUND, NOT_FOUND)
            }
            Some(Route::Iframe) if is_get => self.iframe(&answers),
            Some(Route::RawWebSocket) => match no_websocket(request, &answers) {
                None => return Outcome::WebSocket { is_framed: false },
                Some(refusal) => refusal,
            },
            Some(Route::Greeting | Route::Iframe) => answers.wrong_method("GET"),
            Some(Route::Session(path)) => {
                return self.session(&call, path, request, body, admit).await;
            }
        };
        Outcome::Answer(answer)
    }

    fn info(&self, answers: &Answers<'_>) -> Response<SockJsBody> {
        let mut entropy = [0; 4];
        self.clock.fill_random(&mut entropy);
        let info = Info::new(u32::from_le_bytes(entropy)).to_json();
        answers.fresh(StatusCode::OK, Some(JSON), SockJsBody::whole(info))
    }

    fn iframe(&self, answers: &Answers<'_>) -> Response<SockJsBody> {
        let etag = self.iframe.etag();
        let known = answers.asked.get(header::IF_NONE_MATCH);
        let mut response = if known.is_some_and(|known| known.as_bytes() == etag.as_bytes()) {
            let body = SockJsBody::whole(Bytes::new());
            answers.cached(StatusCode::NOT_MODIFIED, None, body)
        } else {
            let body = SockJsBody::whole(self.iframe.html().to_owned());
            answers.cached(StatusCode::OK, Some(HTML), body)
        };
        if let Ok(etag) = etag.parse() {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }

    async fn session<B: Body + Unpin>(
        &self,
        call: &Call<'_>,
        path: SessionPath<'_>,
        request: &Request<()>,
        body: &mut B,
        admit: impl FnOnce() -> Option<Admission>,
    ) -> Outcome {
        let answers = &self.answers(request.headers());
        let transport = path.transport;
        if !call.is_for_all && matches!(transport, Transport::Jsonp | Transport::JsonpSend) {
            return Outcome::Answer(answers.text(StatusCode::NOT_FOUND, NOT_FOUND));
        }
        if request.method() == Method::OPTIONS && transport.has_options() {
            return Outcome::Answer(answers.preflight(transport.allow()));
        }
        if request.method().as_str() != transport.method() {
            return Outcome::Answer(answers.wrong_method(transport.allow()));
        }
        if transport == Transport::WebSocket {
            return no_websocket(request, answers)
                .map_or(Outcome::WebSocket { is_framed: true }, Outcome::Answer);
        }
        let name = Name {
            dialect: call.dialect,
            id: path.session.into(),
        };
        if transport.is_send() {
            return Outcome::Answer(self.send(&name, transport, request, body, answers).await);
        }
        match framing(transport, request) {
            Ok(framing) => self.receive(name, &framing, answers, admit),
            Err(why) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                Outcome::Answer(answers.text(status, why.to_string()))
            }
        }
    }

    async fn send<B: Body + Unpin>(
        &self,
        name: &Name,
        transport: Transport,
        request: &Request<()>,
        body: &mut B,
        answers: &Answers<'_>,
    ) -> Response<SockJsBody> {
        let unknown = || answers.text(StatusCode::NOT_FOUND, "No such session\n");
        let Some(session) = self.sessions.find(name) else {
            return unknown();
        };
        let body = match read(body, MAX_BODY_BYTES).await {
            Ok(body) => body,
            Err(NotRead::TooLarge) => {
                return answers.text(StatusCode::PAYLOAD_TOO_LARGE, "Payload too large\n");
            }
            Err(NotRead::Failed) => return answers.text(StatusCode::BAD_REQUEST, "Broken off\n"),
        };
        let messages = if transport == Transport::JsonpSend {
            let content_type = request.headers().get(header::CONTENT_TYPE);
            Messages::from_jsonp(content_type.and_then(|it| it.to_str().ok()), &body)
        } else {
            Messages::from_xhr(&body)
        };
        drop(body);
        let messages = match messages {
            Ok(messages) => messages,
            Err(why) => return answers.text(StatusCode::INTERNAL_SERVER_ERROR, why.to_string()),
        };
        match session.put(&messages).await {
            Ok(()) => {
                let (status, body) = transport.sent();
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
                answers.fresh(status, transport.content_type(), SockJsBody::whole(body))
            }
            Err(NotTaken::Ended) => unknown(),
            Err(NotTaken::Full) => {
                answers.text(StatusCode::SERVICE_UNAVAILABLE, "Too much at once\n")
            }
        }
    }

    /// Attaches a request to its session, which it may begin.
    fn receive(
        &self,
        name: Name,
        framing: &Framing,
        answers: &Answers<'_>,
        admit: impl FnOnce() -> Option<Admission>,
    ) -> Outcome {
        let content_type = framing.transport().content_type();
        let ok = |body| answers.fresh(StatusCode::OK, content_type, body);
        let attached = |session, id| ok(SockJsBody::received(session, id, framing.clone()));
        let busy = || ok(SockJsBody::one(framing, &Frame::ANOTHER_CONNECTION));
        if let Some(session) = self.sessions.find(&name) {
            match session.attach() {
                Ok(id) => return Outcome::Answer(attached(session, id)),
                Err(NoReceiver::Busy) => return Outcome::Answer(busy()),
                Err(NoReceiver::Gone) => self.sessions.remove(&name, &session),
            }
        }
        let Some(admission) = admit() else {
            let why = "Too many connections\n";
            return Outcome::Answer(answers.text(StatusCode::SERVICE_UNAVAILABLE, why));
        };
        let session = Arc::new(Session::new(Arc::clone(&self.clock)));
        let Ok(id) = session.attach() else {
            return Outcome::Answer(busy());
        };
        if !self.sessions.insert(&name, &session) {
            // Another request has begun it at this very moment.
            return Outcome::Answer(busy());
        }
        let response = attached(Arc::clone(&session), id);
        let new = NewSession {
            name,
            session,
            admission,
        };
        Outcome::Session(response, new)
    }
}

/// How frames are written to a receiving request.
fn framing(transport: Transport, request: &Request<()>) -> Result<Framing, CallbackError> {
    let callback = || Callback::from_query(request.uri().query().unwrap_or_default());
    Ok(match transport {
        Transport::XhrStreaming => Framing::XhrStreaming,
        Transport::EventSource => Framing::EventSource,
        Transport::HtmlFile => Framing::HtmlFile(callback()?),
        Transport::Jsonp => Framing::Jsonp(callback()?),
        // The others do not receive by requests.
        Transport::Xhr | Transport::XhrSend | Transport::JsonpSend | Transport::WebSocket => {
            Framing::Xhr
        }
    })
}

fn asks_for_upgrade(headers: &HeaderMap) -> bool {
    let upgrade = headers.get(header::UPGRADE);
    upgrade.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Why there will be no WebSocket; the rest of a handshake is looked at when it is made.
fn no_websocket(request: &Request<()>, answers: &Answers<'_>) -> Option<Response<SockJsBody>> {
    if request.method() != Method::GET {
        return Some(answers.wrong_method("GET"));
    }
    if !asks_for_upgrade(request.headers()) {
        let why = "Can \"Upgrade\" only to \"WebSocket\".";
        return Some(answers.text(StatusCode::BAD_REQUEST, why));
    }
    let connection = request.headers().get_all(header::CONNECTION).iter();
    let mut tokens = connection.flat_map(|it| it.to_str().unwrap_or_default().split(','));
    if !tokens.any(|token| token.trim().eq_ignore_ascii_case("upgrade")) {
        return Some(answers.text(
            StatusCode::BAD_REQUEST,
            "\"Connection\" must be \"Upgrade\".",
        ));
    }
    None
}
