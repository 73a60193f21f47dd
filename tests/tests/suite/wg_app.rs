//! An application that a server under test asks over HTTP.

use std::sync::Arc;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crosstalk_tests::within;

/// One question.
pub(crate) struct Asked {
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// A header of it; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> String {
        let lines = self.head.lines();
        let mut found = lines.filter_map(|line| line.split_once(':'));
        let found = found.find(|(it, _)| it.eq_ignore_ascii_case(name));
        found.map_or_else(String::new, |(_, value)| value.trim().to_owned())
    }
}

/// An HTTP server of one answer per connection. It ends when it is dropped.
pub(crate) struct App {
    url: String,
    asked: mpsc::UnboundedReceiver<Asked>,
    serving: tokio::task::JoinHandle<()>,
}

impl App {
    /// Serves; `answer` turns the JSON of a question into status and JSON.
    pub(crate) async fn start(
        answer: impl Fn(&Value) -> (u16, Value) + Send + Sync + 'static,
    ) -> App {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (tell, asked) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tell, answer) = (tell.clone(), Arc::clone(&answer));
                tokio::spawn(async move {
                    if let Some(question) = serve(stream, &*answer).await {
                        // A test that has seen enough looks no more.
                        let _ = tell.send(question);
                    }
                });
            }
        });
        App {
            url,
            asked,
            serving,
        }
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// The next question that it was asked.
    pub(crate) async fn asked(&mut self) -> Asked {
        let asked = within("a question", self.asked.recv()).await;
        asked.expect("it serves")
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    answer: &(impl Fn(&Value) -> (u16, Value) + Send + Sync),
) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head_len = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut asked = Asked {
        head: String::from_utf8_lossy(&bytes[..head_len]).into_owned(),
        body: bytes.split_off(head_len),
    };
    let length: usize = asked.header("content-length").parse().ok()?;
    while asked.body.len() < length {
        if stream.read_buf(&mut asked.body).await.ok()? == 0 {
            return None;
        }
    }
    let question = serde_json::from_slice(&asked.body).unwrap_or_default();
    let (status, said) = answer(&question);
    let said = said.to_string();
    let response = format!(
        "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n{said}",
        said.len()
    );
    stream.write_all(response.as_bytes()).await.ok()?;
    Some(asked)
}
