//! Many friends at once: adding, ending, checking, importing.

use axum::Json;
use axum::extract::State;
use crosstalk_core::id::Uid;
use crosstalk_core::im::KeepFriend;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{RequestStatus, Sides};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::friends::{check_message, sides};
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::outcome::OutcomeError;
use super::page::Page;
use super::problem::Problem;
use super::profiles::Uids;
use crate::http::state::ApiState;

/// Friends added or deleted at once, and pairs imported at once.
const MAX_BATCH: usize = 100;
const MAX_PAIRS: usize = 1000;

/// What became of one of many.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FriendOutcome, example = json!({"uid": "bob", "state": "requested", "error": null}))]
pub(super) struct Outcome {
    /// Who.
    uid: String,
    /// `friend` (they are one now), `requested` (they were asked), `deleted` (they are one no
    /// longer), `unchanged` (they were so before), `failed`.
    state: &'static str,
    /// Why it failed; null if it did not.
    error: Option<OutcomeError>,
}

impl Outcome {
    fn new(uid: &Uid, outcome: Result<&'static str, Refusal>) -> Self {
        Self {
            uid: uid.as_str().to_owned(),
            state: outcome.unwrap_or("failed"),
            error: outcome.err().map(OutcomeError::from),
        }
    }
}

/// Whom to have as friends.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewFriends, example = json!({"uids": ["bob", "carol"], "message": "Hi!"}))]
pub(super) struct NewFriends {
    /// Their ids, at most 100.
    #[serde(default)]
    uids: Vec<String>,
    /// What to say to those who are asked; at most 500 characters.
    #[serde(default)]
    message: String,
}

fn batch(uids: &[String]) -> Result<Vec<Uid>, Problem> {
    if uids.is_empty() || uids.len() > MAX_BATCH {
        let wrong = format_args!("has 1 to {MAX_BATCH} ids");
        return Err(Problem::field("uids", wrong));
    }
    input::uids("uids", uids)
}

/// Add friends
///
/// With a user token each of them is asked, as by a request; otherwise they are friends at
/// once, on both sides.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friends", tag = "friends", request_body = NewFriends,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "What became of each", body = Page<Outcome>),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn add_friends(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewFriends>,
) -> Result<Json<Page<Outcome>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let others = batch(&new.uids)?;
    check_message(&new.message)?;
    api.im.user(realm, &uid).await?;
    let mut outcomes = Vec::with_capacity(others.len());
    if let Some(user) = caller.as_user() {
        let ask = KeepFriend {
            message: new.message,
            ..KeepFriend::default()
        };
        for other in &others {
            let asked = match api.im.spend(user.num) {
                Ok(()) => api.im.ask_friend(realm, &uid, other, &ask).await,
                Err(why) => Err(why),
            };
            let outcome = asked.map(|asked| match asked.request.status {
                RequestStatus::Accepted => "friend",
                _ if asked.is_new => "requested",
                _ => "unchanged",
            });
            outcomes.push(Outcome::new(other, outcome));
        }
    } else {
        let pairs: Vec<_> = others
            .iter()
            .map(|other| (uid.clone(), other.clone()))
            .collect();
        let made = api.im.befriend(realm, &pairs, Sides::Both).await?;
        for (other, made) in others.iter().zip(made) {
            let outcome = made.map(|is_new| if is_new { "friend" } else { "unchanged" });
            outcomes.push(Outcome::new(other, outcome));
        }
    }
    Ok(Json(Page::whole(outcomes)))
}

/// Who is to be a friend no longer.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FormerFriends, example = json!({"uids": ["bob"], "both": true}))]
pub(super) struct FormerFriends {
    /// Their ids, at most 100.
    #[serde(default)]
    uids: Vec<String>,
    /// False: only the user's own side. Default: true.
    both: Option<bool>,
}

/// End friendships
#[utoipa::path(
    delete, path = "/v1/users/{uid}/friends", tag = "friends", request_body = FormerFriends,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "What became of each", body = Page<Outcome>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn delete_friends(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(body): Body<FormerFriends>,
) -> Result<Json<Page<Outcome>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let others = batch(&body.uids)?;
    let ended = api.im.unfriend(realm, &uid, &others, sides(body.both));
    let ended = ended.await?;
    let outcomes = others.iter().zip(ended).map(|(other, ended)| {
        let state = if ended { "deleted" } else { "unchanged" };
        Outcome::new(other, Ok(state))
    });
    Ok(Json(Page::whole(outcomes.collect())))
}

/// Whether somebody is a friend.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FriendCheck, example = json!({"uid": "bob", "is_friend": true, "has_friend": false}))]
pub(super) struct Checked {
    /// Who.
    uid: String,
    /// The user keeps them as a friend.
    is_friend: bool,
    /// They keep the user as a friend.
    has_friend: bool,
}

/// Whether users are friends
///
/// On one side and the other; whoever does not exist is none.
#[utoipa::path(
    post, path = "/v1/users/{uid}/friends-check", tag = "friends", request_body = Uids,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "Whether they are", body = Page<Checked>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn check_friends(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(body): Body<Uids>,
) -> Result<Json<Page<Checked>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let others = body.read()?;
    let are = api.im.are_friends(realm, &uid, &others).await?;
    let checked = others.iter().zip(are).map(|(other, (is, has))| Checked {
        uid: other.as_str().to_owned(),
        is_friend: is,
        has_friend: has,
    });
    Ok(Json(Page::whole(checked.collect())))
}

/// Friendships to be brought in.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = FriendImport, example = json!({"pairs": [["alice", "bob"]], "both": true}))]
pub(super) struct Import {
    /// At most 1,000 pairs of ids.
    #[serde(default)]
    #[schema(value_type = Vec<Vec<String>>)]
    pairs: Vec<(String, String)>,
    /// False: the second one becomes the first one's friend only. Default: true.
    both: Option<bool>,
}

/// What became of an import.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FriendImported, example = json!({"added": 1, "unchanged": 0, "failed": []}))]
pub(super) struct Imported {
    /// Pairs that are friends now and were not.
    added: usize,
    /// Pairs that were so before.
    unchanged: usize,
    /// The others.
    failed: Vec<FailedPair>,
}

/// A pair that could not be brought in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FailedPair {
    /// Its place in the list, from 0.
    at: usize,
    /// Why.
    error: OutcomeError,
}

/// Import friendships
///
/// Nobody is asked, and the limits hold.
#[utoipa::path(
    post, path = "/v1/friends/import", tag = "friends", request_body = Import,
    responses(
        (status = 200, description = "What became of them", body = Imported),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn import_friends(
    State(api): State<ApiState>,
    caller: Caller,
    Body(import): Body<Import>,
) -> Result<Json<Imported>, Problem> {
    let realm = &caller.app()?.realm;
    if import.pairs.is_empty() || import.pairs.len() > MAX_PAIRS {
        let wrong = format_args!("has 1 to {MAX_PAIRS} pairs");
        return Err(Problem::field("pairs", wrong));
    }
    let mut pairs = Vec::with_capacity(import.pairs.len());
    for (at, (one, other)) in import.pairs.iter().enumerate() {
        let field = format!("pairs[{at}]");
        pairs.push((input::uid(&field, one)?, input::uid(&field, other)?));
    }
    let made = api.im.befriend(realm, &pairs, sides(import.both)).await?;
    let mut imported = Imported {
        added: 0,
        unchanged: 0,
        failed: Vec::new(),
    };
    for (at, made) in made.into_iter().enumerate() {
        match made {
            Ok(true) => imported.added += 1,
            Ok(false) => imported.unchanged += 1,
            Err(why) => imported.failed.push(FailedPair {
                at,
                error: Problem::from(why).into(),
            }),
        }
    }
    Ok(Json(imported))
}
