//! What the core asks of a store about hooks.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::directory::AppId;
use crate::id::{Realm, Uid};
use crate::store::StoreResult;

/// Hooks of one realm, at most.
pub const MAX_HOOKS: u32 = 50;
/// Dead letters of one hook that are kept, the newest.
pub const MAX_DEAD_LETTERS: u32 = 10_000;

/// What a hook is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookKind {
    /// It is told what has happened.
    Events,
    /// It is asked before a message of a user is accepted.
    BeforeSend,
}

/// How events are written for a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HookFormat {
    /// Our own.
    #[default]
    Crosstalk,
    /// That of another system whose clients are served; the application was made for it.
    Foreign,
}

/// What is done with a message about which the hook gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It passes.
    #[default]
    Open,
    /// It is refused.
    Closed,
}

/// What can be set of a hook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HookSettings {
    /// Where it is.
    pub url: String,
    /// Which events: names, or `member.*`, or `*`.
    #[serde(default)]
    pub events: Vec<String>,
    /// How they are written.
    #[serde(default)]
    pub format: HookFormat,
    /// Headers that are sent along.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Events in one request, at most.
    pub max_batch: u32,
    /// How long an answer may take, ms.
    pub timeout_ms: u32,
    /// For how long a delivery is tried, ms.
    pub retry_for_ms: u64,
    /// What a failure of a hook that is asked means.
    #[serde(default)]
    pub on_failure: OnFailure,
    /// What people call it.
    #[serde(default)]
    pub note: String,
}

/// A hook as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRecord {
    /// Its id.
    pub id: String,
    /// The realm of which it hears.
    pub realm: Realm,
    /// The app that has made it.
    pub app: AppId,
    /// What it is for.
    pub kind: HookKind,
    /// Whether it is called.
    pub enabled: bool,
    /// What signs the calls, sealed under the server's key.
    pub sealed_secret: Vec<u8>,
    /// What can be set.
    pub settings: HookSettings,
    /// When it was made, ms since 1970.
    pub created_at_ms: i64,
}

/// A request that could not be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeadLetter {
    /// What it was about: the event's name, or the first one's.
    pub event: String,
    /// The id under which it was sent.
    pub event_id: String,
    /// What stands behind `?` of the address beside what the hook's own has; empty = nothing.
    pub query: String,
    /// The body.
    pub body: Bytes,
    /// How often it was tried.
    pub tries: u32,
    /// What went wrong at last.
    pub reason: String,
    /// When it was given up, ms since 1970.
    pub at_ms: i64,
}

/// One that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its number, above those of all before it.
    pub n: i64,
    /// What it is.
    pub letter: NewDeadLetter,
}

/// A delivery that was not taken, or has to wait behind one of its lane that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPostponed {
    /// Deliveries of the same lane are made one after the other.
    pub lane: String,
    /// What it is about: the event's name.
    pub event: String,
    /// The id under which it is sent.
    pub event_id: String,
    /// What stands behind `?` of the address beside what the hook's own has; empty = nothing.
    pub query: String,
    /// The body; empty = nothing is left to be told.
    pub body: Bytes,
    /// How often it was tried; 0 = it waits for others.
    pub tries: u32,
    /// For how long it has been tried, ms.
    pub tried_for_ms: u64,
}

/// One that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Postponed {
    /// Its number, above those of all before it.
    pub n: i64,
    /// What it is.
    pub delivery: NewPostponed,
}

/// The store of hooks.
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// All hooks, oldest first.
    async fn hooks(&self) -> StoreResult<Vec<HookRecord>>;

    /// Makes a hook, or replaces the one with its id; durable when it returns. False, and
    /// nothing is done, if its realm has `limit` others already.
    async fn put_hook(&self, hook: &HookRecord, limit: u32) -> StoreResult<bool>;

    /// Forgets a hook, its dead letters and what waits for it. False if there is none.
    async fn delete_hook(&self, id: &str) -> StoreResult<bool>;

    /// Keeps a dead letter of a hook, if there is such a hook, and the newest `keep` of it.
    async fn bury(&self, hook: &str, letter: &NewDeadLetter, keep: u32) -> StoreResult<()>;

    /// A hook's dead letters after a number, ascending, at most `limit`.
    async fn dead_letters(
        &self,
        hook: &str,
        after: i64,
        limit: u32,
    ) -> StoreResult<Vec<DeadLetter>>;

    /// One dead letter of a hook.
    async fn dead_letter(&self, hook: &str, n: i64) -> StoreResult<Option<DeadLetter>>;

    /// How many a hook has.
    async fn count_dead_letters(&self, hook: &str) -> StoreResult<u64>;

    /// Drops a dead letter of a hook, or all. How many went.
    async fn drop_dead_letters(&self, hook: &str, only: Option<i64>) -> StoreResult<u64>;

    /// Keeps a delivery of a hook behind all others of its lane; durable when it returns.
    /// False, and nothing is done, if one of its event waits already or there is no such hook.
    async fn postpone(&self, hook: &str, delivery: &NewPostponed) -> StoreResult<bool>;

    /// The lanes of a hook in which deliveries wait, and how many.
    async fn postponed_lanes(&self, hook: &str) -> StoreResult<Vec<(String, u64)>>;

    /// The first delivery that waits in a lane of a hook.
    async fn next_postponed(&self, hook: &str, lane: &str) -> StoreResult<Option<Postponed>>;

    /// Writes down that a delivery was tried again: how often and for how long by now.
    async fn tried_again(&self, n: i64, tries: u32, tried_for_ms: u64) -> StoreResult<()>;

    /// A delivery waits no longer: it was taken, or is a dead letter from now on, of which the
    /// newest `keep` are kept.
    async fn end_postponed(
        &self,
        hook: &str,
        n: i64,
        dead: Option<&NewDeadLetter>,
        keep: u32,
    ) -> StoreResult<()>;

    /// Drops all deliveries of a hook that wait. How many went.
    async fn drop_postponed(&self, hook: &str) -> StoreResult<u64>;

    /// Forgets what is kept of a user for the hooks of a realm: dead letters that name the user
    /// go, and deliveries that wait and tell what the user wrote lose their body; they are not
    /// made any more, nor become dead letters. How many those were.
    async fn forget_user(&self, realm: &Realm, uid: &Uid) -> StoreResult<u64>;
}
