//! `/api/im/admin/webhooks`: the hooks of an app, for administrators (stomp.md D.b.2). They
//! are those of `/v1/hooks`, with the dialect's names.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::routing::{get, post};
use crosstalk_core::hook::{HookFormat, HookKind, HookSettings, OnFailure};
use crosstalk_wire::stomp::im::Page;
use serde::Serialize;
use serde_json::Value;

use super::admin::administrator;
use super::answer::{Done, Failure};
use super::input::Input;
use crate::hooks::{Hook, HookService, check_settings};
use crate::http::edge::Edge;

/// Names of events, headers in a list.
const MAX_LIST: usize = 100;

/// The routes.
pub(super) fn router() -> Router<Edge> {
    Router::new()
        .route("/api/im/admin/webhooks", get(list).post(create))
        .route(
            "/api/im/admin/webhooks/{id}",
            get(one).put(change).delete(delete),
        )
        .route("/api/im/admin/webhooks/{id}/secret", post(rotate))
        .route("/api/im/admin/webhooks/{id}/test", post(test))
}

/// A hook.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Webhook {
    id: String,
    kind: HookKind,
    url: String,
    events: Vec<String>,
    format: HookFormat,
    headers: BTreeMap<String, String>,
    max_batch: u32,
    timeout_ms: u32,
    retry_seconds: u64,
    on_failure: OnFailure,
    note: String,
    enabled: bool,
    created_at: i64,
    delivered: u64,
    failed: u64,
    dead: u64,
    last_status: u16,
    last_error: String,
    /// Only where it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl Webhook {
    fn of(hook: &Hook, secret: Option<String>) -> Self {
        let (record, stats) = (&hook.record, hook.stats());
        let settings = record.settings.clone();
        Self {
            id: record.id.clone(),
            kind: record.kind,
            url: settings.url,
            events: settings.events,
            format: settings.format,
            headers: settings.headers,
            max_batch: settings.max_batch,
            timeout_ms: settings.timeout_ms,
            retry_seconds: settings.retry_for_ms / 1000,
            on_failure: settings.on_failure,
            note: settings.note,
            enabled: record.enabled,
            created_at: record.created_at_ms,
            delivered: stats.delivered,
            failed: stats.failed,
            dead: stats.dead,
            last_status: stats.last_status,
            last_error: stats.last_error,
            secret,
        }
    }
}

/// What a test has shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TestResult {
    http_status: Option<u16>,
    took_ms: u64,
    body: String,
    error: String,
}

async fn list(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    request: Request,
) -> Result<Done<Page<Webhook>>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    let all = hooks.of(&app.realm);
    let list = all.iter().map(|hook| Webhook::of(hook, None));
    Ok(Done(Page::whole(list.collect())))
}

async fn create(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    request: Request,
) -> Result<Done<Webhook>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    input.need("url")?;
    let kind = match input.get("kind") {
        None | Some("events") => HookKind::Events,
        Some("before_send") => HookKind::BeforeSend,
        Some(_) => return Err(Failure::field("kind", "is unknown")),
    };
    let settings = settings(kind, hooks.limits().usual(kind), &input)?;
    let enabled = input.flag("enabled")?.unwrap_or(true);
    let made = hooks.create(&app.realm, &app.id, kind, enabled, settings);
    let (hook, secret) = made.await?;
    Ok(Done(Webhook::of(&hook, Some(secret))))
}

async fn one(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Webhook>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    Ok(Done(Webhook::of(&*hooks.one(&app.realm, &id)?, None)))
}

async fn change(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Webhook>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    let old = hooks.one(&app.realm, &id)?;
    let settings = settings(old.record.kind, old.record.settings.clone(), &input)?;
    let enabled = input.flag("enabled")?.unwrap_or(old.record.enabled);
    let changed = hooks.change(&app.realm, &id, enabled, settings).await?;
    Ok(Done(Webhook::of(&changed, None)))
}

async fn delete(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Value>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    hooks.delete(&app.realm, &id).await?;
    Ok(Done(Value::Null))
}

async fn rotate(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<Webhook>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    let (hook, secret) = hooks.rotate(&app.realm, &id).await?;
    Ok(Done(Webhook::of(&hook, Some(secret))))
}

async fn test(
    State(edge): State<Edge>,
    Extension(hooks): Extension<Arc<HookService>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Done<TestResult>, Failure> {
    let input = Input::read(request).await?;
    let app = administrator(&edge, &input).await?;
    let tested = hooks.test(&app.realm, &id).await?;
    Ok(Done(TestResult {
        http_status: tested.status,
        took_ms: tested.took_ms,
        body: tested.body,
        error: tested.error,
    }))
}

/// What is set, over what was set before.
fn settings(kind: HookKind, before: HookSettings, input: &Input) -> Result<HookSettings, Failure> {
    let events = match input.member("events") {
        Some(Value::Array(none)) if none.is_empty() => Some(Vec::new()),
        None if input.get("events").is_none() => None,
        _ => Some(input.list("events", MAX_LIST)?),
    };
    let headers = match input.member("headers") {
        None | Some(Value::Null) => None,
        Some(headers) => Some(
            serde_json::from_value(headers.clone())
                .map_err(|_| Failure::field("headers", "must be an object of texts"))?,
        ),
    };
    let seconds = input.number::<u64>("retrySeconds")?;
    let settings = HookSettings {
        url: input.get("url").map_or(before.url, str::to_owned),
        events: events.unwrap_or(before.events),
        format: match input.get("format") {
            None => before.format,
            Some("crosstalk") => HookFormat::Crosstalk,
            Some("wukong") => HookFormat::Foreign,
            Some(_) => return Err(Failure::field("format", "is unknown")),
        },
        headers: headers.unwrap_or(before.headers),
        max_batch: input.number("maxBatch")?.unwrap_or(before.max_batch),
        timeout_ms: input.number("timeoutMs")?.unwrap_or(before.timeout_ms),
        retry_for_ms: seconds.map_or(before.retry_for_ms, |secs| secs.saturating_mul(1000)),
        on_failure: match input.get("onFailure") {
            None => before.on_failure,
            Some("open") => OnFailure::Open,
            Some("closed") => OnFailure::Closed,
            Some(_) => return Err(Failure::field("onFailure", "is unknown")),
        },
        note: input.raw("note").map_or(before.note, str::to_owned),
    };
    check_settings(kind, &settings).map_err(|wrong| Failure::field(wrong.field, &wrong.why))?;
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use axum::body::{Body, to_bytes};
    use crosstalk_core::admin::AuditQuery;
    use crosstalk_core::directory::AppId;
    use crosstalk_core::id::Uid;
    use crosstalk_core::im::Im;
    use crosstalk_gateway::{Dialect, Gateway, GatewaySettings};
    use serde_json::json;
    use tower::ServiceExt;

    use crate::config::Config;
    use crate::hooks::tests::{Receiver, service};
    use crate::http::v1::tests::im;

    struct Api {
        im: Arc<Im>,
        routes: Router,
        secret: String,
        user: String,
    }

    impl Api {
        async fn start() -> Self {
            let (im, _, _) = im::start_with_policy(crosstalk_core::im::Policy::default()).await;
            let config = Config::default();
            let settings = crate::http::stomp::settings(&config.stomp).expect("settings");
            let settings = GatewaySettings::default().with(Dialect::Stomp, settings);
            let app = im.apps().get(&AppId::default()).expect("the app");
            let uid = Uid::parse("alice").expect("a uid");
            let user = im.issue_token(&app, &uid, 60, None).await.expect("a token");
            let hooks = service(&im).await;
            let edge = Edge {
                gateway: Gateway::new(Arc::clone(&im), settings),
                im: Arc::clone(&im),
                admin_key: "admin".into(),
                config: Arc::new(config),
                bound: Arc::default(),
            };
            let routes = crate::http::stomp::router(&edge).layer(Extension(hooks));
            Self {
                im,
                routes,
                secret: app.secret.to_string(),
                user: user.token,
            }
        }

        async fn ask(&self, bearer: &str, method: &str, path: &str, body: Value) -> (u16, Value) {
            let request = Request::builder()
                .method(method)
                .uri(format!("/api/im/admin/webhooks{path}"))
                .header("host", "im.example:8080")
                .header("authorization", format!("Bearer {bearer}"))
                .body(Body::from(body.to_string()));
            let routes = self.routes.clone();
            let answer = routes.oneshot(request.expect("a request")).await;
            let (parts, body) = answer.expect("an answer").into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            let body = serde_json::from_slice(&body).unwrap_or_default();
            (parts.status.as_u16(), body)
        }
    }

    #[tokio::test]
    async fn administrators_manage_webhooks() {
        let api = Api::start().await;
        let receiver = Receiver::answering(200, "hi").await;
        let new = json!({
            "url": receiver.url(),
            "events": ["message.*"],
            "timeoutMs": 900,
            "retrySeconds": 5,
            "headers": {"x-key": "k"},
        });
        let (status, made) = api.ask(&api.secret, "POST", "", new).await;
        assert_eq!((status, &made["status"]), (200, &json!("0")), "{made}");
        let hook = &made["data"];
        assert_eq!(
            (&hook["timeoutMs"], &hook["retrySeconds"]),
            (&json!(900), &json!(5))
        );
        let secret = hook["secret"].as_str().expect("a secret");
        let path = format!("/{}", hook["id"].as_str().expect("an id"));
        let (_, tested) = api
            .ask("admin", "POST", &format!("{path}/test"), json!({}))
            .await;
        assert_eq!(
            (&tested["data"]["httpStatus"], &tested["data"]["body"]),
            (&json!(200), &json!("hi"))
        );
        let call = receiver.after(1).await.remove(0);
        assert!(call.is_signed_with(secret) && call.header("x-key") == "k");
        let change = json!({"events": [], "enabled": false});
        let (_, changed) = api.ask("admin", "PUT", &path, change).await;
        assert_eq!(
            (&changed["data"]["events"], &changed["data"]["enabled"]),
            (&json!([]), &json!(false))
        );
        assert_eq!(changed["data"]["timeoutMs"], 900);
        let (_, list) = api.ask("admin", "GET", "", json!({})).await;
        assert_eq!(list["data"]["list"].as_array().map(Vec::len), Some(1));
        assert!(list["data"]["list"][0].get("secret").is_none());
        let (_, rotated) = api
            .ask("admin", "POST", &format!("{path}/secret"), json!({}))
            .await;
        assert_ne!(rotated["data"]["secret"], secret);
        assert_eq!(api.ask("admin", "DELETE", &path, json!({})).await.0, 200);
        assert_eq!(api.ask("admin", "GET", &path, json!({})).await.0, 404);
        let all = AuditQuery {
            limit: 99,
            ..AuditQuery::default()
        };
        let acts = api.im.audit().acts(&all).await.expect("acts");
        let acts: Vec<_> = acts.iter().map(|act| act.entry.action.as_str()).collect();
        let expected = [
            "DELETE /api/im/admin/webhooks/{id}",
            "POST /api/im/admin/webhooks/{id}/secret",
            "PUT /api/im/admin/webhooks/{id}",
            "POST /api/im/admin/webhooks/{id}/test",
            "POST /api/im/admin/webhooks",
        ];
        assert_eq!(acts, expected, "the newest first");
    }

    #[tokio::test]
    async fn nobody_else_does_and_what_is_wrong_is_told() {
        let api = Api::start().await;
        for (method, path) in [
            ("GET", ""),
            ("POST", ""),
            ("PUT", "/x"),
            ("DELETE", "/x"),
            ("POST", "/x/test"),
        ] {
            let user = api
                .ask(&api.user, method, path, json!({"url": "http://h/"}))
                .await;
            assert_eq!(user.0, 403, "{method} {path}");
            let nobody = api.ask("nothing", method, path, json!({})).await;
            assert_eq!(nobody.0, 401, "{method} {path}");
        }
        for wrong in [
            json!({}),
            json!({"url": "ftp://h"}),
            json!({"url": "http://h/", "events": ["nothing"]}),
            json!({"url": "http://h/", "timeoutMs": 1}),
            json!({"url": "http://h/", "format": "x"}),
            json!({"url": "http://h/", "headers": [1]}),
            json!({"url": "http://h/", "kind": "x"}),
        ] {
            let (status, answer) = api.ask("admin", "POST", "", wrong.clone()).await;
            assert_eq!((status, &answer["code"]), (400, &json!(400)), "{wrong}");
        }
    }
}
