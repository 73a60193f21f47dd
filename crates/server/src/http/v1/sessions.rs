//! A user's live connections.

use axum::Json;
use axum::extract::State;
use crosstalk_core::session::{DeviceLevel, Session};
use crosstalk_gateway::Dialect;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::Caller;
use super::input::Segments;
use super::openapi::{Denials, Missing};
use super::page::Page;
use super::problem::Problem;
use crate::http::state::ApiState;

/// A live connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session, example = json!({
    "id": "17",
    "dialect": "wukong",
    "device": {"id": "d1", "flag": 1, "level": "master"},
    "address": "203.0.113.9",
    "opened_at": 1_715_000_001_234_i64,
}))]
pub(super) struct SessionView {
    /// Unique as long as the server runs.
    id: String,
    /// The dialect it speaks.
    dialect: &'static str,
    /// What it runs on.
    device: DeviceView,
    /// Where it comes from.
    address: String,
    /// When it was opened, ms since 1970.
    opened_at: i64,
}

/// A device.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceView {
    /// The client's own id of it.
    id: String,
    /// Its kind, as its dialect numbers them: 0 app, 1 web, 2 desktop.
    flag: u8,
    /// `master` or `slave`.
    level: &'static str,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        let device = &session.device;
        Self {
            id: session.id.to_string(),
            dialect: Dialect::of(session.origin).map_or("unknown", Dialect::name),
            device: DeviceView {
                id: device.id.to_string(),
                flag: device.flag,
                level: match device.level {
                    DeviceLevel::Master => "master",
                    DeviceLevel::Slave => "slave",
                },
            },
            address: session.peer.to_string(),
            opened_at: session.opened_at_ms,
        }
    }
}

/// A user's sessions
#[utoipa::path(
    get, path = "/v1/users/{uid}/sessions", tag = "users",
    params(("uid" = String, Path, description = "The user's id; `me` with a user token")),
    responses(
        (status = 200, description = "The sessions, the oldest first", body = Page<SessionView>),
        Denials, Missing
    ),
    security(("admin_key" = []), ("app_secret" = []), ("user_token" = []))
)]
pub(super) async fn list_sessions(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
) -> Result<Json<Page<SessionView>>, Problem> {
    let (realm, uid) = caller.reaches(&uid)?;
    let mut sessions = api.im.sessions(realm, &uid).await?;
    sessions.sort_by_key(|session| session.id);
    Ok(Json(Page::whole(
        sessions
            .iter()
            .map(|session| SessionView::from(&**session))
            .collect(),
    )))
}
