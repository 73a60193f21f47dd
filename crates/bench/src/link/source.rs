//! Where a client connects from. One source address has ports for some ten
//! thousand connections to a server, those that were just closed included, and
//! long before they run out the kernel searches long for a free one. Loopback
//! has many addresses.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::{TcpSocket, TcpStream};

/// How many clients share a source address; fewer leave it to the kernel.
const CLIENTS_PER_ADDRESS: u32 = 4_000;
/// The source ports, and how many there are.
const FIRST_PORT: u16 = 10_000;
const PORTS: u32 = 50_000;
/// How often a port may turn out to be taken.
const PORT_TRIES: u32 = 20;

/// Counts through the ports: each connection gets one that was not used lately.
static NEXT_PORT: AtomicU32 = AtomicU32::new(0);

/// Connects client number `index` of `clients`.
pub(super) async fn connect(to: SocketAddr, index: u32, clients: u32) -> io::Result<TcpStream> {
    let stream = match address(to, index, clients) {
        None => TcpStream::connect(to).await?,
        Some(from) => connect_from(to, from).await?,
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The source address of a client; `None` leaves it to the kernel.
fn address(to: SocketAddr, index: u32, clients: u32) -> Option<Ipv4Addr> {
    let SocketAddr::V4(to) = to else { return None };
    if clients <= CLIENTS_PER_ADDRESS || !to.ip().is_loopback() {
        return None;
    }
    // 127.0.0.1 stays free for set-up; then 127.0.0.2 and on.
    let host = index / CLIENTS_PER_ADDRESS + 2;
    Some(Ipv4Addr::from(
        u32::from(Ipv4Addr::new(127, 0, 0, 0)) + (host & 0x00ff_ffff),
    ))
}

async fn connect_from(to: SocketAddr, from: Ipv4Addr) -> io::Result<TcpStream> {
    let mut tries = 1;
    loop {
        let socket = TcpSocket::new_v4()?;
        // An earlier run may have left the port, but not to the same place.
        socket.set_reuseaddr(true)?;
        let from = SocketAddrV4::new(from, next_port());
        let connecting = async {
            socket.bind(from.into())?;
            socket.connect(to).await
        };
        match connecting.await {
            Err(error) if is_taken(&error) && tries < PORT_TRIES => tries += 1,
            outcome => return outcome,
        }
    }
}

fn next_port() -> u16 {
    port(NEXT_PORT.fetch_add(1, Ordering::Relaxed))
}

fn port(number: u32) -> u16 {
    // The remainder is below the number of ports, and so fits.
    FIRST_PORT + (number % PORTS) as u16
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AddrInUse | ErrorKind::AddrNotAvailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_clients_spread_over_loopback() {
        let loopback: SocketAddr = "127.0.0.1:5100".parse().expect("an address");
        let other: SocketAddr = "10.0.0.1:5100".parse().expect("an address");
        let of = |index| {
            let from = address(loopback, index, 50_000);
            from.expect("spread").to_string()
        };
        assert_eq!(address(loopback, 0, 4_000), None);
        assert_eq!(address(other, 0, 50_000), None);
        assert_eq!(
            [of(0), of(3_999), of(4_000)],
            ["127.0.0.2", "127.0.0.2", "127.0.0.3"]
        );
    }

    #[tokio::test]
    async fn a_source_address_is_used_and_a_taken_port_passed_over() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a listener");
        let to = listener.local_addr().expect("an address");
        let from = Ipv4Addr::new(127, 0, 0, 5);
        // Whoever listens on the next port has it for itself.
        let next = port(NEXT_PORT.load(Ordering::Relaxed));
        let _taken = std::net::TcpListener::bind((from, next));
        let stream = connect_from(to, from).await.expect("connected");
        let used = stream.local_addr().expect("an address");
        assert_eq!(used.ip(), from);
        assert_ne!(used.port(), next);
    }
}
