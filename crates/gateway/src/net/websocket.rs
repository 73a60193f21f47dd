//! WebSocket as a transport: each message's bytes are part of one stream, each frame that is
//! sent is one binary message.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, TryFutureExt};
use http::{HeaderMap, Request, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::CapacityError;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::conn::{Transport, in_time};
use crate::protocol::{Out, close_code};

/// The buffer of a connection; its default size would cost 128 KiB per connection.
const BUFFER: usize = 4 * 1024;
/// The largest message: one of the largest frames, and some small ones beside it.
const MAX_MESSAGE: usize = (1 << 20) + 64 * 1024;
/// The largest frame of a message that is sent.
const FRAGMENT: usize = 16 * 1024;
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}

/// Answers a handshake on an HTTP listener.
pub(super) fn handshake<B>(request: &Request<B>) -> Response<String> {
    let mut bare = Request::new(());
    *bare.method_mut() = request.method().clone();
    *bare.uri_mut() = request.uri().clone();
    *bare.version_mut() = request.version();
    *bare.headers_mut() = request.headers().clone();
    match create_response(&bare) {
        Ok(response) => response.map(|()| String::new()),
        Err(error) => {
            let mut response = Response::new(format!("not a WebSocket handshake: {error}\n"));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

/// Whether a page of this origin may connect. No `Origin` = not a browser.
pub(super) fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let matches = |entry: &String| entry == "*" || entry.as_bytes() == origin.as_bytes();
    allowed.iter().any(matches)
}

pub(super) struct WebSocketTransport<S> {
    socket: WebSocketStream<S>,
    /// Set when what the peer sent tells how to close.
    close: Option<u16>,
}

impl<S> WebSocketTransport<S> {
    pub(super) fn new(socket: WebSocketStream<S>) -> Self {
        Self {
            socket,
            close: None,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> WebSocketTransport<S> {
    /// The library's buffer keeps the size of the largest frame that went through it, for as
    /// long as the connection lives: large messages go in small frames.
    async fn send_in_fragments(&mut self, mut message: Bytes) -> io::Result<()> {
        let mut code = OpCode::Data(Data::Binary);
        while !message.is_empty() {
            let piece = message.split_to(message.len().min(FRAGMENT));
            let frame = Frame::message(piece, code, message.is_empty());
            let sent = self.socket.send(Message::Frame(frame));
            in_time(sent.map_err(to_io)).await?;
            code = OpCode::Data(Data::Continue);
        }
        Ok(())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for WebSocketTransport<S> {
    async fn receive(&mut self, input: &mut BytesMut) -> io::Result<usize> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Binary(bytes))) if !bytes.is_empty() => {
                    input.extend_from_slice(&bytes);
                    return Ok(bytes.len());
                }
                // Pings are answered by the library; empty messages mean nothing.
                Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Text(_))) => {
                    self.close = Some(close_code::UNSUPPORTED);
                    return Ok(0);
                }
                Some(Ok(Message::Close(_) | Message::Frame(_))) | None => return Ok(0),
                Some(Err(Error::Capacity(CapacityError::MessageTooLong { .. }))) => {
                    self.close = Some(close_code::TOO_BIG);
                    return Ok(0);
                }
                Some(Err(Error::Protocol(_) | Error::Utf8(_))) => {
                    self.close = Some(close_code::PROTOCOL);
                    return Ok(0);
                }
                Some(Err(error)) => return Err(to_io(error)),
            }
        }
    }

    async fn send(&mut self, out: &mut Out) -> io::Result<()> {
        for frame in out.take_frames() {
            if frame.len() <= FRAGMENT {
                let fed = self.socket.feed(Message::Binary(frame));
                in_time(fed.map_err(to_io)).await?;
            } else {
                self.send_in_fragments(frame).await?;
            }
        }
        in_time(self.socket.flush().map_err(to_io)).await
    }

    async fn close(&mut self, code: u16) {
        let code = self.close.unwrap_or(code);
        let goodbye = async {
            let frame = CloseFrame {
                code: code.into(),
                reason: "".into(),
            };
            // It fails if the peer has closed first; reading on sends the answer to that.
            let _ = self.socket.close(Some(frame)).await;
            while self.socket.next().await.transpose()?.is_some() {}
            Result::<(), Error>::Ok(())
        };
        // Whoever does not answer is cut off.
        let _ = timeout(CLOSE_DEADLINE, goodbye).await;
    }
}

fn to_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}
