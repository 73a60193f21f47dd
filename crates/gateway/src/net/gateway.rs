//! The gateway: listeners, and the way from a new connection to its driver.

use std::any::Any;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use http::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server as handshake;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::cookies::cookies_may_go;
use super::limits::{Admission, Doorkeeper};
use super::proxy_header::{TrustedProxies, take_header};
use super::sockjs::Endpoint;
use super::tcp::StreamTransport;
use super::websocket::{self, WebSocketTransport};
use crate::conn::{Abort, Connection, Transport, drive};
use crate::protocol::{Arrival, Carrier, Now, Plug, Protocol};
use crate::registry::Dialect;
use crate::stats::{Counters, GatewayStats};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 4096;
/// How long a WebSocket handshake may take.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
/// The pause after a failed accept (no more file descriptors).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How many connections there may be; 0 = no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct ConnectionLimits {
    /// In all.
    pub total: usize,
    /// From one address.
    pub per_address: usize,
}

/// How the gateway behaves.
#[derive(Clone, Default)]
pub struct GatewaySettings {
    /// The dialects that are switched on.
    pub plugs: Vec<(Dialect, Arc<dyn Plug>)>,
    /// Connection limits.
    pub limits: ConnectionLimits,
    /// Whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
}

impl GatewaySettings {
    /// These, with a dialect switched on.
    #[must_use]
    pub fn with(mut self, dialect: Dialect, plug: impl Plug + 'static) -> Self {
        self.plugs.push((dialect, Arc::new(plug)));
        self
    }
}

/// A listener of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// A dialect over plain TCP.
    Tcp(Dialect),
    /// A dialect over WebSocket, on any path.
    WebSocket(Dialect),
}

/// See the module's words.
pub struct Gateway {
    im: Arc<Im>,
    settings: GatewaySettings,
    counters: Arc<Counters>,
    pub(super) keeper: Arc<Doorkeeper>,
    pub(super) tasks: TaskTracker,
    pub(super) stop: CancellationToken,
    pub(super) abort: Arc<Abort>,
    pub(super) sockjs: Arc<Endpoint>,
}

impl Gateway {
    /// A gateway without listeners.
    #[must_use]
    pub fn new(im: Arc<Im>, settings: GatewaySettings) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        let keeper = Arc::new(Doorkeeper::new(settings.limits, Arc::clone(&counters)));
        let sockjs = Arc::new(Endpoint::new(Arc::clone(im.clock())));
        Arc::new(Self {
            im,
            settings,
            counters,
            keeper,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: Arc::default(),
            sockjs,
        })
    }

    /// Binds an address and serves it; returns what was really bound.
    ///
    /// # Errors
    /// When the address cannot be bound.
    // It awaits nothing today, but binding is an asynchronous act for callers.
    #[allow(clippy::unused_async)]
    pub async fn listen(
        self: &Arc<Self>,
        what: Listener,
        address: SocketAddr,
    ) -> io::Result<SocketAddr> {
        let socket = if address.is_ipv4() {
            TcpSocket::new_v4()
        } else {
            TcpSocket::new_v6()
        }?;
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let bound = listener.local_addr()?;
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    biased;
                    () = gateway.stop.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                match accepted {
                    Ok((stream, peer)) => gateway.accept(what, stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, ?what, "accept failed");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                }
            }
        });
        Ok(bound)
    }

    fn accept(self: &Arc<Self>, what: Listener, stream: TcpStream, mut peer: SocketAddr) {
        peer.set_ip(peer.ip().to_canonical());
        let many = self.settings.trusted_proxies.trust(peer.ip());
        let Some(admission) = self.keeper.admit(peer.ip(), many) else {
            return;
        };
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            if let Err(error) = gateway.serve(what, stream, peer, admission).await {
                tracing::debug!(%error, %peer, "connection refused");
            }
        });
    }

    async fn serve(
        self: Arc<Self>,
        what: Listener,
        mut stream: TcpStream,
        mut peer: SocketAddr,
        _admission: Admission,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        if self.settings.trusted_proxies.trust(peer.ip()) {
            peer = take_header(&mut stream, peer).await?;
        }
        match what {
            Listener::Tcp(dialect) => self.serve_stream(dialect, peer.ip(), stream).await,
            Listener::WebSocket(dialect) => {
                let shake = self.shake(dialect, stream, peer.ip());
                let (shaken, arrival) = timeout(HANDSHAKE_DEADLINE, shake).await??;
                self.serve_websocket(dialect, arrival, shaken).await;
            }
        }
        Ok(())
    }

    /// The handshake on a listener of our own.
    async fn shake(
        &self,
        dialect: Dialect,
        stream: TcpStream,
        peer: IpAddr,
    ) -> io::Result<(TcpStream, Arrival)> {
        let mut arrival = Arrival::tcp(peer);
        // The signature is the library's.
        #[allow(clippy::result_large_err)]
        let check = |request: &handshake::Request, mut response: handshake::Response| {
            arrival = self.arrival(dialect, Carrier::WebSocket, request, peer);
            if self.origin_allowed(dialect, request) {
                websocket::agree(&mut response, arrival.subprotocol);
                Ok(response)
            } else {
                let mut refusal = handshake::ErrorResponse::new(Some(FOREIGN_ORIGIN.to_owned()));
                *refusal.status_mut() = StatusCode::FORBIDDEN;
                Err(refusal)
            }
        };
        let config = Some(websocket::config());
        let shaken = tokio_tungstenite::accept_hdr_async_with_config(stream, check, config).await;
        let stream = shaken.map(WebSocketStream::into_inner);
        Ok((stream.map_err(io::Error::other)?, arrival))
    }

    async fn serve_websocket<S>(&self, dialect: Dialect, arrival: Arrival, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let transport = WebSocketTransport::new(stream, dialect.heard(), dialect.said());
        self.run(dialect, arrival, transport).await;
    }

    /// Answers a WebSocket handshake that came in on an HTTP listener, and serves the
    /// connection once the listener hands it over.
    pub fn upgrade<B>(
        self: &Arc<Self>,
        dialect: Dialect,
        request: &mut Request<B>,
        peer: SocketAddr,
    ) -> Response<String> {
        let refuse = |status, why: &str| {
            let mut response = Response::new(format!("{why}\n"));
            *response.status_mut() = status;
            response
        };
        if !self.speaks(dialect) {
            return refuse(StatusCode::NOT_FOUND, "this dialect is switched off");
        }
        if !self.origin_allowed(dialect, request) {
            return refuse(StatusCode::FORBIDDEN, FOREIGN_ORIGIN);
        }
        let arrival = self.arrival(dialect, Carrier::WebSocket, request, peer.ip());
        let response = websocket::handshake(request, arrival.subprotocol);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return response;
        }
        let Some(admission) = self.keeper.admit(peer.ip(), false) else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many connections");
        };
        let upgrade = hyper::upgrade::on(request);
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            let _admission = admission;
            match upgrade.await {
                Ok(upgraded) => {
                    let stream = TokioIo::new(upgraded);
                    gateway.serve_websocket(dialect, arrival, stream).await;
                }
                Err(error) => tracing::debug!(%error, "upgrade failed"),
            }
        });
        response
    }

    /// Serves a stream of bytes that somebody else has accepted, to its end.
    pub async fn serve_stream<S>(&self, dialect: Dialect, client: IpAddr, stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        self.run(dialect, Arrival::tcp(client), StreamTransport(stream))
            .await;
    }

    /// Runs a connection to its end.
    pub(super) async fn run<T: Transport>(&self, dialect: Dialect, arrival: Arrival, transport: T) {
        let Some(machine) = self.machine(dialect, arrival) else {
            return;
        };
        let connection = Connection {
            im: Arc::clone(&self.im),
            machine,
            counters: Arc::clone(&self.counters),
            stop: self.stop.clone(),
            abort: Arc::clone(&self.abort),
        };
        drive(connection, transport).await;
    }

    /// The machine of a new connection, which waits for the client's first bytes; `None` if
    /// the dialect is switched off.
    #[must_use]
    pub fn machine(&self, dialect: Dialect, arrival: Arrival) -> Option<Box<dyn Protocol>> {
        let plug = self.plug(dialect)?;
        let clock = self.im.clock();
        let now = Now {
            wall_ms: clock.now_ms(),
            mono_ms: clock.mono_ms(),
        };
        let mut seed = [0; 48];
        clock.fill_random(&mut seed);
        Some(plug.machine(arrival, &seed, now))
    }

    pub(super) fn plug(&self, dialect: Dialect) -> Option<&Arc<dyn Plug>> {
        let plugs = self.settings.plugs.iter();
        plugs
            .rev()
            .find(|(of, _)| *of == dialect)
            .map(|(_, plug)| plug)
    }

    /// The settings with which a dialect is switched on, if they are of this type.
    #[must_use]
    pub fn plugged<P: Plug>(&self, dialect: Dialect) -> Option<&P> {
        let plug: &dyn Any = &**self.plug(dialect)?;
        plug.downcast_ref()
    }

    /// Whether a dialect is switched on.
    #[must_use]
    pub fn speaks(&self, dialect: Dialect) -> bool {
        self.plug(dialect).is_some()
    }

    /// Whether a page of the request's origin may use a dialect; whoever is no page may.
    #[must_use]
    pub fn origin_allowed<B>(&self, dialect: Dialect, request: &Request<B>) -> bool {
        self.plug(dialect).is_some_and(|plug| {
            websocket::origin_allowed(request.headers(), plug.allowed_origins())
        })
    }

    /// How a request came in, as a machine may know it.
    pub(super) fn arrival<B>(
        &self,
        dialect: Dialect,
        carrier: Carrier,
        request: &Request<B>,
        peer: IpAddr,
    ) -> Arrival {
        let headers = request.headers();
        let text = |name: header::HeaderName| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let takes_cookies = self
            .plug(dialect)
            .is_some_and(|plug| cookies_may_go(headers, plug.allowed_origins()));
        Arrival {
            client: self.client_of(request, peer),
            carrier,
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            subprotocol: websocket::subprotocol(headers, dialect.subprotocols()),
            host: text(header::HOST),
            token: text(header::HeaderName::from_static("token")),
            authorization: text(header::AUTHORIZATION),
            cookie: text(header::COOKIE).filter(|_| takes_cookies && carrier != Carrier::SockJs),
        }
    }

    fn client_of<B>(&self, request: &Request<B>, peer: IpAddr) -> IpAddr {
        self.settings
            .trusted_proxies
            .client_of(peer, request.headers())
    }

    /// What was counted since the start.
    #[must_use]
    pub fn stats(&self) -> GatewayStats {
        self.counters.read()
    }

    /// Stops accepting, tells every client in its dialect's way, and waits at most `grace`
    /// for the connections to end; then cuts them off.
    pub async fn shutdown(&self, grace: Duration) {
        self.stop.cancel();
        self.im.end_sessions();
        self.tasks.close();
        if timeout(grace, self.tasks.wait()).await.is_err() {
            self.abort.order();
            let _ = timeout(Duration::from_secs(2), self.tasks.wait()).await;
        }
    }
}

pub(super) const FOREIGN_ORIGIN: &str = "pages of this origin may not connect";
