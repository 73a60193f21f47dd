//! Hooks: addresses of an application that are told what happens, or asked before a message is
//! accepted.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::{Extension, Json};
use crosstalk_core::hook::{HookFormat, HookKind, HookSettings, OnFailure};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize};
use super::page::Page;
use super::problem::Problem;
use crate::hooks::{Hook, HookService, Replay, Tested, check_settings};

/// What a hook is for.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookKind)]
pub(super) enum Kind {
    /// It is told what has happened.
    #[default]
    Events,
    /// It is asked before a message of a user is accepted.
    BeforeSend,
}

/// How events are written.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookFormat)]
pub(super) enum Format {
    /// As this interface writes them.
    Crosstalk,
    /// As `WuKongIM`'s webhooks.
    Wukong,
}

/// What becomes of a message about which the hook gave no answer.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HookOnFailure)]
pub(super) enum Failing {
    /// It passes.
    Open,
    /// It is refused.
    Closed,
}

/// What is to be set of a hook. What is absent stays, or is as usual.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = HookChange)]
pub(super) struct HookInput {
    /// Where it is: `https://…` or `http://…`.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Which events: names (`message.stored`), or beginnings (`member.*`, `*`). None = all.
    #[schema(max_items = 100)]
    events: Option<Vec<String>>,
    /// How they are written.
    format: Option<Format>,
    /// Headers that are sent along.
    headers: Option<BTreeMap<String, String>>,
    /// Events in one request; with 1 a request is one event and each channel has an order of
    /// its own, with more a request has `{"events":[…]}`, all in order.
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    max_batch: Option<u32>,
    /// How long an answer may take, ms.
    #[schema(minimum = 50, maximum = 30_000)]
    timeout_ms: Option<u32>,
    /// For how long a delivery is tried, seconds.
    #[schema(maximum = 604_800)]
    retry_for_secs: Option<u64>,
    /// Of a hook that is asked: what becomes of a message without an answer.
    on_failure: Option<Failing>,
    /// What people call it.
    #[schema(max_length = 200)]
    note: Option<String>,
    /// Whether it is called.
    enabled: Option<bool>,
}

/// A new hook.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({
    "url": "https://app.example.org/im/events",
    "events": ["message.*", "user.online"],
}))]
pub(super) struct NewHook {
    /// What it is for.
    #[serde(default)]
    kind: Kind,
    /// What is set of it.
    #[serde(flatten)]
    input: HookInput,
}

/// What became of a hook's deliveries since the server started.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct HookStats {
    /// Requests that were taken, or questions that were answered.
    delivered: u64,
    /// Tries that failed.
    failed: u64,
    /// Requests that were given up.
    dead: u64,
    /// Requests that are being tried again now.
    retrying: u64,
    /// Status of the last answer; null = there was none.
    last_status: Option<u16>,
    /// Why the last try that failed did so; null = none did.
    last_error: Option<String>,
    /// When it was last called, ms since 1970; null = never.
    last_at: Option<i64>,
    /// How long the last answer took, ms.
    last_ms: u64,
    /// How far behind it is, ms.
    behind_ms: u64,
    /// Dead letters that are kept.
    dead_letters: u64,
}

/// A hook.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Hook)]
pub(super) struct HookView {
    /// Its id.
    id: String,
    /// The app that has made it; it hears of that app's whole realm.
    app_id: String,
    /// What it is for.
    kind: Kind,
    /// Where it is.
    url: String,
    /// Which events; none = all.
    events: Vec<String>,
    /// How they are written.
    format: Format,
    /// Headers that are sent along.
    headers: BTreeMap<String, String>,
    /// Events in one request, at most.
    max_batch: u32,
    /// How long an answer may take, ms.
    timeout_ms: u32,
    /// For how long a delivery is tried, seconds.
    retry_for_secs: u64,
    /// What becomes of a message without an answer.
    on_failure: Failing,
    /// What people call it.
    note: String,
    /// Whether it is called.
    enabled: bool,
    /// When it was made, ms since 1970.
    created_at: i64,
    /// What became of its deliveries.
    stats: HookStats,
}

/// A hook with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookWithSecret)]
pub(super) struct HookSecret {
    /// What signs the calls.
    secret: String,
    /// The hook.
    #[serde(flatten)]
    hook: HookView,
}

async fn view(service: &HookService, hook: &Hook) -> Result<HookView, Problem> {
    let (record, settings, stats) = (&hook.record, &hook.record.settings, hook.stats());
    Ok(HookView {
        id: record.id.clone(),
        app_id: record.app.as_str().to_owned(),
        kind: match record.kind {
            HookKind::Events => Kind::Events,
            HookKind::BeforeSend => Kind::BeforeSend,
        },
        url: settings.url.clone(),
        events: settings.events.clone(),
        format: match settings.format {
            HookFormat::Crosstalk => Format::Crosstalk,
            HookFormat::Foreign => Format::Wukong,
        },
        headers: settings.headers.clone(),
        max_batch: settings.max_batch,
        timeout_ms: settings.timeout_ms,
        retry_for_secs: settings.retry_for_ms / 1000,
        on_failure: match settings.on_failure {
            OnFailure::Open => Failing::Open,
            OnFailure::Closed => Failing::Closed,
        },
        note: settings.note.clone(),
        enabled: record.enabled,
        created_at: record.created_at_ms,
        stats: HookStats {
            delivered: stats.delivered,
            failed: stats.failed,
            dead: stats.dead,
            retrying: stats.retrying,
            last_status: (stats.last_status > 0).then_some(stats.last_status),
            last_error: (!stats.last_error.is_empty()).then_some(stats.last_error),
            last_at: (stats.last_at_ms > 0).then_some(stats.last_at_ms),
            last_ms: stats.last_ms,
            behind_ms: service.behind_ms(&record.id),
            dead_letters: service.count_dead_letters(&record.id).await?,
        },
    })
}

/// What is set, over what was set before.
fn settings(
    kind: HookKind,
    before: HookSettings,
    input: HookInput,
) -> Result<HookSettings, Problem> {
    let retry_for_ms = input.retry_for_secs.map(|secs| secs.saturating_mul(1000));
    let settings = HookSettings {
        url: input.url.unwrap_or(before.url),
        events: input.events.unwrap_or(before.events),
        format: input.format.map_or(before.format, |format| match format {
            Format::Crosstalk => HookFormat::Crosstalk,
            Format::Wukong => HookFormat::Foreign,
        }),
        headers: input.headers.unwrap_or(before.headers),
        max_batch: input.max_batch.unwrap_or(before.max_batch),
        timeout_ms: input.timeout_ms.unwrap_or(before.timeout_ms),
        retry_for_ms: retry_for_ms.unwrap_or(before.retry_for_ms),
        on_failure: input.on_failure.map_or(before.on_failure, |on| match on {
            Failing::Open => OnFailure::Open,
            Failing::Closed => OnFailure::Closed,
        }),
        note: input.note.unwrap_or(before.note),
    };
    check_settings(kind, &settings).map_err(|wrong| Problem::field(wrong.field, wrong.why))?;
    Ok(settings)
}

/// All hooks
///
/// Those of the realm, oldest first, without secrets.
#[utoipa::path(
    get, path = "/v1/hooks", tag = "hooks",
    responses(
        (status = 200, description = "The hooks", body = Page<HookView>), Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_hooks(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
) -> Result<Json<Page<HookView>>, Problem> {
    let app = caller.app()?;
    let mut items = Vec::new();
    for hook in service.of(&app.realm) {
        items.push(view(&service, &hook).await?);
    }
    Ok(Json(Page::whole(items)))
}

/// Make a hook
///
/// It is told what comes from now on. The secret is shown in this answer only.
#[utoipa::path(
    post, path = "/v1/hooks", tag = "hooks", request_body = NewHook,
    responses(
        (status = 201, description = "The new hook", body = HookSecret),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn create_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Body(new): Body<NewHook>,
) -> Result<(StatusCode, Json<HookSecret>), Problem> {
    let app = caller.app()?;
    if new.input.url.is_none() {
        return Err(Problem::field("url", "is missing"));
    }
    let kind = match new.kind {
        Kind::Events => HookKind::Events,
        Kind::BeforeSend => HookKind::BeforeSend,
    };
    let enabled = new.input.enabled.unwrap_or(true);
    let settings = settings(kind, service.limits().usual(kind), new.input)?;
    let made = service.create(&app.realm, &app.id, kind, enabled, settings);
    let (hook, secret) = made.await?;
    let hook = view(&service, &hook).await?;
    Ok((StatusCode::CREATED, Json(HookSecret { secret, hook })))
}

/// A hook
#[utoipa::path(
    get, path = "/v1/hooks/{id}", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id")),
    responses((status = 200, description = "The hook", body = HookView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<HookView>, Problem> {
    let hook = service.one(&caller.app()?.realm, &id)?;
    Ok(Json(view(&service, &hook).await?))
}

/// Change a hook
///
/// What is absent stays. One that is switched on again is told what came meanwhile; replay says
/// otherwise.
#[utoipa::path(
    patch, path = "/v1/hooks/{id}", tag = "hooks", request_body = HookInput,
    params(("id" = String, Path, description = "The hook's id")),
    responses(
        (status = 200, description = "The hook as it is now", body = HookView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn patch_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(input): Body<HookInput>,
) -> Result<Json<HookView>, Problem> {
    let realm = &caller.app()?.realm;
    let old = service.one(realm, &id)?;
    let enabled = input.enabled.unwrap_or(old.record.enabled);
    let settings = settings(old.record.kind, old.record.settings.clone(), input)?;
    let hook = service.change(realm, &id, enabled, settings).await?;
    Ok(Json(view(&service, &hook).await?))
}

/// Delete a hook
///
/// Its dead letters go with it.
#[utoipa::path(
    delete, path = "/v1/hooks/{id}", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id")),
    responses((status = 204, description = "It is gone"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn delete_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<StatusCode, Problem> {
    service.delete(&caller.app()?.realm, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a hook a new secret
///
/// The old one is void at once.
#[utoipa::path(
    post, path = "/v1/hooks/{id}/secret", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id")),
    responses(
        (status = 200, description = "The hook with its new secret", body = HookSecret),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn rotate_hook_secret(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<HookSecret>, Problem> {
    let (hook, secret) = service.rotate(&caller.app()?.realm, &id).await?;
    let hook = view(&service, &hook).await?;
    Ok(Json(HookSecret { secret, hook }))
}

/// What a test has shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HookTest)]
pub(super) struct TestView {
    /// The status; null = there was no answer.
    status: Option<u16>,
    /// How long the answer took, ms.
    took_ms: u64,
    /// The beginning of its body.
    body: String,
    /// Why there was no answer.
    error: Option<String>,
}

impl From<Tested> for TestView {
    fn from(tested: Tested) -> Self {
        Self {
            status: tested.status,
            took_ms: tested.took_ms,
            body: tested.body,
            error: (!tested.error.is_empty()).then_some(tested.error),
        }
    }
}

/// Try a hook
///
/// It is sent the event `hook.test` at once; the answer shows what came back.
#[utoipa::path(
    post, path = "/v1/hooks/{id}/test", tag = "hooks",
    params(("id" = String, Path, description = "The hook's id")),
    responses((status = 200, description = "What came back", body = TestView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn test_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<TestView>, Problem> {
    let tested = service.test(&caller.app()?.realm, &id).await?;
    Ok(Json(tested.into()))
}

/// From where a hook is told again: exactly one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = HookReplay, example = json!({"since_at": 1_715_000_001_234_i64}))]
pub(super) struct ReplayInput {
    /// From this message on.
    from_id: Option<String>,
    /// From this moment on, ms since 1970.
    since_at: Option<i64>,
    /// True: what it was not told yet is left out.
    #[serde(default)]
    skip: bool,
}

/// Tell a hook again
///
/// From a message or a moment on, as far as messages and events are kept; ids of events are the
/// same as before. Or leave out what it was not told yet.
#[utoipa::path(
    post, path = "/v1/hooks/{id}/replay", tag = "hooks", request_body = ReplayInput,
    params(("id" = String, Path, description = "The hook's id")),
    responses(
        (status = 204, description = "It is told from there"),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn replay_hook(
    Extension(service): Extension<Arc<HookService>>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(input): Body<ReplayInput>,
) -> Result<StatusCode, Problem> {
    let realm = &caller.app()?.realm;
    let from = match (&input.from_id, input.since_at, input.skip) {
        (Some(id), None, false) => {
            let id = input::message_id(id);
            Replay::Message(id.map_err(|_| Problem::field("from_id", "is no message id"))?)
        }
        (None, Some(at_ms), false) => Replay::Since(at_ms),
        (None, None, true) => Replay::Now,
        _ => {
            let why = "give exactly one of from_id, since_at and skip";
            return Err(Problem::field("from_id", why));
        }
    };
    service.replay(realm, &id, from).await?;
    Ok(StatusCode::NO_CONTENT)
}
