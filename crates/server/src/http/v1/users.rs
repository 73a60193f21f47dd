//! Users: their profile and what holds for them everywhere.

use axum::Json;
use axum::extract::State;
use axum::routing::{MethodRouter, put};
use crosstalk_core::directory::{
    BadProfile, Profile, ProfileChange, UserChange, UserFlags, UserRecord,
};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::admin::erasing::erase_user;
use super::auth::Caller;
use super::input::{Body, Segments, nullable};
use super::openapi::{Denials, Missing, Oversize};
use super::problem::Problem;
use crate::http::state::ApiState;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User, example = json!({
    "uid": "alice",
    "name": "Alice",
    "avatar": "https://example.org/alice.png",
    "custom": {"city": "Chengdu"},
    "ban": false,
    "send_ban": false,
    "allow_stranger": false,
    "system": false,
}))]
pub(super) struct UserView {
    /// The user's id.
    uid: String,
    /// What people call them.
    name: Option<String>,
    /// Where their picture is.
    avatar: Option<String>,
    /// The application's own object.
    #[schema(value_type = Option<Object>)]
    custom: Option<Map<String, Value>>,
    #[serde(flatten)]
    more: More,
    #[serde(flatten)]
    rules: Rules,
}

/// What else there may be in a profile.
#[derive(Debug, Serialize, ToSchema)]
#[allow(clippy::struct_field_names)]
pub(super) struct More {
    /// `male`, `female` or `other`.
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<String>,
    /// What they say of themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    /// `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    birthday: Option<String>,
    /// Where they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    /// The language tag of what they like to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<String>,
    /// Shown to themselves and the application only.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Shown to themselves and the application only.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

/// What holds for a user everywhere. Shown to themselves and the application only.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Rules {
    /// May neither log in nor send.
    #[serde(skip_serializing_if = "Option::is_none")]
    ban: Option<bool>,
    /// May not send.
    #[serde(skip_serializing_if = "Option::is_none")]
    send_ban: Option<bool>,
    /// Lets strangers write although the realm is friends-only.
    #[serde(skip_serializing_if = "Option::is_none")]
    allow_stranger: Option<bool>,
    /// Passes all permission checks.
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<bool>,
}

/// A change of a user. What is absent stays; `null` empties a member of the profile.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = UserChange, example = json!({"name": "Alice", "custom": {"city": "Chengdu"}}))]
pub(super) struct NewUser {
    /// What people call them.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    /// Where their picture is.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    avatar: Option<Option<String>>,
    /// The application's own object; replaced as a whole.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Object>)]
    custom: Option<Option<Map<String, Value>>>,
    /// May neither log in nor send; not with a user token.
    ban: Option<bool>,
    /// May not send; not with a user token.
    send_ban: Option<bool>,
    /// Lets strangers write although the realm is friends-only; not with a user token.
    allow_stranger: Option<bool>,
    /// Passes all permission checks; not with a user token.
    system: Option<bool>,
}

impl NewUser {
    fn changes_flags(&self) -> bool {
        [self.ban, self.send_ban, self.allow_stranger, self.system]
            .iter()
            .any(Option::is_some)
    }

    fn profile(&mut self) -> ProfileChange {
        ProfileChange {
            name: self.name.take(),
            avatar: self.avatar.take(),
            custom: self.custom.take(),
            ..ProfileChange::default()
        }
    }
}

impl UserView {
    /// A user as they are shown to themselves and the application.
    pub(super) fn whole(record: &UserRecord) -> Self {
        let UserFlags {
            ban,
            send_ban,
            allow_stranger,
            system,
            ..
        } = record.flags;
        let rules = Rules {
            ban: Some(ban),
            send_ban: Some(send_ban),
            allow_stranger: Some(allow_stranger),
            system: Some(system),
        };
        let profile = Profile::of(record.profile.as_deref());
        Self::of(record, profile, rules)
    }

    /// A user as others see them.
    pub(super) fn public(record: &UserRecord) -> Self {
        let profile = Profile::of(record.profile.as_deref()).public();
        Self::of(record, profile, Rules::default())
    }

    /// A user as a caller may see them.
    pub(super) fn to(caller: &Caller, record: &UserRecord) -> Self {
        match caller.as_user() {
            Some(viewer) if viewer.num != record.user.num => Self::public(record),
            _ => Self::whole(record),
        }
    }

    fn of(record: &UserRecord, profile: Profile, rules: Rules) -> Self {
        Self {
            uid: record.user.uid.as_str().to_owned(),
            name: profile.name,
            avatar: profile.avatar,
            custom: profile.custom,
            more: More {
                gender: profile.gender,
                signature: profile.signature,
                birthday: profile.birthday,
                location: profile.location,
                language: profile.language,
                phone: profile.phone,
                email: profile.email,
            },
            rules,
        }
    }
}

/// What is wrong with a profile.
pub(super) fn bad_profile(bad: BadProfile) -> Problem {
    if bad.too_large {
        Problem::new(Refusal::TooLarge, format!("{}: {}", bad.field, bad.why))
    } else {
        Problem::field(bad.field, bad.why)
    }
}

/// A user
///
/// With a user token another user is shown as everybody may see them: without phone number,
/// address of mail and what holds for them.
#[utoipa::path(
    get, path = "/v1/users/{uid}", tag = "users",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses((status = 200, description = "The user", body = UserView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<UserView>, Problem> {
    let (realm, uid) = caller.names(&uid)?;
    let state = api.im.user(realm, &uid).await?;
    Ok(Json(UserView::to(&caller, &state.record)))
}

/// Create or change a user
///
/// The user exists from then on. A ban ends the user's sessions.
#[utoipa::path(
    put, path = "/v1/users/{uid}", tag = "users", request_body = NewUser,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses((status = 200, description = "The user", body = UserView), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn put_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(mut new): Body<NewUser>,
) -> Result<Json<UserView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if new.changes_flags() {
        caller.app()?;
    }
    let members = new.profile();
    members.check().map_err(bad_profile)?;
    let change = UserChange {
        exists: Some(true),
        system: new.system,
        ban: new.ban,
        send_ban: new.send_ban,
        allow_stranger: new.allow_stranger,
        members,
        ..UserChange::default()
    };
    Ok(Json(UserView::whole(
        &api.im.put_user(realm, &uid, &change).await?,
    )))
}

/// The routes of a user whose id is also a segment of another route: what that one leaves.
pub(super) fn called(uid: &'static str) -> MethodRouter<ApiState> {
    put(move |api, caller, body| put_user(api, caller, Segments(uid.to_owned()), body))
        .delete(move |api, caller| erase_user(api, caller, Segments(uid.to_owned())))
}

/// The same, with the user itself.
pub(super) fn shown(uid: &'static str) -> MethodRouter<ApiState> {
    called(uid).get(move |api, caller| get_user(api, caller, Segments(uid.to_owned())))
}
