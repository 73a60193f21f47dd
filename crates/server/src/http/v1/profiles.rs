//! Profiles, several users at once, and finding users.

use axum::Json;
use axum::extract::State;
use crosstalk_core::directory::{FoundPlace, Profile, ProfileChange, UserChange, UserRecord};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::auth::Caller;
use super::input::{self, Body, Params, Segments};
use super::openapi::{Denials, Missing, Oversize, Throttled};
use super::page::{self, Page, Paging};
use super::problem::Problem;
use super::users::{UserView, bad_profile};
use crate::http::state::ApiState;

/// What cursors of found users begin with.
const LIST: &str = "u";
/// Users that are asked for at once.
const MAX_USERS: usize = 100;

/// What people see of a user. What is not known is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Profile, example = json!({
    "uid": "alice",
    "name": "Alice",
    "avatar": "https://example.org/alice.png",
    "gender": "female",
    "signature": "好好学习",
    "birthday": "2000-02-29",
    "location": "Chengdu",
    "phone": "+8613800000000",
    "email": "alice@example.org",
    "language": "zh-CN",
    "custom": {"team": 7},
}))]
pub(super) struct ProfileView {
    /// Whose.
    uid: String,
    /// What people call them.
    name: Option<String>,
    /// Where their picture is.
    avatar: Option<String>,
    /// `male`, `female` or `other`.
    gender: Option<String>,
    /// What they say of themselves.
    signature: Option<String>,
    /// `YYYY-MM-DD`.
    birthday: Option<String>,
    /// Where they are.
    location: Option<String>,
    /// Shown to themselves and the application only.
    phone: Option<String>,
    /// Shown to themselves and the application only.
    email: Option<String>,
    /// The language tag of what they like to read.
    language: Option<String>,
    /// The application's own object.
    #[schema(value_type = Option<Object>)]
    custom: Option<Map<String, Value>>,
}

impl ProfileView {
    fn to(caller: &Caller, record: &UserRecord) -> Self {
        let profile = Profile::of(record.profile.as_deref());
        let profile = match caller.as_user() {
            Some(viewer) if viewer.num != record.user.num => profile.public(),
            _ => profile,
        };
        Self {
            uid: record.user.uid.as_str().to_owned(),
            name: profile.name,
            avatar: profile.avatar,
            gender: profile.gender,
            signature: profile.signature,
            birthday: profile.birthday,
            location: profile.location,
            phone: profile.phone,
            email: profile.email,
            language: profile.language,
            custom: profile.custom,
        }
    }
}

/// A change of a profile. What is absent stays; `null` empties a member.
#[derive(ToSchema)]
#[schema(as = ProfileChange, example = json!({"name": "Alice", "signature": null}))]
#[allow(dead_code)] // describes what `ProfileChange` reads
pub(super) struct NewProfile {
    /// What people call them; at most 100 characters.
    name: Option<String>,
    /// Where their picture is; at most 2,048 characters.
    avatar: Option<String>,
    /// `male`, `female` or `other`.
    gender: Option<String>,
    /// What they say of themselves; at most 500 characters.
    signature: Option<String>,
    /// `YYYY-MM-DD`.
    birthday: Option<String>,
    /// Where they are; at most 200 characters.
    location: Option<String>,
    /// 3 to 20 digits, with or without a `+` before them.
    phone: Option<String>,
    /// An address of mail; at most 254 characters.
    email: Option<String>,
    /// A language tag; at most 35 characters.
    language: Option<String>,
    /// The application's own object, at most 4,096 bytes of JSON; replaced as a whole.
    #[schema(value_type = Option<Object>)]
    custom: Option<Map<String, Value>>,
}

/// A user's profile
#[utoipa::path(
    get, path = "/v1/users/{uid}/profile", tag = "users",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses((status = 200, description = "The profile", body = ProfileView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_profile(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<ProfileView>, Problem> {
    let (realm, uid) = caller.names(&uid)?;
    let state = api.im.user(realm, &uid).await?;
    Ok(Json(ProfileView::to(&caller, &state.record)))
}

/// Change a user's profile
///
/// The user's other devices, and friends who are there, hear of it.
#[utoipa::path(
    patch, path = "/v1/users/{uid}/profile", tag = "users", request_body = NewProfile,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "The profile", body = ProfileView),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_profile(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(members): Body<ProfileChange>,
) -> Result<Json<ProfileView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    members.check().map_err(bad_profile)?;
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    let change = UserChange {
        members,
        ..UserChange::default()
    };
    let record = api.im.change_user(realm, &uid, &change).await?;
    Ok(Json(ProfileView::to(&caller, &record)))
}

/// Users who are asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserIds, example = json!({"uids": ["alice", "bob"]}))]
pub(super) struct Uids {
    /// Their ids, at most 100.
    #[serde(default)]
    pub(super) uids: Vec<String>,
}

impl Uids {
    /// The ids, of which there must be some, and no more than `max`.
    pub(super) fn read(&self) -> Result<Vec<crosstalk_core::id::Uid>, Problem> {
        if self.uids.is_empty() || self.uids.len() > MAX_USERS {
            return Err(Problem::field(
                "uids",
                format_args!("has 1 to {MAX_USERS} ids"),
            ));
        }
        input::uids("uids", &self.uids)
    }
}

/// Several users
///
/// In the order in which they were asked for; those who do not exist are left out.
#[utoipa::path(
    post, path = "/v1/users/batch", tag = "users", request_body = Uids,
    responses(
        (status = 200, description = "The users", body = Page<UserView>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_users(
    State(api): State<ApiState>,
    caller: Caller,
    Body(body): Body<Uids>,
) -> Result<Json<Page<UserView>>, Problem> {
    let realm = caller.realm()?;
    let users = api.im.users(realm, &body.read()?).await?;
    let users = users.iter().map(|user| UserView::to(&caller, user));
    Ok(Json(Page::whole(users.collect())))
}

/// Whom to find.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Finding {
    /// What the id begins with, the name contains, or the phone number or address of mail is;
    /// 1 to 64 characters.
    keyword: String,
    /// At most this many items.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Find users
///
/// With a user token only those who let themselves be found, and by what they do. A page may
/// have fewer items than asked for although there are more: go on while there is a cursor.
#[utoipa::path(
    get, path = "/v1/users/search", tag = "users",
    params(Finding),
    responses(
        (status = 200, description = "Who was found", body = Page<UserView>),
        Denials, Missing, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn find_users(
    State(api): State<ApiState>,
    caller: Caller,
    Params(finding): Params<Finding>,
) -> Result<Json<Page<UserView>>, Problem> {
    let realm = caller.realm()?;
    let paging = Paging {
        limit: finding.limit,
        cursor: finding.cursor,
    };
    let (limit, after) = (paging.limit()?, paging.after::<2>(LIST)?);
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    let all = caller.as_user().is_none();
    let found = api
        .im
        .find_users(realm, &finding.keyword, all, after, limit);
    let found = found.await.map_err(|why| match why {
        Refusal::InvalidArgument => Problem::field("keyword", "has 1 to 64 characters"),
        why => why.into(),
    })?;
    let items = found.users.iter().map(|user| UserView::to(&caller, user));
    Ok(Json(Page {
        items: items.collect(),
        next_cursor: found
            .next
            .map(|place: FoundPlace| page::encode(LIST, place)),
    }))
}
