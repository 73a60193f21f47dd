//! Bans of users and devices.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::admin::{Ban, BanTarget, NewBan};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{self, Body, Params, Segments};
use super::super::openapi::{Conflict, Denials, Missing, Oversize};
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::audit::{AuditNote, Noted};
use super::{about, actor, note, number, page_of, stretch};
use crate::http::state::ApiState;

/// The longest id of a device, bytes.
const DEVICE_BYTES: usize = 255;

/// A ban.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Ban, example = json!({
    "id": "1", "user": "mallory", "device": null, "reason": "spam",
    "until_at": 1_715_600_001_234_i64, "by": "app:shop", "created_at": 1_715_000_001_234_i64,
}))]
pub(super) struct BanView {
    /// Its number.
    id: String,
    /// The user who is banned…
    user: Option<String>,
    /// … or the device.
    device: Option<String>,
    /// Why.
    reason: String,
    /// Until when, ms since 1970; null = for ever.
    until_at: Option<i64>,
    /// Who said so.
    by: String,
    /// When, ms since 1970.
    created_at: i64,
}

impl From<Ban> for BanView {
    fn from(ban: Ban) -> Self {
        let (user, device) = match ban.ban.target {
            BanTarget::User(uid) => (Some(uid.as_str().to_owned()), None),
            BanTarget::Device(id) => (None, Some(id)),
        };
        Self {
            id: ban.num.to_string(),
            user,
            device,
            reason: ban.ban.reason,
            until_at: ban.ban.until_ms,
            by: ban.ban.by,
            created_at: ban.at_ms,
        }
    }
}

/// A ban to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewBan, example = json!({"user": "mallory", "reason": "spam"}))]
pub(super) struct Banned {
    /// The user…
    user: Option<String>,
    /// … or the device, by the id that its sessions show.
    #[schema(max_length = 255)]
    device: Option<String>,
    /// Why.
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// Until when, ms since 1970; absent = for ever.
    until_at: Option<i64>,
}

/// All bans
#[utoipa::path(
    get, path = "/v1/bans", tag = "moderation", params(Paging),
    responses((status = 200, description = "The bans", body = Page<BanView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_bans(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BanView>>, Problem> {
    let realm = &caller.app()?.realm;
    let (after, limit) = stretch(&paging, "b")?;
    let bans = api.im.bans(realm, after, limit).await?;
    Ok(Json(page_of(
        bans,
        limit,
        "b",
        |ban| ban.num,
        BanView::from,
    )))
}

/// Ban a user or a device
///
/// Running sessions end at once, and every dialect refuses new ones. Who is banned already
/// gets the new reason and end.
#[utoipa::path(
    post, path = "/v1/bans", tag = "moderation", request_body = Banned,
    responses(
        (status = 201, description = "The ban", body = BanView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn impose_ban(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<Banned>,
) -> Result<Noted<(StatusCode, Json<BanView>)>, Problem> {
    let realm = caller.app()?.realm.clone();
    let target = match (&new.user, &new.device) {
        (Some(user), None) => BanTarget::User(input::uid("user", user)?),
        (None, Some(device)) => {
            if device.is_empty() || device.len() > DEVICE_BYTES {
                let wrong = format_args!("has 1 to {DEVICE_BYTES} bytes");
                return Err(Problem::field("device", wrong));
            }
            input::check_line("device", device)?;
            BanTarget::Device(device.clone())
        }
        _ => {
            return Err(Problem::field(
                "user",
                "give a user or a device, and one of them",
            ));
        }
    };
    let reason = note("reason", new.reason.as_deref())?;
    let ban = NewBan {
        realm,
        target,
        reason: reason.clone(),
        until_ms: new.until_at,
        by: actor(&caller),
    };
    let ban = match api.im.impose_ban(ban).await {
        Err(Refusal::InvalidArgument) => return Err(Problem::field("until_at", "is over")),
        Err(Refusal::NoSuchUser) => return Err(about("user", Refusal::NoSuchUser)),
        ban => ban?,
    };
    let answer = (StatusCode::CREATED, Json(BanView::from(ban)));
    Ok(AuditNote::on(reason, answer))
}

/// Lift a ban
#[utoipa::path(
    delete, path = "/v1/bans/{id}", tag = "moderation",
    params(("id" = String, Path, description = "The ban's number")),
    responses((status = 200, description = "The ban that was", body = BanView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn lift_ban(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
) -> Result<Json<BanView>, Problem> {
    let realm = &caller.app()?.realm;
    let ban = api.im.lift_ban(realm, number("id", &id)?).await?;
    Ok(Json(ban.into()))
}
