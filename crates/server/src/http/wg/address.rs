//! Where clients are told to connect: what the operator says, or what is bound.

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};

use super::CONTEXT;
use crate::compose::Bound;
use crate::config::Wg;

/// The address of the WebSocket. Where all of this machine's addresses are bound, the one
/// that the client has called.
pub(super) fn announced(wg: &Wg, bound: &Bound, headers: &HeaderMap) -> String {
    let own = bound.get("wg");
    let is_own = own.is_some() || !wg.url.is_empty() || wg.port != 0;
    let at = own.or_else(|| bound.get("http"));
    let (scheme, host) = match wg.url.split_once("://") {
        Some((scheme, host)) => (scheme, host.to_owned()),
        None if wg.url.is_empty() => ("ws", host(at, headers)),
        None => ("ws", wg.url.clone()),
    };
    let port = match (wg.port, at) {
        (0, Some(at)) => at.port(),
        (port, _) => port,
    };
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let context = if is_own { &wg.context } else { CONTEXT };
    if has_port || port == 0 {
        format!("{scheme}://{host}/{context}")
    } else {
        format!("{scheme}://{host}:{port}/{context}")
    }
}

fn host(at: Option<SocketAddr>, headers: &HeaderMap) -> String {
    let bound = at.map(|at| at.ip()).filter(|ip| !ip.is_unspecified());
    match bound {
        Some(IpAddr::V4(ip)) => ip.to_string(),
        Some(IpAddr::V6(ip)) => format!("[{ip}]"),
        None => {
            let called = headers.get(header::HOST);
            let called = called.and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
            called.map_or_else(|| "127.0.0.1".to_owned(), |it| it.host().to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn said(wg: &Wg, listeners: &[(&'static str, &str)]) -> String {
        let mut bound = Bound::default();
        for (name, at) in listeners {
            bound.add(name, at.parse().expect("an address"));
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("im.example:9"));
        announced(wg, &bound, &headers)
    }

    #[test]
    fn the_operators_word_goes_before_what_is_bound() {
        let both = [("wg", "127.0.0.1:8081"), ("http", "0.0.0.0:8080")];
        let plain = Wg::default();
        assert_eq!(said(&plain, &both), "ws://127.0.0.1:8081/websocket");
        assert_eq!(said(&plain, &both[1..]), "ws://im.example:8080/websocket");
        assert_eq!(said(&plain, &[("wg", "[::1]:7")]), "ws://[::1]:7/websocket");
        let named = Wg {
            url: "chat.example".to_owned(),
            port: 443,
            context: "im/ws".to_owned(),
            ..Wg::default()
        };
        assert_eq!(said(&named, &both), "ws://chat.example:443/im/ws");
        let secure = Wg {
            url: "wss://chat.example:444".to_owned(),
            ..Wg::default()
        };
        assert_eq!(said(&secure, &both), "wss://chat.example:444/websocket");
        let elsewhere = Wg {
            context: "im".to_owned(),
            ..Wg::default()
        };
        assert_eq!(said(&elsewhere, &both), "ws://127.0.0.1:8081/im");
        assert_eq!(
            said(&elsewhere, &both[1..]),
            "ws://im.example:8080/websocket",
            "listen.http has its own path"
        );
    }
}
