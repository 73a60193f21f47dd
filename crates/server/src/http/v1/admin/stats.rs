//! How much there is.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use crosstalk_gateway::Dialect;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::openapi::Denials;
use super::super::problem::Problem;
use crate::http::state::ApiState;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// How much there is in a realm.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statistics, example = json!({
    "users": 1200, "banned": 3, "users_online": 80,
    "sessions": {"wukong": 40, "mqtt": 45}, "channels": 300, "messages": 98765,
    "days": [{"day_at": 1_714_953_600_000_i64, "messages": 4321}],
    "store_bytes": 104_857_600,
}))]
pub(super) struct StatisticsView {
    /// Users that exist.
    users: u64,
    /// Of these, banned ones.
    banned: u64,
    /// Users with a session.
    users_online: u64,
    /// Live sessions by dialect.
    sessions: BTreeMap<&'static str, u64>,
    /// Channels, direct ones included.
    channels: u64,
    /// Messages accepted, also those that retention has dropped since.
    messages: u64,
    /// The last 30 days, the newest first; a day without messages is left out.
    days: Vec<DayView>,
    /// Bytes of the store, of all realms.
    store_bytes: u64,
}

/// One day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Day)]
pub(super) struct DayView {
    /// When it begins in UTC, ms since 1970.
    day_at: i64,
    /// Messages accepted on it.
    messages: u64,
}

/// Statistics
#[utoipa::path(
    get, path = "/v1/stats", tag = "administration",
    responses((status = 200, description = "How much there is", body = StatisticsView), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn get_statistics(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<StatisticsView>, Problem> {
    let found = api.im.statistics(&caller.app()?.realm).await?;
    let name = |origin| Dialect::of(origin).map_or("other", Dialect::name);
    let totals = found.totals;
    let days = totals.days.iter().map(|day| DayView {
        day_at: day.day.saturating_mul(DAY_MS),
        messages: day.messages,
    });
    Ok(Json(StatisticsView {
        users: totals.users,
        banned: totals.banned,
        users_online: found.users_online,
        sessions: found
            .online
            .into_iter()
            .map(|(origin, count)| (name(origin), count))
            .collect(),
        channels: totals.channels,
        messages: totals.messages,
        days: days.collect(),
        store_bytes: totals.store_bytes,
    }))
}
