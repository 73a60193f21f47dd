//! A client's socket: TCP, or WebSocket on it.
//!
//! Reading and writing are polled, so that one task does both: a client that
//! waits until it has written, while the server waits until it has been read,
//! would hang. Messages are not cut here.

mod source;

use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use anyhow::Context as _;
use bytes::BytesMut;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::dialect::{Endpoint, Outbox};

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
    /// Hung up.
    Closed,
}

impl Link {
    /// Connects client number `index` of `clients`, with read buffers of
    /// `chunk` bytes; over WebSocket to its own path, if it has one.
    pub(crate) async fn open(
        endpoint: &Endpoint,
        path: Option<&str>,
        index: u32,
        clients: u32,
        chunk: usize,
    ) -> anyhow::Result<Self> {
        let stream = source::connect(endpoint.address, index, clients).await;
        let stream = stream.with_context(|| format!("connecting to {}", endpoint.address))?;
        let Some(web_socket) = endpoint.web_socket else {
            return Ok(Self::Tcp { stream, chunk });
        };
        let path = path.unwrap_or(web_socket.path);
        let url = format!("ws://{}{path}", endpoint.address);
        let stream = upgrade(stream, &url, web_socket.subprotocol, chunk).await;
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
            Self::Closed => Poll::Ready(Ok(0)),
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
            Self::Closed => return Poll::Ready(Err(ErrorKind::NotConnected.into())),
        }
        Poll::Ready(Ok(()))
    }
}

async fn upgrade(
    stream: TcpStream,
    url: &str,
    subprotocol: Option<&'static str>,
    chunk: usize,
) -> anyhow::Result<WebSocketStream<TcpStream>> {
    let mut request = url.into_client_request()?;
    if let Some(name) = subprotocol {
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
