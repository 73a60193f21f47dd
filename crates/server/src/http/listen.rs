//! Accepts HTTP connections and serves a router on them.
//!
//! Connections are bounded in number; those beyond it are closed at once. A connection that
//! sends no complete request head for 30 seconds is closed. At shutdown running requests are
//! finished and their connections closed; what is left after the grace time is cut off.
//! Upgraded connections are the gateway's and not counted here.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use crosstalk_gateway::net::{TrustedProxies, take_header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;
/// The pause after a failed accept (no more file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long a request head may take, and how long a connection may be idle.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// Binds an address.
///
/// # Errors
/// When it cannot be bound.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// All HTTP listeners of a server.
pub struct HttpListeners {
    trusted: Arc<TrustedProxies>,
    connections: usize,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl HttpListeners {
    /// None yet. `connections` bounds those of each listener; 0 = no limit.
    #[must_use]
    pub fn new(trusted: TrustedProxies, connections: usize) -> Self {
        Self {
            trusted: Arc::new(trusted),
            connections: if connections == 0 {
                Semaphore::MAX_PERMITS
            } else {
                connections
            },
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: CancellationToken::new(),
        }
    }

    /// Serves a router on a listener until shutdown.
    pub fn serve(&self, name: &'static str, listener: TcpListener, router: Router) {
        let listening = Listening {
            name,
            router,
            trusted: Arc::clone(&self.trusted),
            room: Arc::new(Semaphore::new(self.connections)),
            tasks: self.tasks.clone(),
            stop: self.stop.clone(),
            abort: self.abort.clone(),
        };
        self.tasks.spawn(listening.run(listener));
    }

    /// Stops accepting, lets running requests finish for at most `grace`, then cuts off.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            tracing::warn!("HTTP requests did not finish in time and are cut off");
            self.abort.cancel();
            self.tasks.wait().await;
        }
    }
}

struct Listening {
    name: &'static str,
    router: Router,
    trusted: Arc<TrustedProxies>,
    room: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: CancellationToken,
}

impl Listening {
    async fn run(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => self.accept(stream, peer),
                Err(error) => {
                    tracing::warn!(%error, listener = self.name, "accept failed");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn accept(&self, mut stream: TcpStream, mut peer: SocketAddr) {
        let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() else {
            tracing::debug!(listener = self.name, %peer, "too many connections");
            return;
        };
        let (router, trusted) = (self.router.clone(), Arc::clone(&self.trusted));
        let (stop, abort) = (self.stop.clone(), self.abort.clone());
        self.tasks.spawn(async move {
            let _permit = permit;
            // Answers are small and written whole; waiting to fill a packet only delays them.
            let _ = stream.set_nodelay(true);
            if trusted.trust(peer.ip().to_canonical()) {
                match take_header(&mut stream, peer).await {
                    Ok(client) => peer = client,
                    Err(error) => return tracing::debug!(%error, %peer, "no usable PROXY header"),
                }
            }
            let used = Arc::new(AtomicBool::new(false));
            let mark = Arc::clone(&used);
            let service = service_fn(move |request| {
                mark.store(true, Ordering::Relaxed);
                answer(router.clone(), client_of(&trusted, &request, peer), request)
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_DEADLINE)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stop.cancelled() => {
                    // Connections opened in advance would otherwise be waited for.
                    if !used.load(Ordering::Relaxed) {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    tokio::select! {
                        ended = connection => ended,
                        () = abort.cancelled() => return,
                    }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, %peer, "connection ended");
            }
        });
    }
}

async fn answer(
    router: Router,
    client: SocketAddr,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(client));
    // A change that was asked for is made whole even if the client does not wait for it.
    let answering = tokio::spawn(router.oneshot(request));
    answering.await.unwrap_or_else(|error| {
        tracing::error!(%error, "an answer was not finished");
        Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response())
    })
}

/// The client's address, as a trusted proxy in between names it.
fn client_of(
    trusted: &TrustedProxies,
    request: &Request<Incoming>,
    peer: SocketAddr,
) -> SocketAddr {
    // On an IPv6 listener the addresses of IPv4 come in disguise.
    let ip = peer.ip().to_canonical();
    let client = trusted.client_of(ip, request.headers());
    SocketAddr::new(client, if client == ip { peer.port() } else { 0 })
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;

    use super::*;

    const GRACE: Duration = Duration::from_secs(10);

    struct Running {
        listeners: HttpListeners,
        address: SocketAddr,
        /// Set off when a request is in its handler.
        began: Arc<Notify>,
        /// Lets the handler answer.
        go: Arc<Notify>,
    }

    /// Serves `/`, which answers with the client's address, and `/slow`, which waits.
    fn run(trusted: &[&str], connections: usize) -> Running {
        let (began, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (starts, waits) = (Arc::clone(&began), Arc::clone(&go));
        let slow = async move || {
            starts.notify_one();
            waits.notified().await;
            "done"
        };
        let who = async |ConnectInfo(client): ConnectInfo<SocketAddr>| client.ip().to_string();
        let router = Router::new().route("/", get(who)).route("/slow", get(slow));
        let trusted: Vec<String> = trusted.iter().map(|it| (*it).to_owned()).collect();
        let trusted = TrustedProxies::parse(&trusted).expect("addresses");
        let listeners = HttpListeners::new(trusted, connections);
        let listener = bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port");
        let address = listener.local_addr().expect("an address");
        listeners.serve("test", listener, router);
        Running {
            listeners,
            address,
            began,
            go,
        }
    }

    async fn ask(address: SocketAddr, path: &str, headers: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.expect("written");
        stream
    }

    async fn read_to_end(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("read");
        text
    }

    #[tokio::test]
    async fn running_requests_are_finished_and_unused_connections_not_waited_for() {
        let Running {
            listeners,
            address,
            began,
            go,
        } = run(&[], 0);
        let _unused = TcpStream::connect(address).await.expect("a connection");
        let asked = ask(address, "/slow", "").await;
        began.notified().await;
        let start = Instant::now();
        let (answer, ()) = tokio::join!(read_to_end(asked), async {
            let stopped = listeners.shutdown(GRACE);
            go.notify_one();
            stopped.await;
        });
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
            "{answer}"
        );
        assert!(start.elapsed() < GRACE);
        assert!(
            TcpStream::connect(address).await.is_err(),
            "no longer accepting"
        );
    }

    #[tokio::test]
    async fn what_does_not_finish_in_time_is_cut_off() {
        let Running {
            listeners,
            address,
            began,
            ..
        } = run(&[], 0);
        let asked = ask(address, "/slow", "").await;
        began.notified().await;
        listeners.shutdown(Duration::from_millis(1)).await;
        assert_eq!(read_to_end(asked).await, "");
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_are_closed() {
        let Running {
            address, began, go, ..
        } = run(&[], 1);
        let first = ask(address, "/slow", "connection: close\r\n").await;
        began.notified().await;
        let mut second = TcpStream::connect(address).await.expect("a connection");
        assert_eq!(second.read(&mut [0; 1]).await.unwrap_or(0), 0);
        go.notify_one();
        assert!(read_to_end(first).await.ends_with("done"));
    }

    #[tokio::test]
    async fn only_trusted_proxies_name_the_client() {
        let spoofed = "x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: 192.0.2.7\r\n";
        let broken = "x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: \u{e9}\r\n";
        let cases = [
            (
                &["127.0.0.0/8"][..],
                "x-forwarded-for: 192.0.2.7\r\n",
                "192.0.2.7",
            ),
            (&["127.0.0.0/8"], spoofed, "192.0.2.7"),
            (&["127.0.0.0/8", "192.0.2.7"], spoofed, "198.51.100.1"),
            (&["127.0.0.0/8"], broken, "127.0.0.1"),
            (&["127.0.0.0/8"], "", "127.0.0.1"),
            (&[], spoofed, "127.0.0.1"),
        ];
        for (trusted, headers, client) in cases {
            let running = run(trusted, 0);
            let headers = format!("{headers}connection: close\r\n");
            let answer = read_to_end(ask(running.address, "/", &headers).await).await;
            assert!(
                answer.ends_with(&format!("\r\n{client}")),
                "{headers}\n{answer}"
            );
        }
    }
}
