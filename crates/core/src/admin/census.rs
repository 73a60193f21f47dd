//! All users of a realm, their tags, and everything that is kept of one of them.

use async_trait::async_trait;
use serde::Serialize;

use crate::content::Content;
use crate::deliver::tip;
use crate::directory::UserRecord;
use crate::file::FileId;
use crate::id::{MessageId, Realm, UserNum, UserRef};
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

/// Who is to be forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The realm.
    pub realm: Realm,
    /// The user.
    pub user: UserRef,
    /// What lines of the system call them.
    pub names: Vec<String>,
}

impl Forgotten {
    /// Whether a message of the system says that they joined or left, or had somebody do so.
    #[must_use]
    pub fn is_named_in(&self, payload: &[u8]) -> bool {
        match serde_json::from_slice(payload) {
            Ok(Content::Tip { text }) => tip::names_one_of(&text, &self.names),
            _ => false,
        }
    }
}

/// What a look through a stretch of the log has found of somebody who is to be forgotten, and
/// what is not gone yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Messages of theirs in chat logs.
    pub said: Vec<MessageId>,
    /// Lines of the system in chats that name them as joining, leaving, or having somebody do
    /// so.
    pub named: Vec<MessageId>,
    /// Entries of command logs: all of their own log, what they sent to those of channels, and
    /// what tells of them ([`Change::tells_of`](crate::change::Change::tells_of)).
    pub told: Vec<MessageId>,
    /// The last message that it looked at.
    pub last: MessageId,
    /// There may be more behind it.
    pub is_more: bool,
}

impl Traces {
    /// Nothing after a message.
    #[must_use]
    pub fn none_after(message: MessageId) -> Self {
        Self {
            said: Vec::new(),
            named: Vec::new(),
            told: Vec::new(),
            last: message,
            is_more: false,
        }
    }
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

    /// Looks through a stretch of the log after a message for what there is of somebody.
    async fn traces_of(&self, whose: &Forgotten, after: MessageId) -> StoreResult<Traces>;

    /// Files that a user has given, some of them.
    async fn files_of(&self, realm: &Realm, user: UserNum) -> StoreResult<Vec<FileId>>;

    /// Removes what is kept of a user beside messages and memberships: conversations,
    /// relations, devices, tokens, tags, profile, what broadcasts in their name said. The name
    /// stays reserved.
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
