//! Users whom a channel keeps out. It is the deny list of its application, too.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::channel::{List, Right};
use crosstalk_core::deliver::GroupVerb;
use crosstalk_core::id::{UserNum, UserRef};
use serde::Serialize;
use utoipa::ToSchema;

use super::acting::{Acting, existing, operator};
use super::auth::Caller;
use super::channels::with_members;
use super::input::{Params, Segments};
use super::openapi::{Conflict, Denials, Missing, Throttled};
use super::page::{Page, Paging, page_of, stretch};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// A user who is kept out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChannelBan, example = json!({"uid": "mallory"}))]
pub(super) struct BanView {
    /// Who.
    uid: String,
}

/// Users whom a channel keeps out
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/bans", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Acting, Paging,
    ),
    responses((status = 200, description = "Users", body = Page<BanView>), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_channel_bans(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(acting): Params<Acting>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BanView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    api.im.require(&key, &by, Right::Ban).await?;
    let (after, wanted) = stretch(&paging, "bans")?;
    let users = api.im.list_after(&key, List::Deny, UserNum(after), wanted);
    let view = |user: UserRef| BanView {
        uid: user.uid.as_str().to_owned(),
    };
    let place = |user: &UserRef| user.num.0;
    Ok(Json(page_of(users.await?, wanted, "bans", place, view)))
}

/// Keep a user out of a channel
///
/// The user is removed, and cannot join, be added by users, or send there.
#[utoipa::path(
    put, path = "/v1/channels/{kind}/{id}/bans/{uid}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who is kept out"),
        Acting,
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Conflict, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn ban_from_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
    Params(acting): Params<Acting>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    let user = existing(&api, &caller, "uid", &uid).await?;
    api.im.group(&key, by, GroupVerb::Ban(vec![user])).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a user in again
#[utoipa::path(
    delete, path = "/v1/channels/{kind}/{id}/bans/{uid}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who was kept out"),
        Acting,
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn unban_from_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
    Params(acting): Params<Acting>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    let user = existing(&api, &caller, "uid", &uid).await?;
    api.im.group(&key, by, GroupVerb::Unban(vec![user])).await?;
    Ok(StatusCode::NO_CONTENT)
}
