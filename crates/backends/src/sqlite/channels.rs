//! Channels and their access lists. Members stand in `members`.

use std::sync::Arc;

use async_trait::async_trait;
use crosstalk_core::channel::{
    ChannelChange, ChannelKey, ChannelRecord, ChannelRef, ChannelSettings, Channels, FoundMembers,
    HistoryFrom, List, ListChange, LogKind, Member, MemberChange, MemberQuery, MemberRow,
    MembersChanged,
};
use crosstalk_core::id::{ChannelNum, UserNum};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension};

use super::error::{DbError, DbResult};
use super::names::CHANNEL_COLUMNS;
use super::{Shared, Sqlite, member_search, members};

/// Set in `channel.flags` where history is shown since the join only.
pub(super) const SINCE_JOIN: i64 = 1;

#[async_trait]
impl Channels for Sqlite {
    async fn open(
        &self,
        key: &ChannelKey,
        log: LogKind,
        create: bool,
    ) -> StoreResult<Option<Arc<ChannelRef>>> {
        if let Some(known) = self.shared.names.known(key, log) {
            return Ok(Some(known));
        }
        let wanted = key.clone();
        let found = self.read(move |conn, _| find(conn, &wanted, log)).await?;
        let num = match found {
            Some(num) => num,
            None if !create => return Ok(None),
            None => {
                let wanted = key.clone();
                self.write(move |tx| intern(tx.conn, &wanted, log)).await?
            }
        };
        Ok(Some(self.shared.names.remember(ChannelRef {
            num,
            key: key.clone(),
            log,
        })))
    }

    async fn record(&self, key: &ChannelKey) -> StoreResult<Option<ChannelRecord>> {
        let wanted = key.clone();
        self.read(move |conn, shared| record(conn, shared, &wanted))
            .await
    }

    async fn put(&self, key: &ChannelKey, change: &ChannelChange) -> StoreResult<ChannelRecord> {
        let (wanted, change) = (key.clone(), change.clone());
        let changed = self.write(move |tx| put(tx.conn, &wanted, &change)).await?;
        let (num, settings, member_count) = changed;
        let channel = ChannelRef {
            num,
            key: key.clone(),
            log: LogKind::Chat,
        };
        Ok(ChannelRecord {
            channel: self.shared.names.remember(channel),
            settings,
            member_count,
        })
    }

    async fn create(
        &self,
        key: &ChannelKey,
        change: &ChannelChange,
        members: &[MemberChange],
    ) -> StoreResult<Option<(ChannelRecord, MembersChanged)>> {
        let (wanted, change, members) = (key.clone(), change.clone(), members.to_vec());
        let made = self.write(move |tx| {
            if find(tx.conn, &wanted, LogKind::Chat)?.is_some() {
                return Ok(None);
            }
            let (num, settings, _) = put(tx.conn, &wanted, &change)?;
            Ok(Some((num, settings, members::change(tx, num, &members)?)))
        });
        let Some((num, settings, changed)) = made.await? else {
            return Ok(None);
        };
        let channel = ChannelRef {
            num,
            key: key.clone(),
            log: LogKind::Chat,
        };
        let record = ChannelRecord {
            channel: self.shared.names.remember(channel),
            settings,
            member_count: changed.member_count,
        };
        Ok(Some((record, changed)))
    }

    async fn members(
        &self,
        channel: ChannelNum,
        after: Option<UserNum>,
        limit: u32,
    ) -> StoreResult<Vec<Member>> {
        self.read(move |conn, shared| members::page(conn, shared, channel, after, limit))
            .await
    }

    async fn find_members(
        &self,
        channel: ChannelNum,
        query: &MemberQuery,
    ) -> StoreResult<FoundMembers> {
        let query = query.clone();
        self.read(move |conn, shared| member_search::find(conn, shared, channel, &query))
            .await
    }

    async fn member(&self, channel: ChannelNum, user: UserNum) -> StoreResult<Option<Member>> {
        self.read(move |conn, shared| members::one(conn, shared, channel, user))
            .await
    }

    async fn members_since(
        &self,
        channel: ChannelNum,
        after_version: i64,
        limit: u32,
    ) -> StoreResult<Vec<MemberRow>> {
        self.read(move |conn, shared| members::since(conn, shared, channel, after_version, limit))
            .await
    }

    async fn change_members(
        &self,
        channel: ChannelNum,
        changes: &[MemberChange],
    ) -> StoreResult<MembersChanged> {
        let changes = changes.to_vec();
        self.write(move |tx| members::change(tx, channel, &changes))
            .await
    }

    async fn lists(&self, channel: ChannelNum) -> StoreResult<Vec<(List, UserNum)>> {
        self.read(move |conn, _| lists(conn, channel)).await
    }

    async fn change_list(
        &self,
        channel: ChannelNum,
        list: List,
        change: ListChange,
        users: &[UserNum],
    ) -> StoreResult<()> {
        let users = users.to_vec();
        self.write(move |tx| change_list(tx.conn, channel, list, change, &users))
            .await
    }

    async fn of_user(&self, user: UserNum) -> StoreResult<Vec<Arc<ChannelRef>>> {
        self.read(move |conn, shared| of_user(conn, shared, user))
            .await
    }
}

fn find(conn: &Connection, key: &ChannelKey, log: LogKind) -> DbResult<Option<ChannelNum>> {
    let sql = "SELECT num FROM channel WHERE realm = ?1 AND kind = ?2 AND id = ?3 AND log = ?4";
    let mut find = conn.prepare_cached(sql)?;
    let wanted = rusqlite::params![key.realm.as_str(), key.kind.0, &*key.id, log as i64];
    Ok(find
        .query_row(wanted, |row| row.get(0))
        .optional()?
        .map(ChannelNum))
}

/// The log's number; it is made if need be, and the chat log before the command log.
fn intern(conn: &Connection, key: &ChannelKey, log: LogKind) -> DbResult<ChannelNum> {
    if log == LogKind::Command {
        intern(conn, key, LogKind::Chat)?;
    }
    if let Some(num) = find(conn, key, log)? {
        return Ok(num);
    }
    let sql = "INSERT INTO channel (realm, kind, id, log, flags, settings, member_count, first_seq) \
               VALUES (?1, ?2, ?3, ?4, 0, '{}', 0, 1)";
    let mut insert = conn.prepare_cached(sql)?;
    insert.execute(rusqlite::params![
        key.realm.as_str(),
        key.kind.0,
        &*key.id,
        log as i64
    ])?;
    Ok(ChannelNum(conn.last_insert_rowid()))
}

fn settings(conn: &Connection, num: ChannelNum) -> DbResult<(ChannelSettings, u32)> {
    let sql = "SELECT settings, member_count FROM channel WHERE num = ?1";
    let mut find = conn.prepare_cached(sql)?;
    let (json, count) =
        find.query_row([num.0], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
    let settings = serde_json::from_str(&json)
        .map_err(|error| DbError::Corrupt(format!("settings of channel {num}: {error}")))?;
    Ok((settings, count))
}

fn record(conn: &Connection, shared: &Shared, key: &ChannelKey) -> DbResult<Option<ChannelRecord>> {
    let Some(num) = find(conn, key, LogKind::Chat)? else {
        return Ok(None);
    };
    let (settings, member_count) = settings(conn, num)?;
    let channel = ChannelRef {
        num,
        key: key.clone(),
        log: LogKind::Chat,
    };
    Ok(Some(ChannelRecord {
        channel: shared.names.remember(channel),
        settings,
        member_count,
    }))
}

fn put(
    conn: &Connection,
    key: &ChannelKey,
    change: &ChannelChange,
) -> DbResult<(ChannelNum, ChannelSettings, u32)> {
    let num = intern(conn, key, LogKind::Chat)?;
    let (mut settings, count) = settings(conn, num)?;
    change.apply(&mut settings);
    let json = serde_json::to_string(&settings)
        .map_err(|error| DbError::Corrupt(format!("settings of channel {num}: {error}")))?;
    let flags = if settings.history == HistoryFrom::SinceJoin {
        SINCE_JOIN
    } else {
        0
    };
    let sql = "UPDATE channel SET settings = ?2, flags = ?3 WHERE num = ?1";
    conn.prepare_cached(sql)?
        .execute(rusqlite::params![num.0, json, flags])?;
    Ok((num, settings, count))
}

fn lists(conn: &Connection, channel: ChannelNum) -> DbResult<Vec<(List, UserNum)>> {
    let sql = "SELECT list, user FROM access_list WHERE channel = ?1 ORDER BY list, user";
    let mut find = conn.prepare_cached(sql)?;
    let entry = |row: &rusqlite::Row<'_>| {
        let list = if row.get::<_, i64>(0)? == List::Deny as i64 {
            List::Deny
        } else {
            List::Allow
        };
        Ok((list, UserNum(row.get(1)?)))
    };
    Ok(find
        .query_map([channel.0], entry)?
        .collect::<Result<_, _>>()?)
}

fn change_list(
    conn: &Connection,
    channel: ChannelNum,
    list: List,
    change: ListChange,
    users: &[UserNum],
) -> DbResult<()> {
    let list = list as i64;
    if change == ListChange::Set {
        let sql = "DELETE FROM access_list WHERE channel = ?1 AND list = ?2";
        conn.prepare_cached(sql)?.execute([channel.0, list])?;
    }
    let sql = match change {
        ListChange::Add | ListChange::Set => {
            "INSERT INTO access_list (channel, list, user) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO NOTHING"
        }
        ListChange::Remove => {
            "DELETE FROM access_list WHERE channel = ?1 AND list = ?2 AND user = ?3"
        }
    };
    let mut each = conn.prepare_cached(sql)?;
    for user in users {
        each.execute([channel.0, list, user.0])?;
    }
    Ok(())
}

fn of_user(conn: &Connection, shared: &Shared, user: UserNum) -> DbResult<Vec<Arc<ChannelRef>>> {
    let sql = format!(
        "SELECT {CHANNEL_COLUMNS} FROM member m JOIN channel c ON c.num = m.channel \
         WHERE m.user = ?1 AND m.state = 1 ORDER BY m.channel"
    );
    let mut find = conn.prepare_cached(&sql)?;
    let mut rows = find.query([user.0])?;
    let mut channels = Vec::new();
    while let Some(row) = rows.next()? {
        channels.push(shared.names.channel_from(row)?);
    }
    Ok(channels)
}
