//! SockJS: connections for browsers that have no WebSocket, or may not use theirs
//! (stomp-sockjs-wire.md §2).
//!
//! ```text
//! request → endpoint (path, method) → session ← transport ← driver
//!             receives: body ↗    ↖ sends: put
//! ```
//!
//! A session lives between requests: `state` has its rules, `session` its two sides, `running`
//! its life. At most one request receives from it at a time, any may send to it. What waits in
//! either direction is bounded: requests that send too much wait, and so does the driver when
//! the client does not receive, at most for the driver's time. A WebSocket of SockJS's own
//! (`framed`) is a connection like any other and no such session. It knows no dialect: what
//! clients send is one stream, each frame of the dialect is one message.

mod answer;
mod body;
mod endpoint;
mod framed;
mod gateway;
mod running;
mod session;
mod sessions;
mod state;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use body::SockJsBody;
pub(super) use endpoint::Endpoint;

/// The pause after which a client is given a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(25);
