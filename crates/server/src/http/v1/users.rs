//! Users: their profile and what holds for them everywhere.

use axum::Json;
use axum::extract::State;
use crosstalk_core::directory::{UserChange, UserFlags, UserRecord};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments, nullable};
use super::openapi::{Denials, Missing, Oversize};
use super::problem::Problem;
use crate::http::state::ApiState;

/// The largest profile, bytes of JSON.
const PROFILE_BYTES: usize = 16 << 10;

/// What people see of a user. The application gives it; the server only keeps it.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<Map<String, Value>>,
}

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
    /// May neither log in nor send.
    ban: bool,
    /// May not send.
    send_ban: bool,
    /// Lets strangers write although the realm is friends-only.
    allow_stranger: bool,
    /// Passes all permission checks.
    system: bool,
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

    fn changes_profile(&self) -> bool {
        self.name.is_some() || self.avatar.is_some() || self.custom.is_some()
    }
}

impl UserView {
    fn of(record: &UserRecord) -> Self {
        let Profile {
            name,
            avatar,
            custom,
        } = profile(record);
        let UserFlags {
            ban,
            send_ban,
            allow_stranger,
            system,
            ..
        } = record.flags;
        let uid = record.user.uid.as_str().to_owned();
        Self {
            uid,
            name,
            avatar,
            custom,
            ban,
            send_ban,
            allow_stranger,
            system,
        }
    }
}

fn profile(record: &UserRecord) -> Profile {
    let stored = record.profile.as_deref();
    stored
        .and_then(|json| serde_json::from_str(json).ok())
        .unwrap_or_default()
}

/// A user
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
    let (realm, uid) = caller.reaches(&uid)?;
    let state = api.im.user(realm, &uid).await?;
    Ok(Json(UserView::of(&state.record)))
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
    Body(new): Body<NewUser>,
) -> Result<Json<UserView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if new.changes_flags() {
        caller.app()?;
    }
    for (field, text) in [("name", &new.name), ("avatar", &new.avatar)] {
        if let Some(Some(text)) = text {
            input::check_line(field, text)?;
        }
    }
    let profile = if new.changes_profile() {
        let mut kept = match api.im.user(realm, &uid).await {
            Ok(state) => profile(&state.record),
            Err(Refusal::NoSuchUser) => Profile::default(),
            Err(why) => return Err(why.into()),
        };
        kept.name = new.name.unwrap_or(kept.name);
        kept.avatar = new.avatar.unwrap_or(kept.avatar);
        kept.custom = new.custom.unwrap_or(kept.custom);
        Some(encode(&kept)?)
    } else {
        None
    };
    let change = UserChange {
        exists: Some(true),
        system: new.system,
        ban: new.ban,
        send_ban: new.send_ban,
        allow_stranger: new.allow_stranger,
        tokens_after_ms: None,
        profile,
    };
    Ok(Json(UserView::of(
        &api.im.put_user(realm, &uid, &change).await?,
    )))
}

fn encode(profile: &Profile) -> Result<String, Problem> {
    // Strings and an object of JSON values always encode.
    let json = serde_json::to_string(profile).map_err(|_| Refusal::Internal)?;
    if json.len() > PROFILE_BYTES {
        let why = format!("a profile has at most {PROFILE_BYTES} bytes");
        return Err(Problem::new(Refusal::TooLarge, why));
    }
    Ok(json)
}
