//! Who did what, as administrator or application.

use async_trait::async_trait;

use crate::id::Realm;
use crate::store::StoreResult;

/// How many things an act names.
pub const MAX_SUBJECTS: usize = 50;

/// An act. It holds no secrets, and nothing that users say to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// The realm it was about; `None` = the server as a whole.
    pub realm: Option<Realm>,
    /// Who: `admin`, `app:<id>` or `user:<uid>`.
    pub actor: String,
    /// What: the verb and the route.
    pub action: String,
    /// What it was about: the path.
    pub target: String,
    /// What became of it: the HTTP status.
    pub outcome: u16,
    /// Where it came from.
    pub address: String,
    /// A reason that was given.
    pub note: String,
    /// The ids of whom and what it concerned, at most [`MAX_SUBJECTS`].
    pub subjects: Vec<String>,
    /// The essential of what was asked for, as JSON; empty = nothing.
    pub asked: String,
}

/// An act in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its number.
    pub num: i64,
    /// When, ms since 1970.
    pub at_ms: i64,
    /// What.
    pub entry: AuditEntry,
}

/// What is looked for. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditQuery {
    /// Of this realm.
    pub realm: Option<Realm>,
    /// By this actor.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// About this target, or concerning this one.
    pub target: Option<String>,
    /// Then or later, ms since 1970.
    pub since_ms: Option<i64>,
    /// Before, ms since 1970.
    pub until_ms: Option<i64>,
    /// Older than this one; `None` = from the newest on.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

/// The store of the log.
#[async_trait]
pub trait Audit: Send + Sync + 'static {
    /// Writes an act down; durable when it returns. Waits while the store is busy.
    async fn log_act(&self, entry: &AuditEntry) -> StoreResult<()>;

    /// Acts, newest first.
    async fn acts(&self, query: &AuditQuery) -> StoreResult<Vec<AuditRecord>>;

    /// Drops some of what is older than a time; returns how many: 0 = there is no more.
    async fn drop_acts(&self, before_ms: i64) -> StoreResult<u32>;
}
