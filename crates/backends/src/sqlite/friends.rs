//! Friends: rows of `relation` with the bit of a friend. Who was a friend keeps a row for those
//! who ask by version; of these the oldest go when there are many.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use async_trait::async_trait;
use crosstalk_core::form::folded;
use crosstalk_core::id::UserNum;
use crosstalk_core::refusal::Refusal;
use crosstalk_core::relation::friend::{
    Answer, Asked, Friend, FriendChange, FriendGroup, FriendQuery, FriendRequest, MAX_FRIENDS,
    NewRequest, RequestQuery, Sides, WhichFriends,
};
use crosstalk_core::relation::{Decided, Friends};
use crosstalk_core::store::StoreResult;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};

use super::error::DbResult;
use super::names::Names;
use super::work::Tx;
use super::{Sqlite, friend_groups, friend_requests};

/// The bit of a friend; the next one is that of somebody who was one.
const FRIEND: i64 = 4;
/// Those who were friends of a user whose rows are kept.
const MAX_FORMER: u32 = 5_000;

#[async_trait]
impl Friends for Sqlite {
    async fn ask(&self, ask: &NewRequest) -> Decided<Asked> {
        let ask = ask.clone();
        self.write(move |tx| friend_requests::ask(tx, &ask)).await
    }

    async fn wait_to_ask_ms(&self, from: UserNum, to: UserNum, now_ms: i64) -> StoreResult<i64> {
        self.read(move |conn, shared| {
            friend_requests::wait_to_ask_ms(conn, &shared.names, from, to, now_ms)
        })
        .await
    }

    async fn answer(
        &self,
        id: i64,
        by: UserNum,
        answer: &Answer,
        now_ms: i64,
    ) -> Decided<(FriendRequest, bool)> {
        let answer = answer.clone();
        self.write(move |tx| friend_requests::answer(tx, id, by, &answer, now_ms))
            .await
    }

    async fn requests(&self, query: &RequestQuery) -> StoreResult<Vec<FriendRequest>> {
        let query = *query;
        self.read(move |conn, shared| friend_requests::list(conn, &shared.names, &query))
            .await
    }

    async fn befriend(
        &self,
        pairs: &[(UserNum, UserNum)],
        sides: Sides,
        now_ms: i64,
    ) -> StoreResult<Vec<Result<bool, Refusal>>> {
        let pairs = pairs.to_vec();
        self.write(move |tx| {
            let mut counts = Counts::default();
            let mut made = Vec::with_capacity(pairs.len());
            for (one, other) in &pairs {
                made.push(befriend(tx, &mut counts, *one, *other, sides, now_ms)?);
            }
            Ok(made)
        })
        .await
    }

    async fn unfriend(
        &self,
        user: UserNum,
        others: &[UserNum],
        sides: Sides,
    ) -> StoreResult<Vec<(UserNum, UserNum)>> {
        let others = others.to_vec();
        self.write(move |tx| {
            let mut lost = Vec::new();
            for other in &others {
                if remove(tx, user, *other)? {
                    lost.push((user, *other));
                }
                if sides == Sides::Both && remove(tx, *other, user)? {
                    lost.push((*other, user));
                }
            }
            Ok(lost)
        })
        .await
    }

    async fn friends(&self, query: &FriendQuery) -> StoreResult<Vec<Friend>> {
        let query = query.clone();
        self.read(move |conn, shared| list(conn, &shared.names, &query))
            .await
    }

    async fn change_friend(
        &self,
        user: UserNum,
        other: UserNum,
        change: &FriendChange,
    ) -> Decided<Friend> {
        let change = change.clone();
        self.write(move |tx| change_friend(tx, user, other, &change))
            .await
    }

    async fn friend_groups(&self, user: UserNum) -> StoreResult<Vec<FriendGroup>> {
        self.read(move |conn, _| friend_groups::list(conn, user))
            .await
    }

    async fn name_friend_group(
        &self,
        user: UserNum,
        id: i64,
        name: &str,
        is_new: bool,
    ) -> Decided<FriendGroup> {
        let name = name.to_owned();
        self.write(move |tx| friend_groups::name(tx.conn, user, id, &name, is_new))
            .await
    }

    async fn delete_friend_group(&self, user: UserNum, id: i64) -> Decided<Vec<Friend>> {
        self.write(move |tx| friend_groups::delete(tx, user, id))
            .await
    }

    async fn order_friend_groups(&self, user: UserNum, ids: &[i64]) -> Decided<Vec<FriendGroup>> {
        let ids = ids.to_vec();
        self.write(move |tx| friend_groups::order(tx.conn, user, &ids))
            .await
    }
}

/// How many friends users have, as far as it was asked.
#[derive(Default)]
pub(super) struct Counts(HashMap<UserNum, u32>);

impl Counts {
    fn of(&mut self, conn: &Connection, user: UserNum) -> DbResult<&mut u32> {
        match self.0.entry(user) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let sql = "SELECT count(*) FROM relation INDEXED BY relation_friend \
                           WHERE user = ?1 AND state & 4";
                let mut count = conn.prepare_cached(sql)?;
                Ok(unknown.insert(count.query_row([user.0], |row| row.get(0))?))
            }
        }
    }
}

/// What a user has decided about another, as it is stored.
pub(super) fn state(conn: &Connection, user: UserNum, other: UserNum) -> DbResult<i64> {
    let sql = "SELECT state FROM relation WHERE user = ?1 AND other = ?2";
    let mut find = conn.prepare_cached(sql)?;
    let state = find
        .query_row([user.0, other.0], |row| row.get(0))
        .optional()?;
    Ok(state.unwrap_or(0))
}

/// Whether a user keeps another as a friend.
pub(super) fn is_friend(conn: &Connection, user: UserNum, other: UserNum) -> DbResult<bool> {
    Ok(state(conn, user, other)? & FRIEND != 0)
}

/// The next version among a user's friends.
pub(super) fn next_version(tx: &Tx<'_>, user: UserNum) -> DbResult<i64> {
    let sql = "SELECT max(version) FROM relation INDEXED BY relation_version \
               WHERE user = ?1 AND version > 0";
    let mut newest = tx.conn.prepare_cached(sql)?;
    let newest: Option<i64> = newest.query_row([user.0], |row| row.get(0))?;
    Ok(tx.version(newest.unwrap_or(0)))
}

/// Makes two users friends. True if they were not so before.
pub(super) fn befriend(
    tx: &Tx<'_>,
    counts: &mut Counts,
    one: UserNum,
    other: UserNum,
    sides: Sides,
    now_ms: i64,
) -> DbResult<Result<bool, Refusal>> {
    let mut missing = Vec::new();
    if !is_friend(tx.conn, one, other)? {
        missing.push((one, other));
    }
    if sides == Sides::Both && !is_friend(tx.conn, other, one)? {
        missing.push((other, one));
    }
    for (user, _) in &missing {
        if *counts.of(tx.conn, *user)? >= MAX_FRIENDS {
            return Ok(Err(Refusal::TooMany));
        }
    }
    for (user, friend) in &missing {
        let sql = "INSERT INTO relation (user, other, state, since, version) \
                   VALUES (?1, ?2, 4, ?3, ?4) ON CONFLICT DO UPDATE \
                   SET state = (state & ~8) | 4, since = ?3, version = ?4, remark = '', grp = 0";
        let version = next_version(tx, *user)?;
        tx.conn
            .prepare_cached(sql)?
            .execute([user.0, friend.0, now_ms, version])?;
        *counts.of(tx.conn, *user)? += 1;
    }
    if sides == Sides::Both {
        friend_requests::settle(tx.conn, one, other, now_ms)?;
    }
    Ok(Ok(!missing.is_empty()))
}

/// Ends what a user keeps of a friendship. True if there was one.
fn remove(tx: &Tx<'_>, user: UserNum, other: UserNum) -> DbResult<bool> {
    if !is_friend(tx.conn, user, other)? {
        return Ok(false);
    }
    let sql = "UPDATE relation SET state = (state & ~4) | 8, remark = '', grp = 0, since = 0, \
               version = ?3 WHERE user = ?1 AND other = ?2";
    let version = next_version(tx, user)?;
    tx.conn
        .prepare_cached(sql)?
        .execute([user.0, other.0, version])?;
    forget_former(tx.conn, user)?;
    Ok(true)
}

/// Of those who were friends only the newest are kept.
fn forget_former(conn: &Connection, user: UserNum) -> DbResult<()> {
    let sql = "SELECT version FROM relation INDEXED BY relation_version \
               WHERE user = ?1 AND version > 0 AND state & 8 ORDER BY version DESC \
               LIMIT 1 OFFSET ?2";
    let mut find = conn.prepare_cached(sql)?;
    let oldest: Option<i64> = find
        .query_row([user.0, i64::from(MAX_FORMER)], |row| row.get(0))
        .optional()?;
    if let Some(oldest) = oldest {
        let sql = "DELETE FROM relation WHERE user = ?1 AND version > 0 AND version <= ?2 \
                   AND state = 8";
        conn.prepare_cached(sql)?.execute([user.0, oldest])?;
        let sql = "UPDATE relation SET state = state & ~8, version = 0 \
                   WHERE user = ?1 AND version > 0 AND version <= ?2 AND state & 8";
        conn.prepare_cached(sql)?.execute([user.0, oldest])?;
    }
    Ok(())
}

/// Changes how a friend is kept.
pub(super) fn change_friend(
    tx: &Tx<'_>,
    user: UserNum,
    other: UserNum,
    change: &FriendChange,
) -> DbResult<Result<Friend, Refusal>> {
    let is_known = match change.group {
        Some(group) => friend_groups::exists(tx.conn, user, group)?,
        None => true,
    };
    if !is_known || !is_friend(tx.conn, user, other)? {
        return Ok(Err(Refusal::NotFound));
    }
    keep(tx, user, other, change)?;
    let query = FriendQuery {
        user,
        which: WhichFriends::These(vec![other]),
        limit: 1,
    };
    let friend = list(tx.conn, &tx.shared.names, &query)?.pop();
    Ok(friend.ok_or(Refusal::NotFound))
}

/// Keeps a friend, who is one, as a change says.
pub(super) fn keep(
    tx: &Tx<'_>,
    user: UserNum,
    other: UserNum,
    change: &FriendChange,
) -> DbResult<()> {
    if *change == FriendChange::default() {
        return Ok(());
    }
    let sql = "UPDATE relation SET remark = coalesce(?3, remark), grp = coalesce(?4, grp), \
               version = ?5 WHERE user = ?1 AND other = ?2 AND state & 4";
    let version = next_version(tx, user)?;
    tx.conn.prepare_cached(sql)?.execute(params![
        user.0,
        other.0,
        change.remark,
        change.group,
        version
    ])?;
    Ok(())
}

const COLUMNS: &str = "SELECT r.other, coalesce(iif(json_valid(u.profile), json_extract(u.profile, '$.name'), ''), ''), \
                       r.remark, r.grp, r.since, r.version, r.state \
                       FROM relation r JOIN user u ON u.num = r.other";

fn friend(names: &Names, conn: &Connection, row: &Row<'_>) -> DbResult<Option<Friend>> {
    let Some(user) = names.user(conn, UserNum(row.get(0)?))? else {
        return Ok(None);
    };
    let name = row.get_ref(1)?.as_str().unwrap_or_default().to_owned();
    Ok(Some(Friend {
        user,
        name,
        remark: row.get(2)?,
        group: row.get(3)?,
        since_ms: row.get(4)?,
        version: row.get(5)?,
        is_friend: row.get::<_, i64>(6)? & FRIEND != 0,
    }))
}

/// Some of the friends of a user.
pub(super) fn list(conn: &Connection, names: &Names, query: &FriendQuery) -> DbResult<Vec<Friend>> {
    let (user, limit) = (query.user.0, query.limit);
    let select = |rest: &str, params: &[&dyn ToSql]| -> DbResult<Vec<Friend>> {
        let mut select = conn.prepare_cached(&format!("{COLUMNS} {rest}"))?;
        let mut rows = select.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.extend(friend(names, conn, row)?);
        }
        Ok(found)
    };
    let these = |others: &[UserNum]| -> DbResult<Vec<Friend>> {
        let mut found = Vec::new();
        for other in others {
            found.extend(select(
                "WHERE r.user = ?1 AND r.other = ?2 AND r.state & 4",
                &[&user, &other.0],
            )?);
        }
        Ok(found)
    };
    match &query.which {
        WhichFriends::Now {
            after,
            keyword,
            group,
        } => {
            if keyword.is_empty() {
                return select(
                    "WHERE r.user = ?1 AND r.state & 4 AND r.other > ?2 \
                     AND (?3 IS NULL OR r.grp = ?3) ORDER BY r.other LIMIT ?4",
                    &[&user, &after.0, group, &limit],
                );
            }
            let called = called(conn, query.user, *after, keyword, *group, limit)?;
            these(&called)
        }
        WhichFriends::Since(version) => select(
            "WHERE r.user = ?1 AND r.version > ?2 AND r.version > 0 \
             ORDER BY r.version LIMIT ?3",
            &[&user, version, &limit],
        ),
        WhichFriends::These(others) => these(others),
    }
}

/// The friends of a user with a keyword in id, name or remark, whatever its case and width.
fn called(
    conn: &Connection,
    user: UserNum,
    after: UserNum,
    keyword: &str,
    group: Option<i64>,
    limit: u32,
) -> DbResult<Vec<UserNum>> {
    let sql = "SELECT r.other, u.uid, coalesce(c.name, ''), r.remark \
               FROM relation r JOIN user u ON u.num = r.other \
               LEFT JOIN user_card c ON c.realm = u.realm AND c.user = u.num \
               WHERE r.user = ?1 AND r.state & 4 AND r.other > ?2 \
               AND (?3 IS NULL OR r.grp = ?3) ORDER BY r.other";
    let mut select = conn.prepare_cached(sql)?;
    let mut rows = select.query(params![user.0, after.0, group])?;
    let keyword = folded(keyword);
    let mut found = Vec::new();
    while found.len() < limit as usize
        && let Some(row) = rows.next()?
    {
        let text = |column| -> DbResult<&str> { Ok(row.get_ref(column)?.as_str().unwrap_or("")) };
        let is_it = text(2)?.contains(&keyword)
            || folded(text(1)?).contains(&keyword)
            || folded(text(3)?).contains(&keyword);
        if is_it {
            found.push(UserNum(row.get(0)?));
        }
    }
    Ok(found)
}

/// The friends of a group.
pub(super) fn of_group(
    conn: &Connection,
    names: &Names,
    user: UserNum,
    group: i64,
) -> DbResult<Vec<Friend>> {
    let query = FriendQuery {
        user,
        which: WhichFriends::Now {
            after: UserNum(i64::MIN),
            keyword: String::new(),
            group: Some(group),
        },
        limit: MAX_FRIENDS,
    };
    list(conn, names, &query)
}
