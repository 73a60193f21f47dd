//! Ways into a channel: joining, requests to join and invitations.

use axum::Json;
use axum::extract::State;
use crosstalk_core::channel::joining::{MAX_ASKED, MAX_MESSAGE_CHARS};
use crosstalk_core::channel::{JoinRequest, RequestId};
use crosstalk_core::deliver::{Changed, Decision, GroupVerb, Operator};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::acting::{OperatorBody, acting_user, check_text, named_users, not_brought, operator};
use super::auth::Caller;
use super::channels::with_members;
use super::input::{Body, Params, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::view::{ChannelName, KindName};
use crate::http::state::ApiState;

/// What cursors of these lists begin with.
const LIST: &str = "j";

/// A request to join, or an invitation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = JoinRequest, example = json!({
    "id": "741200000000000001",
    "channel": {"kind": "group", "id": "team"},
    "user": "carol",
    "inviter": null,
    "decided_by": "moderators",
    "message": "It's me",
    "status": "pending",
    "by": null,
    "created_at": 1_715_000_001_234_i64,
    "expires_at": 1_717_592_001_234_i64,
}))]
pub(super) struct RequestView {
    /// Its id.
    id: String,
    /// The channel.
    channel: ChannelName,
    /// Who would join.
    user: String,
    /// Who has invited them; null = they ask by themselves, or the application invites.
    inviter: Option<String>,
    /// Who answers: `moderators`, or the `user` who was invited.
    decided_by: &'static str,
    /// What was said with it.
    message: String,
    /// `pending`, `accepted`, `rejected`, `cancelled` or `expired`.
    status: &'static str,
    /// Who has answered; null = nobody, or the application.
    by: Option<String>,
    /// When it was made, ms since 1970.
    created_at: i64,
    /// Until when it may be answered, ms since 1970.
    expires_at: i64,
}

impl RequestView {
    /// A request at a time.
    pub(super) fn new(request: &JoinRequest, now_ms: i64) -> Self {
        let text = |user: &Option<crosstalk_core::id::UserRef>| {
            let user = user.as_ref();
            user.map(|user| user.uid.as_str().to_owned())
        };
        let key = &request.channel.key;
        Self {
            id: request.id.0.to_string(),
            channel: ChannelName {
                kind: key.kind,
                id: key.id.to_string(),
            },
            user: request.user.uid.as_str().to_owned(),
            inviter: text(&request.inviter),
            decided_by: request.decider.name(),
            message: request.message.clone(),
            status: request.status_at(now_ms).name(),
            by: text(&request.by),
            created_at: request.created_at_ms,
            expires_at: request.expires_at_ms(),
        }
    }
}

/// A message that goes with a request.
pub(super) fn message(given: Option<String>) -> Result<String, Problem> {
    let message = given.unwrap_or_default();
    check_text("message", &message, MAX_MESSAGE_CHARS)?;
    Ok(message)
}

/// What is said when joining.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"message": "It's me"}))]
pub(super) struct Join {
    /// For those who decide.
    #[schema(max_length = 500)]
    message: Option<String>,
    /// Who joins; with a user token the user.
    operator: Option<String>,
}

/// What joining has led to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"joined": false, "request": null}))]
pub(super) struct Joined {
    /// The user is a member now.
    joined: bool,
    /// What has to be answered first.
    request: Option<RequestView>,
}

impl Joined {
    /// What a change has led to.
    pub(super) fn of(changed: &Changed, now_ms: i64) -> Self {
        let mut pending = changed.requests.iter();
        let pending =
            pending.find(|request| request.status == crosstalk_core::channel::JoinStatus::Pending);
        Self {
            joined: pending.is_none(),
            request: pending.map(|request| RequestView::new(request, now_ms)),
        }
    }
}

/// Join a channel
///
/// At once where joining is free or the user is invited; else a request is made, or it is
/// refused where one joins by invitation only. Who is a member already stays one.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/join", tag = "joining", request_body = Join,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 200, description = "What came of it", body = Joined),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn join_channel(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(join): Body<Join>,
) -> Result<Json<Joined>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let message = message(join.message)?;
    let user = acting_user(&api, &caller, "operator", join.operator.as_deref()).await?;
    let verb = GroupVerb::Join {
        message,
        link: None,
    };
    let changed = api.im.group(&key, Operator::User(user), verb).await?;
    Ok(Json(Joined::of(&changed, api.im.clock().now_ms())))
}

/// Who is invited.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"users": ["carol"], "message": "Come"}))]
pub(super) struct Invite {
    /// At most 100 users.
    users: Vec<String>,
    /// What is said with it.
    #[schema(max_length = 500)]
    message: Option<String>,
    /// The user in whose name it is done, with the user's rights. Absent: the application
    /// itself; with a user token the user.
    operator: Option<String>,
}

/// Invite users
///
/// They join once they accept. Who may is said by `invite_by`.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/invitations", tag = "joining", request_body = Invite,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
    ),
    responses(
        (status = 200, description = "The invitations", body = Page<RequestView>),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn invite_users(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(invite): Body<Invite>,
) -> Result<Json<Page<RequestView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let message = message(invite.message)?;
    let by = operator(&api, &caller, invite.operator.as_deref()).await?;
    if invite.users.len() > MAX_ASKED {
        let wrong = format_args!("has at most {MAX_ASKED} users");
        return Err(Problem::field("users", wrong));
    }
    api.im.channel(&key).await?;
    let users = named_users(&api, &caller, &by, "users", &invite.users, MAX_ASKED).await?;
    let (user, named) = (by.user().cloned(), users.clone());
    let verb = GroupVerb::Invite(users, message);
    let changed = match api.im.group(&key, by, verb).await {
        Ok(changed) => changed,
        Err(why) => return Err(not_brought(&api, &key, user.as_ref(), &named, why).await),
    };
    Ok(Json(page_of(&api, changed.requests, None)))
}

/// Requests to join a channel
///
/// And invitations to it, newest first. Those who moderate it see them.
#[utoipa::path(
    get, path = "/v1/channels/{kind}/{id}/join-requests", tag = "joining",
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        super::acting::Acting,
        Paging,
    ),
    responses(
        (status = 200, description = "Requests", body = Page<RequestView>), Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_join_requests(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Params(acting): Params<super::acting::Acting>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<RequestView>>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let limit = paging.limit()?;
    let before = paging.after(LIST)?.map(|[id]| RequestId(id));
    let by = operator(&api, &caller, acting.operator.as_deref()).await?;
    let requests = api.im.join_requests(&key, &by, before, limit + 1).await?;
    Ok(Json(page_of(&api, requests, Some(limit))))
}

/// A user's requests to join channels
///
/// And invitations to them, newest first.
#[utoipa::path(
    get, path = "/v1/users/{uid}/join-requests", tag = "joining",
    params(("uid" = String, Path, description = "The user; with a user token also `me`"), Paging),
    responses(
        (status = 200, description = "Requests", body = Page<RequestView>), Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_own_join_requests(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<RequestView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let limit = paging.limit()?;
    let before = paging.after(LIST)?.map(|[id]| RequestId(id));
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let requests = api.im.join_requests_of(&user, before, limit + 1).await?;
    Ok(Json(page_of(&api, requests, Some(limit))))
}

fn page_of(
    api: &ApiState,
    mut requests: Vec<JoinRequest>,
    limit: Option<u32>,
) -> Page<RequestView> {
    let limit = limit.map_or(usize::MAX, |limit| limit as usize);
    let is_more = requests.len() > limit;
    requests.truncate(limit);
    let last = requests.last().filter(|_| is_more);
    let next_cursor = last.map(|last| page::encode(LIST, [last.id.0]));
    let now_ms = api.im.clock().now_ms();
    let show = |request: &JoinRequest| RequestView::new(request, now_ms);
    Page {
        items: requests.iter().map(show).collect(),
        next_cursor,
    }
}

/// Answers a request, and shows what it is now.
async fn decide(
    api: &ApiState,
    caller: &Caller,
    (kind, id, request): (String, String, String),
    body: &OperatorBody,
    decision: Decision,
) -> Result<Json<RequestView>, Problem> {
    let key = with_members(caller.realm()?, &kind, &id)?;
    let request = request.parse().map(RequestId);
    let request = request
        .map_err(|_| Problem::field("request", "the id of a request is a decimal number"))?;
    let by = operator(api, caller, body.operator.as_deref()).await?;
    let verb = GroupVerb::Decide(request, decision);
    let changed = api.im.group(&key, by, verb).await?;
    let mut requests = changed.requests.iter();
    let answered = requests.find(|it| it.id == request);
    let answered = answered.ok_or(Refusal::Internal)?;
    Ok(Json(RequestView::new(answered, api.im.clock().now_ms())))
}

/// Accept a request or an invitation
///
/// Those who moderate the channel accept requests, users the invitations that they got.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/join-requests/{request}/accept", tag = "joining",
    request_body = OperatorBody,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("request" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "What it is now", body = RequestView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn accept_join_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Body(body): Body<OperatorBody>,
) -> Result<Json<RequestView>, Problem> {
    decide(&api, &caller, path, &body, Decision::Accept).await
}

/// Reject a request or an invitation
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/join-requests/{request}/reject", tag = "joining",
    request_body = OperatorBody,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("request" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "What it is now", body = RequestView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn reject_join_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Body(body): Body<OperatorBody>,
) -> Result<Json<RequestView>, Problem> {
    decide(&api, &caller, path, &body, Decision::Reject).await
}

/// Take back a request or an invitation
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/join-requests/{request}/cancel", tag = "joining",
    request_body = OperatorBody,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id"),
        ("request" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "What it is now", body = RequestView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn cancel_join_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(path): Segments<(String, String, String)>,
    Body(body): Body<OperatorBody>,
) -> Result<Json<RequestView>, Problem> {
    decide(&api, &caller, path, &body, Decision::Cancel).await
}
