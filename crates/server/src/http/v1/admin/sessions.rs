//! Live connections of all users, and ending them.

use std::net::IpAddr;

use axum::Json;
use axum::extract::State;
use crosstalk_core::id::SessionId;
use crosstalk_core::im::admin::SessionFilter;
use crosstalk_core::session::Session;
use crosstalk_gateway::Dialect;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{self, Body, Params, Segments};
use super::super::openapi::{Denials, Missing, Oversize};
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::super::sessions::SessionView;
use super::audit::{AuditNote, Noted};
use super::{note, number, page_of, stretch};
use crate::http::state::ApiState;

/// A live connection and whose it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UserSession)]
pub(super) struct OwnedView {
    /// Whose.
    uid: String,
    #[serde(flatten)]
    session: SessionView,
}

impl From<&Session> for OwnedView {
    fn from(session: &Session) -> Self {
        Self {
            uid: session.user.uid.as_str().to_owned(),
            session: session.into(),
        }
    }
}

/// Which sessions are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    uid: Option<String>,
    dialect: Option<String>,
    device: Option<String>,
    address: Option<String>,
}

/// Why sessions are ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = KickReason, example = json!({"reason": "lost device"}))]
pub(super) struct Why {
    /// Why; it stands in the audit log.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// How many ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Kicked)]
pub(super) struct Ended {
    /// Sessions that ended.
    ended: usize,
}

/// All sessions
#[utoipa::path(
    get, path = "/v1/sessions", tag = "administration",
    params(
        Paging,
        ("uid" = Option<String>, Query, description = "Only of this user"),
        ("dialect" = Option<String>, Query, description = "Only of this dialect"),
        ("device" = Option<String>, Query, description = "Only on this device"),
        ("address" = Option<String>, Query, description = "Only from this address"),
    ),
    responses(
        (status = 200, description = "The oldest first", body = Page<OwnedView>),
        Denials
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_all_sessions(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
    Params(wanted): Params<Wanted>,
) -> Result<Json<Page<OwnedView>>, Problem> {
    let realm = &caller.app()?.realm;
    let origin = |name: String| {
        let dialect = Dialect::ALL.into_iter().find(|it| it.name() == name);
        let dialect = dialect.ok_or_else(|| Problem::field("dialect", "is none"))?;
        Ok::<_, Problem>(dialect.origin())
    };
    let address = |text: String| {
        text.parse::<IpAddr>()
            .map_err(|_| Problem::field("address", "is no IP address"))
    };
    let uid = wanted.uid.as_deref();
    let filter = SessionFilter {
        uid: uid.map(|uid| input::uid("uid", uid)).transpose()?,
        origin: wanted.dialect.map(origin).transpose()?,
        device: wanted.device,
        address: wanted.address.map(address).transpose()?,
    };
    let (after, limit) = stretch(&paging, "s")?;
    let after = SessionId(after.unsigned_abs());
    let found = api.im.all_sessions(realm, &filter, after, limit as usize);
    Ok(Json(page_of(
        found,
        limit,
        "s",
        |session| i64::try_from(session.id.0).unwrap_or(i64::MAX),
        |session| OwnedView::from(&*session),
    )))
}

/// End a user's sessions
///
/// The user may log in again; see bans for the rest.
#[utoipa::path(
    delete, path = "/v1/users/{uid}/sessions", tag = "administration", request_body = Why,
    params(("uid" = String, Path, description = "The user's id")),
    responses((status = 200, description = "How many", body = Ended), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn kick_user(
    State(api): State<ApiState>,
    caller: Caller,
    Segments(uid): Segments<String>,
    Body(why): Body<Why>,
) -> Result<Noted<Json<Ended>>, Problem> {
    kick(&api, &caller, &uid, None, &why).await
}

/// End one session
#[utoipa::path(
    delete, path = "/v1/users/{uid}/sessions/{id}", tag = "administration", request_body = Why,
    params(
        ("uid" = String, Path, description = "The user's id"),
        ("id" = String, Path, description = "The session's id"),
    ),
    responses((status = 200, description = "How many", body = Ended), Denials, Missing, Oversize),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn kick_session(
    State(api): State<ApiState>,
    caller: Caller,
    Segments((uid, id)): Segments<(String, String)>,
    Body(why): Body<Why>,
) -> Result<Noted<Json<Ended>>, Problem> {
    caller.app()?;
    let id = SessionId(number("id", &id)?.unsigned_abs());
    kick(&api, &caller, &uid, Some(id), &why).await
}

async fn kick(
    api: &ApiState,
    caller: &Caller,
    uid: &str,
    session: Option<SessionId>,
    why: &Why,
) -> Result<Noted<Json<Ended>>, Problem> {
    let realm = &caller.app()?.realm;
    let uid = input::uid("uid", uid)?;
    let reason = note("reason", why.reason.as_deref())?;
    let ended = api.im.kick(realm, &uid, session).await?;
    Ok(AuditNote::on(reason, Json(Ended { ended })))
}
