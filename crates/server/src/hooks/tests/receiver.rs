//! A receiver of calls: it remembers them and answers what it was told to.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use hmac::{Hmac, KeyInit, Mac};
use parking_lot::Mutex;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::PATIENCE;

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) headers: HeaderMap,
    pub(crate) query: String,
    pub(crate) body: Bytes,
    pub(crate) json: Value,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// Whether it was signed with this secret, worked out as docs tell a receiver to.
    pub(crate) fn is_signed_with(&self, secret: &str) -> bool {
        let Some((t, v1)) = self.header("crosstalk-signature").split_once(",v1=") else {
            return false;
        };
        let t = t.strip_prefix("t=").unwrap_or_default();
        let mut text = format!("{t}.{}.", self.header("crosstalk-id")).into_bytes();
        text.extend_from_slice(&self.body);
        let mut keyed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        keyed.update(&text);
        v1 == hex::encode(keyed.finalize().into_bytes())
    }
}

type Answer = Box<dyn Fn(usize, &Call) -> Option<(u16, String)> + Send>;

struct Inner {
    calls: Mutex<Vec<Call>>,
    heard: Semaphore,
    answer: Mutex<Answer>,
}

/// A receiver that stops when it is dropped.
pub(crate) struct Receiver {
    inner: Arc<Inner>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Answers with `answer`, which is given how many calls came before; `None` = never.
    pub(crate) async fn start(
        answer: impl Fn(usize, &Call) -> Option<(u16, String)> + Send + 'static,
    ) -> Self {
        let inner = Arc::new(Inner {
            calls: Mutex::default(),
            heard: Semaphore::new(0),
            answer: Mutex::new(Box::new(answer)),
        });
        let routes = Router::new().fallback(hear).with_state(Arc::clone(&inner));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("it serves");
        });
        Self {
            inner,
            address,
            task,
        }
    }

    /// Takes everything.
    pub(crate) async fn taking() -> Self {
        Self::start(|_, _| Some((200, String::new()))).await
    }

    /// Always answers the same.
    pub(crate) async fn answering(status: u16, body: &str) -> Self {
        let body = body.to_owned();
        Self::start(move |_, _| Some((status, body.clone()))).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn now(&self, status: u16, body: &str) {
        let body = body.to_owned();
        *self.inner.answer.lock() = Box::new(move |_, _| Some((status, body.clone())));
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.inner.calls.lock().clone()
    }

    /// Waits for so many more calls, and gives all there were.
    pub(crate) async fn after(&self, more: u32) -> Vec<Call> {
        let heard = timeout(PATIENCE, self.inner.heard.acquire_many(more)).await;
        heard.expect("calls in time").expect("open").forget();
        self.calls()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(
    State(inner): State<Arc<Inner>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let call = Call {
        headers,
        query: uri.query().unwrap_or_default().to_owned(),
        json: serde_json::from_slice(&body).unwrap_or_default(),
        body,
    };
    let before = inner.calls.lock().len();
    let answer = (inner.answer.lock())(before, &call);
    inner.calls.lock().push(call);
    inner.heard.add_permits(1);
    match answer {
        Some((status, body)) => (StatusCode::from_u16(status).expect("a status"), body),
        None => std::future::pending().await,
    }
}
