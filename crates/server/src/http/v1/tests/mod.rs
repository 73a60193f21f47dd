//! Router-level tests of the REST interface, on a messenger over a store in memory. Whatever
//! is called here must answer with a status that the interface's document names.

#![allow(clippy::too_many_lines, reason = "each is one story")]

mod administration;
mod apps;
mod auditing;
mod carrying;
mod channels;
mod commands;
mod contents;
mod conversations;
mod dissolving;
mod document;
mod erasing;
mod file_sight;
mod files;
mod friends;
mod groups;
mod hooks;
mod idempotency;
pub(crate) mod im;
mod keeping;
mod marks;
mod messages;
mod moderation;
mod privacy;
mod reviewing;
mod search;
mod uploads;
mod users;
mod wording;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use crosstalk_core::clock::ManualClock;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::{Realm, Uid};
use crosstalk_core::im::{Im, Policy};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::http::state::ApiState;

/// The admin key of every test.
const ADMIN: &str = "admin-key";

/// The interface with its messenger.
struct Rest {
    routes: Router,
    document: Value,
    im: Arc<Im>,
    clock: Arc<ManualClock>,
    /// The app `default`.
    app: App,
    /// Where files are staged.
    _staging: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The body of an answer that must be a success.
    fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.body
        );
        self.body
    }

    /// Status and code of an answer that must be a problem.
    fn problem(self) -> (u16, String) {
        assert_eq!(
            self.headers[header::CONTENT_TYPE],
            "application/problem+json"
        );
        assert_eq!(self.body["status"], self.status);
        for member in ["type", "title", "detail", "code"] {
            assert!(self.body[member].is_string(), "{member} in {}", self.body);
        }
        (
            self.status,
            self.body["code"].as_str().unwrap_or_default().to_owned(),
        )
    }

    /// The detail of a problem with this code.
    fn detail(self, code: &str) -> String {
        let detail = self.body["detail"].as_str().unwrap_or_default().to_owned();
        assert_eq!(self.problem().1, code, "{detail}");
        detail
    }
}

impl Rest {
    async fn start() -> Self {
        Self::with_policy(Policy::default()).await
    }

    async fn with_policy(policy: Policy) -> Self {
        let (im, clock, _) = im::start_with_policy(policy).await;
        let app = im.apps().get(&AppId::default()).expect("the app default");
        let state = ApiState {
            im: Arc::clone(&im),
            admin_key: ADMIN.into(),
            search: crate::consumers::search::Search::off(&im),
        };
        let (files, staging) = crate::files::tests::service(&im);
        let (routes, document) = super::router(state);
        let routes = routes
            .merge(crate::http::files::router())
            .layer(axum::Extension(files))
            .layer(axum::Extension(crate::hooks::tests::service(&im).await));
        let document = serde_json::to_value(document).expect("the document is JSON");
        Self {
            routes,
            document,
            im,
            clock,
            app,
            _staging: staging,
        }
    }

    fn clock_ms(&self) -> i64 {
        self.im.clock().now_ms()
    }

    /// Sends a request and checks that its answer is documented.
    async fn send(&self, request: Request<Body>) -> Answer {
        let method = request.method().as_str().to_lowercase();
        let path = request.uri().path().to_owned();
        let response = self
            .routes
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a body");
        let status = parts.status.as_u16();
        let answers = &self.operation(&method, &path)["responses"];
        assert!(
            answers.get(status.to_string()).is_some(),
            "{method} {path} answers {status}"
        );
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Answer {
            status,
            headers: parts.headers,
            body,
        }
    }

    /// The description of a route, found by a path that it matches.
    fn operation(&self, method: &str, path: &str) -> &Value {
        let fits = |template: &str| {
            let (mut wanted, mut found) = (template.split('/'), path.split('/'));
            let pairs = std::iter::from_fn(|| match (wanted.next(), found.next()) {
                (None, None) => None,
                pair => Some(pair),
            });
            pairs.into_iter().all(|(wanted, found)| {
                wanted.is_some() && (wanted == found || wanted.is_some_and(|w| w.starts_with('{')))
            })
        };
        let paths = self.document["paths"].as_object().expect("paths");
        // A template without holes fits better than one with.
        let mut fitting: Vec<_> = paths
            .iter()
            .filter(|(template, item)| fits(template) && item.get(method).is_some())
            .collect();
        fitting.sort_by_key(|(template, _)| template.matches('{').count());
        let (_, item) = fitting
            .first()
            .unwrap_or_else(|| panic!("{method} {path} is documented"));
        &item[method]
    }

    /// A request with a bearer.
    async fn call(&self, bearer: &str, method: &str, path: &str, body: Value) -> Answer {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {bearer}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        self.send(request.expect("a request")).await
    }

    /// A request of the app's backend.
    async fn app(&self, method: &str, path: &str, body: Value) -> Answer {
        let secret = self.app.secret.to_string();
        self.call(&secret, method, path, body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.app("GET", path, Value::Null).await.ok()
    }

    async fn put(&self, path: &str, body: Value) -> Value {
        self.app("PUT", path, body).await.ok()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.app("POST", path, body).await.ok()
    }

    /// Whether the server has ever given this name a number.
    async fn is_known(&self, uid: &str) -> bool {
        let uid = Uid::parse(uid).expect("a uid");
        let found = self.im.find_user(&Realm::default(), &uid).await;
        found.expect("an answer").is_some()
    }

    /// Makes a user exist and returns a token.
    async fn user(&self, uid: &str) -> String {
        let issued = self
            .post(&format!("/v1/users/{uid}/tokens"), Value::Null)
            .await;
        issued["token"].as_str().expect("a token").to_owned()
    }

    /// Sends a text and returns the answer.
    async fn text(&self, from: &str, kind: &str, id: &str, text: &str) -> Value {
        let message = json!({
            "from": from,
            "to": {"kind": kind, "id": id},
            "content": {"type": "text", "text": text},
        });
        self.post("/v1/messages", message).await
    }
}

/// The strings in an array of objects, by one of their members.
fn each(items: &Value, pointer: &str) -> Vec<String> {
    let items = items.as_array().expect("a list");
    let text = |item: &Value| match item.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        other => other.cloned().unwrap_or_default().to_string(),
    };
    items.iter().map(text).collect()
}
