//! The groups that users sort their friends into.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{FriendGroup, MAX_GROUP_NAME_CHARS};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::friends::group_id;
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize};
use super::page::Page;
use super::problem::Problem;
use crate::http::state::ApiState;

/// Groups that are put in an order at once.
const MAX_ORDERED: usize = 100;

/// A friend group.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FriendGroup, example = json!({
    "id": "741200000000000001", "name": "Family", "position": 0, "members": 3,
}))]
pub(super) struct GroupView {
    /// Its id.
    id: String,
    /// What it is called.
    name: String,
    /// Its place among the user's groups, from 0.
    position: u32,
    /// How many friends are in it.
    members: u32,
}

impl From<&FriendGroup> for GroupView {
    fn from(group: &FriendGroup) -> Self {
        Self {
            id: group.id.to_string(),
            name: group.name.clone(),
            position: group.position,
            members: group.members,
        }
    }
}

/// What a friend group is to be called.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewFriendGroup, example = json!({"name": "Family"}))]
pub(super) struct NewGroup {
    /// 1 to 50 characters; each group of a user is called differently.
    name: String,
}

impl NewGroup {
    fn check(&self) -> Result<(), Problem> {
        input::check_name("name", &self.name, MAX_GROUP_NAME_CHARS)?;
        if self.name.trim().is_empty() {
            return Err(Problem::field("name", "is empty"));
        }
        Ok(())
    }
}

fn naming(why: Refusal) -> Problem {
    match why {
        Refusal::AlreadyExists => Problem::new(why, "name: another group is called so"),
        why => why.into(),
    }
}

/// A user's friend groups
#[utoipa::path(
    get, path = "/v1/users/{uid}/friend-groups", tag = "friends",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "The groups, in their order", body = Page<GroupView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_groups(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<Page<GroupView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let groups = api.im.friend_groups(realm, &uid).await?;
    Ok(Json(Page::whole(
        groups.iter().map(GroupView::from).collect(),
    )))
}

/// Make a friend group
///
/// It comes after the others.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friend-groups", tag = "friends", request_body = NewGroup,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 201, description = "The group", body = GroupView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn create_group(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewGroup>,
) -> Result<(StatusCode, Json<GroupView>), Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    new.check()?;
    let group = api.im.name_friend_group(realm, &uid, None, &new.name);
    let group = group.await.map_err(naming)?;
    Ok((StatusCode::CREATED, Json(GroupView::from(&group))))
}

/// Rename a friend group
#[utoipa::path(
    patch, path = "/v1/users/{uid}/friend-groups/{id}", tag = "friends", request_body = NewGroup,
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("id" = String, Path, description = "The group's id"),
    ),
    responses(
        (status = 200, description = "The group", body = GroupView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn rename_group(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, id)): Segments<(String, String)>,
    Body(new): Body<NewGroup>,
) -> Result<Json<GroupView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let id = group_id("id", &id)?;
    new.check()?;
    let group = api.im.name_friend_group(realm, &uid, Some(id), &new.name);
    Ok(Json(GroupView::from(&group.await.map_err(naming)?)))
}

/// Delete a friend group
///
/// Its friends are in none then. Deleting one that there is not changes nothing.
#[utoipa::path(
    delete, path = "/v1/users/{uid}/friend-groups/{id}", tag = "friends",
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("id" = String, Path, description = "The group's id"),
    ),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_group(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, id)): Segments<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let id = group_id("id", &id)?;
    match api.im.delete_friend_group(realm, &uid, id).await {
        Ok(()) | Err(Refusal::NotFound) => Ok(StatusCode::NO_CONTENT),
        Err(why) => Err(why.into()),
    }
}

/// In which order friend groups are to be.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FriendGroupOrder, example = json!({"ids": ["741200000000000001"]}))]
pub(super) struct GroupOrder {
    /// Ids of groups; those not named come after, as they were.
    #[serde(default)]
    ids: Vec<String>,
}

/// Put friend groups in an order
#[utoipa::path(
    put, path = "/v1/users/{uid}/friend-groups/order", tag = "friends", request_body = GroupOrder,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "The groups, in their order", body = Page<GroupView>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn order_groups(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(order): Body<GroupOrder>,
) -> Result<Json<Page<GroupView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if order.ids.len() > MAX_ORDERED {
        let wrong = format_args!("has at most {MAX_ORDERED} ids");
        return Err(Problem::field("ids", wrong));
    }
    let ids = order.ids.iter().map(|id| group_id("ids", id));
    let ids = ids.collect::<Result<Vec<_>, _>>()?;
    let groups = api.im.order_friend_groups(realm, &uid, &ids).await?;
    Ok(Json(Page::whole(
        groups.iter().map(GroupView::from).collect(),
    )))
}
