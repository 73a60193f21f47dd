//! A client of the gyyx dialect over a real WebSocket. Every frame that it hears must have
//! exactly the fields that the protocol's table gives its code, with their JSON types.

use std::collections::VecDeque;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::server::Server;
use crate::wait::within;

/// Fields of every frame: set F0.
const F0: [&str; 8] = [
    "appId",
    "deviceId",
    "mark",
    "msgType",
    "timestamp",
    "unique",
    "userId",
    "version",
];

/// What the sets have beside F0, by code.
fn more_fields(code: i64, has_details: bool) -> &'static [&'static str] {
    match code {
        10 if has_details => &["message"],
        10 => &[],
        30 => &["receiveMsgType"],
        200 | 210 => &["friendUserId", "isOnline"],
        21 | 40 | 99 | 101 | 131..=133 | 140 | 162 | 1170 | 180 | 191 | 192 | 199 | 252 => &[
            "contentType",
            "message",
            "messageId",
            "receiveSign",
            "receiveUserId",
            "sendTime",
            "sendTimeDate",
        ],
        other => panic!("a server does not send {other} here"),
    }
}

/// Checks a frame against the table (gyyx.md F.a.2, Q4-30).
fn check(frame: &Value, has_details: bool) {
    let code = code(frame);
    let mut expected: Vec<&str> = F0
        .into_iter()
        .chain(more_fields(code, has_details).iter().copied())
        .collect();
    expected.sort_unstable();
    let fields = frame.as_object().expect("an object");
    let mut found: Vec<&str> = fields.keys().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, expected, "{frame}");
    for (name, value) in fields {
        let fits = match name.as_str() {
            "mark" => true,
            "unique" | "msgType" => value.is_string() || value.is_number(),
            "timestamp" | "sendTime" | "contentType" | "receiveMsgType" => value.is_i64(),
            "isOnline" => value.is_boolean(),
            _ => value.is_string(),
        };
        assert!(fits, "{name} in {frame}");
    }
    if let Some(sign) = fields.get("receiveSign") {
        assert_eq!(sign, "", "{frame}");
    }
}

/// The code of a frame, however it is written.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn code(frame: &Value) -> i64 {
    let number = match &frame["msgType"] {
        Value::String(text) => text.parse().ok(),
        other => other.as_i64(),
    };
    number.unwrap_or_else(|| panic!("no msgType in {frame}"))
}

/// A frame of a client's with nothing but what is needed.
#[must_use]
pub fn frame(code: impl Into<Value>, unique: &str, more: Value) -> Value {
    let mut frame = json!({"msgType": code.into(), "unique": unique});
    if let (Some(frame), Value::Object(more)) = (frame.as_object_mut(), more) {
        frame.extend(more);
    }
    frame
}

/// The URL with the path that a browser asks for where there is none.
fn with_path(url: &str) -> String {
    let Some((root, query)) = url.split_once('?') else {
        return url.to_owned();
    };
    let has_path = root
        .split_once("://")
        .is_some_and(|(_, host)| host.contains('/'));
    let path = if has_path { "" } else { "/" };
    format!("{root}{path}?{query}")
}

/// A client on its connection.
pub struct GyyxClient {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Heard while something else was waited for.
    heard: VecDeque<Value>,
    next: u64,
    /// Whether it is about who comes and goes: that may be told late, to those who have met
    /// meanwhile.
    hears_friends: bool,
    has_details: bool,
}

impl GyyxClient {
    /// Connects to a signed URL, or to any.
    ///
    /// # Panics
    /// When there is no WebSocket.
    pub async fn open(url: &str) -> GyyxClient {
        let address = with_path(url);
        let connecting = connect_async(address.as_str());
        let connected = within(format!("a connection to {url}"), connecting).await;
        let (socket, _) = connected.unwrap_or_else(|error| panic!("{url}: {error}"));
        GyyxClient {
            socket,
            heard: VecDeque::new(),
            next: 0,
            hears_friends: false,
            has_details: false,
        }
    }

    /// From now on it hears of friends who come and go (200 and 210).
    pub fn expect_friends(&mut self) {
        self.hears_friends = true;
    }

    /// From now on frames 10 say why (Q4-25).
    pub fn expect_details(&mut self) {
        self.has_details = true;
    }

    /// Sends text as it is.
    ///
    /// # Panics
    /// When the connection is gone.
    pub async fn text(&mut self, text: &str) {
        let sent = self.socket.send(Message::text(text)).await;
        sent.expect("a connection that takes what is sent");
    }

    /// Sends text, whether or not anybody takes it.
    pub async fn try_text(&mut self, text: &str) {
        let _ = self.socket.send(Message::text(text)).await;
    }

    /// Sends a frame.
    pub async fn say(&mut self, frame: &Value) {
        self.text(&frame.to_string()).await;
    }

    /// Sends a frame with this code, an id of its own and more fields; returns the id.
    pub async fn ask(&mut self, code: i64, more: Value) -> String {
        self.next += 1;
        let unique = format!("u{}", self.next);
        self.say(&frame(code, &unique, more)).await;
        unique
    }

    /// Sends a text to somebody and returns its 131.
    pub async fn send(&mut self, to: &str, message: &str) -> Value {
        let more = json!({"receiveUserId": to, "message": message});
        let unique = self.ask(130, more).await;
        assert_eq!(self.hear(30).await["unique"], unique.as_str());
        let sent = self.hear(131).await;
        assert_eq!(sent["unique"], unique.as_str(), "{sent}");
        sent
    }

    /// The next frame.
    ///
    /// # Panics
    /// When the connection ends first.
    pub async fn any(&mut self) -> Value {
        if let Some(frame) = self.heard.pop_front() {
            return frame;
        }
        match self.next_event().await {
            Ok(frame) => frame,
            Err(code) => panic!("closed with {code:?} instead of a frame"),
        }
    }

    /// The next frame with this code; those before it are kept for later.
    ///
    /// # Panics
    /// When the connection ends first.
    pub async fn hear(&mut self, wanted: i64) -> Value {
        if let Some(at) = self.heard.iter().position(|frame| code(frame) == wanted) {
            return self.heard.remove(at).expect("found there");
        }
        loop {
            match self.next_event().await {
                Ok(frame) if code(&frame) == wanted => return frame,
                Ok(frame) => self.heard.push_back(frame),
                Err(end) => panic!("closed with {end:?} before {wanted}: {:?}", self.heard),
            }
        }
    }

    /// Everything up to a 30 for this code, which is left out.
    pub async fn list(&mut self, ends_with: i64) -> Vec<Value> {
        let mut list = Vec::new();
        loop {
            let frame = self.any().await;
            if code(&frame) == 30 && frame["receiveMsgType"] == ends_with {
                return list;
            }
            list.push(frame);
        }
    }

    /// What has come so far: everything before the answer to a heartbeat.
    pub async fn so_far(&mut self) -> Vec<Value> {
        let unique = self.ask(20, json!({})).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.any().await;
            if code(&frame) == 21 && frame["unique"] == unique.as_str() {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// Frames up to the end of the connection, and its close code.
    pub async fn closed(&mut self) -> (Vec<Value>, Option<u16>) {
        let mut frames: Vec<Value> = self.heard.drain(..).collect();
        loop {
            match self.next_event().await {
                Ok(frame) => frames.push(frame),
                Err(code) => return (frames, code),
            }
        }
    }

    async fn next_event(&mut self) -> Result<Value, Option<u16>> {
        loop {
            let heard = format!("a frame or the end, after {:?}", self.heard);
            match within(heard, self.socket.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(&text)
                        .unwrap_or_else(|error| panic!("{error} in {text}"));
                    check(&frame, self.has_details);
                    if self.hears_friends || ![200, 210].contains(&code(&frame)) {
                        return Ok(frame);
                    }
                }
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map(|CloseFrame { code, .. }| code.into()));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(other)) => panic!("a server says text, not {other:?}"),
                Some(Err(Error::ConnectionClosed | Error::Io(_) | Error::Protocol(_))) | None => {
                    return Err(None);
                }
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }
}

impl Server {
    /// A signed URL for a user, from `/im/sign`.
    ///
    /// # Panics
    /// When there is none in the answer.
    pub async fn gyyx_url(&self, uid: &str) -> String {
        let token = self.user_token(uid).await;
        let path = format!("/im/sign?appId=default&userId={uid}");
        let answer = self.rest().header("token", &token).get(&path).await.ok();
        answer["data"].as_str().expect("a URL in `data`").to_owned()
    }

    /// A user's connection, which has heard its 101.
    pub async fn gyyx(&self, uid: &str) -> GyyxClient {
        let mut client = GyyxClient::open(&self.gyyx_url(uid).await).await;
        let online = client.any().await;
        assert_eq!(code(&online), 101, "{online}");
        client
    }
}
