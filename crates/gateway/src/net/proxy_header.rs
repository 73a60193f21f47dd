//! The PROXY protocol (v1 and v2) and `X-Forwarded-For`, taken only from trusted addresses.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::HeaderMap;
use ipnet::IpNet;
use ppp::{HeaderResult, PartialResult, v1, v2};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The largest header that is looked at: v2 with some extensions.
const MAX_HEADER: usize = 1024;
const DEADLINE: Duration = Duration::from_secs(2);
/// The pause before an incomplete header is looked at again.
const PEEK_PAUSE: Duration = Duration::from_millis(5);

/// Addresses whose word on a client's address is taken.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks (`10.0.0.1`, `10.0.0.0/8`, `::1`).
    ///
    /// # Errors
    /// Names the entry that is neither.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let parse = |entry: &String| {
            let net = entry.parse::<IpNet>();
            let net = net.or_else(|_| entry.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| format!("{entry:?} is neither an address nor a network"))
        };
        entries
            .iter()
            .map(parse)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// True if this address is trusted.
    #[must_use]
    pub fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }

    /// The client's address behind a chain of trusted proxies, from `X-Forwarded-For`: the
    /// last one in it that is not itself trusted.
    #[must_use]
    pub fn client_of(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return peer;
        }
        // Several headers are one list; each proxy appends what it saw.
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        let mut client = peer;
        for hop in lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(',')) {
            let Ok(hop) = hop.trim().parse::<IpAddr>() else {
                return client;
            };
            client = hop.to_canonical();
            if !self.trust(client) {
                break;
            }
        }
        client
    }
}

/// Takes a PROXY header off the stream, if there is one; returns the client's address. Only
/// for peers that are trusted.
///
/// # Errors
/// When the header is malformed, incomplete after two seconds, or the connection fails.
pub async fn take_header(stream: &mut TcpStream, peer: SocketAddr) -> io::Result<SocketAddr> {
    timeout(DEADLINE, read_header(stream, peer))
        .await
        .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "no PROXY header")))
}

async fn read_header(stream: &mut TcpStream, peer: SocketAddr) -> io::Result<SocketAddr> {
    let mut seen = [0; MAX_HEADER];
    let mut before = 0;
    loop {
        let count = stream.peek(&mut seen).await?;
        // Nothing new although the header is incomplete: the peer has closed.
        if count == 0 || count == before && count == MAX_HEADER {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !looks_like_header(&seen[..count]) {
            return Ok(peer);
        }
        let header = HeaderResult::parse(&seen[..count]);
        if header.is_incomplete() {
            if count == before {
                // A peek does not wait for more than is there.
                tokio::time::sleep(PEEK_PAUSE).await;
            }
            before = count;
            continue;
        }
        let invalid = |_| io::Error::new(io::ErrorKind::InvalidData, "malformed PROXY header");
        let (length, client) = match header {
            HeaderResult::V1(result) => {
                let header = result.map_err(|e| invalid(e.to_string()))?;
                (header.header.len(), v1_source(&header.addresses))
            }
            HeaderResult::V2(result) => {
                let header = result.map_err(|e| invalid(e.to_string()))?;
                (header.len(), v2_source(&header.addresses))
            }
        };
        stream.read_exact(&mut seen[..length]).await?;
        return Ok(client.unwrap_or(peer));
    }
}

fn looks_like_header(start: &[u8]) -> bool {
    let begins = |prefix: &[u8]| {
        let shared = prefix.len().min(start.len());
        start[..shared] == prefix[..shared]
    };
    begins(b"PROXY ") || begins(b"\r\n\r\n\0\r\nQUIT\n")
}

fn v1_source(addresses: &v1::Addresses) -> Option<SocketAddr> {
    match addresses {
        v1::Addresses::Tcp4(a) => Some((a.source_address, a.source_port).into()),
        v1::Addresses::Tcp6(a) => Some((a.source_address, a.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

fn v2_source(addresses: &v2::Addresses) -> Option<SocketAddr> {
    match addresses {
        v2::Addresses::IPv4(a) => Some((a.source_address, a.source_port).into()),
        v2::Addresses::IPv6(a) => Some((a.source_address, a.source_port).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn forwarded_addresses_count_only_from_trusted_proxies() {
        let trusted = ["10.0.0.0/8".to_owned(), "::1".to_owned()];
        let trusted = TrustedProxies::parse(&trusted).expect("networks");
        let forwarded = |lists: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for list in lists {
                headers.append("x-forwarded-for", http::HeaderValue::from_static(list));
            }
            headers
        };
        let chain = forwarded(&["6.6.6.6, 1.2.3.4, 10.0.0.2"]);
        assert_eq!(trusted.client_of(ip("10.0.0.1"), &chain), ip("1.2.3.4"));
        assert_eq!(
            trusted.client_of(ip("9.9.9.9"), &chain),
            ip("9.9.9.9"),
            "a forged header"
        );
        let two = forwarded(&["6.6.6.6", "1.2.3.4"]);
        assert_eq!(
            trusted.client_of(ip("10.0.0.1"), &two),
            ip("1.2.3.4"),
            "two headers"
        );
        assert_eq!(
            trusted.client_of(ip("::ffff:10.0.0.1"), &chain),
            ip("1.2.3.4")
        );
        assert_eq!(
            trusted.client_of(ip("::1"), &forwarded(&["nonsense"])),
            ip("::1")
        );
        assert_eq!(trusted.client_of(ip("::1"), &HeaderMap::new()), ip("::1"));
        assert!(TrustedProxies::parse(&["10.0.0.0/99".to_owned()]).is_err());
    }

    #[tokio::test]
    async fn headers_are_taken_off_and_other_bytes_left() {
        let v1 = b"PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n".to_vec();
        let v2 = v2::Builder::with_addresses(
            v2::Version::Two | v2::Command::Proxy,
            v2::Protocol::Stream,
            v2::IPv4::new([1, 2, 3, 4], [5, 6, 7, 8], 1111, 2222),
        );
        let v2 = v2.build().expect("a header");
        for (header, expected) in [(v1, true), (v2, true), (Vec::new(), false)] {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("bind");
            let address = listener.local_addr().expect("an address");
            let mut client = TcpStream::connect(address).await.expect("connect");
            let (mut stream, peer) = listener.accept().await.expect("accept");
            let mut bytes = header;
            bytes.extend_from_slice(b"\x10rest");
            tokio::io::AsyncWriteExt::write_all(&mut client, &bytes)
                .await
                .expect("write");
            let seen = take_header(&mut stream, peer)
                .await
                .expect("a header or none");
            let client_address: SocketAddr = "1.2.3.4:1111".parse().expect("an address");
            assert_eq!(seen, if expected { client_address } else { peer });
            let mut rest = [0; 5];
            stream.read_exact(&mut rest).await.expect("the rest");
            assert_eq!(&rest, b"\x10rest");
        }
    }
}
