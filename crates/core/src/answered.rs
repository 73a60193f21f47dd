//! Answers to requests that carried a key of their caller's: whoever asks again under the same
//! key is answered again, and nothing is done twice.
//!
//! What it must not know: what a request looks like. It is a fingerprint here.

use std::fmt;

use async_trait::async_trait;

use crate::directory::AppId;
use crate::id::UserNum;
use crate::store::StoreResult;

/// How long an answer is kept, in ms: 24 hours.
pub const KEPT_MS: i64 = 24 * 3600 * 1000;
/// Answers that are kept for the server's administrator, or for an app: the oldest go first.
pub const MAX_OF_BACKEND: u64 = 10_000;
/// Answers that are kept for a user: likewise.
pub const MAX_OF_USER: u64 = 1000;
/// The longest body that is kept, bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Whose key it is: each has keys of their own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asker {
    /// The server's administrator, in the name of an app or of none.
    Admin(Option<AppId>),
    /// An app's backend.
    App(AppId),
    /// A user.
    User(UserNum),
}

impl Asker {
    /// The user, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<UserNum> {
        match self {
            Self::User(user) => Some(*user),
            Self::Admin(_) | Self::App(_) => None,
        }
    }

    /// How many answers are kept for them.
    #[must_use]
    pub fn room(&self) -> u64 {
        match self {
            Self::Admin(_) | Self::App(_) => MAX_OF_BACKEND,
            Self::User(_) => MAX_OF_USER,
        }
    }
}

/// No two have the same; stores keep it.
impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Admin(None) => f.write_str("admin"),
            Self::Admin(Some(app)) => write!(f, "admin/{app}"),
            Self::App(app) => write!(f, "app/{app}"),
            Self::User(user) => write!(f, "user/{}", user.0),
        }
    }
}

/// What tells two requests apart.
pub type Fingerprint = [u8; 32];

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// To which request.
    pub fingerprint: Fingerprint,
    /// Its status.
    pub status: u16,
    /// The media type of its body; empty = none.
    pub media_type: String,
    /// Its body; `None` = it was too long, or no text.
    pub body: Option<String>,
}

/// An answer as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// To which request.
    pub fingerprint: Fingerprint,
    /// When it was given, ms since 1970.
    pub at_ms: i64,
    /// Its status.
    pub status: u16,
    /// The media type of its body; empty = none.
    pub media_type: String,
    /// Its body, sealed: it may hold a secret. `None` = it is not kept.
    pub sealed_body: Option<Vec<u8>>,
}

/// The store of answers.
#[async_trait]
pub trait Answers: Send + Sync + 'static {
    /// Keeps an answer, in place of one with the same asker and key. Of the asker's answers the
    /// newest `room` stay. Durable when it returns.
    async fn keep_answer(
        &self,
        asker: &Asker,
        key: &str,
        answer: &KeptAnswer,
        room: u64,
    ) -> StoreResult<()>;

    /// The answer that was given under a key.
    async fn answer(&self, asker: &Asker, key: &str) -> StoreResult<Option<KeptAnswer>>;

    /// Forgets those given before a time, the oldest first, at most `limit`. Returns how many.
    async fn forget_answers(&self, before_ms: i64, limit: u32) -> StoreResult<u64>;
}
