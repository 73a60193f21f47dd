//! Who belongs to a channel.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::channel::{Member, MemberChange};
use crosstalk_core::id::UserNum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::channels::{must_belong, with_members};
use super::input::{self, Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "m";

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
#[schema(example = json!({"uid": "alice", "role": "owner", "join_seq": 0, "muted_until_at": null}))]
pub(super) struct MemberView {
    /// Who.
    uid: String,
    /// `member`, `administrator` or `owner`.
    role: &'static str,
    /// The channel's last seq when they joined.
    join_seq: u64,
    /// Until when they may not send, ms since 1970; null when they may.
    muted_until_at: Option<i64>,
}

impl From<&Member> for MemberView {
    fn from(member: &Member) -> Self {
        let until = member.muted_until_ms;
        Self {
            uid: member.user.uid.as_str().to_owned(),
            role: member.role.name(),
            join_seq: member.join_seq,
            muted_until_at: (until > 0).then_some(until),
        }
    }
}

/// Users to be made members.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"members": ["carol", "dave"]}))]
pub(super) struct NewMembers {
    /// Their ids. Who is a member already keeps their role.
    members: Vec<String>,
}

/// How many members there are.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"member_count": 4}))]
pub(super) struct MemberCount {
    /// Members after the change.
    member_count: u32,
}

/// A channel's members
///
/// In the order in which the server first heard of the users.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/members", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Paging,
    ),
    responses((status = 200, description = "Members", body = Page<MemberView>), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_members(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<MemberView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let limit = paging.limit()?;
    let after = paging.after(LIST)?.map(|[num]| UserNum(num));
    must_belong(&api, &caller, &key).await?;
    let mut members = api.im.members(&key, after, limit + 1).await?;
    let is_more = members.len() > limit as usize;
    members.truncate(limit as usize);
    let last = members.last().filter(|_| is_more);
    Ok(Json(Page {
        items: members.iter().map(MemberView::from).collect(),
        next_cursor: last.map(|last| page::encode(LIST, [last.user.num.0])),
    }))
}

/// Add members
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/members", tag = "channels", request_body = NewMembers,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses((status = 200, description = "Done", body = MemberCount), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn add_members(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(new): Body<NewMembers>,
) -> Result<Json<MemberCount>, Problem> {
    let realm = &caller.app()?.realm;
    let key = with_members(realm, &kind, &id)?;
    let uids = input::uids("members", &new.members)?;
    api.im.channel(&key).await?;
    let users = api.im.user_refs(realm, &uids).await?;
    let enter = users.into_iter().map(MemberChange::Enter).collect();
    let member_count = api.im.change_members(&key, enter).await?;
    Ok(Json(MemberCount { member_count }))
}

/// Remove a member
///
/// Removing who is no member changes nothing.
#[utoipa::path(
    delete, path = "/v1/channels/{kind}/{id}/members/{uid}", tag = "channels",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("uid" = String, Path, description = "Who is removed"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn remove_member(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, uid)): Segments<(String, String, String)>,
) -> Result<StatusCode, Problem> {
    let realm = &caller.app()?.realm;
    let key = with_members(realm, &kind, &id)?;
    let uid = input::uid("uid", &uid)?;
    api.im.channel(&key).await?;
    if let Some(user) = api.im.find_user(realm, &uid).await? {
        let leave = vec![MemberChange::Leave(user)];
        api.im.change_members(&key, leave).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
