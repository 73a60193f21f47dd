//! Bans of users and devices, with reason and end.

use async_trait::async_trait;

use crate::id::{Realm, Uid};
use crate::store::StoreResult;

/// How many bans a realm may have.
pub const MAX_BANS: u32 = 100_000;

/// Who or what is banned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BanTarget {
    /// A user.
    User(Uid),
    /// A device, by the id that clients give it.
    Device(String),
}

/// A ban to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBan {
    /// Where it holds.
    pub realm: Realm,
    /// Who or what.
    pub target: BanTarget,
    /// Why.
    pub reason: String,
    /// Until when, ms since 1970; `None` = for ever.
    pub until_ms: Option<i64>,
    /// Who says so.
    pub by: String,
}

/// A ban.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ban {
    /// Its number.
    pub num: i64,
    /// What was said.
    pub ban: NewBan,
    /// When, ms since 1970.
    pub at_ms: i64,
}

/// The store of bans. Each change is durable when it returns. That a user is banned stands
/// in the user's record as well, which is what the checks look at.
#[async_trait]
pub trait Bans: Send + Sync + 'static {
    /// Bans, or changes the ban of who is banned already. `None` if there are too many.
    async fn put_ban(&self, ban: &NewBan) -> StoreResult<Option<Ban>>;

    /// Lifts a ban and returns it.
    async fn remove_ban(&self, realm: &Realm, target: &BanTarget) -> StoreResult<Option<Ban>>;

    /// One ban.
    async fn ban(&self, realm: &Realm, num: i64) -> StoreResult<Option<Ban>>;

    /// Bans of a realm after a number.
    async fn bans(&self, realm: &Realm, after: i64, limit: u32) -> StoreResult<Vec<Ban>>;

    /// All bans of all realms: what is looked at often is kept in memory.
    async fn all_bans(&self) -> StoreResult<Vec<Ban>>;
}
