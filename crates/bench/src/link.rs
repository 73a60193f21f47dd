//! A client's socket: TCP, or WebSocket on it.
//!
//! Reading and writing are polled, so that one task does both: a client that
//! waits until it has written, while the server waits until it has been read,
//! would hang. Messages are not cut here.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use anyhow::Context as _;
use bytes::BytesMut;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dialect::{Endpoint, Outbox, WebSocketUse};

/// How many connections share a source address; beyond that its ports run out.
const CLIENTS_PER_ADDRESS: u32 = 20_000;

/// An open socket.
pub(crate) enum Link {
    Tcp {
        stream: TcpStream,
        chunk: usize,
    },
    Ws {
        stream: Box<WebSocketStream<TcpStream>>,
        is_text: bool,
        is_flushing: bool,
    },
}

impl Link {
    /// Connects client number `index` of `clients`, with read buffers of
    /// `chunk` bytes.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        index: u32,
        clients: u32,
        chunk: usize,
    ) -> anyhow::Result<Self> {
        let stream = connect(endpoint.address, source(endpoint.address, index, clients)).await;
        let stream = stream.with_context(|| format!("connecting to {}", endpoint.address))?;
        let Some(web_socket) = endpoint.web_socket else {
            return Ok(Self::Tcp { stream, chunk });
        };
        let stream = upgrade(stream, endpoint.address, web_socket, chunk).await;
        let stream = stream.context("the WebSocket handshake failed")?;
        Ok(Self::Ws {
            stream: Box::new(stream),
            is_text: web_socket.is_text,
            is_flushing: false,
        })
    }

    /// Appends what has come; 0 if the server has closed. A message of a
    /// WebSocket comes by itself.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp { stream, chunk } => {
                ready!(stream.poll_read_ready(cx))?;
                if input.capacity() - input.len() < *chunk / 2 {
                    input.reserve(*chunk);
                }
                // The future keeps nothing, so a new one goes on where this ended.
                pin!(stream.read_buf(input)).poll(cx)
            }
            Self::Ws { stream, .. } => loop {
                let bytes = match ready!(Pin::new(&mut **stream).poll_next(cx)) {
                    Some(Ok(Message::Binary(bytes))) => bytes,
                    Some(Ok(Message::Text(text))) => text.into(),
                    // Pings are answered by the library.
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                    Some(Ok(Message::Close(_) | Message::Frame(_))) | None => {
                        return Poll::Ready(Ok(0));
                    }
                    Some(Err(error)) => return Poll::Ready(Err(to_io(error))),
                };
                if !bytes.is_empty() {
                    input.extend_from_slice(&bytes);
                    return Poll::Ready(Ok(bytes.len()));
                }
            },
        }
    }

    /// Whether there is something to write.
    pub(crate) fn wants_write(&self, out: &Outbox) -> bool {
        !out.is_empty()
            || matches!(
                self,
                Self::Ws {
                    is_flushing: true,
                    ..
                }
            )
    }

    /// Ready when all is written.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        out: &mut Outbox,
    ) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp { stream, .. } => {
                while !out.is_empty() {
                    let written = ready!(Pin::new(&mut *stream).poll_write(cx, out.bytes()))?;
                    if written == 0 {
                        return Poll::Ready(Err(ErrorKind::WriteZero.into()));
                    }
                    out.advance(written);
                }
            }
            Self::Ws {
                stream,
                is_text,
                is_flushing,
            } => {
                let mut stream = Pin::new(&mut **stream);
                while !out.is_empty() {
                    ready!(stream.as_mut().poll_ready(cx)).map_err(to_io)?;
                    let Some(bytes) = out.take_message() else {
                        break;
                    };
                    let message = if *is_text {
                        let text = bytes.freeze().try_into();
                        Message::Text(text.map_err(|_| io::Error::from(ErrorKind::InvalidData))?)
                    } else {
                        Message::Binary(bytes.freeze())
                    };
                    stream.as_mut().start_send(message).map_err(to_io)?;
                    *is_flushing = true;
                }
                if *is_flushing {
                    ready!(stream.poll_flush(cx)).map_err(to_io)?;
                    *is_flushing = false;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// The source address of a client; `None` leaves it to the system.
fn source(to: SocketAddr, index: u32, clients: u32) -> Option<Ipv4Addr> {
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

async fn connect(to: SocketAddr, from: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let stream = match from {
        None => TcpStream::connect(to).await?,
        Some(from) => {
            let socket = TcpSocket::new_v4()?;
            // Ports of an earlier run may still be on their way out.
            socket.set_reuseaddr(true)?;
            socket.bind((from, 0).into())?;
            socket.connect(to).await?
        }
    };
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn upgrade(
    stream: TcpStream,
    address: SocketAddr,
    web_socket: WebSocketUse,
    chunk: usize,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let url = format!("ws://{address}{}", web_socket.path);
    let mut request = url.into_client_request()?;
    if let Some(name) = web_socket.subprotocol {
        request
            .headers_mut()
            .insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(chunk)
        .write_buffer_size(chunk);
    let (stream, _) = client_async_with_config(request, stream, Some(config)).await?;
    Ok(stream)
}

fn to_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => ErrorKind::ConnectionAborted.into(),
        other => io::Error::other(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_clients_spread_over_loopback() {
        let loopback: SocketAddr = "127.0.0.1:5100".parse().expect("an address");
        let other: SocketAddr = "10.0.0.1:5100".parse().expect("an address");
        let of = |index| source(loopback, index, 50_000).expect("spread").to_string();
        assert_eq!(source(loopback, 0, 20_000), None);
        assert_eq!(source(other, 0, 50_000), None);
        assert_eq!(
            [of(0), of(19_999), of(20_000)],
            ["127.0.0.2", "127.0.0.2", "127.0.0.3"]
        );
    }

    #[tokio::test]
    async fn a_source_address_is_used() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a listener");
        let to = listener.local_addr().expect("an address");
        let from = Ipv4Addr::new(127, 0, 0, 5);
        let stream = connect(to, Some(from)).await.expect("connected");
        assert_eq!(stream.local_addr().expect("an address").ip(), from);
    }
}
