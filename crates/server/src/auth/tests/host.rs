//! The host application: it remembers what it was asked and answers what it was told to.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// One question.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

type Answer = Box<dyn Fn(usize) -> Option<(StatusCode, String)> + Send>;

struct Host {
    asked: Mutex<Vec<Asked>>,
    answer: Mutex<Answer>,
}

/// A host application that stops when it is dropped.
pub(super) struct App {
    host: Arc<Host>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl App {
    /// Answers with `answer`, which is given how many questions came before; `None` = never.
    pub(super) async fn start(
        answer: impl Fn(usize) -> Option<(StatusCode, String)> + Send + 'static,
    ) -> Self {
        let host = Arc::new(Host {
            asked: Mutex::default(),
            answer: Mutex::new(Box::new(answer)),
        });
        let routes = Router::new().fallback(hear).with_state(Arc::clone(&host));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, routes).await.expect("it serves");
        });
        Self {
            host,
            address,
            task,
        }
    }

    /// Always says the same, with status 200.
    pub(super) async fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Self::start(move |_| Some((StatusCode::OK, text.clone()))).await
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/im/login", self.address)
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.host.asked.lock().clone()
    }

    pub(super) fn now_says(&self, status: StatusCode, text: &str) {
        let text = text.to_owned();
        *self.host.answer.lock() = Box::new(move |_| Some((status, text.clone())));
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(
    State(host): State<Arc<Host>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let answer = {
        let mut asked = host.asked.lock();
        let before = asked.len();
        asked.push(Asked { headers, body });
        (host.answer.lock())(before)
    };
    match answer {
        Some(answer) => answer,
        None => std::future::pending().await,
    }
}
