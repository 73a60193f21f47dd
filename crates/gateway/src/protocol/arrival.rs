//! How a connection came in: what its machine may know before the client has said anything.

use std::net::IpAddr;

/// What carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A stream of bytes.
    Tcp,
    /// WebSocket.
    WebSocket,
    /// SockJS.
    SockJs,
}

/// How a connection came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Where the client is.
    pub client: IpAddr,
    /// What carries the connection.
    pub carrier: Carrier,
    /// The path of the request.
    pub path: String,
    /// Its query, without `?`, still encoded.
    pub query: String,
    /// What was agreed on as the subprotocol.
    pub subprotocol: Option<&'static str>,
    /// The request's header `Host`.
    pub host: Option<String>,
    /// Its header `token`.
    pub token: Option<String>,
    /// Its header `Authorization`.
    pub authorization: Option<String>,
    /// Its header `Cookie`, unless it came from a page of an origin that is not listed by
    /// name (contract.md §3).
    pub cookie: Option<String>,
}

impl Arrival {
    /// A stream of bytes, of which no more is known.
    #[must_use]
    pub fn tcp(client: IpAddr) -> Self {
        Self {
            client,
            carrier: Carrier::Tcp,
            path: String::new(),
            query: String::new(),
            subprotocol: None,
            host: None,
            token: None,
            authorization: None,
            cookie: None,
        }
    }
}
