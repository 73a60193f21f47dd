//! Requests to be friends.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::im::{KeepFriend, WantedRequests};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{Answer, FriendChange, FriendRequest, RequestStatus};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::friends::{NewKeep, check_message};
use super::input::{self, Body, Params, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use crate::http::state::ApiState;

/// What cursors of this list begin with.
const LIST: &str = "fr";

/// Somebody's wish to be a friend of somebody.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FriendRequest, example = json!({
    "id": "741200000000000001",
    "from": "alice",
    "to": "bob",
    "message": "Hi, it's Alice",
    "state": "pending",
    "created_at": 1_715_000_001_234_i64,
    "expires_at": 1_717_592_001_234_i64,
    "decided_at": null,
}))]
pub(super) struct RequestView {
    /// Its id.
    id: String,
    /// Who asks.
    from: String,
    /// Who is asked.
    to: String,
    /// What they say.
    message: String,
    /// `pending`, `accepted`, `rejected`, `expired` (after 30 days) or `cancelled`.
    state: &'static str,
    /// When it was made, ms since 1970.
    created_at: i64,
    /// Until when it waits for an answer: 30 days.
    expires_at: i64,
    /// When that became of it; null while it waits.
    decided_at: Option<i64>,
}

impl From<&FriendRequest> for RequestView {
    fn from(request: &FriendRequest) -> Self {
        Self {
            id: request.id.to_string(),
            from: request.from.uid.as_str().to_owned(),
            to: request.to.uid.as_str().to_owned(),
            message: request.message.clone(),
            state: request.status.name(),
            created_at: request.created_at_ms,
            expires_at: request.expires_at_ms(),
            decided_at: Some(request.decided_at_ms).filter(|at| *at > 0),
        }
    }
}

/// A wish to be a friend.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewFriendRequest, example = json!({"to": "bob", "message": "Hi, it's Alice"}))]
pub(super) struct NewRequest {
    /// Who is asked.
    to: String,
    /// What to say; at most 500 characters.
    #[serde(default)]
    message: String,
    /// What the user will call them; at most 100 characters.
    remark: Option<String>,
    /// The id of the user's friend group where they will be.
    group: Option<String>,
}

/// Ask somebody to be a friend
///
/// If they have asked, too, or take everybody, both are friends at once, and the answer's
/// `state` is `accepted`. Asking again while a request waits changes nothing and gives that one.
/// Whoever is blocked, or asks one who takes no requests, is refused with `forbidden`. Who was
/// rejected, or has taken it back, asks the same user again 10 minutes after the last time, and
/// at most 5 times in 24 hours; sooner it is `rate_limited`, and `Retry-After` says when.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friend-requests", tag = "friends", request_body = NewRequest,
    params(("uid" = String, Path, description = "Who asks; `me` with a user token")),
    responses(
        (status = 201, description = "The request", body = RequestView),
        (status = 200, description = "The request, which waited before", body = RequestView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn ask_friend(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewRequest>,
) -> Result<(StatusCode, Json<RequestView>), Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let to = input::uid("to", &new.to)?;
    if to == uid {
        return Err(Problem::field("to", "is the user themselves"));
    }
    check_message(&new.message)?;
    let keep = NewKeep::of(new.remark, new.group).read()?;
    api.im.user(realm, &uid).await?;
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    let ask = KeepFriend {
        message: new.message,
        keep,
    };
    let asked = api.im.ask_friend(realm, &uid, &to, &ask).await;
    if let Err(why @ Refusal::RateLimited) = asked {
        let wait_ms = api.im.wait_to_ask_ms(realm, &uid, &to).await?;
        let wait_secs = wait_ms.unsigned_abs().div_ceil(1000);
        let detail = format!("to: {to} was asked lately: again in {wait_secs} seconds");
        return Err(Problem {
            retry_after_secs: wait_secs,
            ..Problem::new(why, detail)
        });
    }
    let asked = asked.map_err(|why| match why {
        Refusal::NoSuchUser => Problem::new(why, format!("to: there is no {to}")),
        Refusal::NotFound => Problem::new(why, "group: there is no such friend group"),
        Refusal::AlreadyExists => Problem::new(why, format!("to: {to} is a friend already")),
        Refusal::WrongState => Problem::new(why, format!("to: the user blocks {to}")),
        why => why.into(),
    })?;
    let status = if asked.is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(RequestView::from(&asked.request))))
}

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// `incoming` (to the user) or `outgoing` (of the user).
    #[param(default = "incoming")]
    direction: Option<String>,
    /// Only those that are so: `pending`, `accepted`, `rejected`, `expired`, `cancelled`.
    state: Option<String>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Requests to a user, or of one
///
/// The newest first. Of each pair of users and direction the last one is kept.
#[utoipa::path(
    get, path = "/v1/users/{uid}/friend-requests", tag = "friends",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token"), Wanted),
    responses(
        (status = 200, description = "The requests", body = Page<RequestView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_requests(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<RequestView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let incoming = match wanted.direction.as_deref() {
        None | Some("incoming") => true,
        Some("outgoing") => false,
        Some(_) => return Err(Problem::field("direction", "is `incoming` or `outgoing`")),
    };
    let status = match wanted.state.as_deref() {
        None => None,
        Some(name) => Some(
            RequestStatus::parse(name)
                .ok_or_else(|| Problem::field("state", "is no state of a request"))?,
        ),
    };
    let paging = Paging {
        limit: wanted.limit,
        cursor: wanted.cursor,
    };
    let limit = paging.limit()?;
    let before = paging.after::<1>(LIST)?.map(|[id]| id);
    let wanted = WantedRequests {
        incoming,
        status,
        before,
        limit: limit + 1,
    };
    let requests = api.im.friend_requests(realm, &uid, wanted);
    let mut requests = requests.await?;
    let is_more = requests.len() > limit as usize;
    requests.truncate(limit as usize);
    let last = requests.last().filter(|_| is_more);
    Ok(Json(Page {
        next_cursor: last.map(|last| page::encode(LIST, [last.id])),
        items: requests.iter().map(RequestView::from).collect(),
    }))
}

async fn answer(
    api: &ApiState,
    caller: &Caller,
    (uid, id): (String, String),
    answer: Answer,
) -> Result<Json<RequestView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let id = id.parse().ok().filter(|id: &i64| *id > 0);
    let id = id.ok_or_else(|| Problem::field("id", "a request's id is a decimal number"))?;
    let request = api.im.answer_friend(realm, &uid, id, answer).await;
    let request = request.map_err(|why| match why {
        Refusal::WrongState => Problem::new(why, "id: the request does not wait any more"),
        Refusal::NotFound => Problem::new(why, "group: there is no such friend group"),
        why => why.into(),
    })?;
    Ok(Json(RequestView::from(&request)))
}

/// Accept a request
///
/// Both are friends then. Accepting again changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friend-requests/{id}/accept", tag = "friends",
    request_body = NewKeep,
    params(
        ("uid" = String, Path, description = "Who was asked; `me` with a user token"),
        ("id" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "The request", body = RequestView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn accept_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(named): Segments<(String, String)>,
    Body(keep): Body<NewKeep>,
) -> Result<Json<RequestView>, Problem> {
    let keep: FriendChange = keep.read()?;
    answer(&api, &caller, named, Answer::Accept(keep)).await
}

/// Reject a request
///
/// Rejecting again changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friend-requests/{id}/reject", tag = "friends",
    params(
        ("uid" = String, Path, description = "Who was asked; `me` with a user token"),
        ("id" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "The request", body = RequestView),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn reject_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(named): Segments<(String, String)>,
) -> Result<Json<RequestView>, Problem> {
    answer(&api, &caller, named, Answer::Reject).await
}

/// Take a request back
///
/// Taking it back again changes nothing.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friend-requests/{id}/cancel", tag = "friends",
    params(
        ("uid" = String, Path, description = "Who has asked; `me` with a user token"),
        ("id" = String, Path, description = "The request's id"),
    ),
    responses(
        (status = 200, description = "The request", body = RequestView),
        Denials, Missing, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn cancel_request(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(named): Segments<(String, String)>,
) -> Result<Json<RequestView>, Problem> {
    answer(&api, &caller, named, Answer::Cancel).await
}
