//! The answer to `/info` (stomp-sockjs-wire.md §2.2).

use serde::Serialize;

/// What a client is told before it chooses a transport.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Info<'a> {
    /// Whether WebSockets are served.
    pub websocket: bool,
    /// Not looked at by any client; always everything.
    origins: [&'static str; 1],
    /// Whether requests must carry cookies, for load balancers.
    pub cookie_needed: bool,
    /// Random and fresh: browsers that have none seed their numbers by it.
    pub entropy: u32,
    /// Where the sessions are served, if not here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<&'a str>,
}

impl<'a> Info<'a> {
    /// Everything is served here, without cookies.
    #[must_use]
    pub const fn new(entropy: u32) -> Info<'a> {
        Info {
            websocket: true,
            origins: ["*:*"],
            cookie_needed: false,
            entropy,
            base_url: None,
        }
    }

    /// The body, to be sent as [`JSON`](super::JSON).
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers become JSON")
    }
}
