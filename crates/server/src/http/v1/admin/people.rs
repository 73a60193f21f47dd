//! All users: lists, imports, tags, switching off and on.

use axum::Json;
use axum::extract::State;
use crosstalk_core::admin::census::MAX_TAGS;
use crosstalk_core::admin::{BanTarget, NewBan, Person, PersonFilter};
use crosstalk_core::directory::{ProfileChange, UserChange};
use crosstalk_core::id::UserNum;
use crosstalk_core::im::admin::{ImportUser, Imported};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{self, Body, Params, Segments};
use super::super::openapi::{Conflict, Denials, Missing, Oversize};
use super::super::outcome::OutcomeError;
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::super::users::{UserView, bad_profile};
use super::audit::{AuditNote, Noted};
use super::{actor, note, page_of, stretch};
use crate::http::state::ApiState;

/// Users that may be imported at once.
const AT_ONCE: usize = 1000;
/// The longest tag, characters.
const TAG_CHARS: usize = 64;

/// A user among all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Person)]
pub(super) struct PersonView {
    #[serde(flatten)]
    user: UserView,
    /// What the application has sorted them by.
    tags: Vec<String>,
    /// An administrator account.
    staff: bool,
}

impl From<Person> for PersonView {
    fn from(person: Person) -> Self {
        Self {
            user: UserView::whole(&person.record),
            tags: person.tags,
            staff: person.record.flags.staff,
        }
    }
}

/// Which users are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    prefix: Option<String>,
    tag: Option<String>,
    ban: Option<bool>,
    staff: Option<bool>,
}

/// Users to be imported.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"users": [{"uid": "alice", "name": "Alice", "tags": ["vip"]}]}))]
pub(super) struct Import {
    /// At most 1,000. One that is wrong stops no other.
    #[schema(max_items = 1000, value_type = Vec<NewPerson>)]
    users: Vec<Value>,
}

/// One of them.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NewPerson {
    /// The user's id.
    uid: String,
    /// What people call them.
    name: Option<String>,
    /// Where their picture is.
    avatar: Option<String>,
    /// The application's own object.
    #[schema(value_type = Option<Object>)]
    custom: Option<Map<String, Value>>,
    /// What the application sorts them by.
    tags: Option<Vec<String>>,
    /// May neither log in nor send.
    ban: Option<bool>,
    /// An administrator account.
    staff: Option<bool>,
}

/// What became of them, in their order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [
    {"uid": "alice", "state": "created", "error": null},
]}))]
pub(super) struct ImportedView {
    /// One for each.
    items: Vec<Outcome>,
}

/// What became of one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ImportOutcome)]
pub(super) struct Outcome {
    /// The id as it was given; empty if there was none.
    uid: String,
    /// `created`, `updated` or `failed`.
    state: &'static str,
    /// Why it failed; null if it did not.
    error: Option<OutcomeError>,
}

/// Tags of a user.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"tags": ["vip", "beta"]}))]
pub(super) struct Tags {
    /// At most 100, of 1 to 64 characters.
    #[schema(max_items = 100)]
    tags: Vec<String>,
}

/// Why somebody is switched off.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = Reason, example = json!({"reason": "left the company"}))]
pub(super) struct Why {
    /// Why.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

fn check_tags(tags: &[String]) -> Result<(), Problem> {
    if tags.len() > MAX_TAGS {
        let wrong = format_args!("has at most {MAX_TAGS} of them");
        return Err(Problem::field("tags", wrong));
    }
    for (at, tag) in tags.iter().enumerate() {
        let field = format!("tags[{at}]");
        input::check_name(&field, tag, TAG_CHARS)?;
        if tag.trim().is_empty() {
            return Err(Problem::field(&field, "is empty"));
        }
    }
    Ok(())
}

/// All users
///
/// In the order in which they came to be known.
#[utoipa::path(
    get, path = "/v1/users", tag = "administration",
    params(
        Paging,
        ("prefix" = Option<String>, Query, description = "Only those whose id begins so"),
        ("tag" = Option<String>, Query, description = "Only those with this tag"),
        ("ban" = Option<bool>, Query, description = "Only banned ones, or only others"),
        ("staff" = Option<bool>, Query, description = "Only administrators, or only others"),
    ),
    responses((status = 200, description = "The users", body = Page<PersonView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_users(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<PersonView>>, Problem> {
    let realm = &caller.app()?.realm;
    let filter = PersonFilter {
        prefix: wanted.prefix,
        tag: wanted.tag,
        ban: wanted.ban,
        staff: wanted.staff,
        system: None,
    };
    let (after, limit) = stretch(&paging, "p")?;
    let found = api
        .im
        .population(realm, &filter, UserNum(after), limit)
        .await?;
    Ok(Json(page_of(
        found,
        limit,
        "p",
        |person| person.record.user.num.0,
        PersonView::from,
    )))
}

/// Import users
///
/// Each is created or changed for itself: one that fails stops no other.
#[utoipa::path(
    post, path = "/v1/users/import", tag = "administration", request_body = Import,
    responses(
        (status = 200, description = "What became of each", body = ImportedView),
        Denials, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn import_users(
    State(api): State<ApiState>,
    caller: Caller,
    Body(import): Body<Import>,
) -> Result<Json<ImportedView>, Problem> {
    let realm = &caller.app()?.realm;
    if import.users.is_empty() || import.users.len() > AT_ONCE {
        let wrong = format_args!("has 1 to {AT_ONCE} of them");
        return Err(Problem::field("users", wrong));
    }
    // Side by side, so that they share the store's commits; few enough to leave room.
    let take = |new: Value| {
        let api = &api;
        async move {
            let uid = new["uid"].as_str().unwrap_or_default().to_owned();
            let taken = async {
                let user = person(input::object_of(new.to_string().as_bytes())?)?;
                Ok::<_, Problem>(api.im.import_user(realm, user).await?)
            };
            match taken.await {
                Ok(imported) => Outcome {
                    uid,
                    state: match imported {
                        Imported::Created => "created",
                        Imported::Updated => "updated",
                    },
                    error: None,
                },
                Err(problem) => Outcome {
                    uid,
                    state: "failed",
                    error: Some(problem.into()),
                },
            }
        }
    };
    let mut items = Vec::with_capacity(import.users.len());
    let mut users = import.users.into_iter().peekable();
    while users.peek().is_some() {
        let some: Vec<_> = users.by_ref().take(100).map(take).collect();
        items.extend(futures_util::future::join_all(some).await);
    }
    Ok(Json(ImportedView { items }))
}

fn person(new: NewPerson) -> Result<ImportUser, Problem> {
    let uid = input::uid("uid", &new.uid)?;
    let members = ProfileChange {
        name: new.name.map(Some),
        avatar: new.avatar.map(Some),
        custom: new.custom.map(Some),
        ..ProfileChange::default()
    };
    members.check().map_err(bad_profile)?;
    if let Some(tags) = &new.tags {
        check_tags(tags)?;
    }
    Ok(ImportUser {
        uid,
        change: UserChange {
            ban: new.ban,
            staff: new.staff,
            members,
            ..UserChange::default()
        },
        tags: new.tags,
    })
}

/// A user's tags
#[utoipa::path(
    get, path = "/v1/users/{uid}/tags", tag = "administration",
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The tags", body = Tags), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_tags(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<Tags>, Problem> {
    let realm = &caller.app()?.realm;
    let tags = api.im.tags(realm, &input::uid("uid", &uid)?).await?;
    Ok(Json(Tags { tags }))
}

/// Give a user other tags
///
/// They take the place of those there were. Broadcasts can be for a tag.
#[utoipa::path(
    put, path = "/v1/users/{uid}/tags", tag = "administration", request_body = Tags,
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The tags", body = Tags), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn put_tags(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<Tags>,
) -> Result<Json<Tags>, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    check_tags(&new.tags)?;
    api.im.set_tags(realm, &uid, &new.tags).await?;
    let tags = api.im.tags(realm, &uid).await?;
    Ok(Json(Tags { tags }))
}

/// Switch a user off
///
/// The same as a ban without an end: sessions end, and no login succeeds until the user is
/// switched on again.
#[utoipa::path(
    post, path = "/v1/users/{uid}/disable", tag = "administration", request_body = Why,
    params(("uid" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The user", body = UserView),
        Denials, Missing, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn disable_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(why): Body<Why>,
) -> Result<Noted<Json<UserView>>, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    let reason = note("reason", why.reason.as_deref())?;
    api.im
        .impose_ban(NewBan {
            realm: realm.clone(),
            target: BanTarget::User(uid.clone()),
            reason: reason.clone(),
            until_ms: None,
            by: actor(&caller),
        })
        .await?;
    let state = api.im.user(realm, &uid).await?;
    let user = UserView::whole(&state.record);
    Ok(AuditNote::on(reason, Json(user)))
}

/// Switch a user on again
#[utoipa::path(
    post, path = "/v1/users/{uid}/enable", tag = "administration",
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "The user", body = UserView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn enable_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<UserView>, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", &uid)?;
    // Who does not exist does not begin to.
    if api.im.user(realm, &uid).await.is_err() {
        return Err(Refusal::NoSuchUser.into());
    }
    let change = UserChange {
        ban: Some(false),
        ..UserChange::default()
    };
    let record = api.im.put_user(realm, &uid, &change).await?;
    Ok(Json(UserView::whole(&record)))
}
