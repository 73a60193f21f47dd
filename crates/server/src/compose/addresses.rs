//! Which addresses are bound, and what people, scripts and clients are told of them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::config::Public;
use crate::http::state::RouteAddresses;

/// The addresses bound, by the listener's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bound(BTreeMap<&'static str, SocketAddr>);

impl Bound {
    /// Takes note of an address.
    pub fn add(&mut self, listener: &'static str, address: SocketAddr) {
        self.0.insert(listener, address);
    }

    /// Where a listener is, if it is on.
    #[must_use]
    pub fn get(&self, listener: &str) -> Option<SocketAddr> {
        self.0.get(listener).copied()
    }

    /// Where a program on this machine reaches a listener.
    #[must_use]
    pub fn local(&self, listener: &str) -> Option<SocketAddr> {
        self.get(listener).map(|address| match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => (Ipv4Addr::LOCALHOST, address.port()).into(),
            IpAddr::V6(ip) if ip.is_unspecified() => (Ipv6Addr::LOCALHOST, address.port()).into(),
            _ => address,
        })
    }

    /// `listeners.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let texts: BTreeMap<_, _> = self
            .0
            .iter()
            .map(|(name, at)| (name, at.to_string()))
            .collect();
        serde_json::to_string(&texts).expect("a map of texts is JSON") + "\n"
    }
}

/// Where wukong clients are told to connect: what the operator says, or what is bound.
#[must_use]
pub fn route_addresses(bound: &Bound, public: &Public) -> RouteAddresses {
    let or = |said: &str, found: Option<String>| {
        if said.is_empty() {
            found.unwrap_or_default()
        } else {
            said.to_owned()
        }
    };
    let reachable = |listener| bound.get(listener).map(|at| reachable(at).to_string());
    RouteAddresses {
        tcp: or(&public.tcp, reachable("wukong_tcp")),
        ws: or(
            &public.ws,
            reachable("wukong_ws").map(|at| format!("ws://{at}")),
        ),
        wss: public.wss.clone(),
    }
}

/// The address for other machines where all of this one's are bound: that of the way out.
fn reachable(bound: SocketAddr) -> SocketAddr {
    if !bound.ip().is_unspecified() {
        return bound;
    }
    // Connecting a datagram socket sends nothing; it only picks the route.
    let (from, to): (IpAddr, IpAddr) = match bound {
        SocketAddr::V4(_) => (
            Ipv4Addr::UNSPECIFIED.into(),
            Ipv4Addr::new(192, 0, 2, 1).into(),
        ),
        SocketAddr::V6(_) => {
            let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
            (Ipv6Addr::UNSPECIFIED.into(), documentation.into())
        }
    };
    let own = UdpSocket::bind((from, 0)).and_then(|socket| {
        socket.connect((to, 9))?;
        socket.local_addr()
    });
    let loopback = match bound {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(own.map_or(loopback, |own| own.ip()), bound.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(listeners: &[(&'static str, &str)]) -> Bound {
        let mut bound = Bound::default();
        for (name, address) in listeners {
            bound.add(name, address.parse().expect("an address"));
        }
        bound
    }

    #[test]
    fn scripts_read_what_is_bound() {
        let bound = bound(&[("wukong_tcp", "0.0.0.0:1"), ("http", "[::1]:2")]);
        assert_eq!(
            bound.to_json(),
            "{\"http\":\"[::1]:2\",\"wukong_tcp\":\"0.0.0.0:1\"}\n"
        );
        assert_eq!(bound.local("wukong_tcp"), "127.0.0.1:1".parse().ok());
        assert_eq!(bound.local("wukong_ws"), None);
    }

    #[test]
    fn clients_are_told_what_is_bound_unless_the_operator_says_otherwise() {
        let bound = bound(&[("wukong_tcp", "127.0.0.1:1"), ("wukong_ws", "10.1.1.1:2")]);
        let told = route_addresses(&bound, &Public::default());
        assert_eq!(
            (&*told.tcp, &*told.ws, &*told.wss),
            ("127.0.0.1:1", "ws://10.1.1.1:2", "")
        );
        let public = Public {
            tcp: "im.example.org:5100".to_owned(),
            wss: "wss://im.example.org".to_owned(),
            ..Public::default()
        };
        let told = route_addresses(&bound, &public);
        assert_eq!(told.tcp, "im.example.org:5100");
        assert_eq!(told.ws, "ws://10.1.1.1:2");
        assert_eq!(told.wss, "wss://im.example.org");
    }

    #[test]
    fn nobody_is_told_to_connect_to_all_addresses() {
        let told = route_addresses(&bound(&[("wukong_tcp", "0.0.0.0:1")]), &Public::default());
        let address: SocketAddr = told.tcp.parse().expect("an address");
        assert!(!address.ip().is_unspecified() && address.port() == 1);
    }
}
