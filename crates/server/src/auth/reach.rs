//! Which addresses may be called. Names are looked at after they are resolved, so that none
//! can lead to a place that its address could not.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use tower::Service;

/// Which addresses may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// All.
    Any,
    /// None of this machine or of networks that are not the public one.
    Public,
}

impl Reach {
    /// False for a host that is an address which may not be called.
    pub(super) fn allows_host(self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        self == Self::Any || host.parse().map_or(true, |ip: IpAddr| is_public(ip))
    }

    fn allows(self, address: &SocketAddr) -> bool {
        self == Self::Any || is_public(address.ip())
    }
}

fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || is_shared
        || is_benchmark)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [first, second, ..] = ip.segments();
    let is_nat64 = first == 0x64 && second == 0xff9b;
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || is_nat64
        || ip.to_ipv4().is_some())
}

/// The system's resolver, of whose answers only those are left that may be called.
#[derive(Clone)]
pub(super) struct Resolver {
    system: GaiResolver,
    reach: Reach,
}

impl Resolver {
    pub(super) fn new(reach: Reach) -> Self {
        Self {
            system: GaiResolver::new(),
            reach,
        }
    }
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.system.poll_ready(cx)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (resolving, reach) = (self.system.call(name), self.reach);
        Box::pin(async move {
            let found = resolving.await?;
            let allowed: Vec<SocketAddr> = found.filter(|address| reach.allows(address)).collect();
            if allowed.is_empty() {
                let why = "this name leads to no address that may be called";
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
            }
            Ok(allowed.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_addresses() {
        let cases = [
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("198.18.0.1", false),
            ("255.255.255.255", false),
            ("[::1]", false),
            ("[::]", false),
            ("[fe80::1]", false),
            ("[fd00::1]", false),
            ("[::ffff:127.0.0.1]", false),
            ("[64:ff9b::7f00:1]", false),
            ("1.1.1.1", true),
            ("[2606:4700:4700::1111]", true),
            ("example.org", true),
        ];
        for (host, expected) in cases {
            assert_eq!(Reach::Public.allows_host(host), expected, "{host}");
            assert!(Reach::Any.allows_host(host), "{host}");
        }
    }

    #[tokio::test]
    async fn a_name_of_this_machine_leads_nowhere() {
        let name = || "localhost".parse::<Name>().expect("a name");
        let refused = Resolver::new(Reach::Public).call(name()).await;
        let why = refused.err().map(|error| error.kind());
        assert_eq!(why, Some(io::ErrorKind::PermissionDenied));
        let found = Resolver::new(Reach::Any).call(name()).await;
        assert!(found.expect("it resolves").next().is_some());
    }
}
