//! Taking a message back.

use axum::Json;
use axum::extract::State;
use crosstalk_core::deliver::Operator;
use serde::Deserialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::{self, Body, Segments};
use super::openapi::{Conflict, Denials, Missing, Oversize, Throttled};
use super::problem::Problem;
use super::view::MessageView;
use crate::http::state::ApiState;

/// Who takes a message back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(example = json!({"operator": "alice"}))]
pub(super) struct Revoke {
    /// The user in whose name it is done, with the user's rights: authors for a while, those
    /// who moderate the channel at any time. Absent: the application itself, at any time;
    /// with a user token the user.
    operator: Option<String>,
}

/// Revoke a message
///
/// What it said is gone for good; its place stays. Everybody is told in their dialect's way.
/// Revoking it again is a success that changes nothing.
#[utoipa::path(
    post, path = "/v1/messages/{id}/revoke", tag = "messages", request_body = Revoke,
    params(("id" = String, Path, description = "The message's id")),
    responses(
        (status = 200, description = "What is left of it", body = MessageView),
        Denials, Missing, Oversize, Conflict, Throttled
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn revoke_message(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(id): Segments<String>,
    Body(revoke): Body<Revoke>,
) -> Result<Json<MessageView>, Problem> {
    let realm = caller.realm()?;
    let id = input::message_id(&id)?;
    let operator = match (&caller, revoke.operator.as_deref()) {
        (Caller::User(identity), operator) => {
            caller.reaches(operator.unwrap_or(identity.user.uid.as_str()))?;
            Operator::User(identity.user.clone())
        }
        (_, Some(operator)) => {
            let uid = input::uid("operator", operator)?;
            Operator::User(api.im.user(realm, &uid).await?.record.user.clone())
        }
        (_, None) => Operator::Application,
    };
    let taken = api.im.revoke(realm, id, operator).await?;
    Ok(Json(MessageView::at(
        api.im.clock().now_ms(),
        &taken.message,
    )))
}
