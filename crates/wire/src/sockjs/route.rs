//! Paths below a SockJS endpoint (stomp-sockjs-wire.md §2.1).

use super::{HTML, JAVASCRIPT, TEXT};

/// The longest server or session id, in bytes; clients use 3 and 8. Sessions
/// are kept by it, so it is bounded.
const MAX_ID_BYTES: usize = 128;

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Route<'a> {
    /// The base itself: [`GREETING`](super::GREETING).
    Greeting,
    /// `/info`: [`Info`](super::Info).
    Info,
    /// `/iframe….html`: [`IframePage`](super::IframePage).
    Iframe,
    /// `/websocket`: a WebSocket without any SockJS frames.
    RawWebSocket,
    /// A session's transport.
    Session(SessionPath<'a>),
}

/// `/{server}/{session}/{transport}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionPath<'a> {
    /// For load balancers; the same session may come with another one.
    pub server: &'a str,
    /// The session, as the client made it up; still percent-encoded.
    pub session: &'a str,
    /// How.
    pub transport: Transport,
}

/// How a client receives, or sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Both ways over a WebSocket.
    WebSocket,
    /// Receives one frame per request.
    Xhr,
    /// Sends, for all that receive by XMLHttpRequest, events or frames.
    XhrSend,
    /// Receives many frames in one response.
    XhrStreaming,
    /// Receives many frames as server-sent events.
    EventSource,
    /// Receives many frames as scripts in a page without end.
    HtmlFile,
    /// Receives one frame per script.
    Jsonp,
    /// Sends from a form.
    JsonpSend,
}

impl<'a> Route<'a> {
    /// What `path` asks for; it begins after the base and has no query.
    /// `None` means 404.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Route<'a>> {
        if matches!(path, "" | "/") {
            return Some(Route::Greeting);
        }
        let mut segments = path.strip_prefix('/')?.split('/');
        let first = segments.next()?;
        let Some(session) = segments.next() else {
            return match first {
                "info" => Some(Route::Info),
                "websocket" => Some(Route::RawWebSocket),
                page if is_iframe(page) => Some(Route::Iframe),
                _ => None,
            };
        };
        let transport = Transport::parse(segments.next()?)?;
        let is_whole = segments.next().is_none();
        (is_whole && is_id(first) && is_id(session)).then_some(Route::Session(SessionPath {
            server: first,
            session,
            transport,
        }))
    }
}

fn is_id(segment: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&segment.len()) && !segment.contains('.')
}

/// `iframe.html`, or with a version of the client in it.
fn is_iframe(page: &str) -> bool {
    let version = page
        .strip_prefix("iframe")
        .and_then(|rest| rest.strip_suffix(".html"));
    version.is_some_and(|version| {
        version
            .bytes()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || b"-._".contains(&it))
    })
}

impl Transport {
    /// Every transport.
    pub const ALL: [Transport; 8] = [
        Transport::WebSocket,
        Transport::Xhr,
        Transport::XhrSend,
        Transport::XhrStreaming,
        Transport::EventSource,
        Transport::HtmlFile,
        Transport::Jsonp,
        Transport::JsonpSend,
    ];

    /// The last segment of its paths.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::WebSocket => "websocket",
            Transport::Xhr => "xhr",
            Transport::XhrSend => "xhr_send",
            Transport::XhrStreaming => "xhr_streaming",
            Transport::EventSource => "eventsource",
            Transport::HtmlFile => "htmlfile",
            Transport::Jsonp => "jsonp",
            Transport::JsonpSend => "jsonp_send",
        }
    }

    fn parse(segment: &str) -> Option<Transport> {
        Transport::ALL.into_iter().find(|it| it.as_str() == segment)
    }

    /// The method that its requests have; others get 405 with
    /// [`allow`](Transport::allow) and neither content type nor body.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Transport::Xhr
            | Transport::XhrSend
            | Transport::XhrStreaming
            | Transport::JsonpSend => "POST",
            Transport::WebSocket
            | Transport::EventSource
            | Transport::HtmlFile
            | Transport::Jsonp => "GET",
        }
    }

    /// The `Allow` of a 405, and for those that have OPTIONS the
    /// `Access-Control-Allow-Methods`.
    #[must_use]
    pub const fn allow(self) -> &'static str {
        match self {
            Transport::Xhr | Transport::XhrSend | Transport::XhrStreaming => "OPTIONS, POST",
            Transport::JsonpSend => "POST",
            _ => "GET",
        }
    }

    /// Whether browsers ask by OPTIONS first.
    #[must_use]
    pub const fn has_options(self) -> bool {
        matches!(
            self,
            Transport::Xhr | Transport::XhrSend | Transport::XhrStreaming
        )
    }

    /// Whether it only sends to the server; the session must exist.
    #[must_use]
    pub const fn is_send(self) -> bool {
        matches!(self, Transport::XhrSend | Transport::JsonpSend)
    }

    /// Whether its requests name a [`Callback`](super::Callback).
    #[must_use]
    pub const fn needs_callback(self) -> bool {
        matches!(self, Transport::HtmlFile | Transport::Jsonp)
    }

    /// The content type of its responses; `None` for a WebSocket.
    #[must_use]
    pub const fn content_type(self) -> Option<&'static str> {
        match self {
            Transport::WebSocket => None,
            Transport::Xhr | Transport::XhrStreaming | Transport::Jsonp => Some(JAVASCRIPT),
            Transport::XhrSend | Transport::JsonpSend => Some(TEXT),
            Transport::EventSource => Some("text/event-stream"),
            Transport::HtmlFile => Some(HTML),
        }
    }

    /// Status and body of the answer to what was sent.
    #[must_use]
    pub const fn sent(self) -> (u16, &'static str) {
        match self {
            // Some browsers do weird things on 204.
            Transport::JsonpSend => (200, "ok"),
            _ => (204, ""),
        }
    }
}
