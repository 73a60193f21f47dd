//! SockJS over a WebSocket of its own: the session is the connection, and what is said stands
//! in frames of SockJS inside text messages (stomp-sockjs-wire.md §2.3, §2.4).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use crosstalk_wire::sockjs::{Frame, Messages};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep};

use super::HEARTBEAT;
use super::state::closing;
use crate::conn::{Input, Transport};
use crate::net::websocket::WebSocketTransport;
use crate::protocol::{Heard, MessageKind, Out, Said, take_message};

/// How long the client may take to hear of the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);
/// What one frame holds at most before the next one begins, bytes.
const FRAME_BYTES: usize = 64 * 1024;

/// See the module's words.
pub(super) struct FramedTransport<S> {
    inner: WebSocketTransport<S>,
    /// Received and not yet taken apart.
    raw: Input,
    heartbeat: Pin<Box<Sleep>>,
    /// The client has sent what is none of SockJS: it is not even told why this ends.
    is_broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> FramedTransport<S> {
    /// Tells the client of a connection after its handshake that its session is open.
    ///
    /// # Errors
    /// When that fails.
    pub(super) async fn open(stream: S) -> io::Result<Self> {
        let mut transport = Self {
            inner: WebSocketTransport::new(stream, Heard::Messages, Said::Text),
            raw: Input::default(),
            heartbeat: Box::pin(sleep(HEARTBEAT)),
            is_broken: false,
        };
        transport.say(&Frame::Open).await?;
        Ok(transport)
    }

    async fn say(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let mut out = Out::default();
        put(frame, &mut out);
        self.inner.send(&out).await
    }

    /// Takes whole messages apart, and appends what the client means to `input`.
    fn hear(&mut self, input: &mut Input) -> io::Result<usize> {
        let mut heard = 0;
        while let Some((kind, payload)) = take_message(&mut self.raw) {
            let text = match kind {
                MessageKind::Text => std::str::from_utf8(&payload).ok(),
                MessageKind::Pong => continue,
                MessageKind::Binary => None,
            };
            let messages = text.and_then(|text| Messages::from_websocket(text).ok());
            let Some(messages) = messages else {
                self.is_broken = true;
                return Err(io::Error::new(io::ErrorKind::InvalidData, "not SockJS"));
            };
            if !messages.joined().is_empty() {
                input.room().extend_from_slice(messages.joined().as_bytes());
                heard += messages.joined().len();
            }
        }
        Ok(heard)
    }
}

/// Appends a frame, which is never empty.
fn put(frame: &Frame<'_>, out: &mut Out) {
    let write = |bytes: &mut BytesMut| {
        frame.write(bytes);
        Ok::<(), std::convert::Infallible>(())
    };
    let Ok(()) = out.frame(write);
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for FramedTransport<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>> {
        loop {
            match self.inner.poll_receive(cx, &mut self.raw) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Ok(0)),
                Poll::Ready(Ok(_)) => {
                    let heard = self.hear(input);
                    self.raw.settle();
                    match heard {
                        Ok(0) => {}
                        heard => return Poll::Ready(heard),
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending if self.heartbeat.as_mut().poll(cx).is_ready() => {
                    self.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
                    self.inner.put_message(b"h");
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    /// What is said at once stands in as few frames as may be.
    async fn send(&mut self, out: &Out) -> io::Result<()> {
        let texts = out.each().filter(|frame| !frame.is_empty());
        let texts: Vec<_> = texts.map(String::from_utf8_lossy).collect();
        let mut framed = Out::default();
        let mut rest: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |text: &&&str| {
                bytes += text.len();
                bytes <= FRAME_BYTES
            };
            let count = rest.iter().take_while(fits).count().max(1);
            put(&Frame::Messages(&rest[..count]), &mut framed);
            rest.drain(..count);
        }
        if framed.is_empty() {
            return Ok(());
        }
        self.inner.send(&framed).await?;
        self.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
        Ok(())
    }

    async fn close(&mut self, code: u16) {
        if self.is_broken {
            return;
        }
        // To who has gone already there is nothing to say.
        let frame = closing(code);
        let goodbye = self.say(&frame);
        if tokio::time::timeout(CLOSE_DEADLINE, goodbye).await.is_ok() {
            self.inner.close(code).await;
        }
    }
}

#[cfg(test)]
mod tests;
