//! What users let others do, and whether they are there.

use axum::Json;
use axum::extract::State;
use crosstalk_core::directory::{
    FriendPolicy, GroupPolicy, Privacy, PrivacyChange, Searchable, SeenBy, Strangers, UserChange,
};
use crosstalk_core::im::{Presence, PresenceChange};
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{Body, Segments};
use super::openapi::{Denials, Missing, Oversize, Throttled};
use super::page::Page;
use super::problem::Problem;
use super::profiles::Uids;
use crate::http::state::ApiState;

/// What a user lets others do. In a change what is absent stays.
#[derive(ToSchema)]
#[schema(as = Privacy, example = json!({
    "friend_requests": "approval",
    "strangers": "inherit",
    "presence": "everyone",
    "searchable": "name",
    "groups": "everyone",
}))]
#[allow(dead_code)] // describes `Privacy`
pub(super) struct PrivacyView {
    /// How requests to be friends are taken: `approval` (the user decides on each), `free`
    /// (whoever asks is a friend), `nobody` (nobody may ask).
    friend_requests: String,
    /// Whether those who are no friends may write: `inherit` (as the realm has it), `allow`,
    /// `deny`.
    strangers: String,
    /// Who may see when the user is there: `everyone`, `friends`, `nobody`.
    presence: String,
    /// By what others find the user: `name` (id and name), `all` (phone number and address of
    /// mail, too), `nobody`.
    searchable: String,
    /// Who may add the user to groups or invite them: `everyone` (but no stranger who may not
    /// write to them), `friends`, `nobody`.
    groups: String,
}

/// A change of what a user lets others do.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PrivacyChange, example = json!({"strangers": "deny"}))]
pub(super) struct NewPrivacy {
    /// `approval`, `free` or `nobody`.
    #[schema(value_type = Option<String>)]
    friend_requests: Option<FriendPolicy>,
    /// `inherit`, `allow` or `deny`.
    #[schema(value_type = Option<String>)]
    strangers: Option<Strangers>,
    /// `everyone`, `friends` or `nobody`.
    #[schema(value_type = Option<String>)]
    presence: Option<SeenBy>,
    /// `name`, `all` or `nobody`.
    #[schema(value_type = Option<String>)]
    searchable: Option<Searchable>,
    /// `everyone`, `friends` or `nobody`.
    #[schema(value_type = Option<String>)]
    groups: Option<GroupPolicy>,
}

/// What a user lets others do
#[utoipa::path(
    get, path = "/v1/users/{uid}/privacy", tag = "users",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses((status = 200, description = "What they let", body = PrivacyView), Denials, Missing),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_privacy(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<Privacy>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    Ok(Json(api.im.user(realm, &uid).await?.record.privacy))
}

/// Change what a user lets others do
///
/// It holds for the next message.
#[utoipa::path(
    patch, path = "/v1/users/{uid}/privacy", tag = "users", request_body = NewPrivacy,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "What they let", body = PrivacyView),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn patch_privacy(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewPrivacy>,
) -> Result<Json<Privacy>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let change = UserChange {
        privacy: PrivacyChange {
            friend_requests: new.friend_requests,
            strangers: new.strangers,
            presence: new.presence,
            searchable: new.searchable,
            groups: new.groups,
            invisible: None,
        },
        ..UserChange::default()
    };
    let record = api.im.change_user(realm, &uid, &change).await?;
    Ok(Json(record.privacy))
}

/// Whether a user is there. Of whom the caller may not know it they are not, and nothing is
/// said.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Presence, example = json!({
    "uid": "alice",
    "online": true,
    "status": "in a meeting",
    "last_seen_at": 1_715_000_001_234_i64,
    "invisible": false,
}))]
pub(super) struct PresenceView {
    /// Who.
    uid: String,
    /// They have a session.
    online: bool,
    /// What they say beside that; empty: nothing.
    status: String,
    /// When they were last there, ms since 1970; null: not known.
    last_seen_at: Option<i64>,
    /// They hide. Shown to themselves and the application only.
    invisible: bool,
}

impl From<Presence> for PresenceView {
    fn from(presence: Presence) -> Self {
        Self {
            uid: presence.uid.as_str().to_owned(),
            online: presence.online,
            status: presence.status,
            last_seen_at: Some(presence.last_seen_at_ms).filter(|at| *at > 0),
            invisible: presence.invisible,
        }
    }
}

/// A change of what a user shows beside being there. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = PresenceChange, example = json!({"status": "in a meeting", "invisible": false}))]
pub(super) struct NewPresence {
    /// At most 100 characters; empty: nothing.
    status: Option<String>,
    /// Seem not to be there, to everybody.
    invisible: Option<bool>,
}

/// Whether a user is there
#[utoipa::path(
    get, path = "/v1/users/{uid}/presence", tag = "users",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "Whether they are there", body = PresenceView),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_presence(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<PresenceView>, Problem> {
    let (realm, uid) = caller.names(&uid)?;
    api.im.user(realm, &uid).await?;
    let viewer = caller.as_user();
    let mut shown = api.im.presence(realm, viewer, &[uid]).await?;
    let shown = shown.pop().ok_or(Refusal::Internal)?;
    Ok(Json(shown.into()))
}

/// Change what a user shows
#[utoipa::path(
    put, path = "/v1/users/{uid}/presence", tag = "users", request_body = NewPresence,
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "What they show", body = PresenceView),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn put_presence(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(new): Body<NewPresence>,
) -> Result<Json<PresenceView>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    if let Some(user) = caller.as_user() {
        api.im.spend(user.num)?;
    }
    let change = PresenceChange {
        status: new.status,
        invisible: new.invisible,
    };
    let shown = api.im.change_presence(realm, &uid, change).await;
    let shown = shown.map_err(|why| match why {
        Refusal::InvalidArgument => Problem::field("status", "is a line of at most 100 characters"),
        why => why.into(),
    })?;
    Ok(Json(shown.into()))
}

/// Whether users are there
///
/// In the order in which they were asked for, each once; whoever does not exist is not there.
#[utoipa::path(
    post, path = "/v1/presence", tag = "users", request_body = Uids,
    responses(
        (status = 200, description = "Whether they are there", body = Page<PresenceView>),
        Denials, Missing, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn get_presences(
    State(api): State<ApiState>,
    caller: Caller,
    Body(body): Body<Uids>,
) -> Result<Json<Page<PresenceView>>, Problem> {
    let realm = caller.realm()?;
    let uids = body.read()?;
    let shown = api.im.presence(realm, caller.as_user(), &uids);
    let shown = shown.await?.into_iter().map(PresenceView::from);
    Ok(Json(Page::whole(shown.collect())))
}
