//! What surrounds the interfaces: problems, limits, metrics, documentation.

use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderMap, Request};
use axum::response::IntoResponse;
use axum::routing::post;
use serde_json::Value;
use tower::ServiceExt;

use super::*;
use crate::http::metrics::Reading;

async fn panics() -> &'static str {
    panic!("a bug")
}

async fn own_problem() -> impl IntoResponse {
    let body = r#"{"code":"no_such_user"}"#;
    (
        StatusCode::NOT_FOUND,
        [(CONTENT_TYPE, "application/problem+json")],
        body,
    )
}

fn routes() -> (Router, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new(|| {
        vec![Reading::gauge("sessions", "Sessions open", 3)]
    }));
    let routes = Router::new()
        .route("/v1/things/{id}", get(async || "here"))
        .route(
            "/v1/lengths",
            post(async |body: String| body.len().to_string()),
        )
        .layer(DefaultBodyLimit::disable())
        .route("/v1/own", get(own_problem))
        .route("/v1/panics", get(panics))
        .route(
            "/metrics",
            get(metrics::show).with_state(Arc::clone(&metrics)),
        )
        .merge(docs::router(v1_document(), "https://im.example.org/"))
        .fallback(problem::no_route);
    let routes = guard(routes)
        .layer(middleware::from_fn(problem::explain))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&metrics),
            watch::watch,
        ));
    (routes, metrics)
}

fn v1_document() -> utoipa::openapi::OpenApi {
    utoipa::openapi::OpenApi::default()
}

async fn ask(method: &str, path: &str, body: Body) -> (StatusCode, HeaderMap, String) {
    ask_at(&routes().0, method, path, body).await
}

async fn ask_at(
    routes: &Router,
    method: &str,
    path: &str,
    body: Body,
) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(body)
        .expect("a request");
    let response = routes.clone().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    (
        parts.status,
        parts.headers,
        String::from_utf8_lossy(&body).into_owned(),
    )
}

async fn problem(method: &str, path: &str, body: Body) -> (u16, Value) {
    let (status, headers, body) = ask(method, path, body).await;
    assert_eq!(headers[CONTENT_TYPE], "application/problem+json", "{path}");
    let problem: Value = serde_json::from_str(&body).expect("JSON");
    (status.as_u16(), problem)
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems() {
    let (status, found) = problem("GET", "/v2/x?token=secret", Body::empty()).await;
    let expected = serde_json::json!({
        "type": "urn:crosstalk:problem:no_such_route", "title": "Not Found", "status": 404,
        "code": "no_such_route", "detail": "there is nothing at /v2/x; see /docs",
    });
    assert_eq!((status, found), (404, expected));
    let (status, found) = problem("DELETE", "/v1/things/1", Body::empty()).await;
    assert_eq!(
        (status, &found["code"]),
        (405, &Value::from("method_not_allowed"))
    );
    let (_, headers, _) = ask("DELETE", "/v1/things/1", Body::empty()).await;
    assert_eq!(headers[ALLOW], "GET,HEAD");
}

#[tokio::test]
async fn large_bodies_and_panics_are_problems() {
    let large = "x".repeat(BODY_BYTES + 1);
    let (status, found) = problem("POST", "/v1/lengths", Body::from(large)).await;
    assert_eq!((status, &found["code"]), (413, &Value::from("too_large")));
    let (status, _, length) = ask("POST", "/v1/lengths", Body::from("x".repeat(BODY_BYTES))).await;
    assert_eq!((status.as_u16(), length), (200, BODY_BYTES.to_string()));
    let (status, found) = problem("GET", "/v1/panics", Body::empty()).await;
    assert_eq!((status, &found["code"]), (500, &Value::from("internal")));
    assert!(!found.to_string().contains("a bug"));
}

#[tokio::test]
async fn problems_of_the_interfaces_pass_unchanged() {
    let (status, found) = problem("GET", "/v1/own", Body::empty()).await;
    assert_eq!(
        (status, found.to_string()),
        (404, r#"{"code":"no_such_user"}"#.to_owned())
    );
}

#[cfg(feature = "wukong")]
#[tokio::test]
async fn wukong_callers_get_errors_in_their_form() {
    let routes = Router::new().route("/panics", get(panics));
    let routes = guard(routes).layer(middleware::from_fn(problem::explain_to_wukong));
    for (method, path, body) in [
        (
            "GET",
            "/nowhere",
            r#"{"msg":"there is nothing at GET /nowhere","status":404}"#,
        ),
        (
            "POST",
            "/panics",
            r#"{"msg":"POST /panics is not allowed","status":405}"#,
        ),
        (
            "GET",
            "/panics",
            r#"{"msg":"the server failed","status":500}"#,
        ),
    ] {
        assert_eq!(ask_at(&routes, method, path, Body::empty()).await.2, body);
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_not_by_path() {
    let (routes, _) = routes();
    for path in ["/v1/things/1", "/v1/things/2", "/nowhere/1"] {
        ask_at(&routes, "GET", path, Body::empty()).await;
    }
    let (_, headers, text) = ask_at(&routes, "GET", "/metrics", Body::empty()).await;
    assert!(
        headers[CONTENT_TYPE]
            .to_str()
            .expect("text")
            .starts_with("application/openmetrics")
    );
    for line in [
        "crosstalk_http_requests_total{method=\"GET\",route=\"/v1/things/{id}\",status=\"200\"} 2",
        "crosstalk_http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 1",
        "crosstalk_http_request_seconds_count{method=\"GET\",route=\"/v1/things/{id}\"} 2",
        "crosstalk_sessions 3",
        "# TYPE process_start_time_seconds gauge",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("nowhere"));
    let resident = text
        .lines()
        .find_map(|it| it.strip_prefix("process_resident_memory_bytes "));
    assert!(
        resident
            .and_then(|it| it.parse::<u64>().ok())
            .is_some_and(|bytes| bytes > 1 << 20)
    );
}

#[tokio::test]
async fn the_documentation_needs_no_other_server() {
    let (routes, _) = routes();
    let (status, _, document) = ask_at(&routes, "GET", "/openapi.json", Body::empty()).await;
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(
        (status.as_u16(), &document["servers"][0]["url"]),
        (200, &"https://im.example.org".into())
    );
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let (status, _, page) = ask_at(&routes, "GET", "/docs/", Body::empty()).await;
    assert_eq!(status.as_u16(), 200);
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "{page}"
    );
    for asset in [
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
    ] {
        let path = format!("/docs/{asset}");
        let (status, _, _) = ask_at(&routes, "GET", &path, Body::empty()).await;
        assert_eq!(status.as_u16(), 200, "{asset}");
    }
}
