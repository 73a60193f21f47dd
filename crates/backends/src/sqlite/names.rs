//! Who a number is: users and channels by their surrogates, from bounded caches. Numbers are
//! given once and names never change, so what is cached stays true. Rows enter a cache only
//! when they were read from, or written by, a committed transaction.

use std::sync::Arc;

use crosstalk_core::channel::{ChannelKey, ChannelKind, ChannelRef, LogKind};
use crosstalk_core::id::{ChannelNum, Realm, Uid, UserNum, UserRef};
use quick_cache::sync::Cache;
use rusqlite::{Connection, OptionalExtension, Row};

use super::error::{DbError, DbResult};

/// How many users and logs are kept; those not used for long make room.
const CACHED: usize = 65_536;

/// The caches.
pub(super) struct Names {
    users: Cache<UserNum, UserRef>,
    channels: Cache<ChannelNum, Arc<ChannelRef>>,
    keys: Cache<(ChannelKey, bool), Arc<ChannelRef>>,
}

/// The columns of [`channel_from`]: `num, realm, kind, id, log`.
pub(super) const CHANNEL_COLUMNS: &str = "c.num, c.realm, c.kind, c.id, c.log";

impl Names {
    pub(super) fn new() -> Self {
        Self {
            users: Cache::new(CACHED),
            channels: Cache::new(CACHED),
            keys: Cache::new(CACHED),
        }
    }

    /// The user with a number, if there is one.
    pub(super) fn user(&self, conn: &Connection, num: UserNum) -> DbResult<Option<UserRef>> {
        if let Some(user) = self.users.get(&num) {
            return Ok(Some(user));
        }
        let mut find = conn.prepare_cached("SELECT uid FROM user WHERE num = ?1")?;
        let text = |row: &Row<'_>| Ok(Uid::from_store(row.get_ref(0)?.as_str()?));
        let uid = find.query_row([num.0], text).optional()?;
        let user = uid.map(|uid| UserRef { num, uid });
        if let Some(user) = &user {
            self.users.insert(num, user.clone());
        }
        Ok(user)
    }

    /// A log whose row stands in a query's first columns.
    pub(super) fn channel_from(&self, row: &Row<'_>) -> DbResult<Arc<ChannelRef>> {
        let num = ChannelNum(row.get(0)?);
        if let Some(channel) = self.channels.get(&num) {
            return Ok(channel);
        }
        let log = if row.get::<_, i64>(4)? == 0 {
            LogKind::Chat
        } else {
            LogKind::Command
        };
        let key = ChannelKey {
            realm: realm(row, 1)?,
            kind: ChannelKind(row.get(2)?),
            id: row
                .get_ref(3)?
                .as_str()
                .map_err(|error| DbError::Corrupt(error.to_string()))?
                .into(),
        };
        Ok(self.remember(ChannelRef { num, key, log }))
    }

    /// The log with a number, if there is one.
    pub(super) fn channel(
        &self,
        conn: &Connection,
        num: ChannelNum,
    ) -> DbResult<Option<Arc<ChannelRef>>> {
        if let Some(channel) = self.channels.get(&num) {
            return Ok(Some(channel));
        }
        let sql = "SELECT c.num, c.realm, c.kind, c.id, c.log FROM channel c WHERE c.num = ?1";
        let mut find = conn.prepare_cached(sql)?;
        let mut rows = find.query([num.0])?;
        rows.next()?.map(|row| self.channel_from(row)).transpose()
    }

    /// The log with a name, if it is in memory.
    pub(super) fn known(&self, key: &ChannelKey, log: LogKind) -> Option<Arc<ChannelRef>> {
        self.keys.get(&(key.clone(), log == LogKind::Command))
    }

    /// Keeps a log that is in the database for good. Whoever comes second gets what is there,
    /// so that a log has one `Arc` for as long as it is kept.
    pub(super) fn remember(&self, channel: ChannelRef) -> Arc<ChannelRef> {
        let by_name = (channel.key.clone(), channel.log == LogKind::Command);
        let known = self.channels.get(&channel.num);
        let channel = known.unwrap_or_else(|| {
            let channel = Arc::new(channel);
            self.channels.insert(channel.num, Arc::clone(&channel));
            channel
        });
        self.keys.insert(by_name, Arc::clone(&channel));
        channel
    }
}

/// A realm's name in a column.
pub(super) fn realm(row: &Row<'_>, at: usize) -> DbResult<Realm> {
    let name = row
        .get_ref(at)?
        .as_str()
        .map_err(|error| DbError::Corrupt(error.to_string()))?;
    Realm::parse(name).map_err(|error| DbError::Corrupt(format!("a realm's name: {error}")))
}
