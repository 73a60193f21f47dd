//! A client of the wg dialect: its HTTP login, and a WebSocket on which every message of the
//! server is checked for the members that all of them have.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::http::Http;
use crate::server::Server;
use crate::wait::within;

/// The dialect's HTTP routes, as a user with a token of ours.
pub async fn api(server: &Server, uid: &str) -> Http {
    let token = server.user_token(uid).await;
    Http::at(&server.listeners().wg).header("token", &token)
}

/// Logs a user in and returns the session id.
///
/// # Panics
/// When there is none.
pub async fn login(server: &Server, uid: &str, client_name: &str) -> String {
    let path = format!("/app/websocket/client/login/{client_name}");
    let answer = api(server, uid).await.get(&path).await.ok();
    answer["sessionId"]
        .as_str()
        .unwrap_or_else(|| panic!("no session id: {answer}"))
        .to_owned()
}

/// The envelope of a client's message.
#[must_use]
pub fn envelope(id: &str, kind: i64, from: &str, to: &str, body: impl Into<Value>) -> Value {
    json!({
        "id": id, "type": kind, "isSystem": false, "from": from, "to": to, "body": body.into(),
        "timestamp": null,
    })
}

/// The members of a body that is JSON in a string.
///
/// # Panics
/// When it is not.
#[must_use]
pub fn body(message: &Value) -> Value {
    let text = message["body"]
        .as_str()
        .unwrap_or_else(|| panic!("the body is no string: {message}"));
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {message}"))
}

/// A WebSocket to the server. It reads only while it is asked for something; what arrives
/// meanwhile is kept in order.
pub struct WgClient {
    uid: String,
    stream: WebSocketStream<TcpStream>,
    /// 9001, by their arrival.
    statuses: VecDeque<Value>,
    /// Everything else.
    messages: VecDeque<Value>,
}

impl WgClient {
    /// Opens the WebSocket of `listen.wg` for a user who has not registered.
    pub async fn open(server: &Server, uid: &str) -> WgClient {
        let addr = server.listeners().wg.clone();
        let opened = WgClient::try_open(&addr, "/websocket", &[], uid).await;
        opened.unwrap_or_else(|status| panic!("{addr}: HTTP {status}"))
    }

    /// Opens a WebSocket anywhere, with more headers.
    ///
    /// # Errors
    /// The HTTP status if there is none.
    ///
    /// # Panics
    /// When nobody listens there.
    pub async fn try_open(
        addr: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        uid: &str,
    ) -> Result<WgClient, u16> {
        let request = format!("ws://{addr}{path}").into_client_request();
        let mut request = request.expect("an address");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a header value");
            request.headers_mut().insert(*name, value);
        }
        let tcp = within(format!("a connection to {addr}"), TcpStream::connect(addr)).await;
        let tcp = tcp.unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        match within("the upgrade", client_async(request, tcp)).await {
            Ok((stream, _)) => Ok(WgClient {
                uid: uid.to_owned(),
                stream,
                statuses: VecDeque::new(),
                messages: VecDeque::new(),
            }),
            Err(Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("{addr}{path}: {error}"),
        }
    }

    /// Logs a user in, opens the WebSocket and registers.
    pub async fn registered(server: &Server, uid: &str, client_name: &str) -> WgClient {
        let session_id = login(server, uid, client_name).await;
        WgClient::registered_with(server, uid, &session_id).await
    }

    /// Opens the WebSocket and registers a session.
    ///
    /// # Panics
    /// When that fails.
    pub async fn registered_with(server: &Server, uid: &str, session_id: &str) -> WgClient {
        let mut client = WgClient::open(server, uid).await;
        let status = client.register(session_id).await;
        assert_eq!(body(&status)["code"], 200, "{status}");
        client
    }

    /// Sends a registration; returns the 9001.
    pub async fn register(&mut self, session_id: &str) -> Value {
        let body = json!({"sessionId": session_id}).to_string();
        let uid = self.uid.clone();
        self.ask(envelope("reg", 1000, &uid, &uid, body)).await
    }

    /// Sends a message and returns the 9001 with its id.
    pub async fn ask(&mut self, message: Value) -> Value {
        self.say(&message).await;
        let status = self.status().await;
        assert_eq!(status["id"], message["id"], "{message}: {status}");
        status
    }

    /// Sends a message and returns the code of its 9001.
    ///
    /// # Panics
    /// When there is none.
    pub async fn code(&mut self, message: Value) -> i64 {
        let status = self.ask(message).await;
        body(&status)["code"].as_i64().expect("a number")
    }

    /// Sends a text of this user's; returns what the 9001 tells people. It must be a success.
    pub async fn send(&mut self, id: &str, to: &str, text: &str) -> String {
        let message = envelope(id, 2001, &self.uid, to, text);
        let status = body(&self.ask(message).await);
        assert_eq!(status["code"], 200, "{status}");
        status["msg"].as_str().expect("a string").to_owned()
    }

    /// Acknowledges a message with 200 or 407.
    pub async fn receipt(&mut self, id: &str, to: &str, code: i64, msg: &str) {
        let status = if code == 200 {
            "SUCCESS"
        } else {
            "RECEIVE_ERROR"
        };
        let body = json!({"code": code, "status": status, "msg": msg}).to_string();
        let message = envelope(id, 9101, &self.uid, to, body);
        self.say(&message).await;
    }

    /// Writes a message without waiting for anything.
    pub async fn say(&mut self, message: &Value) {
        self.write(Message::text(message.to_string())).await;
    }

    /// Writes a WebSocket message that the server may refuse to read to its end.
    pub async fn write_in_vain(&mut self, message: Message) {
        let _ = within("the server taking a message", self.stream.send(message)).await;
    }

    /// Writes a WebSocket message.
    ///
    /// # Panics
    /// When the server has closed the connection.
    pub async fn write(&mut self, message: Message) {
        let written = within("the server taking a message", self.stream.send(message)).await;
        written.expect("an open connection");
    }

    /// The next 9001.
    pub async fn status(&mut self) -> Value {
        loop {
            if let Some(status) = self.statuses.pop_front() {
                return status;
            }
            self.fill("a 9001").await;
        }
    }

    /// The 9001 that were read and not asked for.
    pub fn said(&mut self) -> &mut VecDeque<Value> {
        &mut self.statuses
    }

    /// How many messages that are no 9001 were read and not asked for.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.messages.len()
    }

    /// The next message that is no 9001.
    pub async fn message(&mut self) -> Value {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            self.fill("a message").await;
        }
    }

    /// Whatever came before the server's `pong`, beside 9001.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn heard_before_pong(&mut self) -> Vec<Value> {
        self.write(Message::text("ping")).await;
        while self.read("a pong").await.expect("an open connection") != "pong" {}
        self.messages.drain(..).collect()
    }

    async fn fill(&mut self, what: &str) {
        let read = self.read(what).await;
        read.unwrap_or_else(|code| panic!("{what}: closed with {code}"));
    }

    /// Reads one text and keeps it if it is a message; the code if the server closes.
    async fn read(&mut self, what: &str) -> Result<String, u16> {
        within(what, self.read_patiently()).await
    }

    async fn read_patiently(&mut self) -> Result<String, u16> {
        let text = loop {
            match self.stream.next().await {
                Some(Ok(Message::Text(text))) => break text.to_string(),
                Some(Ok(Message::Close(frame))) => {
                    return Err(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(Message::Binary(_))) => panic!("the server sent a binary message"),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        };
        if text != "pong" {
            let message: Value = serde_json::from_str(&text).expect("JSON");
            check(&message);
            if message["type"] == 9001 {
                self.statuses.push_back(message);
            } else {
                self.messages.push_back(message);
            }
        }
        Ok(text)
    }

    /// Reads until the server closes; returns the code. What was said before can be asked for.
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.read("the server's close").await {
                return code;
            }
        }
    }

    /// The same for a close that takes its time.
    ///
    /// # Panics
    /// When it takes longer.
    pub async fn closed_in(&mut self, patience: Duration) -> u16 {
        let closed = async {
            loop {
                if let Err(code) = self.read_patiently().await {
                    return code;
                }
            }
        };
        let closed = tokio::time::timeout(patience, closed).await;
        closed.unwrap_or_else(|_| panic!("not closed within {patience:?}"))
    }

    /// Closes and waits until the server has done so, too.
    pub async fn close(mut self) {
        // The server may have been faster.
        let _ = self.stream.close(None).await;
        self.closed().await;
    }
}

/// What every message of the server has (wg.md S0-14 to S0-21, Q0-23).
fn check(message: &Value) {
    let members = message.as_object().expect("an object");
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    let mut expected = ["body", "from", "id", "isSystem", "timestamp", "to", "type"];
    expected.sort_unstable();
    assert_eq!(names, expected, "{message}");
    assert!(message["type"].is_i64() && message["isSystem"].is_boolean());
    for name in ["id", "from", "to", "body"] {
        assert!(message[name].is_string(), "{name} in {message}");
    }
    let ms = message["timestamp"].as_i64().expect("a time");
    assert_eq!(ms.to_string().len(), 13, "{message}");
}
