//! What moderators and operators do: word lists, reviews, bans, reports, the audit log, users
//! as a whole, broadcasts, statistics, sessions, apps. All of it needs an app secret or the
//! admin key; only reporting is for users.

mod apps;
pub(in crate::http) mod audit;
mod bans;
mod broadcasts;
pub(super) mod erasing;
mod people;
mod reports;
mod reviews;
mod sessions;
mod stats;
mod words;

use crosstalk_core::admin::Chore;
use crosstalk_core::refusal::Refusal;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::auth::Caller;
use super::input;
use super::page::{page_of, stretch};
use super::problem::Problem;
use crate::http::state::ApiState;

/// The longest note or reason, characters.
const NOTE_CHARS: usize = 500;

/// The routes.
pub(super) fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(
            words::list_words,
            words::add_words,
            words::remove_words
        ))
        .routes(routes!(reviews::list_reviews))
        .routes(routes!(reviews::get_review))
        .routes(routes!(reviews::approve_review))
        .routes(routes!(reviews::reject_review))
        .routes(routes!(bans::list_bans, bans::impose_ban))
        .routes(routes!(bans::lift_ban))
        .routes(routes!(reports::list_reports, reports::file_report))
        .routes(routes!(reports::get_report))
        .routes(routes!(reports::resolve_report))
        .routes(routes!(audit::list_acts))
        .routes(routes!(people::list_users))
        .routes(routes!(people::import_users))
        .routes(routes!(people::get_tags, people::put_tags))
        .routes(routes!(people::disable_user))
        .routes(routes!(people::enable_user))
        .routes(routes!(erasing::erase_user))
        .routes(routes!(erasing::get_erasure))
        .routes(routes!(erasing::export_user))
        .routes(routes!(erasing::get_export))
        .routes(routes!(erasing::download_export))
        .routes(routes!(
            broadcasts::list_broadcasts,
            broadcasts::start_broadcast
        ))
        .routes(routes!(
            broadcasts::get_broadcast,
            broadcasts::cancel_broadcast
        ))
        .routes(routes!(stats::get_statistics))
        .routes(routes!(sessions::list_all_sessions))
        .routes(routes!(sessions::kick_user))
        .routes(routes!(sessions::kick_session))
        .routes(routes!(apps::patch_app))
        .routes(routes!(apps::limit_app))
        .routes(routes!(apps::rotate_app))
}

/// Who acts, as the audit log names them.
fn actor(caller: &Caller) -> String {
    match caller {
        Caller::Admin(_) => "admin".to_owned(),
        Caller::App(app) => format!("app:{}", app.id),
        Caller::User(identity) => format!("user:{}", identity.user.uid),
    }
}

/// A note or reason, which may be left out.
fn note(field: &str, text: Option<&str>) -> Result<String, Problem> {
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > NOTE_CHARS {
        let wrong = format_args!("has at most {NOTE_CHARS} characters");
        return Err(Problem::field(field, wrong));
    }
    // Several lines are fine.
    for line in text.lines() {
        input::check_line(field, line)?;
    }
    Ok(text.to_owned())
}

/// A number that stands in a path as text.
fn number(field: &str, text: &str) -> Result<i64, Problem> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| Problem::field(field, "is a decimal number"))
}

/// Work in the background and how far it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Work, example = json!({
    "id": "7",
    "state": "running",
    "done": 300,
    "failed": 0,
    "total": 1000,
    "note": "",
    "by": "admin",
    "created_at": 1_715_000_001_234_i64,
    "updated_at": 1_715_000_002_234_i64,
}))]
pub(super) struct WorkView {
    /// Its number.
    id: String,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    state: &'static str,
    /// How much is done.
    done: u64,
    /// How much of that could not be done.
    failed: u64,
    /// How much there is to do, as far as is known.
    total: u64,
    /// What went wrong last.
    note: String,
    /// Who asked for it.
    by: String,
    /// When, ms since 1970.
    created_at: i64,
    /// When it last went on, ms since 1970.
    updated_at: i64,
}

impl From<Chore> for WorkView {
    fn from(chore: Chore) -> Self {
        Self {
            id: chore.num.to_string(),
            state: chore.state.name(),
            done: chore.done,
            failed: chore.failed,
            total: chore.chore.total,
            note: chore.note,
            by: chore.chore.by,
            created_at: chore.created_at_ms,
            updated_at: chore.updated_at_ms,
        }
    }
}

/// A refusal about a field of the request.
fn about(field: &str, why: Refusal) -> Problem {
    Problem::new(why, format!("{field}: {}", super::problem::title(why)))
}
