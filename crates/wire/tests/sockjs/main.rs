//! Tests of SockJS through its public surface, most of them after the
//! protocol's own suite, sockjs-protocol 0.3.3.

mod framing;
mod payloads;
mod routes;
