//! The gateway's SockJS endpoints.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Body;
use hyper_util::rt::TokioIo;

use super::SockJsBody;
use super::endpoint::{Call, NewSession, Outcome};
use super::framed::FramedTransport;
use crate::net::gateway::{FOREIGN_ORIGIN, Gateway};
use crate::net::websocket;
use crate::protocol::{Arrival, Carrier};
use crate::registry::Dialect;

impl Gateway {
    /// Answers a request to the SockJS endpoint of a dialect at `base`, a path without a slash
    /// at its end; `base` itself is a plain WebSocket, too. The first receiving request of a
    /// session is its arrival.
    pub async fn sockjs<B>(
        self: &Arc<Self>,
        dialect: Dialect,
        base: &str,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<SockJsBody>
    where
        B: Body + Unpin + Send,
    {
        let (head, mut body) = request.into_parts();
        let mut head = Request::from_parts(head, ());
        let Some(plug) = self.plug(dialect) else {
            return refuse(StatusCode::NOT_FOUND, "this dialect is switched off");
        };
        if !self.origin_allowed(dialect, &head) {
            return refuse(StatusCode::FORBIDDEN, FOREIGN_ORIGIN);
        }
        let path = head.uri().path().strip_prefix(base);
        let call = Call {
            dialect,
            // Nothing is at this one.
            path: path.unwrap_or("//"),
            is_for_all: plug.allowed_origins().iter().any(|origin| origin == "*"),
        };
        let admit = || {
            let is_stopping = self.stop.is_cancelled();
            (!is_stopping).then(|| self.keeper.admit(peer.ip(), false))?
        };
        match self.sockjs.answer(call, &head, &mut body, admit).await {
            Outcome::Answer(response) => response,
            Outcome::Session(response, new) => {
                let arrival = self.arrival(dialect, Carrier::SockJs, &head, peer.ip());
                self.run_session(dialect, arrival, new);
                response
            }
            Outcome::WebSocket { is_framed: false } => {
                let response = self.upgrade(dialect, &mut head, peer);
                response.map(SockJsBody::whole)
            }
            Outcome::WebSocket { is_framed: true } => self.upgrade_framed(dialect, head, peer),
        }
    }

    fn run_session(self: &Arc<Self>, dialect: Dialect, arrival: Arrival, new: NewSession) {
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            let serve = |transport| gateway.run(dialect, arrival, transport);
            new.run(&gateway.sockjs, &gateway.stop, &gateway.abort, serve)
                .await;
        });
    }

    /// Answers the handshake of a WebSocket with SockJS's frames, and serves the connection
    /// once the listener hands it over.
    fn upgrade_framed(
        self: &Arc<Self>,
        dialect: Dialect,
        mut head: Request<()>,
        peer: SocketAddr,
    ) -> Response<SockJsBody> {
        let response = websocket::handshake(&head, None);
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return response.map(SockJsBody::whole);
        }
        let Some(admission) = self.keeper.admit(peer.ip(), false) else {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many connections");
        };
        let arrival = self.arrival(dialect, Carrier::SockJs, &head, peer.ip());
        let upgrade = hyper::upgrade::on(&mut head);
        let gateway = Arc::clone(self);
        self.tasks.spawn(async move {
            let _admission = admission;
            let opened = match upgrade.await {
                Ok(upgraded) => FramedTransport::open(TokioIo::new(upgraded)).await,
                Err(error) => return tracing::debug!(%error, "upgrade failed"),
            };
            match opened {
                Ok(transport) => gateway.run(dialect, arrival, transport).await,
                Err(error) => tracing::debug!(%error, "connection failed"),
            }
        });
        response.map(SockJsBody::whole)
    }
}

/// A refusal that no page of a foreign origin may read.
fn refuse(status: StatusCode, why: &str) -> Response<SockJsBody> {
    let mut response = Response::new(SockJsBody::whole(Bytes::from(format!("{why}\n"))));
    *response.status_mut() = status;
    response
}
