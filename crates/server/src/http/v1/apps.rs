//! Apps: credentials that belong to a realm.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::directory::{App, AppId};
use crosstalk_core::id::Realm;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize};
use super::page::Page;
use super::problem::Problem;
use crate::http::state::ApiState;

/// The longest name of an app, characters.
const NAME_CHARS: usize = 200;

/// An app and what it may, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = App, example = json!({
    "app_id": "shop", "realm": "default", "name": "The shop", "disabled": false,
    "limits": {"send_rate": 1000, "send_burst": 5000}, "old_secret_until_at": null,
}))]
pub(super) struct AppView {
    /// The app's id.
    app_id: String,
    /// The realm that its users live in.
    realm: String,
    /// What people call it.
    name: String,
    /// Nobody may call or log in with it.
    disabled: bool,
    /// Its own limits; null = as the configuration says.
    limits: Option<Limits>,
    /// Until when the secret before this one holds, ms since 1970; null = there is none.
    old_secret_until_at: Option<i64>,
}

/// How fast an app's users may send, all together.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = AppLimits)]
struct Limits {
    /// Messages per second; 0 = no limit.
    send_rate: u32,
    /// Messages at once before that counts; 0 = as many as in a second.
    send_burst: u32,
}

impl AppView {
    /// An app at a time, ms since 1970.
    pub(super) fn of(app: &App, now_ms: i64) -> Self {
        let old = app.old_secret.as_ref().map(|(_, until_ms)| *until_ms);
        Self {
            app_id: app.id.as_str().to_owned(),
            realm: app.realm.as_str().to_owned(),
            name: app.name.clone(),
            disabled: app.disabled,
            limits: app.rate.map(|rate| Limits {
                send_rate: rate.per_sec,
                send_burst: rate.burst,
            }),
            old_secret_until_at: old.filter(|until_ms| now_ms < *until_ms),
        }
    }
}

/// An app with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppWithSecret)]
#[schema(example = json!({
    "app_id": "shop",
    "realm": "default",
    "app_secret": "K1p0…",
}))]
pub(super) struct SecretView {
    /// The app's id.
    app_id: String,
    /// The realm that its users live in.
    realm: String,
    /// The bearer key of the app's backend, and the HS256 key of its user tokens.
    app_secret: String,
}

impl From<App> for SecretView {
    fn from(app: App) -> Self {
        Self {
            app_id: app.id.as_str().to_owned(),
            realm: app.realm.as_str().to_owned(),
            app_secret: app.secret.to_string(),
        }
    }
}

/// A new app.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"app_id": "shop", "realm": "default", "name": "The shop"}))]
pub(super) struct NewApp {
    /// Its id; made up if absent.
    app_id: Option<String>,
    /// The realm of its users; `default` if absent.
    realm: Option<String>,
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 200)]
    name: String,
}

pub(super) fn app_id(text: &str) -> Result<AppId, Problem> {
    AppId::parse(text).map_err(|why| Problem::field("app_id", why))
}

/// All apps
///
/// In order of their ids, without secrets.
#[utoipa::path(
    get, path = "/v1/apps", tag = "apps",
    responses((status = 200, description = "The apps", body = Page<AppView>), Denials),
    security(("admin_key" = []))
)]
pub(super) async fn list_apps(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<Page<AppView>>, Problem> {
    caller.admin()?;
    let (all, now_ms) = (api.im.apps().all(), api.im.clock().now_ms());
    let apps = all.iter().map(|app| AppView::of(app, now_ms));
    Ok(Json(Page::whole(apps.collect())))
}

/// An app
///
/// What it is and what it may, without its secret.
#[utoipa::path(
    get, path = "/v1/apps/{app_id}", tag = "apps",
    params(("app_id" = String, Path, description = "The app's id")),
    responses((status = 200, description = "The app", body = AppView), Denials, Missing),
    security(("admin_key" = []))
)]
pub(super) async fn get_app(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<AppView>, Problem> {
    caller.admin()?;
    let app = api.im.apps().known(&app_id(&id)?);
    let app = app.ok_or(Refusal::NoSuchApp)?;
    Ok(Json(AppView::of(&app, api.im.clock().now_ms())))
}

/// Create an app
///
/// The secret is shown in this answer only. An id that is taken is refused; give that app a new
/// secret instead.
#[utoipa::path(
    post, path = "/v1/apps", tag = "apps", request_body = NewApp,
    responses(
        (status = 201, description = "The new app", body = SecretView),
        Denials, Oversize, Conflict
    ),
    security(("admin_key" = []))
)]
pub(super) async fn create_app(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewApp>,
) -> Result<(StatusCode, Json<SecretView>), Problem> {
    caller.admin()?;
    let id = match &new.app_id {
        Some(id) => app_id(id)?,
        None => random_id(&api)?,
    };
    let realm = match &new.realm {
        Some(realm) => Realm::parse(realm).map_err(|why| Problem::field("realm", why))?,
        None => Realm::default(),
    };
    input::check_name("name", &new.name, NAME_CHARS)?;
    if api.im.apps().known(&id).is_some() {
        let why = format!("app_id: {id} exists; POST /v1/apps/{id}/secret gives it a new secret");
        return Err(Problem::new(Refusal::AlreadyExists, why));
    }
    let app = api.im.apps().put(&id, &realm, &new.name).await?;
    Ok((StatusCode::CREATED, Json(app.into())))
}

fn random_id(api: &ApiState) -> Result<AppId, Problem> {
    let mut random = [0; 8];
    api.im.clock().fill_random(&mut random);
    app_id(&format!("app-{:016x}", u64::from_be_bytes(random)))
}

/// Give an app a new secret
///
/// The old one is void at once, and with it the user tokens that it signed.
#[utoipa::path(
    post, path = "/v1/apps/{app_id}/secret", tag = "apps",
    params(("app_id" = String, Path, description = "The app's id")),
    responses(
        (status = 200, description = "The app with its new secret", body = SecretView),
        Denials, Missing
    ),
    security(("admin_key" = []))
)]
pub(super) async fn rotate_secret(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<SecretView>, Problem> {
    caller.admin()?;
    let app = api.im.apps().known(&app_id(&id)?);
    let app = app.ok_or(Refusal::NoSuchApp)?;
    Ok(Json(
        api.im
            .apps()
            .put(&app.id, &app.realm, &app.name)
            .await?
            .into(),
    ))
}
