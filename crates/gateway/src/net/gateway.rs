//! The gateway: listeners, and the way from a new connection to its driver.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crosstalk_core::im::Im;
use http::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server as handshake;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::limits::{Admission, Doorkeeper};
use super::proxy_header::{TrustedProxies, take_header};
use super::tcp::StreamTransport;
use super::websocket::{self, WebSocketTransport};
use crate::conn::{Abort, Connection, Transport, drive};
use crate::protocol::{Now, Protocol};
use crate::registry::Dialect;
use crate::stats::{Counters, GatewayStats};
use crate::wukong::machine::Machine;
use crate::wukong::settings::WukongSettings;

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
#[derive(Debug, Clone, Default)]
pub struct GatewaySettings {
    /// The wukong dialect; `None` = switched off.
    pub wukong: Option<WukongSettings>,
    /// Connection limits.
    pub limits: ConnectionLimits,
    /// Whose word on a client's address is taken.
    pub trusted_proxies: TrustedProxies,
}

/// A listener of the gateway's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// WuKongIM's binary protocol over TCP.
    WukongTcp,
    /// The same over WebSocket, on any path.
    WukongWs,
}

/// See the module's words.
pub struct Gateway {
    im: Arc<Im>,
    settings: GatewaySettings,
    counters: Arc<Counters>,
    keeper: Arc<Doorkeeper>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: Arc<Abort>,
}

impl Gateway {
    /// A gateway without listeners.
    #[must_use]
    pub fn new(im: Arc<Im>, settings: GatewaySettings) -> Arc<Self> {
        let counters = Arc::new(Counters::default());
        let keeper = Arc::new(Doorkeeper::new(settings.limits, Arc::clone(&counters)));
        Arc::new(Self {
            im,
            settings,
            counters,
            keeper,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: Arc::default(),
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
            Listener::WukongTcp => {
                self.serve_stream(Dialect::Wukong, peer.ip(), stream).await;
            }
            Listener::WukongWs => {
                let mut client = peer.ip();
                let shaken = timeout(HANDSHAKE_DEADLINE, self.shake(stream, &mut client)).await??;
                self.run(Dialect::Wukong, client, WebSocketTransport::new(shaken))
                    .await;
            }
        }
        Ok(())
    }

    /// The handshake on a listener of our own.
    async fn shake(&self, stream: TcpStream, client: &mut IpAddr) -> io::Result<TcpStream> {
        // The signature is the library's.
        #[allow(clippy::result_large_err)]
        let check = |request: &handshake::Request, response: handshake::Response| {
            *client = self.client_of(request, *client);
            if self.origin_allowed(Dialect::Wukong, request) {
                Ok(response)
            } else {
                let mut refusal = handshake::ErrorResponse::new(Some(FOREIGN_ORIGIN.to_owned()));
                *refusal.status_mut() = StatusCode::FORBIDDEN;
                Err(refusal)
            }
        };
        let config = Some(websocket::config());
        tokio_tungstenite::accept_hdr_async_with_config(stream, check, config)
            .await
            .map(WebSocketStream::into_inner)
            .map_err(io::Error::other)
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
        let response = websocket::handshake(request);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return response;
        }
        let Some(admission) = self.keeper.admit(peer.ip(), false) else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many connections");
        };
        let client = self.client_of(request, peer.ip());
        let upgrade = hyper::upgrade::on(request);
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            let _admission = admission;
            match upgrade.await {
                Ok(upgraded) => {
                    let stream = TokioIo::new(upgraded);
                    gateway
                        .run(dialect, client, WebSocketTransport::new(stream))
                        .await;
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
        self.run(dialect, client, StreamTransport(stream)).await;
    }

    async fn run<T: Transport>(&self, dialect: Dialect, client: IpAddr, transport: T) {
        let Some(machine) = self.machine(dialect, client) else {
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
    pub fn machine(&self, dialect: Dialect, client: IpAddr) -> Option<Box<dyn Protocol>> {
        let clock = self.im.clock();
        let now = Now {
            wall_ms: clock.now_ms(),
            mono_ms: clock.mono_ms(),
        };
        let mut seed = [0; 48];
        clock.fill_random(&mut seed);
        match dialect {
            Dialect::Wukong => {
                let settings = self.settings.wukong.as_ref()?;
                Some(Box::new(Machine::new(settings.clone(), client, &seed, now)))
            }
        }
    }

    fn speaks(&self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Wukong => self.settings.wukong.is_some(),
        }
    }

    fn origin_allowed<B>(&self, dialect: Dialect, request: &Request<B>) -> bool {
        let allowed = match dialect {
            Dialect::Wukong => self.settings.wukong.as_ref().map(|s| &s.allowed_origins),
        };
        allowed.is_some_and(|allowed| websocket::origin_allowed(request.headers(), allowed))
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

const FOREIGN_ORIGIN: &str = "pages of this origin may not connect";
