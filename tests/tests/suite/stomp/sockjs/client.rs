//! A small client of SockJS: each transport as a browser uses it, with STOMP frames in the
//! messages.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::BytesMut;
use crosstalk_tests::stomp::{MESSAGES, body};
use crosstalk_tests::{Server, within};
use crosstalk_wire::sockjs::Received;
use crosstalk_wire::stomp::{Command, Decoder, Frame, Side};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// How a client receives, and with that how it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Xhr,
    XhrStreaming,
    EventSource,
    HtmlFile,
    Jsonp,
    /// A WebSocket with SockJS's frames.
    Framed,
    /// A WebSocket without them, below the same path.
    Raw,
}

impl Way {
    pub(super) const ALL: [Way; 7] = [
        Way::Xhr,
        Way::XhrStreaming,
        Way::EventSource,
        Way::HtmlFile,
        Way::Jsonp,
        Way::Framed,
        Way::Raw,
    ];

    /// The last segment of the path that it receives from, with what belongs to it.
    fn path(self) -> &'static str {
        match self {
            Way::Xhr => "xhr?",
            Way::XhrStreaming => "xhr_streaming?",
            Way::EventSource => "eventsource?",
            Way::HtmlFile => "htmlfile?c=_jp.a&",
            Way::Jsonp => "jsonp?c=_jp.a&",
            Way::Framed | Way::Raw => "websocket?",
        }
    }

    fn is_get(self) -> bool {
        matches!(self, Way::EventSource | Way::HtmlFile | Way::Jsonp)
    }

    fn content_type(self) -> &'static str {
        match self {
            Way::Xhr | Way::XhrStreaming | Way::Jsonp => "application/javascript;charset=UTF-8",
            Way::EventSource => "text/event-stream",
            Way::HtmlFile => "text/html;charset=UTF-8",
            Way::Framed | Way::Raw => "",
        }
    }

    /// What stands before and after each frame, and whether a script's string is between.
    fn around(self) -> (&'static str, &'static str, bool) {
        match self {
            Way::Xhr | Way::XhrStreaming => ("", "\n", false),
            Way::EventSource => ("data: ", "\r\n\r\n", false),
            Way::HtmlFile => ("<script>\np(", ");\n</script>\r\n", true),
            Way::Jsonp => ("/**/_jp.a(", ");\r\n", true),
            Way::Framed | Way::Raw => ("", "", false),
        }
    }

    /// Takes what comes before the first frame of a response, once it is there as a whole.
    fn take_prelude(self, text: &mut String) -> bool {
        let end = match self {
            Way::XhrStreaming => text.find('\n').map(|at| {
                assert_eq!(text[..at], "h".repeat(2048));
                at + 1
            }),
            Way::EventSource => text.starts_with("\r\n").then_some(2),
            Way::HtmlFile => text.find("\r\n\r\n").map(|at| {
                assert!(at >= 1024, "browsers wait for 1 KiB: {at}");
                assert!(text.contains("parent._jp.a;"), "{text}");
                at + 4
            }),
            Way::Xhr | Way::Jsonp | Way::Framed | Way::Raw => Some(0),
        };
        if let Some(end) = end {
            text.drain(..end);
        }
        end.is_some()
    }

    /// Takes the next frame of a response, if it is there as a whole.
    fn take_frame(self, text: &mut String) -> Option<Received> {
        let (before, after, is_script) = self.around();
        let end = text.find(after)?;
        let inner = text[..end].strip_prefix(before);
        let inner = inner.unwrap_or_else(|| panic!("{self:?}: a frame is due: {text}"));
        let frame = if is_script {
            serde_json::from_str(inner).expect("a script's string")
        } else {
            inner.to_owned()
        };
        text.drain(..end + after.len());
        Some(Received::parse(&frame).unwrap_or_else(|error| panic!("{error}: {frame}")))
    }
}

/// One session.
pub(super) struct SockJs {
    way: Way,
    http: reqwest::Client,
    /// The session's address, up to the transport.
    base: String,
    query: String,
    socket: Option<WebSocketStream<TcpStream>>,
    /// The response that is being received, and whether its prelude has come.
    response: Option<(reqwest::Response, bool)>,
    bytes: BytesMut,
    text: String,
    frames: VecDeque<Received>,
    decoder: Decoder,
    buffer: BytesMut,
    heard: VecDeque<Frame>,
}

impl SockJs {
    /// Opens a session, and waits until it is told so.
    pub(super) async fn open(server: &Server, way: Way, query: &str) -> SockJs {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let addr = &server.listeners().http;
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let below = match way {
            Way::Raw => String::new(),
            _ => format!("/{:03}/s{number}", number % 1000),
        };
        let mut client = SockJs {
            way,
            http: http(),
            base: format!("http://{addr}/ws/im{below}"),
            query: query.to_owned(),
            socket: None,
            response: None,
            bytes: BytesMut::new(),
            text: String::new(),
            frames: VecDeque::new(),
            decoder: Decoder::new(Side::Server),
            buffer: BytesMut::new(),
            heard: VecDeque::new(),
        };
        if matches!(way, Way::Framed | Way::Raw) {
            let tcp = TcpStream::connect(addr).await.expect("a connection");
            let url = client.receiving().replacen("http", "ws", 1);
            let opened = within("the upgrade", client_async(url, tcp)).await;
            client.socket = Some(opened.expect("a WebSocket").0);
        }
        if way != Way::Raw {
            assert_eq!(client.frame().await, Received::Open, "{way:?}");
        }
        client
    }

    /// The address that it receives from.
    pub(super) fn receiving(&self) -> String {
        format!("{}/{}{}", self.base, self.way.path(), self.query)
    }

    /// The address that it sends to.
    pub(super) fn sending(&self) -> String {
        let name = match self.way {
            Way::Jsonp => "jsonp_send",
            _ => "xhr_send",
        };
        format!("{}/{name}?{}", self.base, self.query)
    }

    /// CONNECT with a header or none; CONNECTED must come.
    pub(super) async fn connect(&mut self, uid: &str, header: &str) {
        self.say(&[&format!(
            "CONNECT\naccept-version:1.2\nheart-beat:0,0\n{header}\n\0"
        )])
        .await;
        let connected = self.stomp().await;
        assert_eq!(connected.command, Command::Connected, "{connected:?}");
        assert_eq!(connected.header("user-name"), Some(uid));
        // In pieces, as sockjs-client never does but may.
        self.say(&["SUBSCRIBE\nid:messages\ndesti", "nation:", MESSAGES])
            .await;
        self.say(&["\nreceipt:ready\n\n\0"]).await;
        self.receipt("ready").await;
    }

    /// Logs a user in, the token in the address, and subscribes to the personal queue.
    pub(super) async fn ready(server: &Server, way: Way, uid: &str) -> SockJs {
        let token = server.user_token(uid).await;
        let mut client = SockJs::open(server, way, &format!("token={token}")).await;
        client.connect(uid, "").await;
        client
    }

    /// Sends messages as they are.
    pub(super) async fn say(&mut self, messages: &[&str]) {
        match (self.way, &mut self.socket) {
            (Way::Raw, Some(socket)) => {
                for message in messages {
                    let sent = socket.send(Message::text((*message).to_owned())).await;
                    sent.expect("it can be sent");
                }
            }
            (_, Some(socket)) => {
                let sent = socket.send(Message::text(json!(messages).to_string()));
                sent.await.expect("it can be sent");
            }
            (Way::Jsonp, None) => {
                let form = format!("d={}", percent(&json!(messages).to_string()));
                let form_type = "application/x-www-form-urlencoded";
                let answer = self.post(&form, form_type).await;
                assert_eq!(answer, (200, "ok".to_owned()));
            }
            (_, None) => {
                let answer = self.post(&json!(messages).to_string(), "text/plain").await;
                assert_eq!(answer, (204, String::new()));
            }
        }
    }

    /// Posts a body to the sending address; returns the status and the answer.
    pub(super) async fn post(&self, body: &str, content_type: &str) -> (u16, String) {
        let request = self.http.post(self.sending());
        let request = request
            .header("content-type", content_type)
            .body(body.to_owned());
        let response = within("an answer", request.send()).await.expect("one");
        let status = response.status().as_u16();
        (status, response.text().await.expect("a text"))
    }

    /// SEND to `/app/chat.send`, with a receipt.
    pub(super) async fn chat(&mut self, body: &Value, receipt: &str) {
        self.say(&[&format!(
            "SEND\ndestination:/app/chat.send\nreceipt:{receipt}\n\n{body}\0"
        )])
        .await;
    }

    /// Waits for a RECEIPT; what comes before it is kept.
    pub(super) async fn receipt(&mut self, id: &str) {
        let mut before = VecDeque::new();
        loop {
            let frame = self.stomp().await;
            if frame.command == Command::Receipt {
                assert_eq!(frame.header("receipt-id"), Some(id));
                break;
            }
            before.push_back(frame);
        }
        before.append(&mut self.heard);
        self.heard = before;
    }

    /// The body of the next MESSAGE.
    pub(super) async fn message(&mut self) -> Value {
        body(&self.stomp().await)
    }

    /// The next STOMP frame.
    pub(super) async fn stomp(&mut self) -> Frame {
        if let Some(frame) = self.heard.pop_front() {
            return frame;
        }
        loop {
            let decoded = self.decoder.decode(&mut self.buffer);
            if let Some(frame) = decoded.expect("a server's frame") {
                return frame;
            }
            match self.frame().await {
                Received::Messages(messages) => {
                    for message in messages {
                        self.buffer.extend_from_slice(message.as_bytes());
                    }
                }
                Received::HeartBeat => {}
                other => panic!("{:?}: a STOMP frame is due: {other:?}", self.way),
            }
        }
    }

    /// The code that the session ends with.
    pub(super) async fn closed(&mut self) -> u16 {
        match self.frame().await {
            Received::Close { code, .. } => code,
            other => panic!("{:?}: the close is due: {other:?}", self.way),
        }
    }

    /// The next frame of SockJS; of a raw WebSocket what would be one.
    pub(super) async fn frame(&mut self) -> Received {
        let what = format!("{:?}: a frame", self.way);
        within(what, async {
            loop {
                if let Some(frame) = self.frames.pop_front() {
                    return frame;
                }
                if self.socket.is_some() {
                    self.hear_socket().await;
                } else {
                    self.hear_response().await;
                }
            }
        })
        .await
    }

    async fn hear_socket(&mut self) {
        let socket = self.socket.as_mut().expect("a WebSocket");
        let message = socket.next().await.expect("no end without a close");
        let frame = match (message.expect("a message"), self.way) {
            (Message::Text(text), Way::Raw) => Received::Messages(vec![text.to_string()]),
            (Message::Text(text), _) => Received::parse(&text).expect("a frame"),
            (Message::Close(close), Way::Raw) => Received::Close {
                code: close.expect("a code").code.into(),
                reason: String::new(),
            },
            (Message::Ping(_) | Message::Pong(_), _) => return,
            (other, way) => panic!("{way:?}: {other:?}"),
        };
        self.frames.push_back(frame);
    }

    /// Begins the next receiving request, if there is none, and takes what comes.
    async fn hear_response(&mut self) {
        if self.response.is_none() {
            let response = self.receive().await;
            self.response = Some((response, false));
        }
        let (response, has_begun) = self.response.as_mut().expect("there is one");
        let Some(chunk) = response.chunk().await.expect("a readable response") else {
            assert_eq!(self.text, "", "a response ends with a frame's end");
            self.response = None;
            return;
        };
        // A piece may end within a character.
        self.bytes.extend_from_slice(&chunk);
        let whole = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text = self.bytes.split_to(whole);
        self.text
            .push_str(std::str::from_utf8(&text).expect("it is valid so far"));
        *has_begun = *has_begun || self.way.take_prelude(&mut self.text);
        while *has_begun && let Some(frame) = self.way.take_frame(&mut self.text) {
            self.frames.push_back(frame);
        }
    }

    /// Breaks the receiving request off.
    pub(super) fn hang_up(&mut self) {
        assert!(self.response.take().is_some(), "one is under way");
        self.bytes.clear();
        self.text.clear();
    }

    /// A receiving request of its own.
    pub(super) async fn receive(&self) -> reqwest::Response {
        let url = self.receiving();
        let request = if self.way.is_get() {
            self.http.get(url)
        } else {
            self.http.post(url)
        };
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        let header = |name| response.headers().get(name).and_then(|it| it.to_str().ok());
        assert_eq!(header("content-type"), Some(self.way.content_type()));
        assert!(header("cache-control").is_some_and(|it| it.starts_with("no-store")));
        assert_eq!(header("set-cookie"), None, "nothing goes by cookies");
        response
    }
}

/// A client as browsers are: several requests at a time, nothing from the surroundings.
pub(super) fn http() -> reqwest::Client {
    crosstalk_tests::http_client()
}

/// A form's value.
fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
