//! Sockets: listening, limits, transports. The only place of this crate that opens any.

mod frames;
pub mod gateway;
mod limits;
mod proxy_header;
mod tcp;
mod websocket;

pub use proxy_header::{TrustedProxies, take_header};
