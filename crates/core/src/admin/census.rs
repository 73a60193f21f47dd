//! All users of a realm, their tags, and everything that is kept of one of them.

use async_trait::async_trait;
use serde::Serialize;

use crate::directory::UserRecord;
use crate::file::FileId;
use crate::id::{MessageId, Realm, UserNum};
use crate::store::StoreResult;

/// How many tags a user may have.
pub const MAX_TAGS: usize = 100;

/// Which users are wanted. What is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonFilter {
    /// Whose id begins so.
    pub prefix: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// Banned, or not.
    pub ban: Option<bool>,
    /// Administrator accounts, or not.
    pub staff: Option<bool>,
    /// System accounts, or not.
    pub system: Option<bool>,
}

/// A user with tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The record.
    pub record: UserRecord,
    /// The tags, in order.
    pub tags: Vec<String>,
}

/// What a look through a stretch of the log has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Messages of the user in chat logs, that are not taken back.
    pub found: Vec<MessageId>,
    /// How far it looked; `None` = to the end.
    pub through: Option<MessageId>,
}

/// What was removed of a user, by table.
pub type Purged = Vec<(String, u64)>;

/// Messages of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DayCount {
    /// The day, counted from 1970 in UTC.
    pub day: i64,
    /// Messages accepted on it.
    pub messages: u64,
}

/// How much there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// Users that exist.
    pub users: u64,
    /// Of these, banned ones.
    pub banned: u64,
    /// Channels, without their command logs.
    pub channels: u64,
    /// Messages accepted since the start of counting, newest days first; a day without is
    /// left out.
    pub days: Vec<DayCount>,
    /// All messages counted.
    pub messages: u64,
    /// Bytes of the store.
    pub store_bytes: u64,
}

/// The store behind all this. Each change is durable when it returns.
#[async_trait]
pub trait Census: Send + Sync + 'static {
    /// Users that exist, in the order of their numbers, after one.
    async fn people(
        &self,
        realm: &Realm,
        filter: &PersonFilter,
        after: UserNum,
        limit: u32,
    ) -> StoreResult<Vec<Person>>;

    /// Replaces a user's tags.
    async fn set_tags(&self, realm: &Realm, user: UserNum, tags: &[String]) -> StoreResult<()>;

    /// A user's tags, in order.
    async fn tags(&self, user: UserNum) -> StoreResult<Vec<String>>;

    /// Looks through a stretch of the log after a message for what a user has sent.
    async fn sent_by(&self, user: UserNum, after: MessageId) -> StoreResult<Scan>;

    /// Files that a user has given, some of them.
    async fn files_of(&self, realm: &Realm, user: UserNum) -> StoreResult<Vec<FileId>>;

    /// Removes what is kept of a user beside messages and memberships: conversations,
    /// relations, devices, tokens, tags, profile. The name stays reserved.
    async fn purge(&self, user: UserNum) -> StoreResult<Purged>;

    /// What is kept of a user beside messages: one JSON object per row, with its `kind`.
    async fn rows_of(&self, user: UserNum) -> StoreResult<Vec<String>>;

    /// How many users exist in a realm, perhaps only those with a tag.
    async fn count_people(&self, realm: &Realm, tag: Option<&str>) -> StoreResult<u64>;

    /// Counts a stretch of the messages that came since this was last asked; true when there
    /// are no more.
    async fn count_messages(&self) -> StoreResult<bool>;

    /// How much there is in a realm, as far as it was counted, with the days since one.
    async fn totals(&self, realm: &Realm, since_day: i64) -> StoreResult<Totals>;
}
