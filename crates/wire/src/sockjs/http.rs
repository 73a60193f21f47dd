//! What the HTTP answers have in common (stomp-sockjs-wire.md §2.6).

/// The body at the base path, as [`TEXT`].
pub const GREETING: &str = "Welcome to SockJS!\n";

/// Content type of the greeting, of errors and of the answers to sending.
pub const TEXT: &str = "text/plain;charset=UTF-8";
/// Content type of the info answer.
pub const JSON: &str = "application/json;charset=UTF-8";
/// Content type of polling, of streaming and of JSONP.
pub const JAVASCRIPT: &str = "application/javascript;charset=UTF-8";
/// Content type of the iframe page and of the htmlfile transport.
pub const HTML: &str = "text/html;charset=UTF-8";

/// `Cache-Control` of everything but what is [`CACHED`].
pub const NOT_CACHED: &str = "no-store, no-cache, no-transform, must-revalidate, max-age=0";
/// `Cache-Control` of the iframe page and of answers to OPTIONS, which have
/// an `Expires` too.
pub const CACHED: &str = "public, max-age=31536000";
/// How long [`CACHED`] lasts, in seconds; also `Access-Control-Max-Age`.
pub const CACHED_SECS: u32 = 31_536_000;

/// The CORS headers of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AllowOrigin<'a> {
    /// `Access-Control-Allow-Origin`.
    pub origin: &'a str,
    /// Whether there is `Access-Control-Allow-Credentials: true`.
    pub credentials: bool,
}

/// What the answer to a request with this `Origin` allows; whether the origin
/// may connect at all is for the caller to decide before.
#[must_use]
pub fn allow_origin(origin: Option<&str>) -> AllowOrigin<'_> {
    AllowOrigin {
        origin: origin.unwrap_or("*"),
        credentials: origin.is_some(),
    }
}
