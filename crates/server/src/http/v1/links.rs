//! Links by which users join a channel.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::channel::InviteLink;
use crosstalk_core::deliver::{GroupVerb, Operator};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acting::{Acting, acting_user, operator};
use super::auth::Caller;
use super::channels::with_members;
use super::input::{Body, Params, Segments};
use super::joining::{Joined, message};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::Page;
use super::problem::Problem;
use super::view::{ChannelName, KindName};
use crate::http::state::ApiState;

/// A link.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InviteLink, example = json!({
    "token": "3q2-7wAAAAAAAAAAAAAAAAAA",
    "channel": {"kind": "group", "id": "team"},
    "by": "alice",
    "max_uses": 10,
    "uses": 3,
    "expires_at": null,
    "created_at": 1_715_000_001_234_i64,
}))]
pub(super) struct LinkView {
    /// What whoever joins shows.
    token: String,
    /// Where it leads.
    channel: ChannelName,
    /// Who made it; null = the application.
    by: Option<String>,
    /// How often it may be used; 0 = as often as one likes.
    max_uses: u32,
    /// How often it was used.
    uses: u32,
    /// Until when it may be used, ms since 1970; null = always.
    expires_at: Option<i64>,
    /// When it was made, ms since 1970.
    created_at: i64,
}

impl From<InviteLink> for LinkView {
    fn from(link: InviteLink) -> Self {
        Self {
            token: link.token,
            channel: ChannelName {
                kind: link.key.kind,
                id: link.key.id.to_string(),
            },
            by: link.by.map(|by| by.uid.as_str().to_owned()),
            max_uses: link.max_uses,
            uses: link.uses,
            expires_at: (link.expires_at_ms > 0).then_some(link.expires_at_ms),
            created_at: link.created_at_ms,
        }
    }
}

/// A new link.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewInviteLink, example = json!({"max_uses": 10}))]
pub(super) struct NewLink {
    /// How often it may be used; 0 = as often as one likes.
    max_uses: Option<u32>,
    /// Until when it may be used, ms since 1970; absent = always.
    expires_at: Option<i64>,
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
}

/// Make a link by which users join
///
/// It is worth what its maker may do: where one joins by approval, a link of an ordinary
/// member makes a request.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/invite-links", tag = "joining",
    request_body = NewLink,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 201, description = "The link", body = LinkView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn create_invite_link(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(new): Body<NewLink>,
) -> Result<(StatusCode, Json<LinkView>), Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, new.operator.as_deref()).await?;
    let now_ms = api.im.clock().now_ms();
    if new.expires_at.is_some_and(|at| at <= now_ms) {
        return Err(Problem::field("expires_at", "must be a time to come"));
    }
    let verb = GroupVerb::AddLink {
        max_uses: new.max_uses.unwrap_or(0),
        expires_at_ms: new.expires_at.unwrap_or(0),
    };
    let changed = api.im.group(&key, by, verb).await?;
    let link = changed.link.ok_or(Refusal::Internal)?;
    Ok((StatusCode::CREATED, Json(link.into())))
}

/// Links by which users join
///
/// Ordinary members see their own.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/invite-links", tag = "joining",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        Acting,
    ),
    responses((status = 200, description = "Links", body = Page<LinkView>), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_invite_links(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(acting): Params<Acting>,
) -> Result<Json<Page<LinkView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    let links = api.im.invite_links(&key, &by).await?;
    Ok(Json(Page::whole(
        links.into_iter().map(LinkView::from).collect(),
    )))
}

/// Take a link away
///
/// Its maker may, and those who moderate the channel.
#[utoipa::path(
    delete, path = "/v1/channels/{kind}/{id}/invite-links/{token}", tag = "joining",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("token" = String, Path, description = "The link's token"),
        Acting,
    ),
    responses((status = 204, description = "Done"), Denials, Missing, Throttled),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_invite_link(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id, token)): Segments<(String, String, String)>,
    Params(acting): Params<Acting>,
) -> Result<StatusCode, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    api.im.group(&key, by, GroupVerb::RemoveLink(token)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is said when joining by a link.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({}))]
pub(super) struct FollowLink {
    /// For those who decide.
    #[schema(max_length = 500)]
    message: Option<String>,
    /// Who joins; with a user token the user.
    operator: Option<String>,
}

/// Join by a link
#[utoipa::path(
    post, path = "/v1/invite-links/{token}/join", tag = "joining", request_body = FollowLink,
    params(("token" = String, Path, description = "The link's token")),
    responses(
        (status = 200, description = "What came of it", body = Joined),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn join_by_link(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(token): Segments<String>,
    Body(follow): Body<FollowLink>,
) -> Result<Json<Joined>, Problem> {
    let realm = caller.realm()?;
    let message = message(follow.message)?;
    let user = acting_user(&api, &caller, "operator", follow.operator.as_deref()).await?;
    let link = api.im.invite_link(&token).await?;
    if link.key.realm != *realm {
        return Err(Refusal::NotFound.into());
    }
    let verb = GroupVerb::Join {
        message,
        link: Some(token),
    };
    let changed = api.im.group(&link.key, Operator::User(user), verb).await?;
    Ok(Json(Joined::of(&changed, api.im.clock().now_ms())))
}
