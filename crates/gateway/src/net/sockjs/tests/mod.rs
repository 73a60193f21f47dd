//! An endpoint with a service that says everything back, asked as a browser asks.

mod http;
mod life;
mod sending;

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, Response, StatusCode};
use bytes::BytesMut;
use crosstalk_core::clock::{Clock, SystemClock};
use hyper::body::Body;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::SockJsBody;
use super::endpoint::{Call, Endpoint, Outcome};
use crate::conn::{Abort, Input, Transport};
use crate::net::gateway::ConnectionLimits;
use crate::net::limits::Doorkeeper;
use crate::protocol::Out;
use crate::registry::Dialect;
use crate::stats::Counters;

const PATIENCE: Duration = Duration::from_secs(100);

/// Says back what stands before each semicolon; at `close` it closes with 3000, and at
/// `number` it says a number that was not asked for, over and over.
pub(super) async fn echo<T: Transport>(mut transport: T) {
    let mut input = Input::default();
    while let Ok(1..) = poll_fn(|cx| transport.poll_receive(cx, &mut input)).await {
        let mut out = Out::default();
        let mut code = None;
        let mut is_asked_for_numbers = false;
        while let Some(end) = input.iter().position(|byte| *byte == b';') {
            match &input.split_to(end + 1)[..end] {
                b"close" => code = Some(3000),
                b"number" => is_asked_for_numbers = true,
                word => put(&mut out, word),
            }
        }
        input.settle();
        let sent = transport.send(&out).await;
        if let Some(code) = code {
            return transport.close(code).await;
        }
        if sent.is_err() {
            break;
        }
        if is_asked_for_numbers {
            let mut number = 0;
            let mut failed = false;
            while !failed {
                out.clear();
                put(&mut out, format!("{number:09999}").as_bytes());
                failed = transport.send(&out).await.is_err();
                number += 1;
            }
            break;
        }
    }
    transport.close(1000).await;
}

fn put(out: &mut Out, word: &[u8]) {
    let write = |bytes: &mut BytesMut| {
        bytes.extend_from_slice(word);
        Ok::<(), ()>(())
    };
    out.frame(write).expect("it cannot fail");
}

/// The time that the runtime goes by, which a test may stop.
struct RuntimeClock {
    start: Instant,
    system: SystemClock,
}

impl Clock for RuntimeClock {
    fn now_ms(&self) -> i64 {
        1_792_000_000_000
    }

    fn mono_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).expect("a short test")
    }

    fn fill_random(&self, out: &mut [u8]) {
        self.system.fill_random(out);
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(RuntimeClock {
        start: Instant::now(),
        system: SystemClock::new(),
    })
}

#[derive(Clone)]
pub(super) struct Bed {
    endpoint: Arc<Endpoint>,
    keeper: Arc<Doorkeeper>,
    counters: Arc<Counters>,
    tasks: TaskTracker,
    stop: CancellationToken,
    abort: Arc<Abort>,
    is_for_all: bool,
}

impl Bed {
    fn new() -> Self {
        Self::with_limit(0)
    }

    /// At most so many connections.
    fn with_limit(total: usize) -> Self {
        let limits = ConnectionLimits {
            total,
            per_address: 0,
        };
        let counters = Arc::new(Counters::default());
        Self {
            endpoint: Arc::new(Endpoint::new(clock())),
            keeper: Arc::new(Doorkeeper::new(limits, Arc::clone(&counters))),
            counters,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            abort: Arc::default(),
            is_for_all: true,
        }
    }

    async fn outcome<B: Body + Unpin>(&self, request: Request<B>) -> Outcome {
        let (parts, mut body) = request.into_parts();
        let head = Request::from_parts(parts, ());
        let call = Call {
            dialect: Dialect::Wukong,
            path: head.uri().path(),
            is_for_all: self.is_for_all,
        };
        let admit = || self.keeper.admit(IpAddr::from([127, 0, 0, 1]), false);
        self.endpoint.answer(call, &head, &mut body, admit).await
    }

    /// Answers a request, and runs what it begins.
    async fn serve<B: Body + Unpin>(&self, request: Request<B>) -> Response<SockJsBody> {
        match self.outcome(request).await {
            Outcome::Answer(response) => response,
            Outcome::Session(response, new) => {
                let bed = self.clone();
                self.tasks.spawn(async move {
                    new.run(&bed.endpoint, &bed.stop, &bed.abort, echo).await;
                });
                response
            }
            Outcome::WebSocket { is_framed } => {
                let name = if is_framed { "framed" } else { "raw" };
                let mut response = Response::new(SockJsBody::whole(name));
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                response
            }
        }
    }

    /// `line` is a method and a path, and perhaps headers in further lines.
    async fn ask(&self, line: &str, body: &str) -> Response<SockJsBody> {
        let mut lines = line.lines();
        let (method, path) = lines.next().and_then(|it| it.split_once(' ')).expect("one");
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            request = request.header(name.trim(), value.trim());
        }
        let request = request.body(SockJsBody::whole(body.to_owned()));
        self.serve(request.expect("a request")).await
    }

    /// Asks, and reads to the end.
    async fn answer(&self, line: &str, body: &str) -> Answer {
        let (parts, mut body) = self.ask(line, body).await.into_parts();
        let mut text = String::new();
        while let Some(piece) = piece(&mut body).await {
            text.push_str(&piece);
        }
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: text,
        }
    }

    async fn text(&self, line: &str) -> String {
        self.answer(line, "").await.body
    }

    async fn send(&self, session: &str, body: &str) -> u16 {
        let line = format!("POST /0/{session}/xhr_send");
        self.answer(&line, body).await.status
    }
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }
}

/// The next piece of a body.
async fn piece(body: &mut SockJsBody) -> Option<String> {
    let next = timeout(PATIENCE, poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx))).await;
    let Ok(frame) = next.expect("in time")?;
    let data = frame.into_data().expect("data");
    Some(String::from_utf8(data.to_vec()).expect("text"))
}

/// A streaming response after its prelude and its greeting.
async fn stream(bed: &Bed, session: &str) -> SockJsBody {
    let line = format!("POST /0/{session}/xhr_streaming");
    let mut body = bed.ask(&line, "").await.into_body();
    assert_eq!(piece(&mut body).await, Some("h".repeat(2048) + "\n"));
    assert_eq!(piece(&mut body).await.as_deref(), Some("o\n"));
    body
}
