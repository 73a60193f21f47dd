//! Word lists.

use axum::Json;
use axum::extract::State;
use crosstalk_core::admin::{Word, WordAction};
use crosstalk_core::im::admin::MAX_WORD_CHARS;
use crosstalk_core::refusal::Refusal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::auth::Caller;
use super::super::input::{Body, Params};
use super::super::openapi::{Conflict, Denials, Oversize};
use super::super::page::{Page, Paging};
use super::super::problem::Problem;
use super::{page_of, stretch};
use crate::http::state::ApiState;

/// Words that may be given at once.
const AT_ONCE: usize = 1000;

/// A word of the lists.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Word, example = json!({
    "word": "spam", "action": "reject", "added_at": 1_715_000_001_234_i64,
}))]
pub(super) struct WordView {
    /// The word, in small letters.
    word: String,
    /// `reject`: nothing with it may be said. `mask`: nobody sees more of it than asterisks.
    /// `review`: a moderator looks at it.
    action: &'static str,
    /// When it was added, ms since 1970.
    added_at: i64,
}

impl From<Word> for WordView {
    fn from(word: Word) -> Self {
        Self {
            word: word.word,
            action: word.action.name(),
            added_at: word.added_at_ms,
        }
    }
}

/// Which words are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct WantedAction {
    action: Option<String>,
}

/// Words to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"words": ["spam", "casino"], "action": "reject"}))]
pub(super) struct NewWords {
    /// The words, at most 1,000. Case does not matter.
    #[schema(max_items = 1000)]
    words: Vec<String>,
    /// What becomes of texts with them: `reject` (also if absent), `mask` or `review`.
    action: Option<String>,
}

/// Words to be removed.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"words": ["casino"]}))]
pub(super) struct OldWords {
    /// The words, at most 1,000.
    #[schema(max_items = 1000)]
    words: Vec<String>,
}

/// What has changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WordsChanged)]
pub(super) struct Counted {
    /// How many words are new or have another action than before, or were removed.
    changed: u32,
}

fn action(text: &str) -> Result<WordAction, Problem> {
    WordAction::parse(text).ok_or_else(|| Problem::field("action", "is reject, mask or review"))
}

fn check(words: &[String]) -> Result<(), Problem> {
    if words.is_empty() || words.len() > AT_ONCE {
        let wrong = format_args!("has 1 to {AT_ONCE} of them");
        return Err(Problem::field("words", wrong));
    }
    let is_bad = |word: &String| {
        let word = word.trim();
        word.is_empty()
            || word.chars().count() > MAX_WORD_CHARS
            || word.chars().any(char::is_control)
    };
    match words.iter().position(is_bad) {
        Some(at) => Err(Problem::field(
            &format!("words[{at}]"),
            format_args!("has 1 to {MAX_WORD_CHARS} characters, none of them a control one"),
        )),
        None => Ok(()),
    }
}

/// The words that may not be said
///
/// Those that the configuration names hold as well and are not among them.
#[utoipa::path(
    get, path = "/v1/moderation/words", tag = "moderation",
    params(Paging, ("action" = Option<String>, Query, description = "Only those with it")),
    responses((status = 200, description = "The words", body = Page<WordView>), Denials),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn list_words(
    State(api): State<ApiState>,
    caller: Caller,
    Params(paging): Params<Paging>,
    Params(wanted): Params<WantedAction>,
) -> Result<Json<Page<WordView>>, Problem> {
    let realm = &caller.app()?.realm;
    let action = wanted.action.as_deref().map(action).transpose()?;
    let (after, limit) = stretch(&paging, "w")?;
    let words = api.im.listed_words(realm, action, after, limit).await?;
    Ok(Json(page_of(
        words,
        limit,
        "w",
        |word| word.num,
        WordView::from,
    )))
}

/// Add words
///
/// A word that is there gets the new action. It holds at once, for messages in every dialect,
/// for edits, and for names.
#[utoipa::path(
    post, path = "/v1/moderation/words", tag = "moderation", request_body = NewWords,
    responses(
        (status = 200, description = "How many are new or have another action", body = Counted),
        Denials, Oversize, Conflict
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn add_words(
    State(api): State<ApiState>,
    caller: Caller,
    Body(new): Body<NewWords>,
) -> Result<Json<Counted>, Problem> {
    let realm = &caller.app()?.realm;
    check(&new.words)?;
    let action = match new.action.as_deref() {
        Some(text) => action(text)?,
        None => WordAction::Reject,
    };
    let words: Vec<_> = new.words.into_iter().map(|word| (word, action)).collect();
    let changed = match api.im.add_words(realm, &words).await {
        Err(Refusal::InvalidArgument) => {
            return Err(Problem::field("words", "has a word that cannot be one"));
        }
        changed => changed?,
    };
    Ok(Json(Counted { changed }))
}

/// Remove words
#[utoipa::path(
    delete, path = "/v1/moderation/words", tag = "moderation", request_body = OldWords,
    responses(
        (status = 200, description = "How many there were", body = Counted),
        Denials, Oversize
    ),
    security(("admin_key" = []), ("app_secret" = []))
)]
pub(super) async fn remove_words(
    State(api): State<ApiState>,
    caller: Caller,
    Body(old): Body<OldWords>,
) -> Result<Json<Counted>, Problem> {
    let realm = &caller.app()?.realm;
    check(&old.words)?;
    let changed = api.im.remove_words(realm, &old.words).await?;
    Ok(Json(Counted { changed }))
}
