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
use axum::http::Request;
use axum::response::Response;
use crosstalk_gateway::net::TrustedProxies;
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
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
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
            connections: if connections == 0 { Semaphore::MAX_PERMITS } else { connections },
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

    fn accept(&self, stream: TcpStream, peer: SocketAddr) {
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
    router.oneshot(request).await
}

/// The client's address, as a trusted proxy in between names it.
fn client_of(
    trusted: &TrustedProxies,
    request: &Request<Incoming>,
    peer: SocketAddr,
) -> SocketAddr {
    let forwarded = request.headers().get("x-forwarded-for").and_then(|it| it.to_str().ok());
    let client = trusted.client_of(peer.ip(), forwarded);
    if client == peer.ip() { peer } else { SocketAddr::new(client, 0) }
}
