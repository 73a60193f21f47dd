//! Saying that somebody is writing.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::auth::Caller;
use super::channels::seen_by;
use super::input::{Body, Segments};
use super::openapi::{Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use super::view::KindName;
use crate::http::state::ApiState;

/// Who is writing.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"user": "alice"}))]
pub(super) struct Typing {
    /// The user; with a user token the token's own.
    user: Option<String>,
}

/// Whether anybody was told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"told": true}))]
pub(super) struct Told {
    /// False if it was said less than two seconds ago, or the channel has more than 500
    /// members.
    told: bool,
}

/// Say that a user is writing
///
/// Those who are online in the channel are told; nothing is stored. Who may not send there is
/// refused as if they did.
#[utoipa::path(
    post, path = "/v1/channels/{kind}/{id}/typing", tag = "messages", request_body = Typing,
    params(
        ("kind" = KindName, Path, description = "The kind, by name or number"),
        ("id" = String, Path, description = "The channel's id; of a direct one the peer's uid"),
    ),
    responses(
        (status = 200, description = "Whether anybody was told", body = Told),
        Denials, Missing, Oversize, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn say_typing(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((kind, id)): Segments<(String, String)>,
    Body(typing): Body<Typing>,
) -> Result<Json<Told>, Problem> {
    let named = match (&caller, &typing.user) {
        (_, Some(user)) => user.as_str(),
        (Caller::User(identity), None) => identity.user.uid.as_str(),
        (_, None) => return Err(Problem::field("user", "says who is writing")),
    };
    let (realm, uid) = caller.reaches(named)?;
    let user = api.im.user(realm, &uid).await?.record.user.clone();
    let key = seen_by(realm, Some(&uid), &kind, &id)?;
    if let Some(peer) = key.peer_of(uid.as_str()) {
        // A name that nobody has gets no number by this.
        let peer = crosstalk_core::id::Uid::from_store(peer);
        api.im.user(realm, &peer).await?;
    }
    let told = api.im.typing(&key, &user).await?;
    Ok(Json(Told { told }))
}
