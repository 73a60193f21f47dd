//! What the core asks of a store about many users at once: finding them, and when they were
//! last there.

use async_trait::async_trait;

use super::UserRecord;
use crate::id::{Realm, UserNum};
use crate::store::StoreResult;

/// Where in what was found to go on: opaque to who asks.
pub type FoundPlace = [i64; 2];

/// A search for users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindUsers {
    /// In which realm.
    pub realm: Realm,
    /// What their id begins with, their name contains, or their phone number or address of
    /// mail is.
    pub keyword: String,
    /// The application searches: it finds everybody, by everything.
    pub all: bool,
    /// Where to go on; `None` = from the beginning.
    pub after: Option<FoundPlace>,
    /// How many at most.
    pub limit: u32,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundUsers {
    /// Some users, each once over all pages. May be fewer than asked for although there is
    /// more: a page is not searched for longer than it takes to look at many.
    pub users: Vec<UserRecord>,
    /// Where to go on; `None` = that was all.
    pub next: Option<FoundPlace>,
}

/// The store of what is known of many users.
#[async_trait]
pub trait People: Send + Sync + 'static {
    /// Finds users who exist.
    async fn find_users(&self, query: &FindUsers) -> StoreResult<FoundUsers>;

    /// Notes when users were last there, ms since 1970.
    async fn seen(&self, users: &[(UserNum, i64)]) -> StoreResult<()>;

    /// When users were last there, in order; 0 = never since that is kept.
    async fn last_seen(&self, users: &[UserNum]) -> StoreResult<Vec<i64>>;
}
