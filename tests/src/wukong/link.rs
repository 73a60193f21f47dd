//! One connection: bytes out, packets in.

use std::io::ErrorKind;

use bytes::BytesMut;
use crosstalk_wire::wukong::binary::{Decoder, Packet, encode};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use crate::wait::within;

/// What carries the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// Binary WebSocket messages.
    Ws,
}

/// A connection to the server.
pub struct Link {
    stream: Stream,
    incoming: BytesMut,
    decoder: Decoder,
    version: u8,
    /// Packets that came to their end in the last WebSocket message.
    in_this_message: usize,
    may_be_cut: bool,
    most_in_a_message: usize,
}

enum Stream {
    Tcp(TcpStream),
    Ws(Box<WebSocketStream<TcpStream>>),
}

impl Link {
    /// Connects. Packets will be read as those of `version`.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn open(addr: &str, transport: Transport, version: u8) -> Link {
        Link::open_at(addr, "/", transport, version).await
    }

    /// As [`open`](Self::open), asking for a path if the transport has such.
    ///
    /// # Panics
    /// When nobody listens there, or there is no WebSocket.
    pub async fn open_at(addr: &str, path: &str, transport: Transport, version: u8) -> Link {
        let tcp = within(format!("a connection to {addr}"), TcpStream::connect(addr)).await;
        let tcp = tcp.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        Link::over(tcp, addr, path, transport, version).await
    }

    /// As [`open`](Self::open) over TCP, with a receive buffer of about this size: the server
    /// soon notices when nothing is read.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn open_narrow(addr: &str, buffer_bytes: u32, version: u8) -> Link {
        let socket = TcpSocket::new_v4().expect("a socket");
        let sized = socket.set_recv_buffer_size(buffer_bytes);
        sized.expect("a socket option");
        let to = addr.parse().expect("an address with a port");
        let tcp = within(format!("a connection to {addr}"), socket.connect(to)).await;
        let tcp = tcp.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        Link::over(tcp, addr, "/", Transport::Tcp, version).await
    }

    async fn over(
        tcp: TcpStream,
        addr: &str,
        path: &str,
        transport: Transport,
        version: u8,
    ) -> Link {
        // Each write of a test is to be a segment of its own.
        tcp.set_nodelay(true).expect("a socket option");
        let stream = match transport {
            Transport::Tcp => Stream::Tcp(tcp),
            Transport::Ws => {
                let upgrade = tokio_tungstenite::client_async(format!("ws://{addr}{path}"), tcp);
                let upgraded = within(format!("the upgrade at {addr}{path}"), upgrade).await;
                let upgraded = upgraded.unwrap_or_else(|error| panic!("{addr}{path}: {error}"));
                Stream::Ws(Box::new(upgraded.0))
            }
        };
        Link {
            stream,
            incoming: BytesMut::new(),
            decoder: Decoder::new(version),
            version,
            in_this_message: 0,
            may_be_cut: false,
            most_in_a_message: 0,
        }
    }

    /// The protocol version in which packets are written and read.
    #[must_use]
    pub fn version(&self) -> u8 {
        self.version
    }

    /// Speaks another version from now on.
    pub fn set_version(&mut self, version: u8) {
        self.version = version;
        self.decoder.set_version(version);
    }

    /// From now on the server may be killed: the end may come inside a packet.
    pub fn expect_a_kill(&mut self) {
        self.may_be_cut = true;
    }

    /// Over WebSocket, the most packets that one message of the server held.
    #[must_use]
    pub fn most_packets_in_a_message(&self) -> usize {
        self.most_in_a_message
    }

    /// Writes a packet.
    ///
    /// # Panics
    /// When it cannot be encoded or written.
    pub async fn write(&mut self, packet: &Packet) {
        let bytes = self.encode(packet);
        self.write_bytes(&bytes).await;
    }

    /// The bytes of a packet.
    ///
    /// # Panics
    /// When it has none.
    #[must_use]
    pub fn encode(&self, packet: &Packet) -> Vec<u8> {
        let mut bytes = BytesMut::new();
        encode(packet, self.version, &mut bytes).expect("a packet that can be encoded");
        bytes.to_vec()
    }

    /// Writes bytes as they are: one write, or one WebSocket message.
    ///
    /// # Panics
    /// When the server has closed the connection, or takes no more.
    pub async fn write_bytes(&mut self, bytes: &[u8]) {
        assert!(
            self.try_write_bytes(bytes).await,
            "the connection is closed for writing"
        );
    }

    /// Writes bytes as they are; false if the server has closed the connection.
    pub async fn try_write_bytes(&mut self, bytes: &[u8]) -> bool {
        within("the server taking bytes", async {
            match &mut self.stream {
                Stream::Tcp(tcp) => tcp.write_all(bytes).await.is_ok(),
                Stream::Ws(ws) => ws.send(Message::binary(bytes.to_vec())).await.is_ok(),
            }
        })
        .await
    }

    /// Writes bytes in pieces of `len`, each a write or message of its own.
    pub async fn write_in_pieces(&mut self, bytes: &[u8], len: usize) {
        for piece in bytes.chunks(len) {
            self.write_bytes(piece).await;
        }
    }

    /// The next packet; `None` when the connection has been closed. Waits as long as it takes:
    /// bound it outside.
    ///
    /// # Panics
    /// When the server sends what is not a packet.
    pub async fn read(&mut self) -> Option<Packet> {
        loop {
            let decoded = self.decoder.decode(&mut self.incoming);
            let unread = &self.incoming;
            if let Some(packet) = decoded.unwrap_or_else(|error| {
                panic!(
                    "the server sent no packet of version {}: {error}: {unread:?}",
                    self.version
                )
            }) {
                self.in_this_message += 1;
                self.most_in_a_message = self.most_in_a_message.max(self.in_this_message);
                return Some(packet);
            }
            if !self.fill().await {
                let is_whole = self.incoming.is_empty() || self.may_be_cut;
                assert!(is_whole, "closed inside a packet: {:?}", self.incoming);
                return None;
            }
        }
    }

    /// The next packet, in time; `None` when the connection has been closed.
    pub async fn next(&mut self) -> Option<Packet> {
        within("a packet or the end of the connection", self.read()).await
    }

    /// Waits until the server closes; returns what it said before.
    pub async fn closed(&mut self) -> Vec<Packet> {
        within("the server closing the connection", async {
            let mut said = Vec::new();
            while let Some(packet) = self.read().await {
                said.push(packet);
            }
            said
        })
        .await
    }

    /// Closes this side's direction for good.
    pub async fn finish(&mut self) {
        // The server may have been faster.
        let _ = match &mut self.stream {
            Stream::Tcp(tcp) => tcp.shutdown().await.is_ok(),
            Stream::Ws(ws) => WebSocketStream::close(ws, None).await.is_ok(),
        };
    }

    /// Reads more; false at the end.
    async fn fill(&mut self) -> bool {
        match &mut self.stream {
            Stream::Tcp(tcp) => match tcp.read_buf(&mut self.incoming).await {
                Ok(count) => count > 0,
                Err(error) if is_closed(error.kind()) => false,
                Err(error) => panic!("cannot read: {error}"),
            },
            Stream::Ws(ws) => loop {
                match ws.next().await {
                    Some(Ok(Message::Binary(bytes))) => {
                        self.incoming.extend_from_slice(&bytes);
                        self.in_this_message = 0;
                        return true;
                    }
                    Some(Ok(Message::Text(text))) => {
                        panic!("a text message on a binary connection: {text}");
                    }
                    Some(Ok(Message::Close(_))) | None => return false,
                    Some(Ok(_)) => {}
                    Some(Err(WebSocketError::Io(error))) if is_closed(error.kind()) => {
                        return false;
                    }
                    Some(Err(WebSocketError::ConnectionClosed | WebSocketError::Protocol(_))) => {
                        return false;
                    }
                    Some(Err(error)) => panic!("cannot read: {error}"),
                }
            },
        }
    }
}

/// What a close looks like when the server had not read everything.
fn is_closed(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    [
        BrokenPipe,
        ConnectionAborted,
        ConnectionReset,
        UnexpectedEof,
    ]
    .contains(&kind)
}
