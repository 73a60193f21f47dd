//! What the core asks of a store about users.

use async_trait::async_trait;

use super::{Alias, Aliases, UserChange, UserRecord};
use crate::id::{Realm, Uid, UserNum};
use crate::session::DeviceLevel;
use crate::store::StoreResult;

/// The token registered for all devices of one flag of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagToken {
    /// SHA-256 of the token; `None` = blank, which can never log in.
    pub hash: Option<[u8; 32]>,
    /// The level that a session with this token has.
    pub level: DeviceLevel,
}

/// The store of users. Each change is durable when it returns.
#[async_trait]
pub trait Directory: Send + Sync + 'static {
    /// The user of a realm with this id, if the name is known at all.
    async fn user(&self, realm: &Realm, uid: &Uid) -> StoreResult<Option<UserRecord>>;

    /// The users with these ids, in order; names not known yet are interned with
    /// `exists` unset.
    async fn intern(&self, realm: &Realm, uids: &[Uid]) -> StoreResult<Vec<UserRecord>>;

    /// The user of a realm with this alias. Whoever was ever interned has one.
    async fn by_alias(&self, realm: &Realm, alias: &Alias) -> StoreResult<Option<UserRecord>>;

    /// What computes the aliases that are kept here.
    fn aliases(&self) -> &Aliases;

    /// The user with a number.
    async fn user_by_num(&self, num: UserNum) -> StoreResult<Option<UserRecord>>;

    /// Creates or changes a user.
    async fn put_user(
        &self,
        realm: &Realm,
        uid: &Uid,
        change: &UserChange,
    ) -> StoreResult<UserRecord>;

    /// The token of a user's device flag.
    async fn flag_token(&self, user: UserNum, flag: u8) -> StoreResult<Option<FlagToken>>;

    /// The users of a realm with a device flag whose token has this hash, at most `limit`:
    /// nothing keeps an application from giving several the same.
    async fn by_flag_token(
        &self,
        realm: &Realm,
        hash: &[u8; 32],
        limit: u32,
    ) -> StoreResult<Vec<UserNum>>;

    /// Replaces the token of a user's device flag.
    async fn set_flag_token(&self, user: UserNum, flag: u8, token: &FlagToken) -> StoreResult<()>;
}
