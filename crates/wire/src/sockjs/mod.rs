//! SockJS 0.3: WebSocket messages over whatever a browser can do
//! (stomp-sockjs-wire.md §2).
//!
//! [`Route`] says what a path asks for, [`Framing`] how a [`Frame`] is written
//! to the one receiving response of a session, [`Messages`] what a client has
//! sent. The module does not know sessions, time, HTTP or what the messages
//! are; randomness and origins come from outside.

mod callback;
mod escape;
mod frame;
mod framing;
mod http;
mod iframe;
mod info;
mod payload;
mod route;

pub use callback::{Callback, CallbackError};
pub use frame::{BadFrame, Frame, Received};
pub use framing::{Framing, ResponseBudget, STREAM_BYTES};
pub use http::{
    AllowOrigin, CACHED, CACHED_SECS, GREETING, HTML, JAVASCRIPT, JSON, NOT_CACHED, TEXT,
    allow_origin,
};
pub use iframe::IframePage;
pub use info::Info;
pub use payload::{Messages, PayloadError};
pub use route::{Route, SessionPath, Transport};
