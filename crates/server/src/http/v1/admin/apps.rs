//! What an app may: switching it off, its limits, and new secrets with overlap.

use axum::Json;
use axum::extract::State;
use crosstalk_core::directory::{App, AppChange, AppId};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::send::rates::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::apps::{AppView, app_id};
use super::super::auth::Caller;
use super::super::input::{Body, Segments, nullable};
use super::super::openapi::{Denials, Missing, Oversize};
use super::super::problem::Problem;
use crate::http::state::ApiState;

/// For how long an old secret may hold, seconds.
const MAX_GRACE_SECS: i64 = 90 * 24 * 3600;

/// A change of an app.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = AppChange, example = json!({"disabled": true}))]
pub(super) struct PatchApp {
    /// Switches it off, or on again.
    disabled: Option<bool>,
}

/// New limits.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewAppLimits, example = json!({"send_rate": 1000, "send_burst": 5000}))]
pub(super) struct PatchLimits {
    /// Messages per second of all its users together; 0 = no limit; null = as the
    /// configuration says.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>)]
    send_rate: Option<Option<u32>>,
    /// Messages at once before that counts.
    send_burst: Option<u32>,
}

/// For how long the old secret holds.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"grace_secs": 86_400}))]
pub(super) struct Rotate {
    /// Seconds for which the old secret, and what it has signed, still hold; 0 if absent.
    #[schema(minimum = 0, maximum = 7_776_000)]
    grace_secs: Option<i64>,
}

/// An app with its new secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Rotated)]
pub(super) struct RotatedView {
    /// The app's id.
    app_id: String,
    /// The realm that its users live in.
    realm: String,
    /// The new secret, shown this once.
    app_secret: String,
    /// Until when the old one holds, ms since 1970.
    old_secret_until_at: Option<i64>,
}

/// Switch an app off or on
///
/// While it is off its secret opens nothing, nobody logs in through it, and its sessions have
/// ended.
#[utoipa::path(
    patch, path = "/v1/apps/{app_id}", tag = "apps", request_body = PatchApp,
    params(("app_id" = String, Path, description = "The app's id")),
    responses((status = 200, description = "The app", body = AppView), Denials, Missing, Oversize),
    security(("admin_key" = []))
)]
pub(super) async fn patch_app(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(patch): Body<PatchApp>,
) -> Result<Json<AppView>, Problem> {
    caller.admin()?;
    let change = AppChange {
        disabled: patch.disabled,
        rate: None,
    };
    let app = change_app(&api, &app_id(&id)?, change).await?;
    if app.disabled {
        api.im.end_app(&app.id);
    }
    Ok(Json(AppView::of(&app, api.im.clock().now_ms())))
}

/// Limit an app
///
/// It holds at once.
#[utoipa::path(
    patch, path = "/v1/apps/{app_id}/limits", tag = "apps", request_body = PatchLimits,
    params(("app_id" = String, Path, description = "The app's id")),
    responses((status = 200, description = "The app", body = AppView), Denials, Missing, Oversize),
    security(("admin_key" = []))
)]
pub(super) async fn limit_app(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(patch): Body<PatchLimits>,
) -> Result<Json<AppView>, Problem> {
    caller.admin()?;
    let id = app_id(&id)?;
    let known = api.im.apps().known(&id).ok_or(Refusal::NoSuchApp)?;
    let rate = match (patch.send_rate, known.rate) {
        (Some(None), _) => Some(None),
        (Some(Some(per_sec)), kept) => {
            let burst = patch.send_burst.or(kept.map(|rate| rate.burst));
            let burst = burst.unwrap_or(0);
            Some(Some(Rate { per_sec, burst }))
        }
        (None, Some(kept)) => patch.send_burst.map(|burst| Some(Rate { burst, ..kept })),
        (None, None) if patch.send_burst.is_some() => {
            return Err(Problem::field("send_burst", "needs a send_rate"));
        }
        (None, None) => None,
    };
    let change = AppChange {
        disabled: None,
        rate,
    };
    let app = change_app(&api, &id, change).await?;
    Ok(Json(AppView::of(&app, api.im.clock().now_ms())))
}

async fn change_app(api: &ApiState, id: &AppId, change: AppChange) -> Result<App, Problem> {
    let app = api.im.apps().change(id, change).await?;
    let app = app.ok_or(Refusal::NoSuchApp)?;
    Ok(app)
}

/// Give an app a new secret, with overlap
///
/// For `grace_secs` the old secret holds as well, and so do the user tokens that it signed; an
/// older one holds no longer. Without `grace_secs` the sessions that were opened with such
/// tokens end, too.
#[utoipa::path(
    post, path = "/v1/apps/{app_id}/rotate", tag = "apps", request_body = Rotate,
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app with its new secret", body = RotatedView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []))
)]
pub(super) async fn rotate_app(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(rotate): Body<Rotate>,
) -> Result<Json<RotatedView>, Problem> {
    caller.admin()?;
    let id = app_id(&id)?;
    let grace_secs = rotate.grace_secs.unwrap_or(0);
    if !(0..=MAX_GRACE_SECS).contains(&grace_secs) {
        let wrong = format_args!("is between 0 and {MAX_GRACE_SECS}");
        return Err(Problem::field("grace_secs", wrong));
    }
    let app = api.im.apps().known(&id).ok_or(Refusal::NoSuchApp)?;
    let grace_ms = grace_secs * 1000;
    let app = api
        .im
        .apps()
        .renew(&id, &app.realm, &app.name, grace_ms)
        .await?;
    if grace_ms == 0 {
        api.im.end_app(&app.id);
    }
    Ok(Json(RotatedView {
        app_id: app.id.as_str().to_owned(),
        realm: app.realm.as_str().to_owned(),
        app_secret: app.secret.to_string(),
        old_secret_until_at: app.old_secret.map(|(_, until_ms)| until_ms),
    }))
}
