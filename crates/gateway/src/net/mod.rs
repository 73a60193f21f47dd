//! Sockets: listening, limits, transports. The only place of this crate that opens any.

mod cookies;
mod frames;
pub mod gateway;
mod limits;
mod proxy_header;
mod sockjs;
mod tcp;
mod websocket;

pub use cookies::cookies_may_go;
pub use proxy_header::{TrustedProxies, take_header};
pub use sockjs::SockJsBody;
