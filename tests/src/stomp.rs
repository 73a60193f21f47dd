//! A client of the stomp dialect: STOMP frames over a raw WebSocket, read as the client of any
//! server reads them.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use crosstalk_wire::stomp::{Command, Decoder, Frame, Side, Version};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::server::Server;
use crate::wait::within;

/// The personal queue.
pub const MESSAGES: &str = "/user/queue/messages";
/// Where refusals are told.
pub const ERRORS: &str = "/user/queue/errors";
/// Where events are told.
pub const EVENTS: &str = "/user/queue/events";
/// Where receipts are told.
pub const RECEIPTS: &str = "/user/queue/receipts";
/// Where the end of a sync is told.
pub const SYNC: &str = "/user/queue/sync";

/// What a server says.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// A frame.
    Frame(Frame),
    /// A heart-beat.
    Beat,
    /// The end, with the close code, if one was given.
    Closed(Option<u16>),
}

/// A WebSocket to the server. It reads only while it is asked for something; what arrives
/// meanwhile is kept in order.
pub struct StompClient {
    stream: WebSocketStream<TcpStream>,
    decoder: Decoder,
    buffer: BytesMut,
    heard: VecDeque<Heard>,
    sends: u32,
    /// The subprotocol that was agreed on.
    pub subprotocol: Option<String>,
}

impl StompClient {
    /// Opens a WebSocket at `/ws/im` with a query.
    pub async fn open(server: &Server, query: &str) -> StompClient {
        StompClient::open_at(server, &format!("/ws/im{query}"), None).await
    }

    /// Opens a WebSocket anywhere.
    ///
    /// # Panics
    /// When there is none.
    pub async fn open_at(server: &Server, path: &str, subprotocols: Option<&str>) -> StompClient {
        let addr = &server.listeners().http;
        let request = format!("ws://{addr}{path}").into_client_request();
        let mut request = request.expect("an address");
        if let Some(subprotocols) = subprotocols {
            let value = HeaderValue::from_str(subprotocols).expect("a header value");
            request
                .headers_mut()
                .insert("sec-websocket-protocol", value);
        }
        let tcp = within(format!("a connection to {addr}"), TcpStream::connect(addr)).await;
        let tcp = tcp.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        let opened = within("the upgrade", client_async(request, tcp)).await;
        let (stream, response) = opened.unwrap_or_else(|error| panic!("{addr}{path}: {error}"));
        let subprotocol = response.headers().get("sec-websocket-protocol");
        StompClient {
            stream,
            decoder: Decoder::new(Side::Server),
            buffer: BytesMut::new(),
            heard: VecDeque::new(),
            sends: 0,
            subprotocol: subprotocol
                .and_then(|it| it.to_str().ok())
                .map(str::to_owned),
        }
    }

    /// Logs a user in with a fresh token, as the documentation of the dialect shows.
    pub async fn connected(server: &Server, uid: &str) -> StompClient {
        StompClient::connected_with(server, uid, "").await
    }

    /// The same with more headers of CONNECT, each ending its line.
    pub async fn connected_with(server: &Server, uid: &str, headers: &str) -> StompClient {
        let token = server.user_token(uid).await;
        let mut client = StompClient::open(server, &format!("?token={token}")).await;
        let connected = client
            .connect(&format!("{headers}Authorization:Bearer {token}\n"))
            .await;
        assert_eq!(connected.header("user-name"), Some(uid));
        client
    }

    /// Logs a user in and subscribes to the personal queue and the others, as `messages`,
    /// `errors` and so on.
    pub async fn ready(server: &Server, uid: &str) -> StompClient {
        let mut client = StompClient::connected(server, uid).await;
        client.subscribe_all().await;
        client
    }

    /// Subscribes to all queues, by their names.
    pub async fn subscribe_all(&mut self) {
        for destination in [MESSAGES, ERRORS, EVENTS, RECEIPTS, SYNC] {
            let id = destination.rsplit('/').next().expect("a name");
            self.subscribe(id, destination).await;
        }
    }

    /// CONNECT with more headers; the answer must be CONNECTED.
    ///
    /// # Panics
    /// When it is not.
    pub async fn connect(&mut self, headers: &str) -> Frame {
        self.say(&format!(
            "CONNECT\naccept-version:1.2\nheart-beat:0,0\nhost:h\n{headers}\n\0"
        ))
        .await;
        let frame = self.frame().await;
        assert_eq!(frame.command, Command::Connected, "{frame:?}");
        frame
    }

    /// Reads later frames by the rules of a version.
    pub fn set_version(&mut self, version: Version) {
        self.decoder.set_version(version);
    }

    /// Sends a text message.
    ///
    /// # Panics
    /// When it cannot be sent.
    pub async fn say(&mut self, text: &str) {
        let sent = self.stream.send(Message::text(text.to_owned())).await;
        sent.unwrap_or_else(|error| panic!("cannot send {text}: {error}"));
    }

    /// Sends a message of bytes; false if the server does not take it.
    pub async fn say_bytes(&mut self, bytes: &[u8]) -> bool {
        self.stream
            .send(Message::binary(bytes.to_vec()))
            .await
            .is_ok()
    }

    /// SUBSCRIBE, and waits until it is in force.
    pub async fn subscribe(&mut self, id: &str, destination: &str) {
        self.subscribe_as(id, destination, "auto").await;
    }

    /// The same with a way to acknowledge.
    pub async fn subscribe_as(&mut self, id: &str, destination: &str, ack: &str) {
        self.say(&format!(
            "SUBSCRIBE\nid:{id}\ndestination:{destination}\nack:{ack}\nreceipt:sub-{id}\n\n\0"
        ))
        .await;
        self.receipt(&format!("sub-{id}")).await;
    }

    /// SEND to `/app/…`, without waiting for anything.
    pub async fn send(&mut self, verb: &str, body: &Value) {
        self.say(&format!(
            "SEND\ndestination:/app/{verb}\ncontent-type:application/json\n\n{body}\0"
        ))
        .await;
    }

    /// SEND to `/app/…`, and waits for the receipt.
    pub async fn done(&mut self, verb: &str, body: &Value) {
        self.sends += 1;
        let receipt = format!("done-{}", self.sends);
        self.say(&format!(
            "SEND\ndestination:/app/{verb}\nreceipt:{receipt}\n\n{body}\0"
        ))
        .await;
        self.receipt(&receipt).await;
    }

    /// Sends a text to a user and waits for the receipt.
    pub async fn text(&mut self, id: &str, to: &str, text: &str) {
        self.done("chat.send", &message(id, to, text)).await;
    }

    /// Waits for a receipt; what comes before it is kept.
    pub async fn receipt(&mut self, id: &str) {
        let is_it = |heard: &Heard| {
            matches!(heard, Heard::Frame(frame) if frame.command == Command::Receipt
                && frame.header("receipt-id") == Some(id))
        };
        self.find(&format!("RECEIPT {id}"), is_it).await;
    }

    /// The next frame, whatever it is.
    ///
    /// # Panics
    /// When something else comes.
    pub async fn frame(&mut self) -> Frame {
        match self.find("a frame", |_| true).await {
            Heard::Frame(frame) => frame,
            other => panic!("a frame is due: {other:?}"),
        }
    }

    /// The next MESSAGE of a subscription; what comes before it is kept.
    ///
    /// # Panics
    /// When there is none.
    pub async fn message(&mut self, subscription: &str) -> Frame {
        let is_it = |heard: &Heard| match heard {
            Heard::Frame(frame) => frame.header("subscription") == Some(subscription),
            Heard::Beat => false,
            Heard::Closed(_) => true,
        };
        let what = format!("a MESSAGE by {subscription}");
        match self.find(&what, is_it).await {
            Heard::Frame(frame) => frame,
            other => panic!("{what} is due: {other:?}"),
        }
    }

    /// The body of the next MESSAGE of a subscription.
    pub async fn body(&mut self, subscription: &str) -> Value {
        body(&self.message(subscription).await)
    }

    /// The next ERROR, and the close code that follows it.
    ///
    /// # Panics
    /// When there is none.
    pub async fn error(&mut self) -> (Frame, Option<u16>) {
        let is_it = |heard: &Heard| match heard {
            Heard::Frame(frame) => frame.command == Command::Error,
            Heard::Beat => false,
            Heard::Closed(_) => true,
        };
        let error = match self.find("an ERROR", is_it).await {
            Heard::Frame(frame) => frame,
            other => panic!("an ERROR is due: {other:?}"),
        };
        (error, self.closed().await)
    }

    /// Waits for the end and returns its code.
    ///
    /// # Panics
    /// When it does not come.
    pub async fn closed(&mut self) -> Option<u16> {
        let is_it = |heard: &Heard| matches!(heard, Heard::Closed(_));
        match self.find("the close", is_it).await {
            Heard::Closed(code) => code,
            other => panic!("{other:?}"),
        }
    }

    /// Everything that the server has said before it answers to this.
    pub async fn heard_so_far(&mut self) -> Vec<Frame> {
        self.sends += 1;
        let mark = format!("mark-{}", self.sends);
        self.say(&format!("BEGIN\ntransaction:{mark}\nreceipt:{mark}\n\n\0"))
            .await;
        self.receipt(&mark).await;
        self.say(&format!("ABORT\ntransaction:{mark}\n\n\0")).await;
        let heard = std::mem::take(&mut self.heard);
        let frames = heard.into_iter().filter_map(|heard| match heard {
            Heard::Frame(frame) => Some(frame),
            Heard::Beat | Heard::Closed(_) => None,
        });
        frames.collect()
    }

    /// What is heard within a time, or nothing.
    pub async fn heard_within(&mut self, time: Duration) -> Option<Heard> {
        if let Some(heard) = self.heard.pop_front() {
            return Some(heard);
        }
        tokio::time::timeout(time, self.next()).await.ok()
    }

    async fn find(&mut self, what: &str, is_it: impl Fn(&Heard) -> bool) -> Heard {
        if let Some(at) = self.heard.iter().position(&is_it) {
            return self.heard.remove(at).expect("it is there");
        }
        loop {
            let heard = within(what, self.next()).await;
            if is_it(&heard) {
                return heard;
            }
            if matches!(heard, Heard::Closed(_)) {
                panic!("{what} is due: {heard:?}, before it {:?}", self.heard);
            }
            self.heard.push_back(heard);
        }
    }

    async fn next(&mut self) -> Heard {
        loop {
            let frame = self.decoder.decode(&mut self.buffer);
            if let Some(frame) = frame.expect("a server's frame") {
                return Heard::Frame(frame);
            }
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) if text.as_str() == "\n" => return Heard::Beat,
                Some(Ok(Message::Text(text))) => self.buffer.extend_from_slice(text.as_bytes()),
                Some(Ok(Message::Binary(bytes))) => panic!("bytes are due as text: {bytes:?}"),
                Some(Ok(Message::Close(close))) => {
                    return Heard::Closed(close.map(|close| close.code.into()));
                }
                Some(Ok(_)) => {}
                None | Some(Err(Error::ConnectionClosed | Error::Io(_) | Error::Protocol(_))) => {
                    return Heard::Closed(None);
                }
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }
}

/// The JSON of a MESSAGE.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn body(frame: &Frame) -> Value {
    assert_eq!(frame.command, Command::Message, "{frame:?}");
    serde_json::from_slice(&frame.body).unwrap_or_else(|error| panic!("{error}: {frame:?}"))
}

/// The body of a text to a user.
#[must_use]
pub fn message(id: &str, to: &str, text: &str) -> Value {
    json!({
        "messageId": id, "toId": to, "chatType": "SINGLE", "msgType": "TEXT", "content": text,
    })
}

/// The body of a text to a group.
#[must_use]
pub fn group_message(id: &str, to: &str, text: &str) -> Value {
    json!({
        "messageId": id, "toId": to, "chatType": "GROUP", "msgType": "TEXT", "content": text,
    })
}
