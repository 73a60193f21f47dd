//! WebSocket as a transport: each message's bytes are part of one stream, or marked off from
//! the next; each frame that is sent is one message.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::server::create_response;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

use super::frames::{Closing, Incoming, put_close, put_message_header, put_ping};
use super::tcp::{hang_up, read, write};
use crate::conn::{BUFFER_BYTES, Input, Transport, buffer, give_back_buffer};
use crate::protocol::{Heard, Out, Said};

/// The longest header of a frame that is sent, bytes.
const MAX_HEADER_BYTES: usize = 10;
/// How long the peer may take to say goodbye.
const CLOSE_DEADLINE: Duration = Duration::from_secs(1);

/// For the library's handshake. What it makes of the connection afterwards is taken apart, so
/// its buffers need not be large.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(64)
        .write_buffer_size(0)
}

/// Answers a handshake on an HTTP listener.
pub(super) fn handshake<B>(
    request: &Request<B>,
    subprotocol: Option<&'static str>,
) -> Response<String> {
    let mut bare = Request::new(());
    *bare.method_mut() = request.method().clone();
    *bare.uri_mut() = request.uri().clone();
    *bare.version_mut() = request.version();
    *bare.headers_mut() = request.headers().clone();
    match create_response(&bare) {
        Ok(mut response) => {
            agree(&mut response, subprotocol);
            response.map(|()| String::new())
        }
        Err(error) => {
            let mut response = Response::new(format!("not a WebSocket handshake: {error}\n"));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

/// Says in an answer which subprotocol it is.
pub(super) fn agree<B>(response: &mut Response<B>, subprotocol: Option<&'static str>) {
    if let Some(name) = subprotocol {
        let headers = response.headers_mut();
        let name = HeaderValue::from_static(name);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, name);
    }
}

/// The first of these subprotocols, by our preference, that the client offers.
pub(super) fn subprotocol(
    headers: &HeaderMap,
    spoken: &'static [&'static str],
) -> Option<&'static str> {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL);
    let offered = offered.iter().filter_map(|value| value.to_str().ok());
    let offered: Vec<&str> = offered.flat_map(|value| value.split(',')).collect();
    let is_offered = |name: &&&str| offered.iter().any(|other| other.trim() == **name);
    spoken.iter().find(is_offered).copied()
}

/// Whether a page of this origin may connect. No `Origin` = not a browser.
pub(super) fn origin_allowed(headers: &HeaderMap, allowed: &[String]) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let matches = |entry: &String| entry == "*" || entry.as_bytes() == origin.as_bytes();
    allowed.iter().any(matches)
}

/// A connection after its handshake.
pub(super) struct WebSocketTransport<S> {
    stream: S,
    /// Received and not yet taken apart.
    raw: Input,
    incoming: Incoming,
    /// What its messages are made of.
    said: Data,
    /// What is to be said to the library of the peer, not to the peer: pongs. While there is
    /// something, nothing is read, so that it cannot pile up.
    answers: BytesMut,
    /// Set when what the peer sent tells how to close.
    closing: Option<u16>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> WebSocketTransport<S> {
    pub(super) fn new(stream: S, heard: Heard, said: Said) -> Self {
        Self {
            stream,
            raw: Input::default(),
            incoming: Incoming::new(heard),
            said: match said {
                Said::Text => Data::Text,
                Said::Binary => Data::Binary,
            },
            answers: BytesMut::new(),
            closing: None,
        }
    }

    /// Has a small message written before anything more is read.
    pub(super) fn put_message(&mut self, message: &[u8]) {
        put_message_header(self.said, message.len(), &mut self.answers);
        self.answers.extend_from_slice(message);
    }

    /// Writes the answers that are due.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.answers.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.answers);
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.answers.advance(count),
            }
        }
        // An idle connection holds no buffer.
        self.answers = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Transport for WebSocketTransport<S> {
    fn poll_receive(&mut self, cx: &mut Context<'_>, input: &mut Input) -> Poll<io::Result<usize>> {
        let before = input.len();
        while self.closing.is_none() {
            ready!(self.poll_answers(cx))?;
            if ready!(read(&mut self.stream, cx, &mut self.raw))? == 0 {
                break;
            }
            let bytes = input.room();
            let taken = self.incoming.take(&mut self.raw, bytes, &mut self.answers);
            self.raw.settle();
            if let Err(Closing(code)) = taken {
                self.closing = Some(code);
            }
            if input.len() > before {
                return Poll::Ready(Ok(input.len() - before));
            }
            input.settle();
        }
        Poll::Ready(Ok(0))
    }

    /// All that fits into a buffer is one write.
    async fn send(&mut self, out: &Out) -> io::Result<()> {
        let mut framed = buffer();
        framed.extend_from_slice(&std::mem::take(&mut self.answers));
        for packet in out.each() {
            if framed.len() + MAX_HEADER_BYTES + packet.len() > BUFFER_BYTES {
                write(&mut self.stream, &framed).await?;
                framed.clear();
            }
            if packet.is_empty() {
                put_ping(&mut framed);
                continue;
            }
            put_message_header(self.said, packet.len(), &mut framed);
            if packet.len() < BUFFER_BYTES / 2 {
                framed.extend_from_slice(packet);
            } else {
                write(&mut self.stream, &framed).await?;
                framed.clear();
                write(&mut self.stream, packet).await?;
            }
        }
        write(&mut self.stream, &framed).await?;
        give_back_buffer(framed);
        Ok(())
    }

    async fn close(&mut self, code: u16) {
        let goodbye = async {
            let mut last = std::mem::take(&mut self.answers);
            put_close(self.closing.unwrap_or(code), &mut last);
            write(&mut self.stream, &last).await?;
            // It answers in kind, unless what it said is why this ends.
            let mut ignored = Input::default();
            while poll_fn(|cx| self.poll_receive(cx, &mut ignored)).await? > 0 {
                ignored.clear();
                ignored.settle();
            }
            hang_up(&mut self.stream).await
        };
        // Whoever does not answer is cut off.
        let _ = timeout(CLOSE_DEADLINE, goodbye).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::close_code;
    use futures_util::{SinkExt, StreamExt};
    use tokio::io::{DuplexStream, ReadBuf, duplex};
    use tokio::task::JoinHandle;
    use tokio_tungstenite::WebSocketStream;
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};

    const PATIENCE: Duration = Duration::from_secs(20);

    /// The server's end of a stream, with a count of writes.
    struct Counted(DuplexStream, usize);

    impl AsyncRead for Counted {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Counted {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.1 += 1;
            Pin::new(&mut self.0).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.0).poll_shutdown(cx)
        }
    }

    type Server = WebSocketTransport<Counted>;

    /// A server, and the library's client to talk to it.
    async fn pair() -> (Server, WebSocketStream<DuplexStream>) {
        let (client, server) = duplex(4 << 20);
        let client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
        (
            WebSocketTransport::new(Counted(server, 0), Heard::Binary, Said::Binary),
            client,
        )
    }

    fn out(packets: &[Vec<u8>]) -> Out {
        let mut out = Out::default();
        for packet in packets {
            let write = |bytes: &mut BytesMut| {
                bytes.extend_from_slice(packet);
                Ok::<(), ()>(())
            };
            out.frame(write).expect("it cannot fail");
        }
        out
    }

    async fn hear(client: &mut WebSocketStream<DuplexStream>) -> Message {
        let heard = timeout(PATIENCE, client.next()).await;
        heard.expect("in time").expect("open").expect("a frame")
    }

    /// Reads until the client has closed, then closes; gives back what was received.
    fn serve(mut server: Server) -> JoinHandle<Vec<u8>> {
        tokio::spawn(async move {
            let (mut input, mut received) = (Input::default(), Vec::new());
            while poll_fn(|cx| server.poll_receive(cx, &mut input))
                .await
                .expect("read")
                > 0
            {
                received.extend_from_slice(&input);
                input.clear();
                input.settle();
            }
            server.close(close_code::NORMAL).await;
            received
        })
    }

    #[tokio::test]
    async fn each_packet_is_a_message_and_many_are_one_write() {
        let (mut server, mut client) = pair().await;
        let small: Vec<Vec<u8>> = (1..40).map(|n| vec![n; 300]).collect();
        server.send(&out(&small)).await.expect("sent");
        assert_eq!(server.stream.1, 1, "39 messages, one write");
        let large = [vec![1; 10], vec![2; 20_000], vec![3; 70_000], vec![4; 10]];
        server.send(&out(&large)).await.expect("sent");
        for packet in small.into_iter().chain(large) {
            assert_eq!(hear(&mut client).await, Message::Binary(packet.into()));
        }
    }

    #[tokio::test]
    async fn pings_are_answered_though_nothing_else_is_said() {
        let (server, mut client) = pair().await;
        let serving = serve(server);
        client.send(Message::Ping("1".into())).await.expect("sent");
        assert_eq!(hear(&mut client).await, Message::Pong("1".into()));
        client
            .send(Message::Binary("ab".into()))
            .await
            .expect("sent");
        client
            .send(Message::Binary("cd".into()))
            .await
            .expect("sent");
        client.close(None).await.expect("closed");
        let received = timeout(PATIENCE, serving).await.expect("in time");
        assert_eq!(received.expect("no panic"), b"abcd");
    }

    #[tokio::test]
    async fn both_sides_say_goodbye_in_order() {
        // The client first: it hears its own code.
        let (server, mut client) = pair().await;
        let serving = serve(server);
        let goodbye = CloseFrame {
            code: 3001.into(),
            reason: "".into(),
        };
        client.close(Some(goodbye.clone())).await.expect("closed");
        assert_eq!(hear(&mut client).await, Message::Close(Some(goodbye)));
        assert!(client.next().await.is_none());
        serving.await.expect("no panic");

        // The server first, or because of what the client says.
        let (mut server, mut client) = pair().await;
        let closing = tokio::spawn(async move { server.close(close_code::GOING_AWAY).await });
        let Message::Close(Some(goodbye)) = hear(&mut client).await else {
            panic!("no goodbye")
        };
        assert_eq!(u16::from(goodbye.code), close_code::GOING_AWAY);
        assert!(client.next().await.is_none());
        closing.await.expect("no panic");

        let (server, mut client) = pair().await;
        let serving = serve(server);
        client.send(Message::text("words")).await.expect("sent");
        let Message::Close(Some(goodbye)) = hear(&mut client).await else {
            panic!("no goodbye")
        };
        assert_eq!(u16::from(goodbye.code), close_code::UNSUPPORTED);
        serving.await.expect("no panic");
    }

    #[tokio::test]
    async fn an_idle_connection_holds_no_buffer() {
        let (mut server, mut client) = pair().await;
        let mut input = Input::default();
        client.send(Message::Ping("1".into())).await.expect("sent");
        client
            .send(Message::Binary("ab".into()))
            .await
            .expect("sent");
        let received = poll_fn(|cx| server.poll_receive(cx, &mut input)).await;
        assert_eq!(received.expect("read"), 2);
        input.clear();
        input.settle();
        let idle = poll_fn(|cx| Poll::Ready(server.poll_receive(cx, &mut input).is_pending()));
        assert!(idle.await);
        let held = [
            server.raw.capacity(),
            server.answers.capacity(),
            input.capacity(),
        ];
        assert_eq!(held, [0; 3]);
    }
}
