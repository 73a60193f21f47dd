//! A raw WebSocket of JSON texts, for dialects without a client to install.

use crosstalk_tests::within;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

/// Texts that may wait to be written.
const WAITING: usize = 64;

/// A connection. Dropping it closes it.
pub(crate) struct Socket {
    who: String,
    texts: mpsc::Sender<Out>,
}

/// What the connection's task is told.
enum Out {
    Text(String),
    Close,
}

impl Socket {
    /// Connects; each frame that comes goes to `told`, whose answers are written back; the end
    /// comes as `{"event":"closed","code"}`.
    pub(crate) async fn open(
        who: &str,
        url: &str,
        told: impl Fn(Value) -> Vec<Value> + Send + 'static,
    ) -> Socket {
        let connected = within(format!("{who}: {url}"), connect_async(url)).await;
        let (mut socket, _) = connected.unwrap_or_else(|error| panic!("{who}: {url}: {error}"));
        let (texts, mut outgoing) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let (mut code, mut is_closing) = (None, false);
            loop {
                tokio::select! {
                    text = outgoing.recv(), if !is_closing => {
                        is_closing = !matches!(text, Some(Out::Text(_)));
                        let done = match text {
                            Some(Out::Text(text)) => socket.send(Message::text(text)).await,
                            Some(Out::Close) | None => socket.close(None).await,
                        };
                        if done.is_err() {
                            break;
                        }
                    }
                    frame = socket.next() => match frame {
                        Some(Ok(Message::Text(text))) => {
                            let frame = serde_json::from_str(&text).expect("frames are JSON");
                            for answer in told(frame) {
                                // The end is seen by reading.
                                let _ = socket.send(Message::text(answer.to_string())).await;
                            }
                        }
                        Some(Ok(Message::Close(frame))) => {
                            code = frame.map(|frame| u16::from(frame.code));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(_)) | None => break,
                    }
                }
            }
            told(json!({"event": "closed", "code": code}));
        });
        Socket {
            who: who.to_owned(),
            texts,
        }
    }

    /// Writes a frame.
    pub(crate) async fn write(&self, frame: &Value) {
        let sent = self.texts.send(Out::Text(frame.to_string())).await;
        assert!(sent.is_ok(), "{}: the connection is closed", self.who);
    }

    /// Closes the connection; its end comes to `told`.
    pub(crate) async fn close(&self) {
        // It may be closed already.
        let _ = self.texts.send(Out::Close).await;
    }
}
