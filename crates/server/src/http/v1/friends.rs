//! Friends: who is one, how they are kept, and how it ends.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use crosstalk_core::id::{Uid, UserNum};
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Friend, FriendChange, MAX_MESSAGE_CHARS, MAX_REMARK_CHARS, Sides, WhichFriends,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::input::{self, Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use crate::http::state::ApiState;

/// What cursors of friends begin with, and of their changes.
const LIST: &str = "f";
const CHANGES: &str = "fc";
/// The longest keyword, characters.
const MAX_KEYWORD: usize = 64;

/// A friend as the user keeps them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Friend, example = json!({
    "uid": "bob",
    "name": "Bob",
    "remark": "Bob from work",
    "group": "741200000000000001",
    "since_at": 1_715_000_001_234_i64,
    "version": 1_715_000_001_234_i64,
    "is_friend": true,
}))]
pub(super) struct FriendView {
    /// Who.
    uid: String,
    /// What they are called in general; empty: nothing.
    name: String,
    /// What the user calls them; empty: nothing.
    remark: String,
    /// The id of the friend group; null: none.
    group: Option<String>,
    /// Since when, ms since 1970.
    since_at: i64,
    /// Grows with each change among the user's friends.
    version: i64,
    /// False: it is no friend any more; only in lists of changes.
    is_friend: bool,
}

impl From<&Friend> for FriendView {
    fn from(friend: &Friend) -> Self {
        Self {
            uid: friend.user.uid.as_str().to_owned(),
            name: friend.name.clone(),
            remark: friend.remark.clone(),
            group: (friend.group != 0).then(|| friend.group.to_string()),
            since_at: friend.since_ms,
            version: friend.version,
            is_friend: friend.is_friend,
        }
    }
}

/// How a friend is to be kept. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = FriendChange, example = json!({"remark": "Bob from work", "group": ""}))]
pub(super) struct NewKeep {
    /// At most 100 characters; empty: none.
    remark: Option<String>,
    /// The id of one of the user's friend groups; empty: none.
    group: Option<String>,
}

impl NewKeep {
    /// Both together.
    pub(super) fn of(remark: Option<String>, group: Option<String>) -> Self {
        Self { remark, group }
    }

    /// The change that is wanted.
    pub(super) fn read(self) -> Result<FriendChange, Problem> {
        if let Some(remark) = &self.remark {
            input::check_name("remark", remark, MAX_REMARK_CHARS)?;
        }
        let group = self.group.as_deref().map(group_or_none).transpose()?;
        Ok(FriendChange {
            remark: self.remark,
            group,
        })
    }
}

/// The id of a friend group; 0 for none.
fn group_or_none(text: &str) -> Result<i64, Problem> {
    if text.is_empty() {
        return Ok(0);
    }
    group_id("group", text)
}

/// The id of a friend group.
pub(super) fn group_id(field: &str, text: &str) -> Result<i64, Problem> {
    let id = text.parse().ok().filter(|id: &i64| *id > 0);
    id.ok_or_else(|| Problem::field(field, "the id of a friend group is a decimal number"))
}

/// A text that goes with a request.
pub(super) fn check_message(message: &str) -> Result<(), Problem> {
    if message.chars().count() > MAX_MESSAGE_CHARS || message.contains('\0') {
        let wrong = format_args!("has at most {MAX_MESSAGE_CHARS} characters");
        return Err(Problem::field("message", wrong));
    }
    Ok(())
}

/// Which friends.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only those whose id, name or remark contains it; at most 64 characters.
    keyword: Option<String>,
    /// Only those of the friend group with this id; `0`: those of none.
    group: Option<String>,
    /// Instead of all friends those who changed after this version, with those who are no
    /// friends any more, by version. Not with `keyword` and `group`.
    since: Option<i64>,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A user's friends
///
/// In the order in which the server first heard of them, or, with `since`, by version.
#[utoipa::path(
    get, path = "/v1/users/{uid}/friends", tag = "friends",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token"), Wanted),
    responses(
        (status = 200, description = "The friends", body = Page<FriendView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_friends(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<FriendView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let paging = Paging {
        limit: wanted.limit,
        cursor: wanted.cursor,
    };
    let limit = paging.limit()?;
    let tag = if wanted.since.is_some() {
        CHANGES
    } else {
        LIST
    };
    let after = paging.after::<1>(tag)?.map(|[place]| place);
    let which = match wanted.since {
        Some(_) if wanted.keyword.is_some() || wanted.group.is_some() => {
            return Err(Problem::field("since", "excludes keyword and group"));
        }
        Some(since) => WhichFriends::Since(after.unwrap_or(since)),
        None => {
            let keyword = wanted.keyword.unwrap_or_default();
            input::check_name("keyword", &keyword, MAX_KEYWORD)?;
            let group = match wanted.group.as_deref() {
                Some("0") => Some(0),
                Some(text) => Some(group_id("group", text)?),
                None => None,
            };
            WhichFriends::Now {
                after: UserNum(after.unwrap_or(i64::MIN)),
                keyword,
                group,
            }
        }
    };
    let mut friends = api.im.friends(realm, &uid, which, limit + 1).await?;
    let is_more = friends.len() > limit as usize;
    friends.truncate(limit as usize);
    let last = friends.last().filter(|_| is_more);
    let place = last.map(|last| match wanted.since {
        Some(_) => last.version,
        None => last.user.num.0,
    });
    Ok(Json(Page {
        items: friends.iter().map(FriendView::from).collect(),
        next_cursor: place.map(|place| page::encode(tag, [place])),
    }))
}

/// A friend
#[utoipa::path(
    get, path = "/v1/users/{uid}/friends/{other}", tag = "friends",
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("other" = String, Path, description = "The friend's id"),
    ),
    responses((status = 200, description = "The friend", body = FriendView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_friend(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
) -> Result<Json<FriendView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let other = input::uid("other", &other)?;
    let found = match api.im.find_user(realm, &other).await? {
        Some(other) => {
            let which = WhichFriends::These(vec![other.num]);
            api.im.friends(realm, &uid, which, 1).await?.pop()
        }
        None => {
            api.im.user(realm, &uid).await?;
            None
        }
    };
    let friend = found.ok_or_else(|| no_friend(&other))?;
    Ok(Json(FriendView::from(&friend)))
}

fn no_friend(other: &Uid) -> Problem {
    Problem::new(Refusal::NotFound, format!("other: {other} is no friend"))
}

/// Change how a friend is kept
///
/// The user's other devices hear of it.
#[utoipa::path(
    patch, path = "/v1/users/{uid}/friends/{other}", tag = "friends", request_body = NewKeep,
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("other" = String, Path, description = "The friend's id"),
    ),
    responses(
        (status = 200, description = "The friend", body = FriendView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_friend(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
    Body(new): Body<NewKeep>,
) -> Result<Json<FriendView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let other = input::uid("other", &other)?;
    let change = new.read()?;
    let friend = api.im.change_friend(realm, &uid, &other, change).await?;
    Ok(Json(FriendView::from(&friend)))
}

/// Which sides of a friendship end.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Ending {
    /// False: only the user's own side. The other one still keeps the user as a friend.
    #[param(default = true)]
    both: Option<bool>,
}

pub(super) fn sides(both: Option<bool>) -> Sides {
    if both.unwrap_or(true) {
        Sides::Both
    } else {
        Sides::One
    }
}

/// End a friendship
///
/// Whoever loses a friend hears of it. Ending what is none changes nothing.
#[utoipa::path(
    delete, path = "/v1/users/{uid}/friends/{other}", tag = "friends",
    params(
        ("uid" = String, Path, description = "The user's id; `me` with a user token"),
        ("other" = String, Path, description = "The friend's id"),
        Ending,
    ),
    responses((status = 204, description = "Done"), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_friend(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, other)): Segments<(String, String)>,
    Params(ending): Params<Ending>,
) -> Result<StatusCode, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let other = input::uid("other", &other)?;
    let sides = sides(ending.both);
    api.im.unfriend(realm, &uid, &[other], sides).await?;
    Ok(StatusCode::NO_CONTENT)
}
