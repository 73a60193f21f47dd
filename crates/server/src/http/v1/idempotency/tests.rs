//! The layer around handlers that do as they are told.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::post;
use crosstalk_backends::sqlite::{Sqlite, SqliteOptions};
use crosstalk_core::clock::{Clock, ManualClock};
use crosstalk_core::id::Snowflake;
use crosstalk_core::im::{Im, Policy, Stores};
use tokio::sync::Semaphore;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;

use super::*;
use crate::consumers::search::Search;
use crate::http::v1::tests::im;
use crate::keys::Sealer;

const ADMIN: &str = "admin-key";

/// What a handler does and counts.
#[derive(Default)]
struct Work {
    begun: AtomicU32,
    begin: Option<Semaphore>,
    end: Option<Semaphore>,
}

impl Work {
    /// One that says that it has begun, and waits to be let go.
    fn slow() -> Self {
        Self {
            begin: Some(Semaphore::new(0)),
            end: Some(Semaphore::new(0)),
            ..Self::default()
        }
    }

    async fn has_begun(&self) {
        let begin = self.begin.as_ref().expect("slow work");
        begin.acquire().await.expect("it is open").forget();
    }

    fn let_go(&self) {
        self.end.as_ref().expect("slow work").add_permits(1);
    }
}

/// Answers as the path says.
async fn handle(work: Arc<Work>, request: Request) -> Response {
    let turn = work.begun.fetch_add(1, Ordering::SeqCst) + 1;
    if let Some(begin) = &work.begin {
        begin.add_permits(1);
    }
    if let Some(end) = &work.end {
        end.acquire().await.expect("it is open").forget();
    }
    match request.uri().path() {
        "/panic" if turn == 1 => panic!("as told"),
        "/long" => "x".repeat(MAX_BODY_BYTES + 1).into_response(),
        "/longest" => "x".repeat(MAX_BODY_BYTES).into_response(),
        "/bytes" => vec![0xff_u8].into_response(),
        "/nothing" => StatusCode::NO_CONTENT.into_response(),
        path => {
            let status = path.trim_start_matches('/').parse::<u16>().ok();
            let status = status.and_then(|status| StatusCode::from_u16(status).ok());
            (status.unwrap_or_default(), format!("turn {turn}")).into_response()
        }
    }
}

async fn bed(work: Work) -> (Router, Arc<Work>) {
    let (im, _, _) = im::start_with_policy(Policy::default()).await;
    let api = ApiState {
        search: Search::off(&im),
        im,
        admin_key: ADMIN.into(),
    };
    let work = Arc::new(work);
    let handler = {
        let work = Arc::clone(&work);
        move |request| handle(Arc::clone(&work), request)
    };
    let routes = Router::new()
        .route("/{what}", post(handler))
        .layer(from_fn_with_state(Keys::new(api), once))
        .layer(CatchPanicLayer::new());
    (routes, work)
}

fn request(path: &str, key: &str) -> Request {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request
        .header(header::AUTHORIZATION, format!("Bearer {ADMIN}"))
        .header(KEY_HEADER, key);
    request.body(Body::empty()).expect("a request")
}

/// Status, whether it is a repetition, and the text.
async fn ask(routes: &Router, path: &str) -> (u16, bool, String) {
    let response = routes.clone().oneshot(request(path, "k")).await;
    let (parts, body) = response.expect("an answer").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let text = String::from_utf8_lossy(&body).into_owned();
    let again = parts.headers.get(REPLAYED).is_some_and(|it| it == "true");
    (parts.status.as_u16(), again, text)
}

fn code(text: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(text).expect("a problem");
    problem["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn what_still_runs_is_not_run_again() {
    let (routes, work) = bed(Work::slow()).await;
    let first = tokio::spawn({
        let routes = routes.clone();
        async move { ask(&routes, "/201").await }
    });
    work.has_begun().await;
    let response = routes.clone().oneshot(request("/201", "k")).await;
    let response = response.expect("an answer");
    assert_eq!(response.status(), 409);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let (status, again, problem) = ask(&routes, "/201").await;
    assert_eq!((status, again), (409, false));
    assert_eq!(code(&problem), "wrong_state");
    let (status, _, problem) = ask(&routes, "/200").await;
    assert_eq!((status, &*code(&problem)), (409, "idempotency_conflict"));
    work.let_go();
    let first = first.await.expect("an answer");
    assert_eq!(first, (201, false, "turn 1".to_owned()));
    let second = ask(&routes, "/201").await;
    assert_eq!(second, (201, true, "turn 1".to_owned()));
}

#[tokio::test]
async fn so_many_run_at_once() {
    let running = Running::default();
    let one = Asker::Admin(None);
    let take = |asker: &Asker, key: usize| running.take(asker.clone(), key.to_string(), [0; 32]);
    let turns: Vec<_> = (0..AT_ONCE_OF_BACKEND)
        .map(|key| take(&one, key).expect("a turn"))
        .collect();
    assert_eq!(take(&one, AT_ONCE_OF_BACKEND).err(), Some(Taken::TooMany));
    assert_eq!(take(&one, 0).err(), Some(Taken::Running));
    assert_eq!(Taken::TooMany.into_response().status(), 429);
    let other = Asker::User(crosstalk_core::id::UserNum(1));
    assert!(take(&other, 0).is_ok(), "one does not keep another waiting");
    drop(turns);
    assert!(running.0.lock().is_empty(), "nothing stays");
    assert!(take(&one, 0).is_ok());
}

#[tokio::test]
async fn it_is_seen_through_though_the_caller_hangs_up() {
    let (routes, work) = bed(Work::slow()).await;
    let first = tokio::spawn({
        let routes = routes.clone();
        async move { ask(&routes, "/201").await }
    });
    work.has_begun().await;
    first.abort();
    assert!(first.await.expect_err("it hung up").is_cancelled());
    work.let_go();
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let second = loop {
        let (status, again, text) = ask(&routes, "/201").await;
        if status != 409 || tokio::time::Instant::now() > deadline {
            break (status, again, text);
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(second, (201, true, "turn 1".to_owned()));
    assert_eq!(work.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_was_not_done_frees_the_key() {
    for path in [
        "/500", "/503", "/429", "/401", "/403", "/panic", "/303", "/400", "/404", "/409", "/422",
    ] {
        let (routes, work) = bed(Work::default()).await;
        for turn in 1..3 {
            let (_, again, _) = ask(&routes, path).await;
            assert!(!again, "{path}");
            assert_eq!(work.begun.load(Ordering::SeqCst), turn, "{path}");
        }
    }
    for path in ["/200", "/202"] {
        let (routes, work) = bed(Work::default()).await;
        let first = ask(&routes, path).await;
        let (status, again, text) = ask(&routes, path).await;
        assert!(again, "{path}");
        assert_eq!((status, &text), (first.0, &first.2), "{path}");
        assert_eq!(work.begun.load(Ordering::SeqCst), 1, "{path}");
    }
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_done_again() {
    for path in ["/long", "/bytes"] {
        let (routes, work) = bed(Work::default()).await;
        assert_eq!(ask(&routes, path).await.0, 200, "{path}");
        let (status, again, problem) = ask(&routes, path).await;
        assert_eq!((status, again), (409, true), "{path}");
        assert_eq!(code(&problem), "already_exists", "{path}");
        assert_eq!(work.begun.load(Ordering::SeqCst), 1, "{path}");
    }
    let (routes, _) = bed(Work::default()).await;
    let first = ask(&routes, "/longest").await;
    let second = ask(&routes, "/longest").await;
    assert_eq!((second.0, second.1), (200, true));
    assert_eq!(second.2, first.2);
    let (routes, _) = bed(Work::default()).await;
    for again in [false, true] {
        let response = routes.clone().oneshot(request("/nothing", "k")).await;
        let response = response.expect("an answer");
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers().contains_key(REPLAYED), again);
        assert!(!response.headers().contains_key(header::CONTENT_TYPE));
    }
}

#[tokio::test]
async fn without_a_key_nobody_is_asked_anything() {
    let (routes, work) = bed(Work::default()).await;
    for _ in 0..2 {
        let request = Request::builder().method(Method::POST).uri("/200");
        let request = request.body(Body::empty()).expect("a request");
        let response = routes.clone().oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), 200, "the handler itself asks who calls");
    }
    assert_eq!(work.begun.load(Ordering::SeqCst), 2);
    let mut request = request("/200", "k");
    request.headers_mut().remove(header::AUTHORIZATION);
    let response = routes.clone().oneshot(request).await.expect("an answer");
    assert_eq!(response.status(), 401);
    assert_eq!(work.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_is_kept_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at_ms(im::START_MS));
    let ids = Arc::new(Snowflake::new(Arc::clone(&clock), 1));
    let file = folder.path().join("answers.db");
    let options = SqliteOptions::new(&file, Arc::clone(&clock), Arc::clone(&ids));
    let store = Arc::new(Sqlite::open(options).expect("a store"));
    let seal = Sealer::open(folder.path(), Arc::clone(&clock)).expect("a key");
    let stores = Stores::of(Arc::clone(&store));
    let im = Im::start(stores, Arc::new(seal), ids, clock, Policy::default()).await;
    let im = im.expect("a messenger");
    let answered = Answered {
        fingerprint: [1; 32],
        status: 201,
        media_type: "application/json".to_owned(),
        body: Some("{\"secret\":\"whsec_known\"}".to_owned()),
    };
    let (asker, key) = (Asker::Admin(None), "key_known");
    im.keep_answer(&asker, key, answered.clone())
        .await
        .expect("kept");
    assert_eq!(im.answered(&asker, key).await, Ok(Some(answered)));
    store.close().await;
    let bytes = std::fs::read(&file).expect("a file");
    let has = |text: &str| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(has("key_known"), "it was written down");
    assert!(!has("whsec_known"));
}
