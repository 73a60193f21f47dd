//! Work that is done in the background, piece by piece, and goes on after a restart.

use async_trait::async_trait;

use crate::id::{Realm, UserNum, UserRef};
use crate::store::StoreResult;

/// How much of one kind may wait in a realm.
pub const MAX_OPEN: u32 = 10_000;

/// What is to be done. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChoreKind {
    /// A message to many.
    Broadcast = 0,
    /// A user with all their data.
    Erase = 1,
    /// Everything of a user, written down.
    Export = 2,
}

impl ChoreKind {
    /// The kind with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Broadcast, Self::Erase, Self::Export]
            .into_iter()
            .find(|kind| *kind as i64 == number)
    }
}

/// How far it is. The numbers are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChoreState {
    /// It waits.
    Queued = 0,
    /// It is being done.
    Running = 1,
    /// It is done.
    Done = 2,
    /// It cannot be done.
    Failed = 3,
    /// It was called off.
    Cancelled = 4,
}

impl ChoreState {
    /// The name in REST.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with a stored number.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Self::Queued,
            1 => Self::Running,
            2 => Self::Done,
            4 => Self::Cancelled,
            _ => Self::Failed,
        }
    }

    /// Whether there is something left to do.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

/// Work to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChore {
    /// Where.
    pub realm: Realm,
    /// What.
    pub kind: ChoreKind,
    /// The user it is about.
    pub user: Option<UserRef>,
    /// What else is to be known: JSON.
    pub spec: String,
    /// How much it is, as far as is known.
    pub total: u64,
    /// Who wants it.
    pub by: String,
}

/// Work and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chore {
    /// Its number.
    pub num: i64,
    /// What was asked for.
    pub chore: NewChore,
    /// How far it is.
    pub state: ChoreState,
    /// How much is done.
    pub done: u64,
    /// How much of that went wrong.
    pub failed: u64,
    /// Where to go on: JSON; empty = from the beginning.
    pub place: String,
    /// What went wrong.
    pub note: String,
    /// When it was asked for, ms since 1970.
    pub created_at_ms: i64,
    /// When it last went on, ms since 1970.
    pub updated_at_ms: i64,
}

/// The store of work in the background. Each change is durable when it returns.
#[async_trait]
pub trait Chores: Send + Sync + 'static {
    /// Takes work in. `None` if too much waits. Work about a user that is open already is
    /// answered instead of taken in again.
    async fn add_chore(&self, chore: &NewChore) -> StoreResult<Option<Chore>>;

    /// Some work.
    async fn chore(&self, num: i64) -> StoreResult<Option<Chore>>;

    /// The newest work of a kind about a user.
    async fn chore_about(&self, kind: ChoreKind, user: UserNum) -> StoreResult<Option<Chore>>;

    /// Work of a realm and kind, newest first, older than a number.
    async fn chores(
        &self,
        realm: &Realm,
        kind: ChoreKind,
        before: Option<i64>,
        limit: u32,
    ) -> StoreResult<Vec<Chore>>;

    /// Open work of a kind, no more than `limit`: the oldest of each realm, then the second of
    /// each, so that the work of one does not hold up that of others.
    async fn open_chores(&self, kind: ChoreKind, limit: u32) -> StoreResult<Vec<Chore>>;

    /// Writes down how far it is, with a piece of its output, if there is one. False if it is
    /// not open any more: it was called off, and whoever works on it stops.
    async fn save_chore(&self, chore: &Chore, output: Option<(u32, Vec<u8>)>) -> StoreResult<bool>;

    /// Calls work off; false if it is not open.
    async fn cancel_chore(&self, num: i64) -> StoreResult<bool>;

    /// A piece of output, by its place.
    async fn output(&self, chore: i64, n: u32) -> StoreResult<Option<Vec<u8>>>;

    /// Forgets output of work that was finished before a time.
    async fn drop_output(&self, before_ms: i64) -> StoreResult<()>;
}
